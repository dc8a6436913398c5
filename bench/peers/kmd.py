#!/usr/bin/env python3
"""Kernel mean descriptors of a list of formulas and their inverse: kronite beside numpy, the route of
KmdPlus and a quadratic programming package.

  pip install numpy pandas pymatgen qpsolvers quadprog
  [CORES=2] bench/peers/kmd.py build/bench/bin/kronite_kernel_means formulas.csv.gz [--column formula_pretty]

Both sides use the element table of this repository, 10 grid points a feature. Times are the least of
several runs in turn: processor seconds on one core, or seconds on the clock where CORES names more,
which kronite and numpy use and the two others cannot:
- numpy:    phi = W @ H, from W and H in memory;
- KmdPlus:  what its program does from formula strings, told again: a dictionary of amounts for each
            formula (pymatgen), a DataFrame of all, fractions, H feature by feature, a product;
- quadprog: min |phi - H'w| on the simplex, one call for each row of a sample, from P in memory, as its
            inverse does; the time is scaled to all rows.
Targets of "nearest" are descriptors with noise (--noise): no mixture has exactly those.
"""
import argparse
import csv
import gzip
import os
import pathlib
import subprocess
import tempfile

from timing import clock_seconds, processor_seconds, use_cores

CORES = int(os.environ.get("CORES", "1"))
use_cores(CORES)
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = str(CORES)  # before numpy is imported

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from pymatgen.core import Composition  # noqa: E402
from qpsolvers import solve_qp  # noqa: E402

ELEMENTS = pathlib.Path(__file__).resolve().parents[2] / "data" / "elements.csv"
GRIDS = 10


def read_formulas(path, column):
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt", newline="") as file:
        return [row[column] for row in csv.DictReader(file)]


def kernel_matrix(table):
    """H, elements x (features x grid points): exp(-((x - g) / step)^2), features scaled to [0, 1]."""
    blocks = []
    for feature in table.columns:
        x = table[feature].to_numpy()
        x = (x - x.min()) / (x.max() - x.min())
        grid = np.linspace(0, 1, GRIDS)
        blocks.append(np.exp(-((x[:, None] - grid) * (GRIDS - 1)) ** 2))
    return np.hstack(blocks)


def as_kmdplus(formulas, table):
    amounts = pd.DataFrame([Composition(f).get_el_amt_dict() for f in formulas])
    amounts = amounts.reindex(columns=table.index).fillna(0)
    weights = amounts.div(amounts.sum(axis=1), axis=0)
    names = [f"{feature}{k}" for feature in table.columns for k in range(GRIDS)]
    return pd.DataFrame(np.dot(weights, kernel_matrix(table)), columns=names, index=formulas)


def by_quadprog(p, q):
    n = len(p)
    return np.array([solve_qp(p, -row, A=np.ones((1, n)), b=np.ones(1), lb=np.zeros(n), solver="quadprog")
                     for row in q])


def times_of(text):
    return {name: float(seconds) for name, seconds in (line.split() for line in text.splitlines())}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path, help="kronite_kernel_means")
    parser.add_argument("formulas", type=pathlib.Path, help="a CSV, plain or .gz")
    parser.add_argument("--column", default="formula_pretty")
    parser.add_argument("--noise", type=float, default=0.1, help="standard deviation of the targets' noise (0.1)")
    parser.add_argument("--sample", type=int, default=1000, help="rows for quadprog (1000)")
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    seconds_of = processor_seconds if CORES == 1 else clock_seconds
    formulas = read_formulas(arguments.formulas, arguments.column)
    table = pd.read_csv(ELEMENTS, index_col=0, comment="#")
    h = kernel_matrix(table)
    phi = as_kmdplus(formulas, table).to_numpy()
    noise = np.random.default_rng(1).normal(scale=arguments.noise, size=phi.shape)
    sample = np.random.default_rng(2).choice(len(formulas), min(arguments.sample, len(formulas)), replace=False)

    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/targets.npy", phi + noise)
        pathlib.Path(f"{folder}/formulas.txt").write_text("\n".join(formulas) + "\n", encoding="utf-8")
        command = [arguments.program, f"{folder}/formulas.txt", f"{folder}/targets.npy", folder, str(GRIDS), "3",
                   str(CORES)]
        ours, product, route, exact, nearest = [], [], [], [], []
        for turn in range(arguments.repeat):
            ours.append(times_of(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))
            back, near = np.load(f"{folder}/back.npy"), np.load(f"{folder}/near.npy")
            if turn == 0:
                print(f"descriptors agree to {np.abs(np.load(f'{folder}/phi.npy') - phi).max():.1e}; "
                      f"weights come back to {np.abs(back @ h - phi).max():.1e} of their descriptors")
            product.append(seconds_of(lambda: np.matmul(back, h))[0])
        for _ in range(2):
            route.append(seconds_of(lambda: as_kmdplus(formulas, table))[0])
            p = h @ h.T
            for times, targets, found in ((exact, phi[sample], back), (nearest, (phi + noise)[sample], near)):
                seconds, theirs = seconds_of(lambda: by_quadprog(p, targets @ h.T))
                times.append(seconds * len(formulas) / len(sample))
                error = np.abs(theirs - found[sample]).sum(axis=1)
            print(f"quadprog and kronite: nearest mixtures differ by {error.mean():.1e} in the mean")

    best = {name: min(times[name] for times in ours) for name in ours[0]}
    rows = (("write the result (fill)", best["fill"], None),
            ("forward: kronite, from weights", best["forward"], best["forward"]),
            ("forward: numpy W @ H", min(product), best["forward"]),
            ("forward: kronite, from formulas", best["weights"] + best["forward"], None),
            ("forward: KmdPlus's route, from formulas", min(route), best["weights"] + best["forward"]),
            ("inverse: kronite, exact descriptors", best["inverse"], None),
            ("inverse: quadprog", min(exact), best["inverse"]),
            (f"inverse: kronite, noise {arguments.noise:g}", best["nearest"], None),
            (f"inverse: quadprog, noise {arguments.noise:g}", min(nearest), best["nearest"]))
    print(f"{len(formulas)} formulas, {h.shape[1]} values each; "
          f"{'processor seconds on one core' if CORES == 1 else f'seconds on the clock, {CORES} cores'}")
    print(f"{'':42}{'seconds':>9}{'ratio':>8}")
    for name, seconds, ours_for_this in rows:
        ratio = f"{seconds / ours_for_this:8.1f}" if ours_for_this else ""
        print(f"{name:42}{seconds:9.3f}{ratio}")


if __name__ == "__main__":
    main()
