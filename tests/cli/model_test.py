"""kronite model, as a user runs it. The program's path is the environment variable KRONITE."""

import csv
import json
import pathlib
import struct
import unittest

from folder_case import FolderCase
from program import run

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden" / "keras"
INPUTS = 6


class ModelTest(FolderCase):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "out.safetensors"

    def statistics(self, rows=("mean", "std")):
        """A table with a mean of 0.5 and a standard deviation of 2 in every column."""
        path = self.folder / "statistics.csv"
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["statistic", *(f"x{j}" for j in range(INPUTS))])
            for row in rows:
                writer.writerow([row, *[0.5 if row == "mean" else 2] * INPUTS])
        return path

    def convert(self, *arguments, out=None):
        return run("model", "convert", *arguments, "--out", out or self.out)

    def imported(self, *arguments):
        """The ensemble of the two golden networks as a model."""
        done = self.convert(GOLDEN / "before.npz", GOLDEN / "before.npz",
                            "--statistics", self.statistics(), *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.out

    def test_imports_an_ensemble_and_says_what_it_is(self):
        model = self.imported("--tau", "0.25", "--card", "licence=CC0", "--card", "name=two",
                              "--card", "limits=" + "a word " * 30)

        info = json.loads(run("model", "info", model, "--json").stdout)
        card = run("model", "card", model)

        self.assertEqual(info["tau"], 0.25)
        self.assertEqual(info["bytes"], model.stat().st_size)
        self.assertEqual(len(info["members"]), 2)
        layers = info["members"][1]["layers"]
        self.assertEqual([(layer["inputs"], layer["units"], layer["activation"])
                          for layer in layers], [(6, 5, "relu"), (5, 4, "relu"), (4, 2, "none")])
        self.assertEqual(info["members"][1]["parameters"], 6 * 5 + 5 + 5 * 4 + 4 + 4 * 2 + 2)
        self.assertEqual(info["parameters"], 2 * info["members"][1]["parameters"])
        self.assertEqual(info["card"]["name"], "two")
        self.assertEqual(card.returncode, 0, card.stderr)
        lines = card.stdout.splitlines()
        self.assertIn("2 networks 6-5-4-2, 138 parameters", lines[0])
        self.assertIn("licence  CC0", lines)
        self.assertTrue(all(len(line) <= 100 for line in lines), card.stdout)
        self.assertIn("         a word a word", card.stdout)  # the card is aligned, also where it wraps

    def test_takes_statistics_from_npy_or_from_a_library(self):
        header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 6), }\n".encode()
        values = struct.pack("<12d", *[0.5] * INPUTS, *[2.0] * INPUTS)
        npy = self.folder / "statistics.npy"
        npy.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values)
        first = self.imported().read_bytes()

        from_npy = self.convert(GOLDEN / "before.npz", GOLDEN / "before.npz", "--statistics", npy)
        self.assertEqual(from_npy.returncode, 0, from_npy.stderr)
        self.assertEqual(self.out.read_bytes(), first)
        salt = ('{"material_id": "a", "structure": {"lattice": {"matrix": [[4,0,0],[0,4,0],[0,0,4]]}, '
                '"sites": [{"species": [{"element": "Cs", "occu": 1}], "abc": [0, 0, 0]}, '
                '{"species": [{"element": "Cl", "occu": 1}], "abc": [0.5, 0.5, 0.5]}]}}')
        source, library = self.folder / "a.jsonl", self.folder / "a.ktl"
        source.write_text(salt, encoding="utf-8")
        run("templates", "build", "--from", source, "--out", library)
        from_library = self.convert(GOLDEN / "before.npz", "--templates", library)
        self.assertEqual(from_library.returncode, 1)
        self.assertIn("6 inputs", from_library.stderr)
        self.assertIn("290 means", from_library.stderr)

    def test_reads_hdf5_where_it_was_built_with_it(self):
        statistics = self.statistics()
        expected = self.imported().read_bytes()
        for name in ("before.h5", "before.weights.h5", "before_keras2.h5"):
            with self.subTest(name):
                done = self.convert(GOLDEN / name, GOLDEN / name, "--statistics", statistics,
                                    "--card", "origin=weights of Keras, imported from before.npz, "
                                    "before.npz")

                if "built without HDF5" in done.stderr:
                    self.skipTest(done.stderr)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.out.read_bytes(), expected)

    def test_changes_the_card_of_a_model(self):
        model = self.imported()
        copy = self.folder / "copy.safetensors"

        done = self.convert(model, "--card", "licence=MIT", out=copy)

        self.assertEqual(done.returncode, 0, done.stderr)
        before, after = (json.loads(run("model", "info", path, "--json").stdout)
                         for path in (model, copy))
        self.assertEqual(after["card"], {**before["card"], "licence": "MIT"})
        self.assertEqual(after["hash"], before["hash"])

    def test_writes_files_that_the_safetensors_package_reads(self):
        try:
            import safetensors.numpy
        except ImportError as error:
            self.skipTest(f"the Python package safetensors: {error}")
        model = self.imported()

        tensors = safetensors.numpy.load_file(model)
        with safetensors.safe_open(model, "numpy") as file:
            texts = file.metadata()

        self.assertEqual(texts["format"], "kronite model")
        self.assertEqual(texts["card.name"], "out")
        self.assertEqual(tensors["members.1.layers.0.weight"].shape, (5, 6))
        self.assertEqual(tensors["descriptor.std"].tolist(), [2.0] * INPUTS)

    def test_reads_files_that_the_safetensors_package_wrote(self):
        try:
            import safetensors.numpy
        except ImportError as error:
            self.skipTest(f"the Python package safetensors: {error}")
        model, again = self.imported(), self.folder / "again.safetensors"
        with safetensors.safe_open(model, "numpy") as file:
            texts = file.metadata()

        safetensors.numpy.save_file(safetensors.numpy.load_file(model), again, texts)

        before, after = (json.loads(run("model", "info", path, "--json").stdout)
                         for path in (model, again))
        self.assertEqual(after["hash"], before["hash"])
        self.assertEqual(after["card"], before["card"])

    def test_exports_onnx_that_gives_the_probabilities_of_keras(self):
        try:
            import numpy
            import onnxruntime
        except ImportError as error:
            self.skipTest(f"numpy and onnxruntime: {error}")
        onnx = self.folder / "out.onnx"
        done = self.convert(self.imported(), out=onnx)
        self.assertEqual(done.returncode, 0, done.stderr)

        session = onnxruntime.InferenceSession(str(onnx))
        differences = numpy.load(GOLDEN / "differences.npy")
        # The model divides by its standard deviations, 2.
        p = session.run(["p"], {"difference": 2 * differences})[0]

        self.assertEqual(session.get_modelmeta().custom_metadata_map["name"], "out")
        # Single precision on both sides, three layers of at most six terms.
        self.assertLess(abs(p - numpy.load(GOLDEN / "before_p.npy")).max(), 1e-5)

    def test_refuses_what_does_not_fit_with_one_sentence(self):
        text = self.folder / "a.npz"
        text.write_text("no archive", encoding="utf-8")
        foreign = self.folder / "a.safetensors"
        foreign.write_bytes(struct.pack("<Q", 2) + b"{}")
        npz, statistics = GOLDEN / "before.npz", self.statistics()
        one_row = self.folder / "one.csv"
        one_row.write_text("x,a\nmean,1\n", encoding="utf-8")
        wrong = self.folder / "wrong.csv"
        wrong.write_text("x,a\nmean,1\nstd,one\n", encoding="utf-8")
        for arguments, reason in (
                (["convert", text, "--statistics", statistics], "this is neither"),
                (["convert", npz], "give --statistics FILE"),
                (["convert", npz, foreign], "several inputs are the members of one ensemble"),
                (["convert", npz, "--statistics", one_row], "rows whose first cells are mean and std"),
                (["convert", npz, "--statistics", wrong], "wrong.csv:3: column 2: a number is expected"),
                (["convert", npz, "--statistics", statistics, "--card", "licence"], "KEY=VALUE"),
                (["convert", foreign, "--statistics", statistics], "has its own"),
                (["card", foreign], "this is no model of kronite"),
                (["info", "no such model"], "there is no model \"no such model\"")):
            with self.subTest(reason):
                out = ["--out", self.out] if arguments[0] == "convert" else []

                done = run("model", *arguments, *out)

                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn(reason, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                self.assertFalse(self.out.exists())

    def test_asks_for_an_output_of_a_known_kind(self):
        done = self.convert(GOLDEN / "before.npz", out=self.folder / "out.pt")

        self.assertEqual(done.returncode, 2)
        self.assertIn(".safetensors or .onnx", done.stderr)

    def test_help_has_examples(self):
        for command in ("card", "info", "convert"):
            self.assertIn("kronite model " + command, run("model", command, "--help").stdout)


if __name__ == "__main__":
    unittest.main()
