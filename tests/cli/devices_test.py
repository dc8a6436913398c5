"""--device with several devices: the same files as on one, and one clear error where one is meant."""

import pathlib
import signal
import time
import unittest

from folder_case import FolderCase
from program import run, start

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"
LIBRARY = DATA / "demo_templates.ktl"
FORMULAS = ["SrTiO3", "LiFePO4", "NaCl", "MgAl2O4", "CaF2", "GaAs", "BaZrO3", "LiCoO2"] * 40
TRAINING = """name = "tiny"
members = 3
[pairs]
cap = 1.0
[network]
hidden = [8]
[training]
batch = 256
max_epochs = {0}
patience = {0}
"""
SEVERAL = ("cpu,cpu", "cpu, cpu,cpu")


class DevicesTest(FolderCase):
    def setUp(self):
        super().setUp()
        self.formulas = self.write("formulas.txt", "\n".join(FORMULAS))

    def output(self, *arguments):
        """Of a command that is expected to work: what it prints, and what it writes to OUT."""
        out = self.folder / next(a.removeprefix("OUT:") for a in map(str, arguments)
                                 if a.startswith("OUT:"))
        done = run(*[out if str(a).startswith("OUT:") else a for a in arguments])
        self.assertEqual(done.returncode, 0, done.stderr)
        return out.read_bytes()

    def assert_same(self, *arguments):
        """The same file on one device and on several."""
        one = self.output(*arguments, "--device", "cpu")
        for devices in SEVERAL:
            self.assertEqual(self.output(*arguments, "--device", devices), one, devices)

    def refused(self, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        return done.stderr

    def test_scores_are_those_of_one(self):
        for model in ("metric", "2022"):
            self.assert_same("csp", "score", "--model", model, "--out", "OUT:a.csv")
            self.assert_same("csp", "score", "--model", model, "--queries", self.formulas,
                             "--out", "OUT:b.csv")

    def test_predictions_are_those_of_one_and_in_order(self):
        tables, shown = [], []
        for number, devices in enumerate(("cpu", *SEVERAL)):
            out = self.folder / f"run{number}"
            done = run("csp", "predict", "--file", self.formulas, "--device", devices, "--out", out)
            self.assertEqual(done.returncode, 0, done.stderr)
            tables.append([(out / name).read_bytes()
                           for name in ("predictions.csv", "candidates.extxyz")])
            printed = run("csp", "predict", *FORMULAS[:8], "--top", "2", "--device", devices)
            self.assertEqual(printed.returncode, 0, printed.stderr)
            shown.append(printed.stdout)
        self.assertEqual(tables[1:], tables[:1] * 2)
        self.assertEqual(shown[1:], shown[:1] * 2)

    def test_fingerprints_are_those_of_one(self):
        self.assert_same("fingerprint", LIBRARY, "--out", "OUT:f.csv")

    def test_mixtures_are_those_of_one(self):
        self.assert_same("kmd", "transform", "--file", self.formulas, "--out", "OUT:k.csv")
        self.assert_same("kmd", "invert", self.folder / "k.csv", "--out", "OUT:m.csv")
        self.assert_same("kmd", "search", "--library", self.formulas, "--out", "OUT:n.csv")

    def train(self, config, *more):
        return ["csp", "train", "--templates", LIBRARY, "--config", config,
                "--out", self.folder / "m.safetensors", *more]

    def test_members_trained_side_by_side_are_the_same(self):
        config = self.write("config.toml", TRAINING.format(3))
        models = []
        for where in (["--device", "cpu"], ["--device", "cpu,cpu"], ["--side-by-side", "2"],
                      ["--device", "cpu", "--side-by-side", "9"]):
            done = run(*self.train(config, *where))
            self.assertEqual(done.returncode, 0, done.stderr)
            models.append((self.folder / "m.safetensors").read_bytes())
        self.assertEqual(models[1:], models[:1] * 3)

    def test_side_by_side_stops_and_goes_on(self):
        config = self.write("config.toml", TRAINING.format(100000))
        where = ["--device", "cpu", "--side-by-side", "3"]
        job = start(*self.train(config, *where))
        checkpoint = self.folder / "m.safetensors.checkpoint"
        time.sleep(3)
        job.send_signal(signal.SIGINT)
        _, message = job.communicate(timeout=100)

        self.assertEqual(job.returncode, 130, message)
        self.assertIn("network 1 of 3: training was stopped", message)
        self.assertIn("--resume goes on", message)
        self.assertTrue(checkpoint.exists())
        again = start(*self.train(config, "--resume", "--device", "cpu"))
        time.sleep(2)
        again.send_signal(signal.SIGINT)
        _, message = again.communicate(timeout=100)
        self.assertEqual(again.returncode, 130, message)

    def test_wrong_lists_are_refused(self):
        score = ["csp", "score", "--out", "-", "--device"]
        self.assertIn("no device 'tpu', in place 2 of 'cpu,tpu'", self.refused(*score, "cpu,tpu"))
        self.assertIn("no name in place 2", self.refused(*score, "cpu,"))
        self.assertIn("'auto' in place 1", self.refused(*score, "auto,cpu"))

    def test_what_works_on_one_device_says_so(self):
        curves = self.folder / "curves"
        made = run("krfd", "demo-data", "--out", curves)
        self.assertEqual(made.returncode, 0, made.stderr)
        out = self.folder / "out"
        for command in (["kmd", "map", "--file", self.formulas, "--out", f"{out}.svg"],
                        ["csp", "tune", "--templates", LIBRARY,
                         "--config", self.write("c.toml", TRAINING.format(3)),
                         "--journal", f"{out}.jsonl", "--out", f"{out}.toml"],
                        ["krfd", "tune", "--x", curves / "X.csv", "--y", curves / "Y.csv",
                         "--t", curves / "t.csv"]):
            with self.subTest(command[:2]):
                self.assertIn("'cpu,cpu' names several devices, and this works on one",
                              self.refused(*command, "--device", "cpu,cpu"))


if __name__ == "__main__":
    unittest.main()
