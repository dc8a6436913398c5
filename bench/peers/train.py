#!/usr/bin/env python3
"""Training of the network of 2024 (3 x 400): kronite beside PyTorch, on the same number of cores.

  pip install torch
  bench/peers/train.py build/bench/bin/kronite_bench [--threads 1] [--compile]

An epoch is 58,774 training pairs in batches of 1,024 (Adam, batch normalisation, ReLU, dropout 0.2)
and 6,441 validation pairs: a split of the published protocol. Both sides draw as many descriptors and
pairs at random, whose values do not matter to the time, keep the descriptors in memory and form the
differences |x_i - x_j| batch by batch. kronite's figure is its benchmark train_epoch/2024, a whole
call of learn::fit for one epoch; PyTorch's begins with network, optimiser and descriptors in place.
Both are run several times, in turn, and the fastest epoch of each counts. On one core that is
processor time, which other programs on the machine do not advance; else it is time on the wall.
Where both see a GPU, they are compared there too.
"""
import argparse
import json
import os
import pathlib
import subprocess
import time

ROWS, INPUTS, TRAINING, VALIDATION, BATCH = 28810, 290, 58774, 6441, 1024


def arguments_of_this_run():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kronite_bench", type=pathlib.Path, help="the benchmark program")
    parser.add_argument("--threads", type=int, default=1, help="1 (default) or all cores: what kronite_bench has")
    parser.add_argument("--repeat", type=int, default=3, help="epochs of each; the fastest counts")
    parser.add_argument("--compile", action="store_true", help="PyTorch also with torch.compile")
    return parser.parse_args()


ARGUMENTS = arguments_of_this_run()
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = str(ARGUMENTS.threads)  # before torch is imported

import torch

from timing import use_one_core


class Kronite:
    def __init__(self, program, target):
        self.program, self.target = program, target

    def epoch(self):
        """Seconds; processor time where the target has one thread."""
        found = subprocess.run(
            [self.program, f"--benchmark_filter=^train_epoch/2024/{self.target}/", "--benchmark_format=json",
             "--benchmark_min_time=0.01"], check=True, capture_output=True, text=True)
        results = json.loads(found.stdout)["benchmarks"]
        if not results:
            raise SystemExit(f"{self.program} has no train_epoch/2024/{self.target}; see --benchmark_list_tests")
        self.share = results[0]["share"]
        return results[0]["seconds"]


class PyTorch:
    def __init__(self, device, clock, compiled):
        self.device, self.clock = torch.device(device), clock
        torch.manual_seed(1)
        self.rows = torch.randn(ROWS, INPUTS, device=self.device)
        self.training, self.validation = self.pairs(TRAINING), self.pairs(VALIDATION)
        layers, width = [], INPUTS
        for _ in range(3):
            layers += [torch.nn.Linear(width, 400, bias=False), torch.nn.BatchNorm1d(400, eps=1e-3, momentum=0.01),
                       torch.nn.ReLU(), torch.nn.Dropout(0.2)]
            width = 400
        self.network = torch.nn.Sequential(*layers, torch.nn.Linear(width, 2)).to(self.device)
        self.optimiser = torch.optim.Adam(self.network.parameters(), eps=1e-7)
        self.loss = torch.nn.CrossEntropyLoss()
        self.forward = torch.compile(self.of_pairs) if compiled else self.of_pairs

    def pairs(self, count):
        index = lambda end: torch.randint(end, (count,), device=self.device)
        return index(ROWS), index(ROWS), index(2)

    def of_pairs(self, first, second):
        return self.network((self.rows[first] - self.rows[second]).abs())

    def wait(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def epoch(self):
        self.wait()
        begin = self.clock()
        self.network.train()
        order = torch.randperm(TRAINING, device=self.device)
        for part in order.split(BATCH):
            first, second, alike = (values[part] for values in self.training)
            self.optimiser.zero_grad(set_to_none=True)
            self.loss(self.forward(first, second), alike).backward()
            self.optimiser.step()
        self.network.eval()
        with torch.no_grad():
            right = 0
            for first, second, alike in zip(*(values.split(8192) for values in self.validation)):
                right += int((self.of_pairs(first, second).argmax(1) == alike).sum())
        self.wait()
        return self.clock() - begin


def compare(target, device, clock, arguments):
    kronite = Kronite(arguments.kronite_bench, target)
    peers = {"PyTorch, eager": PyTorch(device, clock, False)}
    if arguments.compile:
        peers["PyTorch, compiled"] = PyTorch(device, clock, True)
    mine, others = [], {name: [] for name in peers}
    for peer in peers.values():
        peer.epoch()  # first calls compile, choose algorithms and take memory
    for _ in range(arguments.repeat):
        mine.append(kronite.epoch())
        for name, peer in peers.items():
            others[name].append(peer.epoch())

    print(f"{target}: epochs of {TRAINING} training and {VALIDATION} validation pairs; PyTorch {torch.__version__}")
    print(f"{'':26}{'s/epoch':>9}{'ratio':>8}")
    for name, seconds in (("kronite", min(mine)), *((name, min(t)) for name, t in others.items())):
        print(f"{name:26}{seconds:9.3f}{seconds / min(mine):8.2f}")
    print(f"kronite's products at {100 * kronite.share:.0f} % of the matrix product's peak", flush=True)


def main():
    arguments = ARGUMENTS
    one = arguments.threads == 1
    if one:
        use_one_core()
    torch.set_num_threads(arguments.threads)
    compare("cpu_1_thread" if one else f"cpu_{arguments.threads}_threads", "cpu",
            time.process_time if one else time.perf_counter, arguments)
    if torch.cuda.is_available():
        compare("cuda_0", "cuda:0", time.perf_counter, arguments)


if __name__ == "__main__":
    main()
