"""kronite csp train and tune, as a user runs them. The program's path is the variable KRONITE."""

import csv
import json
import pathlib
import signal
import time
import unittest
import xml.dom.minidom

from folder_case import FolderCase
from program import run, start

LIBRARY = pathlib.Path(__file__).resolve().parents[2] / "data" / "demo_templates.ktl"

CONFIG = """name = "tiny"
members = 2
[pairs]
cap = 1.0
[network]
hidden = [8]
[training]
batch = 256
max_epochs = 3
patience = 3
"""


METRIC = """name = "tiny"
members = 2
[lists]
parts = [0.7, 0.3, 0.0]
[metric]
descriptor_linear = 4
descriptor_hidden = [4]
descriptor_outputs = 4
slots = 3
vector = 2
slot_linear = 2
slot_hidden = [4]
slot_outputs = 2
shift_hidden = [4]
bias_hidden = [4]
none_hidden = [4]
[training]
max_epochs = 3
"""


class TrainTest(FolderCase):
    def setUp(self):
        super().setUp()
        self.model = self.folder / "model.safetensors"
        self.checkpoint = self.folder / "model.safetensors.checkpoint"
        self.config = self.write("config.toml", CONFIG)

    def arguments(self, *more, config=None):
        return ["csp", "train", "--templates", LIBRARY, "--config", config or self.config,
                "--out", self.model, "--device", "cpu", *more]

    def test_trains_a_model_that_predict_uses(self):
        done = run(*self.arguments())
        used = run("csp", "predict", "SrTiO3", "--model", self.model, "--cutoff", "0")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"mean ± std +0\.\d{3} ± 0\.\d{3}")
        self.assertIn("2 networks", done.stdout)
        self.assertFalse(self.checkpoint.exists())
        self.assertEqual(used.returncode, 0, used.stderr)

    def test_leaves_a_report(self):
        report = self.folder / "report"

        done = run(*self.arguments("--report", report))

        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("learning_curves.svg", "reliability.svg"):
            xml.dom.minidom.parse(str(report / name))
        text = (report / "learning_curves.csv").read_text(encoding="utf-8")
        curves = list(csv.DictReader(text.splitlines()))
        self.assertEqual({row["network"] for row in curves}, {"1", "2"})
        metrics = json.loads((report / "metrics.json").read_text(encoding="utf-8"))
        self.assertEqual(len(metrics["networks"]), 2)
        self.assertLessEqual(metrics["networks"][0]["test"]["MAP"], 1)
        manifest = json.loads((report / "manifest.json").read_text(encoding="utf-8"))
        self.assertEqual(manifest["settings"]["network.hidden"], "[8]")
        again = run(*self.arguments("--report", report))
        self.assertEqual(again.returncode, 1)
        self.assertIn("not empty", again.stderr)

    def test_gives_the_same_file_with_any_number_of_threads(self):
        run(*self.arguments("--threads", "1"))
        one = self.model.read_bytes()

        run(*self.arguments("--threads", "2"))

        self.assertEqual(self.model.read_bytes(), one)

    def test_goes_on_after_ctrl_c(self):
        config = self.write("long.toml", CONFIG.replace("max_epochs = 3", "max_epochs = 100000")
                            .replace("patience = 3", "patience = 100000"))
        job = start(*self.arguments(config=config))
        time.sleep(2)
        job.send_signal(signal.SIGINT)
        _, message = job.communicate(timeout=60)

        self.assertEqual(job.returncode, 130, message)
        self.assertIn("--resume goes on", message)
        self.assertTrue(self.checkpoint.exists())
        self.assertFalse(self.model.exists())
        without = run(*self.arguments(config=config))
        self.assertEqual(without.returncode, 1)
        self.assertIn("--resume goes on with it", without.stderr)
        other = run(*self.arguments("--resume"))
        self.assertEqual(other.returncode, 1)
        self.assertIn("begun with training.max_epochs = 100000, now it is 3", other.stderr)

    def test_leaves_listed_formulas_out(self):
        formulas = self.write("formulas.txt", "NaCl\nMgO\n")

        done = run(*self.arguments("--exclude-formulas", formulas))
        card = run("model", "card", self.model)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(card.stdout, r"excluded_formulas\W+2")

    def test_names_the_line_of_a_wrong_setting(self):
        wrong = self.write("wrong.toml", CONFIG.replace("cap =", "cop ="))

        done = run(*self.arguments(config=wrong))

        self.assertEqual(done.returncode, 1)
        self.assertIn('wrong.toml:4: there is no setting "pairs.cop"; did you mean "cap"?',
                      done.stderr)

    def train_metric(self, *more):
        config = self.write("metric.toml", METRIC)
        return run(*self.arguments("--model", "metric", *more, config=config))

    def test_trains_a_metric_that_predict_uses(self):
        report = self.folder / "report"
        done = self.train_metric("--report", report)
        by_kind = run("csp", "predict", "SrTiO3", "--model", self.model, "--cutoff", "0")
        named = run("csp", "predict", "SrTiO3", "--ranker", "metric", "--model", self.model,
                    "--cutoff", "0")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("validation queries", done.stdout)
        self.assertRegex(done.stdout, r"all +0\.\d{3} +0\.\d{3} +0\.\d{3}")
        self.assertEqual(by_kind.returncode, 0, by_kind.stderr)
        self.assertRegex(by_kind.stdout, r"1 +0\.\d{3} +0\.\d{3}")
        self.assertEqual(by_kind.stdout, named.stdout)
        xml.dom.minidom.parse(str(report / "reliability.svg"))
        metrics = json.loads((report / "metrics.json").read_text(encoding="utf-8"))
        self.assertEqual([m["metric"] for m in metrics["metrics"]], ["1", "2", "all"])

    def test_gives_the_same_metric_with_any_number_of_threads(self):
        self.train_metric("--threads", "1")
        one = self.model.read_bytes()

        self.train_metric("--threads", "2")

        self.assertEqual(self.model.read_bytes(), one)

    def test_shows_a_metric_and_tells_it_from_a_classifier(self):
        self.train_metric()
        card = run("model", "card", self.model)
        info = run("model", "info", self.model)
        as_json = run("model", "info", self.model, "--json")
        wrong = run("csp", "predict", "NaCl", "--ranker", "classifier", "--model", self.model)

        self.assertIn("2 metrics of", card.stdout)
        self.assertRegex(card.stdout, r"validation_top1\W+0\.\d{3}")
        self.assertRegex(info.stdout, r"1 +shift +246-4-\d+ +once")
        self.assertEqual(len(json.loads(as_json.stdout)["members"]), 2)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("this is a learned metric, no classifier", wrong.stderr)

    def test_scores_by_a_metric(self):
        self.train_metric()
        formulas = self.write("formulas.txt", "SrTiO3\nNaCl\n")

        listed = run("csp", "score", "--queries", formulas, "--model", self.model, "--top", "3",
                     "--out", "-")
        own = run("csp", "score", "--model", self.model, "--top", "2", "--out", "-")
        coarse = run("csp", "score", "--model", self.model, "--precision", "bf16", "--out", "-")

        self.assertEqual(listed.returncode, 0, listed.stderr)
        rows = list(csv.DictReader(listed.stdout.splitlines()))
        self.assertEqual([row["query"] for row in rows], 3 * ["SrTiO3"] + 3 * ["NaCl"])
        self.assertTrue(all(0 <= float(row["p"]) <= 1 for row in rows))
        rows = list(csv.DictReader(own.stdout.splitlines()))
        self.assertFalse([row for row in rows if row["query"] == row["template"]])
        self.assertEqual(coarse.returncode, 1)
        self.assertIn("--precision bf16 is for classifiers", coarse.stderr)

    def test_tunes_and_goes_on_with_the_journal(self):
        journal, best = self.folder / "trials.jsonl", self.folder / "best.toml"
        quick = self.write("quick.toml", CONFIG.replace("max_epochs = 3", "max_epochs = 1"))
        tune = ["csp", "tune", "--templates", LIBRARY, "--config", quick, "--journal", journal,
                "--out", best, "--device", "cpu"]

        first = run(*tune, "--trials", 1)
        second = run(*tune, "--trials", 2)

        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertIn("trial 1 (1 of 1)", first.stderr)
        self.assertNotIn("trial 1 (", second.stderr)
        self.assertIn("trial 2 (2 of 2)", second.stderr)
        self.assertEqual(len(journal.read_text(encoding="utf-8").splitlines()), 5)
        trained = run(*self.arguments(config=best))
        self.assertEqual(trained.returncode, 0, trained.stderr)


if __name__ == "__main__":
    unittest.main()
