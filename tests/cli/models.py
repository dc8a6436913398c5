"""Models made of fixed numbers, written without kronite as docs/formats.md describes them."""

import array
import json
import random
import struct

WIDTH = 290


def write_model(path, element_table, members=3, width=WIDTH, seed=1, **card):
    """A file of networks width-4-2 whose probabilities differ from template to template."""
    numbers = random.Random(seed)
    metadata = {"format": "kronite model", "format_version": "1", "element_table": element_table,
                "tau": "0.3", **{f"card.{key}": value for key, value in card.items()}}
    tensors = {
        "descriptor.mean": ("F64", "d", [width], [0.0] * width),
        "descriptor.std": ("F64", "d", [width], [2e4] * width),
    }
    for m in range(members):
        metadata[f"members.{m}.activations"] = "relu none"
        for layer, (units, inputs) in enumerate([(4, width), (2, 4)]):
            name = f"members.{m}.layers.{layer}"
            weight = [numbers.gauss(0, 0.1) for _ in range(units * inputs)]
            tensors[f"{name}.weight"] = ("F32", "f", [units, inputs], weight)
            tensors[f"{name}.bias"] = ("F32", "f", [units], [0.0] * units)

    header, data = {"__metadata__": metadata}, b""
    for name, (dtype, code, shape, values) in tensors.items():
        part = array.array(code, values).tobytes()
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path
