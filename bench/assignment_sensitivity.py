#!/usr/bin/env python3
"""How often another element dissimilarity would assign elements differently (docs/csp.md).

  pip install pymatgen scipy
  bench/assignment_sensitivity.py formulas.csv [--column formula_pretty] [--pairs 20000]

Random pairs of formulas of one composition ratio in which at least two elements have equal amounts.
"""

import argparse
import collections
import csv
import gzip
import pathlib
import random
import warnings

import numpy as np
from pymatgen.core import Composition
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

ELEMENTS = pathlib.Path(__file__).resolve().parents[1] / "data" / "elements.csv"


def dissimilarities():
    with open(ELEMENTS, newline="") as file:
        rows = list(csv.reader(file))[1:]
    x = np.array([row[1:] for row in rows], dtype=float)
    z1 = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    z0 = (x - x.mean(axis=0)) / x.std(axis=0)
    unit = (x - x.min(axis=0)) / (x.max(axis=0) - x.min(axis=0))
    place = {row[0]: i for i, row in enumerate(rows)}
    return place, {
        "z-score (ddof 1), Euclidean": cdist(z1, z1),
        "z-score with ddof 0": cdist(z0, z0),
        "scaled to 0..1, Euclidean": cdist(unit, unit),
        "z-score, sum of absolute differences": cdist(z1, z1, "cityblock"),
    }


def read_by_ratio(path, column, place):
    """Per ratio label the compositions, each as {amount: [places of elements]}."""
    opener = gzip.open if str(path).endswith(".gz") else open
    by_ratio = collections.defaultdict(list)
    with opener(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            amounts = Composition(row[column]).reduced_composition.get_el_amt_dict()
            if not all(symbol in place for symbol in amounts):
                continue
            groups = collections.defaultdict(list)
            divisor = np.gcd.reduce([int(n) for n in amounts.values()])
            for symbol, n in amounts.items():
                groups[int(n) // divisor].append(place[symbol])
            if max(map(len, groups.values())) > 1:
                label = tuple(sorted((n, len(g)) for n, g in groups.items()))
                by_ratio[label].append(groups)
    return [group for group in by_ratio.values() if len(group) > 1]


def assign(d, query, template):
    return [tuple(linear_sum_assignment(d[np.ix_(query[n], template[n])])[1]) for n in sorted(query)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("formulas", type=pathlib.Path, help="a CSV, plain or .gz")
    parser.add_argument("--column", default="formula_pretty")
    parser.add_argument("--pairs", type=int, default=20000)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # pymatgen on noble gases
    place, tables = dissimilarities()
    ratios = read_by_ratio(arguments.formulas, arguments.column, place)

    rng = random.Random(1)
    weights = [len(r) * (len(r) - 1) for r in ratios]  # every pair is as likely
    different = collections.Counter()
    for members in rng.choices(ratios, weights, k=arguments.pairs):
        query, template = rng.sample(members, 2)
        answers = {name: assign(d, query, template) for name, d in tables.items()}
        first = next(iter(answers.values()))
        different.update(name for name, answer in answers.items() if answer != first)
    for name in list(tables)[1:]:
        print(f"{name:40}{100 * different[name] / arguments.pairs:7.2f} %")


if __name__ == "__main__":
    main()
