#!/usr/bin/env python3
"""Reading CIF files: kronite beside pymatgen and gemmi, on the same files and one core.

  pip install pymatgen gemmi
  bench/peers/cif.py build/bench/bin/kronite_read mp20_val.csv.gz [--sample 500]

CIF texts are drawn at random from the column `cif` of a table and put into a folder as files. Each
program reads them all into cells with every site (symmetry applied) and gives formula, sites and
volume, which are compared; several times, in turn; the least processor time of each counts.
kronite's is that of the whole process.
"""
import argparse
import csv
import gzip
import importlib.metadata
import pathlib
import random
import subprocess
import sys
import tempfile
import warnings

import gemmi
from pymatgen.core import Composition
from pymatgen.io.cif import CifParser

from timing import processor_seconds, use_one_core


def write_sample(table, folder, count, seed):
    """Files of the folder, in order."""
    csv.field_size_limit(sys.maxsize)
    opener = gzip.open if table.suffix == ".gz" else open
    with opener(table, "rt", newline="", encoding="utf-8") as file:
        texts = [row["cif"] for row in csv.DictReader(file)]
    texts = random.Random(seed).sample(texts, min(count, len(texts)))
    paths = [folder / f"{i:06}.cif" for i in range(len(texts))]
    for path, text in zip(paths, texts):
        path.write_text(text, encoding="utf-8")
    return paths


def read_with_kronite(program, folder):
    done = subprocess.run([program, folder], check=True, capture_output=True, text=True)
    rows = [line.rsplit(",", 3)[1:] for line in done.stdout.splitlines()]
    return [(formula, int(sites), float(volume)) for formula, sites, volume in rows]


def read_with_pymatgen(paths):
    structures = [CifParser(path).parse_structures(primitive=False)[0] for path in paths]
    return [(s.composition.reduced_formula, len(s), s.volume) for s in structures]


def read_with_gemmi(paths):
    rows = []
    for path in paths:
        crystal = gemmi.make_small_structure_from_block(gemmi.cif.read(str(path)).sole_block())
        sites = crystal.get_all_unit_cell_sites()
        formula = Composition("".join(f"{site.element.name}1" for site in sites)).reduced_formula
        rows.append((formula, len(sites), crystal.cell.volume))
    return rows


def disagreements(ours, theirs):
    """Files for which formula, number of sites or volume (to 1e-6) differ."""
    assert len(ours) == len(theirs)
    return sum(a[:2] != b[:2] or abs(a[2] - b[2]) > 1e-6 * b[2] for a, b in zip(ours, theirs))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kronite_read", type=pathlib.Path, help="the program of bench/peers/read_structures.cpp")
    parser.add_argument("table", type=pathlib.Path, help="a CSV with a column cif, plain or .gz")
    parser.add_argument("--sample", type=int, default=500, help="files (default: 500)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3, help="timings of each; the least counts")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    use_one_core()

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        paths = write_sample(arguments.table, folder, arguments.sample, arguments.seed)
        readers = {
            "kronite (whole process)": lambda: read_with_kronite(arguments.kronite_read, folder),
            f"gemmi {importlib.metadata.version('gemmi')} in Python": lambda: read_with_gemmi(paths),
            f"pymatgen {importlib.metadata.version('pymatgen-core')}": lambda: read_with_pymatgen(paths),
        }
        best, rows = dict.fromkeys(readers, float("inf")), {}
        for _ in range(arguments.repeat):
            for reader, read in readers.items():
                elapsed, rows[reader] = processor_seconds(read)
                best[reader] = min(best[reader], elapsed)

    ours = rows[next(iter(readers))]
    print(f"{len(paths)} CIF files, {sum(row[1] for row in ours)} sites, one core")
    print(f"{'':34}{'seconds':>9}{'files/s':>10}{'ratio':>8}{'disagree':>10}")
    first = best[next(iter(readers))]
    for reader in readers:
        print(f"{reader:34}{best[reader]:9.3f}{len(paths) / best[reader]:10,.0f}"
              f"{best[reader] / first:8.1f}{disagreements(ours, rows[reader]):10}")


if __name__ == "__main__":
    main()
