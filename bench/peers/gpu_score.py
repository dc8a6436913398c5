#!/usr/bin/env python3
"""Scoring of template pairs on a GPU: kronite beside PyTorch, eager and compiled, and CuPy.

  pip install numpy torch cupy-cuda13x
  bench/peers/gpu_score.py build/cuda [--device cuda:0] [--queries 64] [--templates 20000]
  bench/peers/gpu_score.py build/dev --device cpu --queries 4 --templates 500      # a rehearsal

One job for all: the ten best templates of every query by an ensemble of five networks of the published
shapes (290-50-50-50-2 and 290-400-400-400-2, made-up weights), in float32 without TF32. Descriptors lie
on the device before the clock starts. kronite is called through its C interface, on the stream and with
the pointers of the peers' library. Peers work in tiles of some queries against all templates; the best
tile counts. Probabilities must agree to 1e-5.
"""
import argparse
import ctypes

import numpy as np

import gpu

TOP = 10
TILES = (1, 4, 16)
SHAPES = {"290-50-50-50-2": (50, 50, 50, 2), "290-400-400-400-2": (400, 400, 400, 2)}
MEMBERS, INPUTS = 5, 290


class Layer(ctypes.Structure):
    _fields_ = [("weight", ctypes.c_void_p), ("bias", ctypes.c_void_p), ("units", ctypes.c_int64),
                ("inputs", ctypes.c_int64), ("activation", ctypes.c_int32)]


class Network(ctypes.Structure):
    _fields_ = [("layers", ctypes.POINTER(Layer)), ("layer_count", ctypes.c_int64)]


class Place(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int32), ("id", ctypes.c_int32)]


class Kronite:
    """The C interface on the arrays of a platform."""

    def __init__(self, build, platform, device, members, queries, templates):
        self.library = ctypes.CDLL(str(build / "lib/libkronite.so"))
        self.library.kronite_last_error.restype = ctypes.c_char_p
        self.platform, self.keep = platform, []
        self.device = ctypes.c_void_p()
        if platform.on_gpu:
            self.place = Place(2, gpu.gpu_number(device))
            self.check(self.library.kronite_device_open_cuda(
                self.place.id, ctypes.c_void_p(platform.stream_number()), None, ctypes.byref(self.device)))
        else:
            self.place = Place(1, 0)
            self.check(self.library.kronite_device_open(b"cpu", None, ctypes.byref(self.device)))
        self.networks = (Network * len(members))()
        for network, member in zip(self.networks, members):
            layers = (Layer * len(member))()
            for layer, (weight, bias) in zip(layers, member):
                layer.weight, layer.bias = self.on_device(weight), self.on_device(bias)
                layer.units, layer.inputs = weight.shape
                layer.activation = int(layer is not layers[len(member) - 1] and weight.shape[0] > 2)
            self.keep.append(layers)
            network.layers, network.layer_count = layers, len(member)
        self.rows, self.columns = len(queries), len(templates)
        pairs = self.rows * self.columns
        self.inputs = self.on_device(queries), self.on_device(templates)
        self.pairs = (self.on_device(np.repeat(np.arange(self.rows, dtype=np.int32), self.columns)),
                      self.on_device(np.tile(np.arange(self.columns, dtype=np.int32), self.rows)))
        self.p = self.on_device(np.zeros(pairs, np.float32))
        self.best = platform.put(np.zeros((self.rows, TOP), np.float32))
        self.index = platform.put(np.zeros((self.rows, TOP), np.int32))

    def on_device(self, values):
        self.keep.append(self.platform.put(np.ascontiguousarray(values)))
        return ctypes.c_void_p(self.platform.pointer(self.keep[-1]))

    def check(self, code):
        if code != 0:
            raise SystemExit(self.library.kronite_last_error().decode())

    def run(self):
        n = ctypes.c_int64
        self.check(self.library.kronite_score_pairs_f32(
            self.device, self.place, self.inputs[0], n(self.rows), self.inputs[1], n(self.columns), n(INPUTS),
            *self.pairs, n(self.rows * self.columns), self.networks, n(len(self.networks)), self.p))
        self.check(self.library.kronite_top_k_rows_f32(
            self.device, self.place, self.p, n(self.rows), n(self.columns), n(TOP),
            ctypes.c_void_p(self.platform.pointer(self.best)), ctypes.c_void_p(self.platform.pointer(self.index))))
        return self.best

    def close(self):
        self.check(self.library.kronite_device_synchronize(self.device))
        self.library.kronite_device_close(self.device)


def networks(units, random):
    members = []
    for _ in range(MEMBERS):
        inputs, member = INPUTS, []
        for count in units:
            size = np.sqrt(6 / inputs)
            member.append((random.uniform(-size, size, (count, inputs)).astype(np.float32),
                           random.uniform(-0.3, 0.3, count).astype(np.float32)))
            inputs = count
        members.append(member)
    return members


def torch_work(platform, members, queries, templates, rows, compiled):
    torch = platform.torch
    layers = [[(platform.put(w), platform.put(b)) for w, b in member] for member in members]
    q, t = platform.put(queries), platform.put(templates)

    def tile(part):
        x = (part[:, None] - t[None]).abs().reshape(-1, t.shape[1])
        total = 0
        for member in layers:
            y = x
            for k, (weight, bias) in enumerate(member):
                y = torch.nn.functional.linear(y, weight, bias)
                y = torch.relu(y) if k + 1 < len(member) else y
            total = total + torch.softmax(y, 1)[:, 1]
        return torch.topk((total / len(layers)).reshape(len(part), -1), TOP)[0]

    score = torch.compile(tile) if compiled else tile

    def work():
        with torch.inference_mode():
            return torch.cat([score(part) for part in q.split(rows)])
    return work


def array_work(platform, members, queries, templates, rows):
    xp = platform.xp
    layers = [[(platform.put(w), platform.put(b)) for w, b in member] for member in members]
    q, t = platform.put(queries), platform.put(templates)

    def tile(part):
        x = abs(part[:, None] - t[None]).reshape(-1, t.shape[1])
        total = 0
        for member in layers:
            y = x
            for k, (weight, bias) in enumerate(member):
                y = y @ weight.T + bias
                y = xp.maximum(y, 0) if k + 1 < len(member) else y
            total = total + 1 / (1 + xp.exp(y[:, 0] - y[:, 1]))
        p = (total / len(layers)).reshape(len(part), -1)
        return -xp.sort(xp.partition(-p, TOP - 1, axis=1)[:, :TOP], axis=1)

    return lambda: xp.concatenate([tile(q[i:i + rows]) for i in range(0, len(q), rows)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    gpu.options(parser)
    parser.add_argument("--queries", type=int, help="64; in a rehearsal 4")
    parser.add_argument("--templates", type=int, help="20000; in a rehearsal 500")
    arguments = parser.parse_args()
    small = arguments.device == "cpu"
    torch, arrays = gpu.platforms(arguments.device)
    if not torch and not arrays:
        gpu.nothing_to_compare_with(arguments.device)
        return
    most = max(TILES)
    count = arguments.queries or (4 if small else 64)
    columns = arguments.templates or (500 if small else 20000)
    random = np.random.default_rng(1)
    queries = random.normal(size=(count, INPUTS)).astype(np.float32)
    templates = random.normal(size=(columns, INPUTS)).astype(np.float32)
    tiles = [rows for rows in TILES if rows <= min(most, count)]

    for shape, units in SHAPES.items():
        members = networks(units, random)
        gpu.heading(f"{count} queries x {columns} templates, five networks {shape}", arguments.device)
        platform = torch or arrays
        kronite = Kronite(arguments.build, platform, arguments.device, members, queries, templates)
        reference, best = gpu.least_seconds(platform, kronite.run, arguments.repeat)
        best = platform.get(best)
        kronite.close()
        gpu.row("kronite", reference, reference)
        contenders = {}
        if torch:
            for name, compiled in (("eager", False), ("compiled", True)):
                contenders[f"{torch.name}, {name}"] = torch, [
                    torch_work(torch, members, queries, templates, rows, compiled) for rows in tiles]
        if arrays:
            contenders[arrays.name] = arrays, [
                array_work(arrays, members, queries, templates, rows) for rows in tiles]
        for name, (where, works) in contenders.items():
            seconds, found = min((gpu.least_seconds(where, work, arguments.repeat) for work in works),
                                 key=lambda timed: timed[0])
            apart = float(np.abs(where.get(found) - best).max())
            gpu.row(name, seconds, reference, apart)
            gpu.require(apart <= 1e-5, f"{name} differs by {apart:.1e}")


if __name__ == "__main__":
    main()
