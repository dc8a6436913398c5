#!/usr/bin/env python3
"""Local-order fingerprints: kronite beside matminer, on the same crystals and one core each.

  pip install matminer            # with the newest pymatgen
  bench/peers/fingerprint.py build/bench/bin/kronite mp_stable.jsonl.gz [--sample 50]

Crystals are drawn at random from a file of Materials Project summaries (JSON Lines). matminer starts
from structures in memory; kronite's time is that of the whole process, which reads them from a file
and writes its table. Both are timed several times, in turn; the least processor time of each counts.
Then the 61 values of every site are compared. Where they differ it is because

- a neighbour's weight lies on the edge of the rounding to three decimals ("edge"), where the last
  bit of a floating-point number decides which coordination number it counts for, or
- neighbours of equal weight may stand in any order, on which one feature, "body-centered cubic
  CN_8", depends ("bcc"); matminer takes Qhull's order, kronite the mean.
"""
import argparse
import csv
import gzip
import importlib.metadata
import json
import os
import pathlib
import random
import subprocess
import tempfile
import warnings

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"  # before numpy is imported

import numpy as np
from matminer.featurizers.site import CrystalNNFingerprint
from pymatgen.core import Structure

from timing import processor_seconds, use_one_core

TOLERANCE = 1e-6  # beyond it two numbers are not the same result of another order of additions


def sample_lines(path, count, seed, most_sites):
    """Lines of the file, each with the same chance, in the order of the file."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        lines = [line for line in file if line.count('"abc"') <= most_sites]
    chosen = random.Random(seed).sample(range(len(lines)), min(count, len(lines)))
    return [lines[i] for i in sorted(chosen)]


class Matminer:
    def __init__(self, documents):
        self.structures = [Structure.from_dict(document["structure"]) for document in documents]
        self.featurizer = CrystalNNFingerprint.from_preset("ops", distance_cutoffs=None, x_diff_weight=0)

    def sites(self):
        return [[self.featurizer.featurize(s, i) for i in range(len(s))] for s in self.structures]

    def names(self):
        return self.featurizer.feature_labels()


class Kronite:
    def __init__(self, program, lines, folder):
        self.program, self.file, self.out = program, folder / "sample.jsonl", folder / "f.csv"
        self.file.write_text("".join(lines), encoding="utf-8")

    def run(self, *more):
        subprocess.run([self.program, "fingerprint", self.file, "--device", "cpu", "--out", self.out, *more],
                       check=True)

    def sites(self):
        self.run("--sites")
        with open(self.out, newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        return header[4:], np.array([row[4:] for row in rows], dtype=float), [row[:3] for row in rows]


def statistics(rows):
    rows = np.asarray(rows)
    return np.stack([rows.mean(0), rows.std(0), rows.min(0), rows.max(0)], axis=1).ravel()


def print_agreement(names, ours, theirs, labels, shown):
    bcc = names.index("body-centered cubic CN_8")
    difference = np.abs(ours - theirs)
    only_bcc = difference.copy()
    only_bcc[:, :bcc] = only_bcc[:, bcc + 1 :] = 0
    difference[:, bcc] = 0
    edge = np.flatnonzero(difference.max(1) > TOLERANCE)
    # A changed set of neighbours changes this feature too.
    order = np.setdiff1d(np.flatnonzero(only_bcc.max(1) > TOLERANCE), edge)
    same = np.delete(difference, edge, axis=0).max() if len(edge) < len(ours) else 0
    print(f"{len(ours)} sites; largest difference, {len(edge)} sites aside: {same:.1e}")
    print(f"{len(edge)} sites differ in a set of neighbours (edge), {len(order)} in the order of equal "
          f"neighbours (bcc, up to {only_bcc[order].max() if len(order) else 0:.1e})")
    worst = sorted(edge, key=lambda i: -difference[i].max())[:shown]
    for i in worst:
        j = int(difference[i].argmax())
        print(f"  edge: {labels[i][0]} {labels[i][1]}, site {labels[i][2]}: {names[j]} "
              f"{ours[i, j]:.6f} and {theirs[i, j]:.6f}")


def print_crystals(ours, theirs, sizes, labels):
    """How far crystals move: the distance between both programs' fingerprints."""
    at, moved = 0, []
    for size in sizes:
        mine, other = statistics(ours[at : at + size]), statistics(theirs[at : at + size])
        moved.append((float(np.linalg.norm(mine - other)), labels[at][0]))
        at += size
    moved.sort(reverse=True)
    print("largest dissimilarity of a crystal from itself: "
          + ", ".join(f"{distance:.1e} ({name})" for distance, name in moved[:3])
          + f"; median {moved[len(moved) // 2][0]:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kronite", type=pathlib.Path, help="the program")
    parser.add_argument("structures", type=pathlib.Path, help="Materials Project JSON Lines, plain or .gz")
    parser.add_argument("--sample", type=int, default=50, help="crystals (default: 50)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most-sites", type=int, default=100, help="leave out larger cells")
    parser.add_argument("--repeat", type=int, default=3, help="timings of each; the least counts")
    parser.add_argument("--shown", type=int, default=10, help="differing sites to name")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    use_one_core()

    lines = sample_lines(arguments.structures, arguments.sample, arguments.seed, arguments.most_sites)
    matminer = Matminer([json.loads(line) for line in lines])
    with tempfile.TemporaryDirectory() as folder:
        kronite = Kronite(arguments.kronite, lines, pathlib.Path(folder))
        mine, other = [], []
        for _ in range(arguments.repeat):
            mine.append(processor_seconds(kronite.run)[0])
            elapsed, tables = processor_seconds(matminer.sites)
            other.append(elapsed)
        names, ours, labels = kronite.sites()
    assert names == matminer.names(), "the features are not the same"

    sites = len(ours)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("matminer", "pymatgen-core"))
    print(f"{len(lines)} crystals, {sites} sites, one core; {versions}")
    print(f"{'':34}{'seconds':>9}{'ms/site':>10}{'ratio':>8}")
    for name, t in (("kronite fingerprint (whole process)", min(mine)), ("matminer", min(other))):
        print(f"{name:35}{t:8.3f}{1e3 * t / sites:10.4f}{t / min(mine):8.0f}")
    theirs = np.concatenate([np.asarray(table) for table in tables])
    print_agreement(names, ours, theirs, labels, arguments.shown)
    print_crystals(ours, theirs, [len(table) for table in tables], labels)


if __name__ == "__main__":
    main()
