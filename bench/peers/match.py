#!/usr/bin/env python3
"""Whether two crystals are the same: kronite beside pymatgen's StructureMatcher, on the same pairs and
one core each.

  pip install pymatgen
  bench/peers/match.py build/bench/bin/kronite_match mp_all.jsonl.gz [--pairs 5000] [--out differences.jsonl]

Pairs are drawn at random from a file of Materials Project summaries (JSON Lines), a quarter of each kind:
- formula: two entries of one reduced formula,
- elements: two entries of one kind of formula (AB2C4), the elements of one put into the other,
- disturbed: an entry and a copy with strain and displaced sites, from hardly to beyond recognition,
- setting: an entry and a supercell or another choice of its cell, turned or mirrored, moved, with the
  numbers of a file: sites off by up to about 0.001 A (--setting-noise).
Both sides decide every pair with both sets of tolerances in use: (ltol, stol, angle_tol) of
(0.2, 0.3, 5), the default, and (0.3, 0.5, 10), with which generative models are judged. Compared are
fit() with `same`, get_rms_dist() with `rms` (a number where one is), and the numbers where both give one.

Times are processor seconds and begin with structures in memory: of the comparison of cells reduced
beforehand, and with the reduction. kronite gives all its numbers at once, pymatgen by fit() and by
get_rms_dist().
"""
import argparse
import collections
import gzip
import importlib.metadata
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"  # before numpy is imported

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Composition, Lattice, Structure

from timing import processor_seconds, use_one_core

TOLERANCES = ((0.2, 0.3, 5), (0.3, 0.5, 10))
KINDS = ("formula", "elements", "disturbed", "setting")


# --- the pairs -----------------------------------------------------------------------------------

class Entries:
    """Lines of the file by formula and by kind of formula; only those asked for are parsed."""

    def __init__(self, path, most_sites):
        opener = gzip.open if path.suffix == ".gz" else open
        self.lines, self.by_formula, self.by_kind = [], collections.defaultdict(list), collections.defaultdict(list)
        kinds = {}
        with opener(path, "rt", encoding="utf-8") as file:
            for line in file:
                if line.count('"abc"') > most_sites:
                    continue
                formula = re.search(r'"formula_pretty": ?"([^"]*)"', line).group(1)
                if formula not in kinds:
                    kinds[formula] = Composition(formula).anonymized_formula
                self.by_formula[formula].append(len(self.lines))
                self.by_kind[kinds[formula]].append(len(self.lines))
                self.lines.append(line)

    def name(self, i):
        return json.loads(self.lines[i])["material_id"]

    def structure(self, i):
        return Structure.from_dict(json.loads(self.lines[i])["structure"])


def two_of_one(groups, draw):
    """Two members of a group, each group with the same chance."""
    while True:
        group = groups[draw.integers(len(groups))]
        if len(group) >= 2:
            return draw.choice(group, 2, replace=False)


def elements_replaced(structure, wanted):
    """Its elements replaced by those of `wanted`, amount by amount; None where the amounts differ."""
    def by_amount(composition):
        reduced = composition.reduced_composition
        return sorted((amount, element.symbol) for element, amount in reduced.items())

    ours, theirs = by_amount(structure.composition), by_amount(wanted)
    if [amount for amount, _ in ours] != [amount for amount, _ in theirs]:
        return None
    replaced = structure.copy()
    replaced.replace_species({mine: other for (_, mine), (_, other) in zip(ours, theirs)})
    return replaced


def disturbed(structure, draw, displacement, strain):
    deformation = np.eye(3) + draw.normal(scale=strain, size=(3, 3))
    lattice = Lattice(structure.lattice.matrix @ deformation)
    sites = lattice.get_cartesian_coords(structure.frac_coords)
    sites = sites + draw.normal(scale=displacement, size=sites.shape)
    return Structure(lattice, structure.species, sites, coords_are_cartesian=True)


def other_setting(structure, draw):
    """The same crystal in another cell of up to four times the size, turned and moved."""
    multiple = draw.choice([1, 2, 3, 4]) if len(structure) <= 30 else 1
    matrix = np.diag(draw.permutation([multiple, 1, 1]))
    for _ in range(4):
        i, j = draw.choice(3, 2, replace=False)
        matrix[i] += draw.choice([-1, 1]) * matrix[j]
    setting = structure * matrix
    turn, _ = np.linalg.qr(draw.normal(size=(3, 3)))  # of either handedness
    lattice = Lattice(setting.lattice.matrix @ turn)
    order = draw.permutation(len(setting))
    return Structure(lattice, [setting.species[i] for i in order],
                     setting.frac_coords[order] + draw.random(3))


def draw_pair(kind, entries, draw, setting_noise):
    """Names and structures, or None where the draw was of no use."""
    if kind in ("formula", "elements"):
        groups = entries.by_formula if kind == "formula" else entries.by_kind
        i, j = two_of_one(list(groups.values()), draw)
        first, second = entries.structure(i), entries.structure(j)
        if kind == "elements":
            second = elements_replaced(second, first.composition)
        return second and (entries.name(i), first, entries.name(j), second)
    i = draw.integers(len(entries.lines))
    name, first = entries.name(i), entries.structure(i)
    if kind == "disturbed":
        second = disturbed(first, draw, 10 ** draw.uniform(-2, 0), 10 ** draw.uniform(-3, -1))
    else:
        second = disturbed(other_setting(first, draw), draw, setting_noise * 10 ** draw.uniform(-2, 0), 1e-3)
    return name, first, name + " " + kind, second


def sensible(structure):
    """What both programs take: no two sites closer than 0.1 Å."""
    distances = structure.distance_matrix + 9 * np.eye(len(structure))
    return distances.min() > 0.1


def draw_pairs(entries, count, seed, setting_noise=1e-3):
    if all(len(group) < 2 for group in entries.by_formula.values()):
        sys.exit("no two entries of one formula in this file")  # two_of_one would not end
    draw = np.random.default_rng(seed)
    pairs = []
    while len(pairs) < count:
        kind = KINDS[len(pairs) % len(KINDS)]
        pair = draw_pair(kind, entries, draw, setting_noise)
        if pair and sensible(pair[1]) and sensible(pair[3]):
            pairs.append((kind, *pair))
    return pairs


# --- the two programs ----------------------------------------------------------------------------

def as_line(name, structure):
    sites = [{"species": [{"element": s.symbol, "occu": 1}], "abc": list(x)}
             for s, x in zip(structure.species, structure.frac_coords.tolist())]
    return json.dumps({"material_id": name, "nsites": len(structure),
                       "formula_pretty": structure.composition.reduced_formula,
                       "structure": {"lattice": {"matrix": structure.lattice.matrix.tolist()}, "sites": sites}})


class Kronite:
    def __init__(self, program, pairs, folder):
        self.program, self.files = program, (folder / "first.jsonl", folder / "second.jsonl")
        for file, column in zip(self.files, (2, 4)):
            file.write_text("".join(as_line(f"{n}", pair[column]) + "\n" for n, pair in enumerate(pairs)),
                            encoding="utf-8")

    def run(self, tolerances, repeat):
        """(same, rms, largest distance) of each pair; seconds of the reduction and of the comparison."""
        out = subprocess.run([self.program, *self.files, *map(str, tolerances), str(repeat)],
                             check=True, stdout=subprocess.PIPE, text=True).stdout
        *lines, times = [tuple(map(float, line.split(","))) for line in out.splitlines()]
        return lines, times


# --- the comparison ------------------------------------------------------------------------------

def print_agreement(pairs, ours, fit, distances, out):
    """Counts by kind; every pair that is decided differently goes to `out`."""
    print(f"{'pairs':>12}{'number':>8}{'same':>7}{'fit differs':>13}{'rms differs':>13}{'agreement':>11}")
    counts = collections.defaultdict(lambda: np.zeros(4, dtype=int))
    deviations = []
    for (kind, name, a, other, b), (same, rms, largest), fits, theirs in zip(pairs, ours, fit, distances):
        differ = bool(same) != fits, np.isnan(rms) != (theirs is None)
        for row in (kind, "all"):
            counts[row] += (1, fits, *differ)
        if any(differ):
            out.write(json.dumps({"kind": kind, "a": name, "b": other, "formula": a.composition.reduced_formula,
                                  "sites": [len(a), len(b)], "kronite": [bool(same), rms, largest],
                                  "pymatgen": [fits, theirs and list(map(float, theirs))]}) + "\n")
        if theirs is not None and not np.isnan(rms):
            deviations.append(abs(rms - theirs[0]))
    for row in (*KINDS, "all"):
        number, same, fit_differs, rms_differs = counts[row]
        print(f"{row:>12}{number:8}{same:7}{fit_differs:13}{rms_differs:13}{1 - fit_differs / number:11.4f}")
    deviations = np.sort(deviations)
    print(f"rms of {len(deviations)} pairs: " + ", ".join(
        f"{100 * np.mean(deviations < bound):.2f} % within {bound:.0e}" for bound in (1e-6, 1e-4, 1e-2)))


def print_times(count, ours, theirs):
    reduction, comparison = ours
    reduced, whole, whole_rms = theirs
    print(f"{'ms per pair':>36}{'kronite':>10}{'pymatgen':>10}{'ratio':>8}")
    for what, mine, other in (("comparison of reduced cells, fit()", comparison, reduced),
                              ("with the reduction, fit()", reduction + comparison, whole),
                              ("with the reduction, get_rms_dist()", reduction + comparison, whole_rms)):
        print(f"{what:>36}{1e3 * mine / count:10.4f}{1e3 * other / count:10.3f}{other / mine:8.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kronite_match", type=pathlib.Path, help="the program, build/bench/bin/kronite_match")
    parser.add_argument("structures", type=pathlib.Path, help="Materials Project JSON Lines, plain or .gz")
    parser.add_argument("--pairs", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--setting-noise", type=float, default=1e-3, help="of other settings, A (default: 0.001)")
    parser.add_argument("--most-sites", type=int, default=100, help="leave out larger cells")
    parser.add_argument("--repeat", type=int, default=3, help="timings of kronite; the least counts")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(os.devnull),
                        help="JSON Lines of the pairs that are decided differently")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    use_one_core()

    pairs = draw_pairs(Entries(arguments.structures, arguments.most_sites), arguments.pairs, arguments.seed,
                       arguments.setting_noise)
    print(f"{len(pairs)} pairs, one core; pymatgen-core {importlib.metadata.version('pymatgen-core')}")
    with tempfile.TemporaryDirectory() as folder, open(arguments.out, "w", encoding="utf-8") as out:
        kronite = Kronite(arguments.kronite_match, pairs, pathlib.Path(folder))
        reduced = [(a.get_reduced_structure().get_primitive_structure(),
                    b.get_reduced_structure().get_primitive_structure()) for _, _, a, _, b in pairs]
        for tolerances in TOLERANCES:
            print("\nltol {}, stol {}, angle_tol {}".format(*tolerances))
            ltol, stol, angle_tol = tolerances
            matcher = StructureMatcher(ltol=ltol, stol=stol, angle_tol=angle_tol)
            ours, our_times = kronite.run(tolerances, arguments.repeat)
            comparison, _ = processor_seconds(
                lambda: [matcher.fit(a, b, skip_structure_reduction=True) for a, b in reduced])
            fit_time, fit = processor_seconds(lambda: [bool(matcher.fit(a, b)) for _, _, a, _, b in pairs])
            rms_time, distances = processor_seconds(
                lambda: [matcher.get_rms_dist(a, b) for _, _, a, _, b in pairs])
            print_agreement(pairs, ours, fit, distances, out)
            print_times(len(pairs), our_times, (comparison, fit_time, rms_time))


if __name__ == "__main__":
    main()
