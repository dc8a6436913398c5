#!/usr/bin/env python3
"""A regression of functions on a GPU: kronite beside PyTorch, eager and compiled, and CuPy.

  pip install numpy torch cupy-cuda13x
  bench/peers/gpu_krfd.py build/cuda [--device cuda:0] [--systems 13000] [--points 200]
  bench/peers/gpu_krfd.py build/dev --device cpu --systems 300      # a rehearsal

The job: the coefficients of one fit of artificial curves, all Gram matrices formed, from data on the
host to coefficients on the host, in double precision, and the mean curves of 50 other systems, which
must agree to 1e-5 of the largest (the condition of 13,000 systems is some 1e9). The peers solve the equations of the published program by Cholesky
factors. kronite is timed by the clock around calls that end in a wait, peers by events around transfers
and work.
"""
import argparse
import tempfile

import numpy as np

import gpu

# Of the tutorial: sigma_g, sigma_t, sigma_m, lambda_g, lambda_t, lambda_m.
NUMBERS = np.array([[1.9626636347382016, 0.4655288516256745, 13.026496743638353,
                     0.0001724627258593973, 0.05208350120142222, 1.4997737377282668e-05]])
TESTED = 50


def artificial(n, points):
    """a sin(b t + c) + d t + e with noise of 0.2."""
    random = np.random.default_rng(1)
    x = np.column_stack([random.uniform(low, high, n) for low, high in ((1, 5), (1, 5), (0, 3), (-2, 2), (-3, 3))])
    t = np.linspace(0, 2, points)[:, None]
    a, b, c, d, e = (x[:, [k]] for k in range(5))
    return x, a * np.sin(b * t.T + c) + d * t.T + e + random.normal(scale=0.2, size=(n, points)), t


class Algebra:
    """What the equations need, by one library."""

    def __init__(self, exp, eye, ones, factor, solve, general):
        self.exp, self.eye, self.ones = exp, eye, ones
        self.factor, self.solve, self.general = factor, solve, general

    def gram(self, a, b, sigma):
        squared = sum((a[:, k:k + 1] - b[:, k]) ** 2 for k in range(a.shape[1]))
        return self.exp(squared / (-2 * sigma ** 2))

    def fit(self, x, y, t):
        """theta (N x T) and c (N): the equations of bench/peers/krfd.py with factors for inverses."""
        sigma_g, sigma_t, sigma_m, lambda_g, lambda_t, lambda_m = (float(number) for number in NUMBERS[0])
        n, points = y.shape
        g, m, tt = self.gram(x, x, sigma_g), self.gram(x, x, sigma_m), self.gram(t, t, sigma_t)
        of_g, of_m = self.factor(g + lambda_g * self.eye(n)), self.factor(m + lambda_m * self.eye(n))
        of_t = self.factor(tt + lambda_t * self.eye(points))
        b_one = tt @ self.solve(of_t, self.ones(points))  # B 1
        r = y.sum(1)[:, None] - g @ self.solve(of_g, y @ b_one)
        matrix = self.eye(n) - b_one.sum() / points * self.solve(of_m, g @ self.solve(of_g, m))
        c = self.general(matrix, self.solve(of_m, r) / points)
        theta = self.solve(of_t, self.solve(of_g, y - m @ c).T).T
        return theta, c

    def mean(self, x_new, x, t, theta, c):
        sigma_g, sigma_t, sigma_m = (float(number) for number in NUMBERS[0, :3])
        return (self.gram(x_new, x, sigma_g) @ theta @ self.gram(t, t, sigma_t)
                + self.gram(x_new, x, sigma_m) @ c)


def torch_algebra(platform):
    torch, where = platform.torch, dict(dtype=platform.torch.float64, device=platform.device)
    return Algebra(torch.exp, lambda n: torch.eye(n, **where), lambda n: torch.ones(n, 1, **where),
                   torch.linalg.cholesky, lambda l, b: torch.cholesky_solve(b, l), torch.linalg.solve)


def array_algebra(platform):
    xp = platform.xp
    if platform.on_gpu:
        from cupyx.scipy.linalg import solve_triangular

        def solve(l, b):
            half = solve_triangular(l, b, lower=True)
            return solve_triangular(l, half, lower=True, trans="T")
    else:
        def solve(l, b):  # numpy has no triangular solver; a rehearsal may be slow
            return xp.linalg.solve(l.T, xp.linalg.solve(l, b))
    return Algebra(xp.exp, xp.eye, lambda n: xp.ones((n, 1)), xp.linalg.cholesky, solve, xp.linalg.solve)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    gpu.options(parser)
    parser.add_argument("--systems", type=int, default=0, help="13000; in a rehearsal 300")
    parser.add_argument("--points", type=int, default=200)
    arguments = parser.parse_args()
    systems = arguments.systems or (300 if arguments.device == "cpu" else 13000)
    torch, arrays = gpu.platforms(arguments.device)
    if not torch and not arrays:
        gpu.nothing_to_compare_with(arguments.device)
        return
    x, y, t = artificial(systems + TESTED, arguments.points)
    x, x_test, y = x[:-TESTED], x[-TESTED:], y[:-TESTED]
    with tempfile.TemporaryDirectory() as folder:
        for name, values in (("x", x), ("y", y), ("t", t), ("x_test", x_test), ("numbers", NUMBERS)):
            np.save(f"{folder}/{name}.npy", np.ascontiguousarray(values))
        ours = gpu.jobs(arguments.build, "krfd", folder, arguments.device, arguments.repeat)
        mean = np.load(f"{folder}/mean.npy")

    contenders = {}
    if torch:
        algebra = torch_algebra(torch)
        contenders[f"{torch.name}, eager"] = torch, algebra, algebra.fit
        contenders[f"{torch.name}, compiled"] = torch, algebra, torch.torch.compile(algebra.fit)
    if arrays:
        algebra = array_algebra(arrays)
        contenders[arrays.name] = arrays, algebra, algebra.fit
    gpu.heading(f"a fit of {systems} systems at {arguments.points} points, from host to host", arguments.device)
    gpu.row("kronite", ours["fit"], ours["fit"])
    for name, (platform, algebra, fit) in contenders.items():
        def work(platform=platform, fit=fit):
            return [platform.get(part) for part in fit(*(platform.put(values) for values in (x, y, t)))]
        seconds, found = gpu.least_seconds(platform, work, arguments.repeat)
        there = [platform.put(np.ascontiguousarray(values)) for values in (x_test, x, t, *found)]
        apart = float(np.abs(platform.get(algebra.mean(*there)) - mean).max())
        gpu.row(name, seconds, ours["fit"], apart)
        gpu.require(apart <= 1e-5 * np.abs(mean).max(), f"{name} differs by {apart:.1e}")
    gpu.heading(f"the mean curves of {TESTED} other systems", arguments.device)
    gpu.row("kronite", ours["mean"], ours["mean"])


if __name__ == "__main__":
    main()
