#!/usr/bin/env python3
"""Scoring of template pairs: kronite beside ONNX Runtime and PyTorch, eager and compiled.

  pip install numpy onnx onnxruntime torch
  bench/peers/score.py build/bench/bin/kronite lib.ktl model.safetensors [--pairs 2000000] [--threads 2]

One job for all: the first formulas of the library's largest ratio label, as queries, against all
templates of that label; differences of descriptors, all networks of the ensemble, the ten best of
each query kept. All start from standardised descriptors in memory or compute them before the clock
starts, run on the same threads, and are timed in turn; the best of --repeat counts. The peers work
in tiles of some queries against all templates; the best of the tile sizes tried counts. With one
thread the clock is processor time, for kronite that of the process less that of the same call with
one query; with more it is the time that passes, so the machine must be idle.
"""

import argparse
import collections
import csv
import io
import json
import os
import pathlib
import re
import struct
import subprocess
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
import torch

from timing import processor_seconds, use_one_core

TOP = 10
TILE_ROWS = (1, 4)


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, text=True,
                          capture_output=True, **options)


class Model:
    """A model file of kronite (docs/formats.md)."""

    def __init__(self, path):
        data = path.read_bytes()
        size = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:8 + size])
        metadata = header.pop("__metadata__")
        types = {"F32": np.float32, "F64": np.float64}
        self.tensors = {}
        for name, entry in header.items():
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            values = np.frombuffer(data[begin:end], types[entry["dtype"]])
            self.tensors[name] = values.reshape(entry["shape"])
        members = sum(key.endswith(".activations") for key in metadata)
        self.members = [
            [(self.tensors[f"members.{m}.layers.{k}.weight"],
              self.tensors[f"members.{m}.layers.{k}.bias"], activation == "relu")
             for k, activation in enumerate(metadata[f"members.{m}.activations"].split())]
            for m in range(members)]
        assert all(member[-1][0].shape[0] == 2 for member in self.members), "two logits expected"

    def operations_per_pair(self):
        return sum(2 * weight.size for member in self.members for weight, _, _ in member)

    def standardise(self, descriptors):
        return ((descriptors - self.tensors["descriptor.mean"])
                / self.tensors["descriptor.std"]).astype(np.float32)


def largest_label(kronite, library):
    """Formulas of the ratio label with the most templates, in the library's order."""
    listed = csv.DictReader(io.StringIO(run(kronite, "templates", "list", library).stdout))
    labels = collections.defaultdict(list)
    for row in listed:
        labels[row["ratio"]].append(row["formula"])
    return max(labels.values(), key=len)


def describe(kronite, formulas, folder):
    listing, out = folder / "formulas.txt", folder / "d.npy"
    listing.write_text("\n".join(formulas) + "\n")
    run(kronite, "describe", "--file", listing, "--out", out)
    return np.load(out)


# --- the contenders: each gives a function of a tile's queries that returns their best ------------

def torch_scores(model, precision, compiled):
    layers = [[(torch.tensor(w).to(precision), torch.tensor(b).to(precision), relu)
               for w, b, relu in member] for member in model.members]

    def score(queries, templates):
        x = (queries[:, None] - templates[None]).abs().reshape(-1, templates.shape[1])
        x = x.to(precision)
        total = 0
        for member in layers:
            y = x
            for weight, bias, relu in member:
                y = torch.nn.functional.linear(y, weight, bias)
                y = torch.relu(y) if relu else y
            total = total + torch.softmax(y.float(), 1)[:, 1]
        p = (total / len(layers)).reshape(len(queries), -1)
        return torch.topk(p, TOP)

    score = torch.compile(score) if compiled else score

    def best(queries, templates):
        with torch.inference_mode():
            return score(torch.from_numpy(queries), torch.from_numpy(templates))[0].numpy()
    return best


def onnx_scores(model, threads):
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    constants, nodes = [], []

    def constant(name, value):
        constants.append(onnx.numpy_helper.from_array(value, name))
        return name

    def node(kind, inputs, name, **attributes):
        nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    width = model.members[0][0][0].shape[1]
    difference = node("Abs", [node("Sub", ["queries", "templates"], "signed")], "difference")
    x = node("Reshape", [difference, constant("flat", np.array([-1, width]))], "x")
    parts = []
    for m, member in enumerate(model.members):
        y = x
        for k, (weight, bias, relu) in enumerate(member):
            name = f"m{m}l{k}"
            y = node("Gemm", [y, constant(name + "w", weight), constant(name + "b", bias)],
                     name, transB=1)
            y = node("Relu", [y], name + "r") if relu else y
        softmax = node("Softmax", [y], f"m{m}s", axis=1)
        parts.append(node("Gather", [softmax, constant(f"m{m}i", np.array([1]))], f"m{m}p", axis=1))
    mean = node("Mean", parts, "mean")
    shape = node("Shape", ["signed"], "shape", start=0, end=2)
    by_query = node("Reshape", [mean, shape], "by_query")
    nodes.append(helper.make_node("TopK", [by_query, constant("k", np.array([TOP]))],
                                  ["best", "index"], axis=1))
    graph = helper.make_graph(
        nodes, "ensemble",
        [helper.make_tensor_value_info("queries", floats, [None, 1, width]),
         helper.make_tensor_value_info("templates", floats, [1, None, width])],
        [helper.make_tensor_value_info("best", floats, [None, TOP])], constants)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    built = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(built.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    return lambda q, t: session.run(["best"], {"queries": q[:, None], "templates": t[None]})[0]


def passed_seconds(work):
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def time_peer(score, queries, templates, repeat, threads):
    """Seconds of the best tile size, and the scores."""
    clock = processor_seconds if threads == 1 else passed_seconds
    best = None
    for rows in TILE_ROWS:
        tiles = [queries[i:i + rows] for i in range(0, len(queries), rows)]
        score(tiles[0], templates)  # compiles, allocates
        for _ in range(repeat):
            seconds, found = clock(lambda: [score(tile, templates) for tile in tiles])
            best = min(best or seconds, seconds)
    return best, np.concatenate(found)


def time_kronite(command, listing, formulas, repeat, threads):
    """Seconds, and the scores. What passes is what it reports, without reading the library and
    writing the table."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads))

    def used(queries):
        listing.write_text("\n".join(queries) + "\n")
        runs = [processor_seconds(lambda: run(*command, "--queries", listing, env=environment))
                for _ in range(repeat)]
        return min(seconds for seconds, _ in runs), [result for _, result in runs]

    seconds, results = used(formulas)
    if threads == 1:
        seconds -= used(formulas[:1])[0]
    else:
        seconds = min(float(re.search(r"in ([0-9.]+) s:", r.stderr)[1]) for r in results)
    p = [float(row["p"]) for row in csv.DictReader(io.StringIO(results[0].stdout))]
    return seconds, np.array(p).reshape(-1, TOP)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kronite", type=pathlib.Path, help="the program")
    parser.add_argument("library", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path, help="a model file")
    parser.add_argument("--pairs", type=int, default=2_000_000)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--bf16", action="store_true", help="also in bf16, where there is one")
    arguments = parser.parse_args()
    if arguments.threads == 1:
        use_one_core()
    torch.set_num_threads(arguments.threads)

    model = Model(arguments.model)
    formulas = largest_label(arguments.kronite, arguments.library)
    most = max(TILE_ROWS)  # whole tiles only: a last one of another shape would be compiled anew
    count = max(most, min(len(formulas), arguments.pairs // len(formulas)) // most * most)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        templates = model.standardise(describe(arguments.kronite, formulas, folder))
        queries = templates[:count]
        command = [arguments.kronite, "csp", "score", "--templates", arguments.library, "--model",
                   arguments.model, "--top", TOP, "--out", "-", "--device", "cpu"]
        ours = folder / "queries.txt", formulas[:count]
        threads, repeat = arguments.threads, arguments.repeat
        contenders = {
            "kronite": lambda: time_kronite(command, *ours, repeat, threads),
            f"ONNX Runtime {onnxruntime.__version__}":
                lambda: time_peer(onnx_scores(model, threads), queries, templates, repeat, threads),
            f"PyTorch {torch.__version__}, eager":
                lambda: time_peer(torch_scores(model, torch.float32, False), queries, templates,
                                  repeat, threads),
            f"PyTorch {torch.__version__}, compiled":
                lambda: time_peer(torch_scores(model, torch.float32, True), queries, templates,
                                  repeat, threads),
        }
        if arguments.bf16:
            contenders["kronite, bf16"] = lambda: time_kronite(
                [*command, "--precision", "bf16"], *ours, repeat, threads)
            for name, compiled in (("eager", False), ("compiled", True)):
                contenders[f"PyTorch {torch.__version__}, {name}, bf16"] = \
                    lambda compiled=compiled: time_peer(
                        torch_scores(model, torch.bfloat16, compiled), queries, templates, repeat, threads)

        pairs = count * len(formulas)
        print(f"{count} queries x {len(formulas)} templates, {pairs:,} pairs, "
              f"{model.operations_per_pair():,} operations each, {threads} threads")
        print(f"{'':40}{'seconds':>9}{'pairs/s':>13}{'GFLOP/s':>9}{'ratio':>7}{'max |dp|':>10}")
        reference = None
        for name, contender in contenders.items():
            seconds, p = contender()
            reference = reference or (seconds, p)
            rate = pairs / seconds
            print(f"{name:40}{seconds:9.2f}{rate:13,.0f}"
                  f"{rate * model.operations_per_pair() * 1e-9:9.0f}{seconds / reference[0]:7.2f}"
                  f"{np.abs(p - reference[1]).max():10.1e}", flush=True)


if __name__ == "__main__":
    main()
