"""kronite kmd evaluate: tables, the folder that it leaves, and wrong input."""

import csv
import json
import signal
import time
import unittest
import xml.etree.ElementTree as ElementTree

from folder_case import FolderCase
from program import run, start

CONFIG = """title = "Toy"
[data]
formula = "formula"
target = "y"
unit = "eV"
[splits]
kind = "folds"
count = 3
[[descriptor]]
kind = "kmd"
n_grids = 5
[[descriptor]]
kind = "statistics"
[[learner]]
kind = "kernel_ridge"
"""
CLASSES = """[data]
formula = "formula"
class = "kind"
[splits]
count = 2
[[descriptor]]
kind = "statistics"
[[learner]]
kind = "network"
hidden = [8]
max_epochs = 5
"""
MIXTURES = CONFIG.replace('formula = "formula"', 'formula = "name"').replace('n_grids = 5', 'n_grids = 6')
ANIONS = ["O", "S", "F", "Cl"]
METALS = ["Li", "Na", "K", "Mg", "Ca", "Sr", "Ba", "Al", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu"]


class EvaluateTest(FolderCase):
    def setUp(self):
        super().setUp()
        rows = ["formula,y,kind"]
        for i, metal in enumerate(METALS):
            for j, anion in enumerate(ANIONS):
                rows.append(f"{metal}{1 + i % 2}{anion}2,{0.2 * i - j},{'chalcogenide' if j < 2 else 'halide'}")
        self.write("toy.csv", "\n".join(rows) + "\n")

    def evaluate(self, config, *arguments, data="toy.csv"):
        self.write("config.toml", config)
        return run("kmd", "evaluate", "--config", "config.toml", "--data", data, *arguments, cwd=self.folder)

    def rows(self, name):
        with open(self.folder / name, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def test_values(self):
        result = self.evaluate(CONFIG, "--out", "out")

        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("Toy: 64 rows, 3 folds", result.stdout)
        self.assertIn("KMD - statistics", result.stdout)
        self.assertEqual(
            sorted(path.name for path in (self.folder / "out").iterdir()),
            ["config.toml", "differences.csv", "manifest.json", "parity.svg", "predictions.csv",
             "splits.jsonl", "table.csv"])
        predictions = self.rows("out/predictions.csv")
        self.assertEqual(len(predictions), 2 * 64)  # every row is in one test part
        self.assertEqual(len({(p["descriptor"], p["name"]) for p in predictions}), 2 * 64)
        # The mean absolute error of the table is that of the predictions.
        by_split = {}
        for p in predictions:
            if p["descriptor"] == "KMD":
                by_split.setdefault(p["split"], []).append(abs(float(p["y"]) - float(p["predicted y"])))
        mae = sum(sum(errors) / len(errors) for errors in by_split.values()) / 3
        table = [r for r in self.rows("out/table.csv") if r["descriptor"] == "KMD" and r["metric"] == "MAE"]
        self.assertAlmostEqual(float(table[0]["mean"]), mae, places=9)
        trials = [json.loads(line) for line in (self.folder / "out/splits.jsonl").read_text().splitlines()]
        self.assertEqual(len(trials), 6)
        self.assertAlmostEqual(
            float(self.rows("out/differences.csv")[0]["mean"]),
            sum((1 if t["descriptor"] == "KMD" else -1) * t["test"]["MAE"] for t in trials) / 3, places=9)
        manifest = json.loads((self.folder / "out/manifest.json").read_text())
        self.assertEqual([d["width"] for d in manifest["descriptors"]], [290, 232])
        ElementTree.parse(self.folder / "out/parity.svg")

    def test_runs_repeat(self):
        self.assertEqual(self.evaluate(CONFIG).stdout, self.evaluate(CONFIG, "--threads", "2").stdout)

    def test_classes(self):
        result = self.evaluate(CLASSES, "--out", "out")

        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("recall halide", result.stdout)
        for row in self.rows("out/predictions.csv"):
            p = {name: float(row["p " + name]) for name in ("chalcogenide", "halide")}
            self.assertAlmostEqual(sum(p.values()), 1, places=5)  # of single precision
            self.assertEqual(row["predicted"], max(p, key=p.get))

    def test_mixtures_of_other_components(self):
        self.write("parts.csv", "part,size,charge\nA,1,0.3\nB,2,-1\nC,3.5,0.1\n")
        weights, values = ["name,A,B,C"], ["name,y"]
        for i in range(40):
            a, b = i % 8 / 8, (i // 8) / 8 * (1 - i % 8 / 8)
            weights.append(f"m{i},{a},{b},{1 - a - b}")
            values.append(f"m{39 - i},{(39 - i) % 8}")  # in another order
        self.write("weights.csv", "\n".join(weights) + "\n")
        self.write("values.csv", "\n".join(values) + "\n")

        result = self.evaluate(MIXTURES, "--weights", "weights.csv", "--components", "parts.csv", data="values.csv")

        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("40 rows, 3 folds", result.stdout)

    def test_ctrl_c_keeps_what_was_finished(self):
        # After kernel ridge regression comes a network that would train for hours.
        self.write("config.toml", CONFIG + """[[learner]]
kind = "network"
hidden = [8]
max_epochs = 1000000
patience = 0
""")
        trials = self.folder / "out/splits.jsonl"
        job = start("kmd", "evaluate", "--config", self.folder / "config.toml", "--data", self.folder / "toy.csv",
                    "--out", self.folder / "out")
        for _ in range(600):
            if trials.exists() and trials.read_text().endswith("\n"):
                break
            time.sleep(0.1)
        time.sleep(0.5)  # into the network
        job.send_signal(signal.SIGINT)
        output, error = job.communicate(timeout=60)

        self.assertEqual(job.returncode, 130, error)
        self.assertIn(f"stopped; what was finished is in {trials}", error)
        self.assertEqual(output, "")
        lines = trials.read_text().splitlines()
        self.assertEqual([json.loads(line)["learner"] for line in lines], ["kernel ridge"])
        self.assertEqual([path.name for path in (self.folder / "out").iterdir()], ["splits.jsonl"])

    def test_wrong_input(self):
        def refused(message, *arguments, config=CONFIG, **options):
            result = self.evaluate(config, *arguments, **options)
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertIn(message, result.stderr)
            self.assertNotIn("internal error", result.stderr)

        refused("there is no setting \"splits.kint\"", config=CONFIG.replace('kind = "folds"', 'kint = "folds"'))
        refused('toy.csv:1: there is no column "z"', config=CONFIG.replace('"y"', '"z"'))
        refused("nowhere.csv", data="nowhere.csv")
        refused("--components is expected", "--weights", "toy.csv")
        (self.folder / "full").mkdir()
        self.write("full/file", "here before")
        refused("this folder is not empty", "--out", "full")


if __name__ == "__main__":
    unittest.main()
