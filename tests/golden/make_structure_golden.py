#!/usr/bin/env python3
"""Writes structures.csv: what pymatgen and its spglib say of the crystals in structures/prototypes.cif,
so that tests need neither.

    pip install pymatgen==2026.10.16
    tests/golden/make_structure_golden.py
"""
import csv
import pathlib
import re
import sys
import warnings

import numpy as np
import pymatgen.core
import spglib
from pymatgen.io.cif import CifFile
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

HERE = pathlib.Path(__file__).resolve().parent
SYMPREC = 0.01
# pymatgen's own CIF reader takes Hall symbols for P1 and the rhombohedral setting for the hexagonal one,
# so the blocks are expanded here: by the operations that spglib lists for number and choice.
SETTINGS = {
    "rutile": (136, ""), "wurtzite": (186, ""), "spinel": (227, "2"), "calcite": (167, "H"),
    "zirconia": (14, "b1"), "perovskite": (221, ""), "quartz": (154, ""), "sesquioxide": (167, "R"),
    "silicon_with_all_atoms": (227, "1"),
}
SAME_SITE = 0.2  # A, as in the reader


def number(text):
    return float(text.partition("(")[0])


def operations(setting):
    for hall_number in range(1, 531):
        kind = spglib.get_spacegroup_type(hall_number)
        if (kind.number, kind.choice) == setting:
            data = spglib.get_symmetry_from_database(hall_number)
            return list(zip(data["rotations"], data["translations"]))
    raise ValueError(setting)


def read(block, setting):
    """Each row's images; those within SAME_SITE of each other are one site, at their mean."""
    data = block.data
    lengths = [number(data[f"_cell_length_{x}"]) for x in "abc"]
    angles = [number(data.get(f"_cell_angle_{x}", "90")) for x in ("alpha", "beta", "gamma")]
    lattice = pymatgen.core.Lattice.from_parameters(*lengths, *angles)
    species, sites = [], []
    symbols = data.get("_atom_site_type_symbol") or data["_atom_site_label"]
    for row, symbol in enumerate(symbols):
        x = np.array([number(data[f"_atom_site_fract_{k}"][row]) for k in "xyz"])
        groups = []
        for rotation, translation in operations(setting):
            image = rotation @ x + translation
            for group in groups:
                shift = image - group[0]
                shift -= np.round(shift)
                if np.linalg.norm(lattice.get_cartesian_coords(shift)) < SAME_SITE:
                    group.append(group[0] + shift)
                    break
            else:
                groups.append([image])
        for group in groups:
            site = np.mean(group, axis=0)
            apart = [lattice.get_distance_and_image(site, other)[0] for other in sites]
            if not apart or min(apart) > SAME_SITE:  # a row may repeat an atom
                sites.append(site)
                species.append(re.match("[A-Za-z]+", symbol)[0].capitalize())
    return pymatgen.core.Structure(lattice, species, sites)


def wyckoff(analyzer):
    """Element, letter and sites of each orbit of the conventional cell: 'O:f4 Ti:a2'."""
    data = SpacegroupAnalyzer(analyzer.get_conventional_standard_structure(), SYMPREC)
    symmetrized = data.get_symmetrized_structure()
    orbits = [f"{sites[0].specie}:{symbol[-1]}{len(sites)}"
              for sites, symbol in zip(symmetrized.equivalent_sites, symmetrized.wyckoff_symbols)]
    return " ".join(sorted(orbits))


def main():
    warnings.simplefilter("ignore")
    rows = []
    blocks = CifFile.from_file(HERE / "structures/prototypes.cif").data
    for name, setting in SETTINGS.items():
        structure = read(blocks[name], setting)
        analyzer = SpacegroupAnalyzer(structure, SYMPREC)
        refined = analyzer.get_refined_structure()
        rows.append([name, structure.reduced_formula, len(structure), f"{structure.volume:.9f}",
                     analyzer.get_space_group_number(), analyzer.get_space_group_symbol(),
                     analyzer.get_hall(), len(analyzer.find_primitive()), len(refined),
                     *(f"{x:.9f}" for x in refined.lattice.parameters), wyckoff(analyzer)])
    with open(HERE / "structures.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["block", "formula", "sites", "volume", "space_group", "symbol", "hall",
                      "primitive_sites", "conventional_sites", "a", "b", "c", "alpha", "beta",
                      "gamma", "orbits"])
        out.writerows(rows)
    print(f"{len(rows)} crystals; pymatgen {pymatgen.core.__version__}, spglib {spglib.__version__}",
          file=sys.stderr)


if __name__ == "__main__":
    main()
