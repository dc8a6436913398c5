#!/usr/bin/env python3
"""Writes keras/: weights of small networks as Keras saves them, and the probabilities that it computes,
so that tests need no Keras.

    pip install keras==3.15.1 torch==2.15.0 h5py==3.16.0
    tests/golden/make_keras_golden.py
"""
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "torch")

import h5py
import keras
import numpy as np
from keras import layers

HERE = pathlib.Path(__file__).resolve().parent
INPUTS, HIDDEN, CASES = 6, (5, 4), 8


def network(normalised_after_activation):
    """Two hidden layers and a softmax over (unlike, alike); all weights random, variances positive."""
    random = np.random.default_rng(7 if normalised_after_activation else 5)
    parts = [keras.Input((INPUTS,))]
    for units in HIDDEN:
        if normalised_after_activation:
            parts += [layers.Dense(units, activation="relu"), layers.BatchNormalization()]
        else:
            parts += [layers.Dense(units), layers.BatchNormalization(), layers.ReLU()]
        parts.append(layers.Dropout(0.2))
    model = keras.Sequential([*parts, layers.Dense(2, activation="softmax")])
    model.set_weights([random.uniform(0.2, 2, w.shape) if "variance" in w.path
                       else random.normal(0, 1, w.shape) for w in model.weights])
    return model


def save_as_keras_2(model, path):
    """The layout of Keras 2: names in arrays of bytes, weights called layer/layer/kernel:0."""
    with h5py.File(path, "w") as file:
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([layer.name.encode() for layer in model.layers])
        for layer in model.layers:
            names = [f"{layer.name}/{w.name}:0" for w in layer.weights]
            place = group.create_group(layer.name)
            place.attrs["weight_names"] = np.array([name.encode() for name in names])
            for name, weight in zip(names, layer.weights):
                place.create_dataset(name, data=keras.ops.convert_to_numpy(weight))
        # What optimisers keep is no weight of the network.
        file.create_group("optimizer_weights").create_dataset("iteration:0", data=np.int64(3))


def main():
    folder = HERE / "keras"
    differences = np.abs(np.random.default_rng(1).normal(0, 1, (CASES, INPUTS))).astype("float32")
    np.save(folder / "differences.npy", differences)
    for name, after in (("before", False), ("after", True)):
        model = network(after)
        np.save(folder / f"{name}_p.npy", model.predict(differences, verbose=0)[:, 1:].astype("f8"))
        if after:
            np.savez(folder / "after.npz", *model.get_weights())
            continue
        np.savez_compressed(folder / "before.npz", *model.get_weights())
        model.save(folder / "before.h5")
        model.save_weights(folder / "before.weights.h5")
        save_as_keras_2(model, folder / "before_keras2.h5")


if __name__ == "__main__":
    main()
