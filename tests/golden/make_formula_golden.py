#!/usr/bin/env python3
"""Writes pymatgen's reduced formulas and ratios: of the formulas below in full (formulas.csv), and of
the 35,463 formulas of the large data set as one CRC-32 per block (formula_blocks.csv), so that tests
need neither pymatgen nor a copy of the data.

    pip install pymatgen==2026.10.16
    tests/golden/make_formula_golden.py .../composition/mp_stable_formula.csv.gz
"""
import csv
import gzip
import math
import pathlib
import sys
import zlib
from fractions import Fraction

from pymatgen.core import Composition

HERE = pathlib.Path(__file__).resolve().parent
BLOCK = 1000

FORMULAS = """
H O N F Cl Br He Ar Xe C S8 O3 H2 O2 N2 P4
H2O H2O2 HO D2O Li2O2 LiO Na2O2 NaO K2O2 KO2 KO Rb2O2 Cs2O2 CsO BaO2 MgO
HCl Hg2Cl2 HgCl N2H4 N2O4 C6H6 C6H12O6 CH3COOH NH4NO3 (NH4)2SO4 CO2 CO Co
CaCO3 Ca(OH)2 Li3Fe2(PO4)3 LiFePO4 Li4Fe4P4O16 Fe2(SO4)3 Al2(SiO3)3 KAl(SO4)2 Na2B4O7 Mg3(PO4)2
[Co(NH3)6]Cl3 {K2}[PtCl6] K4[Fe(CN)6] Ca10(PO4)6(OH)2 Y3Al5O12 YBa2Cu3O7 SrTiO3 Sr2Ti2O6
XeF2 XeF6 KrF2 ArHe He2Ne4 XePtF6 LaNi5 Mg17Al12 Cu5Zn8 Nb3Sn NdCrFe FeNiCo PuCoGa5 Mg2SiO4
HfNbTaTiZr AlCoCrFeNi Hg3(TeCl)2 Te3O8H2 U4O9 AmO2 CfBr3 Sc3N4C2 BiTeI Bi4Te4I4
La1.85Sr0.15CuO4 YBa2Cu3O6.93 Fe0.95O Ni0.5Mn1.5O4Li Ba0.5Sr0.5Co0.8Fe0.2O3 Li0.5O0.25 Ti0.25O0.5
Mg0.5Al1.0 (La0.5Sr0.5)2CuO4 Si0.5Ge0.5 O0.5 H0.5O0.5
""".split()


def ratio(composition):
    """Descending smallest integers in the ratio of pymatgen's amounts, by their decimal digits."""
    amounts = [Fraction(repr(amount)) for amount in composition.get_el_amt_dict().values()]
    scale = math.lcm(*(amount.denominator for amount in amounts))
    counts = [int(amount * scale) for amount in amounts]
    divisor = math.gcd(*counts)
    return ":".join(str(count // divisor) for count in sorted(counts, reverse=True))


def crc(lines):
    return f"{zlib.crc32(''.join(line + chr(10) for line in lines).encode()):08x}"


def write(name, header, rows):
    with open(HERE / name, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def main():
    picked = [(text, Composition(text)) for text in FORMULAS]
    write("formulas.csv", ("formula", "reduced_formula", "ratio"),
          [(text, c.reduced_formula, ratio(c)) for text, c in picked])

    with gzip.open(sys.argv[1], "rt", newline="") as file:
        texts = [row["formula_pretty"] for row in csv.DictReader(file)]
    compositions = [Composition(text) for text in texts]
    blocks = []
    for first in range(0, len(compositions), BLOCK):
        block = compositions[first : first + BLOCK]
        blocks.append((first, len(block), crc(c.reduced_formula for c in block), crc(map(ratio, block))))
    write("formula_blocks.csv", ("first", "count", "crc32_reduced_formula", "crc32_ratio"), blocks)


if __name__ == "__main__":
    main()
