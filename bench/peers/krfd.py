#!/usr/bin/env python3
"""Functional regression: kronite beside numpy as the published program uses it, and beside scikit-learn's
kernel ridge regression, on one core each.

  pip install numpy scikit-learn
  bench/peers/krfd.py build/bench/bin/kronite_function_regression FOLDER [search evidence fit bands gpytorch]

FOLDER has the tutorial's data: dense_X_train.npy, dense_Y_train.npy, dense_X_test.npy, dense_Y_test.npy,
dense_t.npy and dense_fold_of_train_row.npy (750 systems, 51 points).

- search:   hyper-parameters by 5-fold cross-validation. kronite draws the trials (TPE); numpy fits the same
            trials again without each fold, by explicit inverses. It does so for the first --sample trials and the
            best one, and its time is scaled to all; what both say of those must agree.
- evidence: one climb of the evidence, on all systems and on half of them, and the fit of all, against numpy's
            search of 300 trials at the time of one that was found above (run search too).
- fit:      one fit of --systems systems at 200 points of artificial curves.
- bands:    standard deviations of 3,000 systems after the tutorial's fit, of the published form, against two
            loops over systems on a part of them, scaled to all: quadratic forms alone, and, as a program does that
            forms the covariance of a curve from its design, a product with an N x T matrix for each system.
- gpytorch: only where it is asked for (pip install gpytorch). One step of its optimiser on a multi-task process with
            a Kronecker product of covariances, 2,000 systems and 100 points as tasks, against one evaluation of our
            evidence with all derivatives. Two models: its covariance of tasks is a matrix of rank 1 and a diagonal.
Times are processor seconds.
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"  # before numpy is imported

import numpy as np

from timing import processor_seconds, use_one_core

# Of the tutorial: sigma_g, sigma_t, sigma_m, lambda_g, lambda_t, lambda_m.
TUTORIAL = (1.9626636347382016, 0.4655288516256745, 13.026496743638353,
            0.0001724627258593973, 0.05208350120142222, 1.4997737377282668e-05)

PUBLISHED_TRIALS = 300


def kernel(kind, a, b, sigma):
    """Of differences, column by column: with products the rounding of distances would decide the bands."""
    of_columns = np.abs if kind == "laplacian" else np.square
    distance = sum(of_columns(a[:, [k]] - b[:, k]) for k in range(a.shape[1]))
    return np.exp(-distance / (sigma if kind == "laplacian" else 2 * sigma ** 2))


class Numpy:
    """The published program's fit, told again: an inverse for each Gram matrix."""

    def __init__(self, x, y, t, numbers, kinds=("gaussian", "gaussian")):
        sigma_g, sigma_t, sigma_m, lambda_g, lambda_t, lambda_m = numbers
        self.x, self.t, self.numbers, self.kinds = x, t, numbers, kinds
        n, points = y.shape
        g, m = kernel(kinds[0], x, x, sigma_g), kernel(kinds[0], x, x, sigma_m)
        tt = kernel(kinds[1], t, t, sigma_t)
        h, of_t = np.linalg.inv(g + lambda_g * np.eye(n)), np.linalg.inv(tt + lambda_t * np.eye(points))
        a, b = g @ h, tt @ of_t
        constant = np.linalg.inv(m + lambda_m * np.eye(n)) / points
        r = (y - a @ y @ b).sum(1)
        self.c = np.linalg.inv(np.eye(n) - b.sum() * constant @ (a @ m)) @ (constant @ r)
        rest = y - (m @ self.c)[:, None]
        self.theta = h @ rest @ of_t
        self.g, self.m, self.tt = g, m, tt
        residual = rest - g @ self.theta @ tt
        self.sigma2 = ((residual ** 2).sum() + 2) / (4 + y.size)

    def grams(self, x):
        sigma_g, _, sigma_m = self.numbers[:3]
        return kernel(self.kinds[0], x, self.x, sigma_g), kernel(self.kinds[0], x, self.x, sigma_m)

    def predict(self, x):
        g, m = self.grams(x)
        return g @ self.theta @ self.tt + (m @ self.c)[:, None]

    def roots(self):
        """What every loop below starts from, not timed: roots of inverses, which lose fewer digits than these."""
        _, _, _, lambda_g, lambda_t, lambda_m = self.numbers

        def root(gram, penalty):
            values, vectors = np.linalg.eigh(gram)
            kept = values > len(gram) * np.finfo(float).eps * values[-1]
            values, vectors = values[kept], vectors[:, kept]
            return vectors / np.sqrt(values * (values + penalty))

        of_t = self.tt @ root(self.tt, lambda_t)
        return root(self.g, lambda_g), root(self.m, lambda_m), of_t @ of_t.T

    def bands_by_forms(self, x, roots):
        of_g, of_m, w = roots
        g, m = self.grams(x)
        out = []
        for i in range(len(x)):
            of_variation, of_constant = g[i] @ of_g, m[i] @ of_m
            covariance = (of_variation @ of_variation) * w + (of_constant @ of_constant) / len(w)
            out.append(np.sqrt(self.sigma2 * np.diag(covariance)))
        return np.array(out)

    def bands_by_designs(self, x, roots):
        of_g, of_m, w = roots
        g, m = self.grams(x)
        out = []
        for i in range(len(x)):
            design = np.repeat(g[i][:, None], len(w), axis=1)
            of_variation, of_constant = of_g.T @ design, m[i] @ of_m
            covariance = (of_variation.T @ of_variation) * w + (of_constant @ of_constant) / len(w)
            out.append(np.sqrt(self.sigma2 * np.diag(covariance)))
        return np.array(out)


# --- kronite -----------------------------------------------------------------------------------------

class Kronite:
    def __init__(self, program, folder, x, y, t, x_test, fold=()):
        self.program, self.folder = program, pathlib.Path(folder)
        arrays = {"shape": [*x.shape, len(t), len(x_test)], "x": x, "y": y, "t": t, "x_test": x_test, "fold": fold}
        for name, values in arrays.items():
            np.ravel(np.asarray(values, dtype="<f8")).tofile(self.folder / name)
        self.points = len(t)

    def run(self, task, *more):
        out = subprocess.run([self.program, task, self.folder, *map(str, more)], check=True,
                             stdout=subprocess.PIPE, text=True).stdout.split()
        return [float(number) for number in out]

    def array(self, name):
        return np.fromfile(self.folder / name).reshape(-1, self.points)


def trials_of(journal):
    """Kernels, numbers and loss of each finished trial, by its number."""
    trials = {}
    for line in pathlib.Path(journal).read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if "trial" in entry:
            trials.setdefault(entry["trial"], {}).update(entry)
    return [trial for _, trial in sorted(trials.items()) if "loss" in trial]


def refit(x, y, t, fold, trial):
    values = trial["values"]
    numbers = [values[f"{name}_{of}"] for name in ("length_scale", "lambda") for of in "gtm"]
    predicted = np.empty_like(y)
    for k in np.unique(fold):
        out = fold == k
        model = Numpy(x[~out], y[~out], t, numbers, (values["kernel_x"], values["kernel_t"]))
        predicted[out] = model.predict(x[out])
    return np.abs(predicted - y).mean()


# --- the comparisons ---------------------------------------------------------------------------------

def artificial(n, points, seed):
    """a sin(b t + c) + d t + e with noise of 0.2."""
    random = np.random.default_rng(seed)
    x = np.column_stack([random.uniform(low, high, n) for low, high in ((1, 5), (1, 5), (0, 3), (-2, 2), (-3, 3))])
    t = np.linspace(0, 2, points)[:, None]
    a, b, c, d, e = (x[:, [k]] for k in range(5))
    return x, a * np.sin(b * t.T + c) + d * t.T + e + random.normal(scale=0.2, size=(n, points)), t


def row(what, ours, name, theirs, note=""):
    print(f"{what:28}{ours:11.3f}  {name:32}{theirs:11.2f}{theirs / ours:9.1f}  {note}", flush=True)


def compare_search(arguments, data, folder):
    x, y, t, x_test, _, fold = data
    journal = pathlib.Path(folder) / "trials.jsonl"
    seconds, best, number = Kronite(arguments.program, folder, x, y, t, x_test, fold).run(
        "search", arguments.trials, journal)
    trials = trials_of(journal)
    some = trials[:arguments.sample]
    if all(trial["trial"] != number for trial in some):
        some.append(next(trial for trial in trials if trial["trial"] == number))
    theirs, off = 0, 0
    for trial in some:
        spent, mae = processor_seconds(lambda: refit(x, y, t, fold, trial))
        theirs += spent
        if trial["trial"] == number:
            off = abs(mae - best)
    each = theirs / len(some)
    row(f"search, {len(trials)} trials", seconds, f"numpy, refits of {len(some)}, scaled", each * len(trials),
        f"best CV MAE {best:.6f}, numpy's of that trial differs by {off:.1e}")
    return each * PUBLISHED_TRIALS


def compare_evidence(arguments, data, folder, search):
    x, y, t, x_test, y_test, _ = data
    kronite = Kronite(arguments.program, folder, x, y, t, x_test)
    for seen in (len(x), len(x) // 2):
        seconds, evaluations = kronite.run("climb", seen)
        mae = np.abs(kronite.array("mean") - y_test).mean()
        row(f"evidence, on {seen} systems", seconds, f"numpy, search of {PUBLISHED_TRIALS} trials",
            search or float("nan"), f"test MAE {mae:.4f} after {evaluations:.0f} evaluations")


def compare_fit(arguments, folder):
    x, y, t = artificial(arguments.systems + 50, 200, 1)
    x, x_test, y = x[:-50], x[-50:], y[:-50]
    kronite = Kronite(arguments.program, folder, x, y, t, x_test)
    seconds = kronite.run("fit", *TUTORIAL)[0]
    theirs, model = processor_seconds(lambda: Numpy(x, y, t, TUTORIAL))
    off = np.abs(kronite.array("mean") - model.predict(x_test)).max()
    what = f"fit, N = {len(x)}, T = {len(t)}"
    row(what, seconds, "numpy, explicit inverses", theirs, f"predictions differ by up to {off:.1e}")
    try:
        from sklearn.kernel_ridge import KernelRidge
    except ImportError:
        print("scikit-learn is not installed: left out")
        return
    ridge = KernelRidge(alpha=TUTORIAL[3], kernel="rbf", gamma=1 / (2 * TUTORIAL[0] ** 2))
    theirs, _ = processor_seconds(lambda: ridge.fit(x, y))
    row(what, seconds, "scikit-learn, KernelRidge", theirs, "another model: each point by itself, no bands")


def compare_bands(arguments, data, folder):
    x, y, t, *_ = data
    x_test = artificial(3000, len(t), 2)[0]
    kronite = Kronite(arguments.program, folder, x, y, t, x_test)
    seconds, completed = kronite.run("bands", *TUTORIAL)
    ours = kronite.array("deviation")
    model = Numpy(x, y, t, TUTORIAL)
    roots = model.roots()
    for name, loop, count in (("numpy, quadratic forms", model.bands_by_forms, 300),
                              ("numpy, N x T designs", model.bands_by_designs, 60)):
        spent, bands = processor_seconds(lambda: loop(x_test[:count], roots))
        off = np.median(np.abs(bands / ours[:count] - 1))
        row("bands, 3,000 systems", seconds, f"{name}, {count}, scaled", spent * len(x_test) / count,
            f"differ by {off:.0e} in the median")
    print(f"{'bands, joint and completed':28}{completed:11.3f}")


def compare_gpytorch(arguments, folder):
    try:
        import gpytorch
        import torch
    except ImportError:
        print("GPyTorch is not installed: left out")
        return
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    x, y, t = artificial(2000, 100, 3)
    seconds = Kronite(arguments.program, folder, x, y, t, x[:1]).run("evidence", *TUTORIAL)[0]

    class Process(gpytorch.models.ExactGP):
        def __init__(self, x, y, likelihood):
            super().__init__(x, y, likelihood)
            tasks = y.shape[1]
            self.mean_module = gpytorch.means.MultitaskMean(gpytorch.means.ConstantMean(), num_tasks=tasks)
            self.covar_module = gpytorch.kernels.MultitaskKernel(gpytorch.kernels.RBFKernel(), num_tasks=tasks, rank=1)

        def forward(self, x):
            return gpytorch.distributions.MultitaskMultivariateNormal(self.mean_module(x), self.covar_module(x))

    x, y = torch.as_tensor(x), torch.as_tensor(y)
    likelihood = gpytorch.likelihoods.MultitaskGaussianLikelihood(num_tasks=y.shape[1], rank=0, has_task_noise=False)
    model = Process(x, y, likelihood)
    model.train(), likelihood.train()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    objective = gpytorch.mlls.ExactMarginalLogLikelihood(likelihood, model)

    def step():
        optimiser.zero_grad()
        loss = -objective(model(x), y)
        loss.backward()
        optimiser.step()

    step()  # what is made once
    theirs = min(processor_seconds(step)[0] for _ in range(3))
    row("evidence, N = 2000, T = 100", seconds, f"GPyTorch {gpytorch.__version__}, one step", theirs,
        "another model: tasks instead of points along t")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path, help="kronite_function_regression")
    parser.add_argument("folder", type=pathlib.Path, help="of the tutorial's data")
    parser.add_argument("what", nargs="*", default=["search", "evidence", "fit", "bands"])
    parser.add_argument("--trials", type=int, default=PUBLISHED_TRIALS)
    parser.add_argument("--sample", type=int, default=20, help="trials that numpy fits again (20)")
    parser.add_argument("--systems", type=int, default=4000, help="of the single fit (4000)")
    arguments = parser.parse_args()
    use_one_core()
    load = lambda name: np.load(arguments.folder / f"dense_{name}.npy")
    data = (load("X_train"), load("Y_train"), load("t").reshape(-1, 1), load("X_test"), load("Y_test"),
            load("fold_of_train_row"))
    print(f"one core; numpy {np.__version__}; processor seconds")
    print(f"{'':28}{'kronite s':>11}  {'':32}{'other s':>11}{'ratio':>9}")
    search = None
    with tempfile.TemporaryDirectory() as folder:
        if "search" in arguments.what:
            search = compare_search(arguments, data, folder)
        if "evidence" in arguments.what:
            compare_evidence(arguments, data, folder, search)
        if "fit" in arguments.what:
            compare_fit(arguments, folder)
        if "bands" in arguments.what:
            compare_bands(arguments, data, folder)
        if "gpytorch" in arguments.what:
            compare_gpytorch(arguments, folder)


if __name__ == "__main__":
    main()
