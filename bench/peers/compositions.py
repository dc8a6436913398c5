#!/usr/bin/env python3
"""Formulas to reduced formulas and 290-value descriptors: kronite beside pymatgen and numpy.

  pip install pymatgen
  bench/peers/compositions.py build/cpu/bin/kronite formulas.csv [--column formula_pretty]

Both sides start from the same texts in memory or on disk, run on the same cores in the same process
group, and are timed three times, in turn; the best of each counts. The peers' descriptor is the
definition in numpy, one composition at a time, as XenonPy's and KmdPlus's programs compute it.
"""

import argparse
import csv
import gzip
import pathlib
import subprocess
import tempfile
import time

import numpy as np
from pymatgen.core import Composition

ELEMENTS = pathlib.Path(__file__).resolve().parents[2] / "data" / "elements.csv"


def read_formulas(path, column):
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt", newline="") as file:
        return [row[column] for row in csv.DictReader(file)]


def read_elements():
    with open(ELEMENTS, newline="") as file:
        rows = list(csv.reader(line for line in file if not line.startswith("#")))
    return {row[0]: np.array(row[1:], dtype=float) for row in rows[1:]}


def describe_with_numpy(formulas, elements):
    out = np.empty((len(formulas), 5 * len(next(iter(elements.values())))))
    for i, formula in enumerate(formulas):
        amounts = Composition(formula).reduced_composition.get_el_amt_dict()
        n = np.array(list(amounts.values()))
        w = n / n.sum()
        x = np.array([elements[symbol] for symbol in amounts])
        mean = w @ x
        out[i] = np.concatenate([mean, n @ x, w @ (x - mean) ** 2, x.max(axis=0), x.min(axis=0)])
    return out


def seconds(work):
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kronite", type=pathlib.Path, help="the program")
    parser.add_argument("formulas", type=pathlib.Path, help="a CSV, plain or .gz")
    parser.add_argument("--column", default="formula_pretty")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    formulas = read_formulas(arguments.formulas, arguments.column)
    elements = read_elements()

    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "d.npy"
        command = [arguments.kronite, "describe", "--file", arguments.formulas, "--out", out]
        ours, theirs = [], []
        for _ in range(arguments.repeat):
            ours.append(seconds(lambda: subprocess.run(command, check=True))[0])
            elapsed, expected = seconds(lambda: describe_with_numpy(formulas, elements))
            theirs.append(elapsed)
        difference = np.max(np.abs(np.load(out) - expected) / np.maximum(1, np.abs(expected)))

    print(f"{len(formulas)} formulas, descriptors agree to {difference:.1e}")
    print(f"{'':34}{'seconds':>9}{'formulas/s':>13}{'ratio':>8}")
    for name, t in (("kronite describe (whole process)", min(ours)), ("pymatgen + numpy", min(theirs))):
        print(f"{name:34}{t:9.3f}{len(formulas) / t:13,.0f}{t / min(ours):8.1f}")


if __name__ == "__main__":
    main()
