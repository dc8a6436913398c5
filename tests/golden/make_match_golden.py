#!/usr/bin/env python3
"""Writes match_pairs.jsonl.gz: pairs of crystals, and what pymatgen's StructureMatcher says of them.

    pip install pymatgen==2026.10.16
    tests/golden/make_match_golden.py

The crystals are textbook prototypes with round numbers, other elements put into them, strained,
displaced by seeded noise, written in other cells. Coordinates are rounded before they are judged.
"""
import gzip
import json
import pathlib
import warnings

import numpy as np
import pymatgen.core
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

HERE = pathlib.Path(__file__).resolve().parent
TOLERANCES = ((0.2, 0.3, 5), (0.3, 0.5, 10))
SEED = 6
COPIES = 9  # of each prototype and kind

PROTOTYPES = {
    "copper": ("Fm-3m", Lattice.cubic(3.6), ["Cu"], [[0, 0, 0]]),
    "tungsten": ("Im-3m", Lattice.cubic(3.2), ["Cu"], [[0, 0, 0]]),
    "magnesium": ("P6_3/mmc", Lattice.hexagonal(2.6, 4.2), ["Cu"], [[1 / 3, 2 / 3, 0.25]]),
    "diamond": ("Fd-3m", Lattice.cubic(5.4), ["Cu"], [[0.125, 0.125, 0.125]]),
    "rocksalt": ("Fm-3m", Lattice.cubic(4.9), ["Mg", "S"], [[0, 0, 0], [0.5, 0, 0]]),
    "caesium_chloride": ("Pm-3m", Lattice.cubic(3.1), ["Mg", "S"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
    "zincblende": ("F-43m", Lattice.cubic(5.6), ["Mg", "S"], [[0, 0, 0], [0.25, 0.25, 0.25]]),
    "wurtzite": ("P6_3mc", Lattice.hexagonal(3.9, 6.4), ["Mg", "S"], [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.375]]),
    "nickeline": ("P6_3/mmc", Lattice.hexagonal(3.6, 5.2), ["Mg", "S"], [[0, 0, 0], [1 / 3, 2 / 3, 0.25]]),
    "rutile": ("P4_2/mnm", Lattice.tetragonal(4.6, 3), ["Ti", "O"], [[0, 0, 0], [0.3, 0.3, 0]]),
    "anatase": ("I4_1/amd", Lattice.tetragonal(3.8, 9.5), ["Ti", "O"], [[0, 0.75, 0.125], [0, 0.25, 0.083]]),
    "fluorite": ("Fm-3m", Lattice.cubic(4.9), ["Ti", "O"], [[0, 0, 0], [0.25, 0.25, 0.25]]),
    "pyrite": ("Pa-3", Lattice.cubic(4.8), ["Ti", "O"], [[0, 0, 0], [0.36, 0.36, 0.36]]),
    "perovskite": ("Pm-3m", Lattice.cubic(3.9), ["Sr", "Ti", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]]),
    "calcite": ("R-3c", Lattice.hexagonal(5.1, 16), ["Ti", "Sr", "O"], [[0, 0, 0], [0, 0, 0.25], [0.3, 0, 0.25]]),
    "ilmenite": ("R-3", Lattice.hexagonal(5.1, 14), ["Sr", "Ti", "O"],
                 [[0, 0, 0.144], [0, 0, 0.356], [0.31, 0.02, 0.25]]),
    "spinel": ("Fd-3m", Lattice.cubic(8.1), ["Mg", "Al", "O"],
               [[0.125, 0.125, 0.125], [0.5, 0.5, 0.5], [0.263, 0.263, 0.263]]),
    "olivine": ("Pnma", Lattice.orthorhombic(10.2, 6, 4.8), ["Mg", "Mg", "Al", "O", "O", "O"],
                [[0, 0, 0], [0.277, 0.25, 0.99], [0.094, 0.25, 0.427], [0.092, 0.25, 0.766],
                 [0.447, 0.25, 0.222], [0.163, 0.033, 0.277]]),
    "quartz": ("P3_221", Lattice.hexagonal(4.9, 5.4), ["Ti", "O"], [[0.47, 0, 2 / 3], [0.414, 0.268, 0.786]]),
}


def disturbed(cell, draw, displacement, strain):
    lattice = Lattice(cell.lattice.matrix @ (np.eye(3) + draw.normal(scale=strain, size=(3, 3))))
    shift = lattice.get_fractional_coords(draw.normal(scale=displacement, size=(len(cell), 3)))
    return Structure(lattice, cell.species, cell.frac_coords + shift)


def other_setting(cell, draw):
    """Larger cells, other vectors, turned, mirrored or not, moved."""
    matrix = np.diag(draw.permutation([draw.integers(1, 4), 1, 1]))
    for _ in range(3):
        i, j = draw.choice(3, 2, replace=False)
        matrix[i] += draw.choice([-1, 1]) * matrix[j]
    cell = cell * matrix
    turn, _ = np.linalg.qr(draw.normal(size=(3, 3)))
    order = draw.permutation(len(cell))
    return Structure(Lattice(cell.lattice.matrix @ turn), [cell.species[i] for i in order],
                     cell.frac_coords[order] + draw.random(3))


def swapped(cell):
    """Two elements in each other's place, where the amounts allow."""
    first, second = sorted(cell.composition, key=lambda e: (cell.composition[e], e.symbol))[:2]
    copy = cell.copy()
    copy.replace_species({first: second, second: first})
    return copy


def rounded(cell):
    return Structure(Lattice(np.round(cell.lattice.matrix, 4)), cell.species, np.round(cell.frac_coords % 1, 4))


def pairs():
    draw = np.random.default_rng(SEED)
    cells = {name: Structure.from_spacegroup(*prototype) for name, prototype in PROTOTYPES.items()}
    for name, cell in cells.items():
        primitive = cell.get_primitive_structure()
        for n in range(COPIES):
            size = 10 ** draw.uniform(-1.5, 0.1)
            yield f"{name}, displaced by {size:.2f} A", primitive, disturbed(primitive, draw, size, 0.01)
            strain = 10 ** draw.uniform(-2, -0.8)
            yield f"{name}, strained by {strain:.2f}", primitive, disturbed(primitive, draw, 0.03, strain)
            if n % 3 == 0:
                yield f"{name}, other setting", cell, other_setting(disturbed(primitive, draw, 0.02, 0.005), draw)
        if len(cell.composition) > 1:
            yield f"{name}, swapped", primitive, swapped(primitive)
        for other, another in cells.items():
            if other > name and another.composition.reduced_composition == cell.composition.reduced_composition:
                yield f"{name}, {other}", cell, disturbed(another, draw, 0.05, 0.01)


def as_json(cell):
    return {"lattice": cell.lattice.matrix.tolist(), "species": [s.symbol for s in cell.species],
            "abc": cell.frac_coords.tolist()}


def main():
    warnings.simplefilter("ignore")
    matchers = [StructureMatcher(ltol=l, stol=s, angle_tol=a) for l, s, a in TOLERANCES]
    lines = []
    for name, a, b in pairs():
        a, b = rounded(a), rounded(b)
        if (b.distance_matrix + 9 * np.eye(len(b))).min() < 0.3:
            continue
        answers = []
        for tolerances, matcher in zip(TOLERANCES, matchers):
            distances = matcher.get_rms_dist(a, b)
            answers.append({"tolerances": tolerances, "fit": bool(matcher.fit(a, b)),
                            "rms_dist": distances and [round(float(d), 9) for d in distances]})
        lines.append(json.dumps({"name": name, "a": as_json(a), "b": as_json(b), "pymatgen": answers}))
    with gzip.GzipFile(HERE / "match_pairs.jsonl.gz", "wb", mtime=0) as file:
        file.write(("\n".join(lines) + "\n").encode())
    print(f"{len(lines)} pairs by pymatgen-core {pymatgen.core.__version__}")


if __name__ == "__main__":
    main()
