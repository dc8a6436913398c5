#!/usr/bin/env python3
"""Exact nearest neighbours among kernel mean descriptors: kronite beside scikit-learn.

  pip install numpy scikit-learn
  kronite kmd transform --file formulas.csv --n-grids 10 --out kmd.npy
  bench/peers/kmd_search.py build/bench/bin/kronite_search kmd.npy [--rows 10000]

Every row is looked for among all rows, on one core. scikit-learn's brute force works in double
precision with matrix products, in chunks; the least processor time of each counts. Neighbours are
compared where they are not equally far: scikit-learn takes |x|^2 + |y|^2 - 2xy, in which small
distances cancel.
"""
import argparse
import importlib.metadata
import pathlib
import subprocess
import tempfile

from timing import processor_seconds, use_one_core

use_one_core()  # before the libraries count cores

import numpy as np  # noqa: E402
from sklearn.neighbors import NearestNeighbors  # noqa: E402


def with_kronite(program, path, k, folder):
    out = pathlib.Path(folder) / "neighbours.npy"
    done = subprocess.run([program, path, str(k), out], check=True, capture_output=True, text=True)
    seconds, in_double, scanned = done.stdout.split()
    values = np.load(out)
    return float(seconds), values[:, :k].astype(int), values[:, k:], int(in_double), int(scanned)


def with_sklearn(rows, k):
    seconds, (distances, index) = processor_seconds(
        lambda: NearestNeighbors(n_neighbors=k, algorithm="brute", n_jobs=1).fit(rows).kneighbors(rows))
    return seconds, index, distances


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kronite_search", type=pathlib.Path, help="the program of bench/peers/search_descriptors.cpp")
    parser.add_argument("descriptors", type=pathlib.Path, help="a .npy file, one row per material")
    parser.add_argument("--rows", type=int, help="only the first so many")
    parser.add_argument("--neighbours", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=1, help="timings of each; the least counts")
    arguments = parser.parse_args()

    rows = np.ascontiguousarray(np.load(arguments.descriptors)[: arguments.rows], dtype=np.float64)
    k = arguments.neighbours
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "rows.npy"
        np.save(path, rows)
        ours = min((with_kronite(arguments.kronite_search, path, k, folder) for _ in range(arguments.repeat)),
                   key=lambda run: run[0])
    theirs = min((with_sklearn(rows, k) for _ in range(arguments.repeat)), key=lambda run: run[0])

    # Both lists by true distances: how many of theirs are farther than ours, at the same rank.
    exact = np.sort(np.stack([np.sqrt(((row - rows[index]) ** 2).sum(-1))
                              for row, index in zip(rows, theirs[1])]), axis=1)
    farther = int((exact > ours[2] + 1e-9).any(axis=1).sum())
    nearer = int((exact < ours[2] - 1e-9).any(axis=1).sum())

    print(f"{len(rows)} x {len(rows)} rows of {rows.shape[1]} values, {k} neighbours, one core")
    print(f"kronite: {ours[0]:.2f} s; decided in double: {ours[3]}, by a scan: {ours[4]}")
    print(f"scikit-learn {importlib.metadata.version('scikit-learn')}: {theirs[0]:.2f} s, "
          f"{theirs[0] / ours[0]:.2f} times as long")
    print(f"queries for which scikit-learn missed a nearer neighbour: {farther}; kronite: {nearer}")


if __name__ == "__main__":
    main()
