#!/usr/bin/env python3
"""Kernel mean descriptors on a GPU: kronite beside PyTorch, eager and compiled, and CuPy.

  pip install numpy torch cupy-cuda13x
  bench/peers/gpu_kmd.py build/cuda [--formulas mp_stable_formula.csv.gz] [--device cuda:0]
  bench/peers/gpu_kmd.py build/dev --device cpu --rows 500      # a rehearsal

The job: phi = W H in double precision, W (rows x 94) and H (94 x 580) on the device, phi left there, for
the formulas of a list, or made-up ones; peers take W dense and sparse. Then the same from host to host.
The exact inverse has no peer on a GPU and is listed alone; weights that come back must be those of W to
1e-9, descriptors agree to 1e-12. kronite is timed by the clock around calls that end in a wait.
"""
import argparse
import csv
import gzip
import pathlib
import tempfile

import numpy as np

import gpu

SYMBOLS = ("H Li Be B C N O F Na Mg Al Si P S Cl K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Rb Sr Y "
           "Zr Nb Mo Ag Cd In Sn Sb Te I Cs Ba La Ce Nd Gd Dy Yb Hf Ta W Pt Au Pb Bi").split()


def formulas_of(arguments):
    if arguments.formulas:
        opener = gzip.open if str(arguments.formulas).endswith(".gz") else open
        with opener(arguments.formulas, "rt", newline="", encoding="utf-8") as file:
            return [row["formula_pretty"] for row in csv.DictReader(file)][:arguments.rows or None]
    random = np.random.default_rng(1)
    return ["".join(f"{symbol}{count}" for symbol, count in
                    zip(random.choice(SYMBOLS, size, replace=False), random.integers(1, 9, size)))
            for size in random.integers(1, 7, arguments.rows or 35463)]


def products(torch, arrays, w, h):
    """Name -> (platform, work on the device, work from host to host)."""
    works = {}
    if torch:
        library = torch.torch
        host = library.from_numpy(w)
        on, sparse = torch.put(h), host.to_sparse_csr()
        product, compiled = (lambda a, b: a @ b), library.compile(lambda a, b: a @ b)
        for name, multiply, left in (("eager, dense W", product, host), ("compiled, dense W", compiled, host),
                                     ("eager, sparse W", product, sparse)):
            there = left.to(torch.device)
            works[f"{torch.name}, {name}"] = (
                torch, lambda multiply=multiply, there=there: multiply(there, on),
                lambda multiply=multiply, left=left: torch.get(multiply(left.to(torch.device), on)))
    if arrays:
        dense, there = arrays.put(w), arrays.put(h)
        works[f"{arrays.name}, dense W"] = (arrays, lambda: dense @ there, lambda: arrays.get(arrays.put(w) @ there))
        if arrays.on_gpu:
            from cupyx.scipy.sparse import csr_matrix
            sparse_w = csr_matrix(dense)
            works[f"{arrays.name}, sparse W"] = (arrays, lambda: sparse_w @ there, None)
    return works


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    gpu.options(parser)
    parser.add_argument("--formulas", type=pathlib.Path, help="a CSV with formula_pretty, plain or .gz")
    parser.add_argument("--rows", type=int, default=0, help="formulas (all, or 35463 made-up ones; in a rehearsal 2000)")
    arguments = parser.parse_args()
    if arguments.device == "cpu":
        arguments.rows = arguments.rows or 2000
    torch, arrays = gpu.platforms(arguments.device)
    if not torch and not arrays:
        gpu.nothing_to_compare_with(arguments.device)
        return
    formulas = formulas_of(arguments)
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "formulas.txt").write_text("\n".join(formulas) + "\n", encoding="utf-8")
        ours = gpu.jobs(arguments.build, "kmd", folder, arguments.device, arguments.repeat)
        w, h, phi, back = (np.load(f"{folder}/{name}.npy") for name in ("w", "h", "phi", "back"))
    works = products(torch, arrays, w, h)

    gpu.heading(f"{len(w)} formulas, phi = W H, {h.shape[1]} values each, on the device", arguments.device)
    gpu.row("kronite", ours["forward"], ours["forward"])
    for name, (platform, work, _) in works.items():
        seconds, found = gpu.least_seconds(platform, work, arguments.repeat)
        apart = float(np.abs(platform.get(found) - phi).max())
        gpu.row(name, seconds, ours["forward"], apart)
        gpu.require(apart <= 1e-12, f"{name} differs by {apart:.1e}")
    gpu.heading("the same, from W and to phi on the host", arguments.device)
    gpu.row("kronite", ours["transform"], ours["transform"])
    for name, (platform, _, work) in works.items():
        if work:
            seconds, _ = gpu.least_seconds(platform, work, arguments.repeat)
            gpu.row(name, seconds, ours["transform"])
    gpu.heading("the exact inverse, from phi and to weights on the host", arguments.device)
    apart = float(np.abs(back - w).max())
    gpu.row("kronite", ours["inverse"], ours["inverse"], apart)
    gpu.require(apart <= 1e-9, f"weights come back to {apart:.1e}")


if __name__ == "__main__":
    main()
