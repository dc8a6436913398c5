#!/usr/bin/env python3
"""Fitting KRSFD: kronite beside scipy's sparse matrices, as the published program uses them, on the
tutorial's curves and one core each.

  pip install numpy scipy
  bench/peers/krsfd.py build/bench/bin/kronite_fit_curves FOLDER

FOLDER has the tutorial's data: sparse_X.npy, sparse_t_grid.npy, sparse_train_ids.npy,
sparse_test_ids.npy and sparse_observations.csv (system, t, y).

Two fits, each of the same least squares problem on both sides, with the hyper-parameters and the
truncation that the tutorial's search found:
- published: 500 steps of conjugate gradients from theta = 0.1; kronite with `compat`, scipy on the
  sparse matrix H, making it included;
- converged: to a relative residual of 1e-8; kronite with its preconditioner, scipy.sparse.linalg.cg
  without one.
Times are processor seconds of the fit, the least of several; errors are of the test part.

With --deviations also standard deviations of the test part at 51 points a curve, as the published program has them,
by an incomplete factor of H'H + lambda and a solve for each point (scipy.sparse.linalg.spilu with its options; the
factor is made once and counted whole, solves are timed at --points of the points and scaled), learned from the first
--curves of the training curves: with all 375 scipy takes minutes of an idle core.
"""
import argparse
import copy
import os
import pathlib
import subprocess
import tempfile

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"  # before numpy is imported

import numpy as np
import scipy
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, cg, spilu

from timing import processor_seconds, use_one_core

SIGMA_X, SIGMA_T, LAMBDA = 1.3773098170466815, 0.13425399095421187, 0.056520743745891514
ZERO_X = 0.4034497081712135
ZERO_T = (0.9 - ZERO_X) / (1 - ZERO_X)


class Curves:
    """A part of the tutorial's systems: inputs, and for each the points t with their values."""

    def __init__(self, folder, ids):
        systems = np.load(folder / ids)
        table = np.loadtxt(folder / "sparse_observations.csv", delimiter=",", skiprows=1)
        self.x = np.load(folder / "sparse_X.npy")[systems]
        rows = [table[table[:, 0] == system] for system in systems]
        self.t = [row[:, 1] for row in rows]
        self.y = np.concatenate([row[:, 2] for row in rows])
        self.curve = np.repeat(np.arange(len(systems)), [len(row) for row in rows])

    def first(self, count):
        part = copy.copy(self)
        part.x, part.t, kept = self.x[:count], self.t[:count], self.curve < count
        part.y, part.curve = self.y[kept], self.curve[kept]
        return part

    def write(self, path, *more):
        numbers = [*self.x.shape, len(self.curve)]
        parts = [numbers, self.x, self.curve, np.concatenate(self.t), *more]
        np.concatenate([np.ravel(part) for part in parts]).astype("<f8").tofile(path)


# --- scipy -------------------------------------------------------------------------------------------

def gaussian(a, b, sigma):
    differences = np.atleast_2d(a.T).T[:, None, :] - np.atleast_2d(b.T).T[None, :, :]
    return np.exp(-(differences ** 2).sum(axis=-1) / (2 * sigma ** 2))


def threshold(gram, ratio):
    return np.sort(gram, axis=None)[int(gram.size * ratio - 1)]


def truncated(kernel, at_most):
    return np.where(kernel <= at_most, 0, kernel)


class Scipy:
    def __init__(self, training, grid):
        self.training, self.grid = training, grid
        gram = gaussian(training.x, training.x, SIGMA_X)
        self.threshold_x = threshold(gram, ZERO_X)
        self.threshold_t = threshold(gaussian(grid, grid, SIGMA_T), ZERO_T)
        self.h = self.design(training, gram)

    def design(self, curves, k_x):
        k_x = truncated(k_x, self.threshold_x)
        k_t = [truncated(gaussian(t, self.grid, SIGMA_T), self.threshold_t) for t in curves.t]
        return sparse.vstack([sparse.kron(row, values, format="csr") for row, values in zip(k_x, k_t)],
                             format="csr")

    def published(self, steps=500, tolerance=1e-3):
        h, n = self.h, self.h.shape[1]
        theta = np.full(n, 0.1)
        residual = h.T @ self.training.y - (h.T @ (h @ theta) + LAMBDA * theta)
        direction, square = residual, residual @ residual  # one array until the first step is done
        for _ in range(steps):
            if square / n <= tolerance:
                break
            product = h.T @ (h @ direction) + LAMBDA * direction
            step = square / (product @ direction)
            theta += step * direction
            residual -= step * product
            last, square = square, residual @ residual
            direction = residual + square / last * direction
        return theta

    def converged(self, tolerance):
        h, n = self.h, self.h.shape[1]
        normal = LinearOperator((n, n), matvec=lambda v: h.T @ (h @ v) + LAMBDA * v)
        theta, failed = cg(normal, h.T @ self.training.y, rtol=tolerance, maxiter=20000)
        assert failed == 0
        return theta

    def variance_factor(self):
        """Over the noise's variance, the covariance of theta is the inverse of this."""
        normal = self.h.T @ self.h + LAMBDA * sparse.identity(self.h.shape[1])
        return spilu(normal.tocsc(), drop_tol=1e-4, fill_factor=10)

    def predict(self, theta, test):
        return self.design(test, gaussian(test.x, self.training.x, SIGMA_X)) @ theta


class Grid:
    """The systems of `curves`, each at the same points."""

    def __init__(self, curves, t):
        self.x, self.t = curves.x, [t] * len(curves.x)
        self.curve = np.repeat(np.arange(len(curves.x)), len(t))

    write = Curves.write


def compare_deviations(kronite, training, test, grid, points):
    at = Grid(test, np.linspace(grid.min(), grid.max(), 51))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        training.write(folder / "training", training.y, [len(grid)], grid)
        at.write(folder / "test")
        mine, _, ours = kronite(folder, False, 1e-8, "deviations")
    problem = Scipy(training, grid)
    factoring, factor = processor_seconds(problem.variance_factor)
    phi = problem.design(at, gaussian(at.x, training.x, SIGMA_X))[:points].toarray()
    solving, variance = processor_seconds(lambda: np.array([row @ factor.solve(row) for row in phi]))
    other = factoring + solving * len(at.curve) / points
    # Both up to the noise's variance, which is not the same after unconverged iterations.
    ratio = ours[:points] / np.sqrt(variance)
    print(f"deviations at {len(at.x)} x 51 points from {len(training.x)} curves: kronite {mine:.2f} s, scipy {other:.1f} s ({factoring:.1f} s of it for "
          f"the factor; {points} points, scaled), ratio {other / mine:.0f}; the deviations differ by "
          f"{np.abs(ratio / np.median(ratio) - 1).max():.1e} at most, up to a factor")


# --- the comparison ----------------------------------------------------------------------------------

def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kronite_fit_curves", type=pathlib.Path, help="build/bench/bin/kronite_fit_curves")
    parser.add_argument("folder", type=pathlib.Path, help="of the tutorial's data")
    parser.add_argument("--deviations", action="store_true", help="standard deviations as well")
    parser.add_argument("--curves", type=int, default=120, help="that deviations are learned from (120)")
    parser.add_argument("--points", type=int, default=100, help="of them that scipy computes (100)")
    parser.add_argument("--repeat", type=int, default=3, help="the least time of so many counts")
    arguments = parser.parse_args()
    use_one_core()

    training = Curves(arguments.folder, "sparse_train_ids.npy")
    test = Curves(arguments.folder, "sparse_test_ids.npy")
    grid = np.load(arguments.folder / "sparse_t_grid.npy")

    def kronite(folder, compat, tolerance, *more):
        out = subprocess.run([arguments.kronite_fit_curves, folder / "training", folder / "test",
                              *map(repr, (SIGMA_X, SIGMA_T, LAMBDA, ZERO_X, ZERO_T)), "01"[compat],
                              repr(tolerance), str(arguments.repeat), *more],
                             check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
        seconds, iterations = out.pop().split(",")
        return float(seconds), int(iterations), np.array(out, dtype=float)

    def with_scipy(solve):
        def fit():
            problem = Scipy(training, grid)
            return problem, solve(problem)

        runs = [processor_seconds(fit) for _ in range(arguments.repeat)]
        problem, theta = runs[0][1]
        return min(seconds for seconds, _ in runs), problem.predict(theta, test)

    def error(predicted):
        return np.abs(predicted - test.y).mean()

    print(f"{len(training.x)} curves, {len(training.y)} observations, {len(grid)} grid points; one core; "
          f"numpy {np.__version__}, scipy {scipy.__version__}")
    print(f"{'fit':>12}{'kronite s':>11}{'steps':>7}{'scipy s':>9}{'ratio':>7}{'MAE':>11}{'MAE':>11}")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        training.write(folder / "training", training.y, [len(grid)], grid)
        test.write(folder / "test")
        for what, compat, solve in (("published", True, lambda problem: problem.published()),
                                    ("converged", False, lambda problem: problem.converged(1e-8))):
            mine, steps, ours = kronite(folder, compat, 1e-8)
            other, theirs = with_scipy(solve)
            print(f"{what:>12}{mine:11.3f}{steps:7}{other:9.2f}{other / mine:7.1f}"
                  f"{error(ours):11.7f}{error(theirs):11.7f}")
    if arguments.deviations:
        compare_deviations(kronite, training.first(arguments.curves), test, grid, arguments.points)


if __name__ == "__main__":
    main()
