"""kronite csp predict: tables, folders, wrong input, and runs that are stopped."""

import csv
import itertools
import json
import pathlib
import resource
import signal
import subprocess
import time
import unittest

from folder_case import FolderCase
from models import write_model
from program import PROGRAM, run, start

CATIONS = ["Li", "Na", "K", "Rb", "Mg", "Ca", "Sr", "Zn"]
ANIONS = ["F", "Cl", "Br", "O", "S"]
#: A library as kronite wrote them before it had fingerprints.
BARE = pathlib.Path(__file__).resolve().parent.parent / "fuzz/seeds/template_library/three_bare.ktl"
#: Long enough a run that it can be stopped in the middle.
MANY = [a + b for a, b in itertools.product(CATIONS, ANIONS)]


def predict(*arguments, **options):
    """By distance, whether this kronite has a model inside or not."""
    return run("csp", "predict", "--ranker", "distance", *arguments, **options)


class Case(FolderCase):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "run"

    def records(self):
        lines = (self.out / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def assert_refused(self, result, *texts, code=1):
        self.assertEqual(result.returncode, code, result.stderr)
        for text in texts:
            self.assertIn(text, result.stderr)

    def assert_no_half_files(self):
        self.assertEqual([p.name for p in self.out.rglob("*.tmp")], [])
        text = (self.out / "predictions.jsonl").read_text(encoding="utf-8")
        self.assertTrue(text == "" or text.endswith("\n"))


class Table(Case):
    def test_prints_the_candidates_of_each_formula(self):
        result = predict("SrTiO3", "LiF", "--top", 3)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("SrTiO3: ", result.stdout)
        self.assertIn("LiF: ", result.stdout)
        self.assertIn("space group", result.stdout)

    def test_says_what_to_do_where_no_template_has_the_ratio(self):
        result = predict("Sr17Ti19O23")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("no template of the ratio 23:19:17", result.stdout)
        self.assertIn("kronite templates build", result.stdout)

    def test_takes_the_same_composition_once(self):
        result = predict("NaCl", "Na2Cl2", "--top", 1)
        self.assertEqual(result.stdout.count("NaCl: "), 1)
        self.assertIn("predicted once", result.stderr)

    def test_tells_that_standard_output_cannot_be_written(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = predict("NaCl", stdout=full)
        self.assert_refused(result, "standard output cannot be written")


class WrongInput(Case):
    def test_a_missing_formula(self):
        self.assert_refused(predict(), "no formula: give one such as SrTiO3")

    def test_a_bad_formula(self):
        self.assert_refused(predict("Xx2"), "Xx2", "^")

    def test_an_element_outside_the_table(self):
        result = predict("NaCl", "AmO2", "--out", self.out)
        self.assert_refused(result, "AmO2: the element table has no values for Am")
        self.assertFalse(self.out.exists())

    def test_options_out_of_range(self):
        for option, value in (
            ("--top", "0"), ("--top", "-3"), ("--top", "many"), ("--volume", "big"),
            ("--ranker", "magic"), ("--cutoff", "1"), ("--cutoff", "-0.1"), ("--cutoff", "half"),
            ("--cutoff", "nan"), ("--symprec", "0"), ("--symprec", "long"),
            ("--symprec", "nan"), ("--symprec", "inf"),
        ):
            with self.subTest(option=option, value=value):
                self.assert_refused(predict("NaCl", option, value), option, code=2)

    def test_a_bad_formula_where_no_message_can_be_shown(self):
        result = subprocess.run(
            ["sh", "-c", '"$0" csp predict Xx2 2>&-', PROGRAM], timeout=120, check=False)
        self.assertEqual(result.returncode, 1)

    def test_a_device_that_does_not_exist(self):
        self.assert_refused(predict("NaCl", "--device", "tpu"), "'tpu'", "auto, cpu")

    def test_files_that_do_not_exist(self):
        for option in ("--templates", "--elements", "--file"):
            with self.subTest(option=option):
                result = predict("NaCl", option, "nowhere.x")
                self.assert_refused(result, "nowhere.x", "No such file")

    def test_files_that_are_something_else(self):
        text = self.write("novel.txt", "It was a dark and stormy night.\n")
        for option in ("--templates", "--elements", "--file"):
            with self.subTest(option=option):
                self.assert_refused(predict("NaCl", option, text), "novel.txt")

    def test_folder_options_without_a_folder(self):
        self.assert_refused(predict("NaCl", "--resume"), "--resume needs --out")
        self.assert_refused(predict("NaCl", "--page"), "--page needs --out")

    def test_a_folder_that_is_not_empty(self):
        self.write("thesis.txt", "years of work")
        result = predict("NaCl", "--out", self.folder)
        self.assert_refused(result, "this folder is not empty")
        self.assertEqual([p.name for p in self.folder.iterdir()], ["thesis.txt"])

    def test_a_folder_that_cannot_be_made(self):
        file = self.write("file", "text")
        self.assert_refused(predict("NaCl", "--out", file / "run"), "file/run")


class List(Case):
    def test_reports_file_and_line_of_a_bad_formula_and_runs_nothing(self):
        path = self.write("list.txt", "NaCl\n# a comment\nNaCl2x\nKBr\n")
        result = predict("--file", path, "--out", self.out)
        self.assert_refused(result, "list.txt:3: ", "--skip-bad")
        self.assertFalse(self.out.exists())

    def test_reports_every_bad_formula(self):
        path = self.write("list.txt", "NaCl\nQq\nAmO2\n")
        result = predict("--file", path)
        self.assert_refused(result, "list.txt:2: ", "list.txt:3: ", "2 of 3 formulas", "nothing was done")

    def test_leaves_bad_formulas_out_when_asked(self):
        path = self.write("list.txt", "NaCl\nQq\nKBr\n")
        result = predict("--file", path, "--skip-bad", "--out", self.out)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("list.txt:2: ", result.stderr)
        self.assertEqual({r["query"] for r in self.records()}, {"NaCl", "KBr"})

    def test_reads_the_formula_column_of_a_csv(self):
        path = self.write("list.csv", "id,formula\n1,NaCl\n2,\"KBr\"\n")
        result = predict("--file", path, "--top", 1, "--out", self.out)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([r["query"] for r in self.records()], ["NaCl", "KBr"])


class Folder(Case):
    def test_holds_what_the_table_shows(self):
        result = predict("LiF", "Sr17Ti19O23", "--top", 2, "--out", self.out)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("index.html", result.stdout)

        lif, nothing = self.records()[:-1], self.records()[-1]
        self.assertEqual([(r["query"], r["rank"]) for r in lif], [("LiF", 1), ("LiF", 2)])
        self.assertIn("no template", nothing["note"])
        with open(self.out / "predictions.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([r["template_id"] for r in rows[:2]], [r["template_id"] for r in lif])
        for row in rows[:2]:
            self.assertTrue((self.out / row["cif"]).is_file())
        manifest = json.loads((self.out / "manifest.json").read_text(encoding="utf-8"))
        self.assertEqual(manifest["state"], "complete")
        self.assertIn("kronite csp predict --ranker distance LiF", manifest["command"])

    def test_has_no_page_when_not_wanted(self):
        predict("LiF", "--top", 1, "--no-page", "--out", self.out)
        self.assertFalse((self.out / "index.html").exists())


class Duplicates(Case):
    """Equal crystals from several templates."""

    def test_are_merged_into_the_best_and_listed(self):
        result = predict("LiF", "--top", 1000, "--out", self.out)
        self.assertEqual(result.returncode, 0, result.stderr)
        merged = self.records()
        self.out = self.folder / "kept"
        predict("LiF", "--top", 1000, "--keep-duplicates", "--out", self.out)
        kept = self.records()

        rank = {record["template_id"]: record["rank"] for record in kept}
        self.assertLess(len(merged), len(kept))
        self.assertEqual([record["duplicates"] for record in kept], [[]] * len(kept))
        named = []
        for record in merged:
            ids = [record["template_id"]] + [other["template_id"] for other in record["duplicates"]]
            self.assertEqual([rank[i] for i in ids], sorted(rank[i] for i in ids))
            named += ids
        self.assertEqual(sorted(named), sorted(rank))
        groups = {record["international"]: len(record["duplicates"]) for record in reversed(merged)}
        self.assertGreater(groups["Fm-3m"], 3)  # rock salt: most templates of 1:1

    def test_are_told_in_table_csv_and_page(self):
        shown = predict("LiF", "--top", 2).stdout
        predict("LiF", "--top", 2, "--out", self.out)

        with open(self.out / "predictions.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        counts = [len(record["duplicates"]) for record in self.records()]
        self.assertEqual([len(row["duplicates"].split()) for row in rows], counts)
        self.assertRegex(shown, rf"^LiF: 2 different crystals from {2 + sum(counts)} of \d+ templates")
        self.assertIn(f"{max(counts)} more", shown)
        page = (self.out / "index.html").read_text(encoding="utf-8")
        self.assertIn(f"2 different crystals from the best {2 + sum(counts)} of", page)
        self.assertIn("<dt>Same from</dt>", page)

    def test_a_run_goes_on_only_as_it_was_begun(self):
        predict("LiF", "--top", 1, "--out", self.out)
        result = predict("LiF", "KBr", "--top", 1, "--keep-duplicates", "--out", self.out, "--resume")
        self.assertEqual(result.returncode, 1)
        self.assertIn("keep_duplicates", result.stderr)


class Classifier(Case):
    """Ranking by a model: p with its spread, the cut-off, and words where nothing is likely."""

    def setUp(self):
        super().setUp()
        predict("LiF", "--top", 1, "--no-page", "--out", self.folder / "first")
        manifest = json.loads((self.folder / "first/manifest.json").read_text(encoding="utf-8"))
        self.table = manifest["settings"]["element_table_hash"]
        self.model = write_model(self.folder / "m.safetensors", self.table, name="fixed")

    def rank(self, *arguments):
        return run("csp", "predict", "--model", self.model, *arguments)

    def settings(self):
        return json.loads((self.out / "manifest.json").read_text(encoding="utf-8"))["settings"]

    def test_shows_p_and_its_spread(self):
        result = self.rank("SrTiO3", "--cutoff", 0, "--top", 3, "--keep-duplicates")
        self.assertEqual(result.returncode, 0, result.stderr)
        heading, columns, *rows = result.stdout.splitlines()
        self.assertRegex(heading, r"^SrTiO3: 3 of \d+ templates of the ratio 3:1:1$")
        self.assertEqual(columns.split()[:3], ["rank", "p", "spread"])
        best = [float(row.split()[1]) for row in rows]
        self.assertEqual(best, sorted(best, reverse=True))

    def test_keeps_to_the_cut_off(self):
        self.rank("LiF", "--cutoff", 0, "--top", 1000, "--keep-duplicates", "--out", self.out)
        p = [record["p"] for record in self.records()]
        self.out = self.folder / "cut"
        self.rank("LiF", "--cutoff", p[9], "--top", 5, "--keep-duplicates", "--out", self.out)
        cut = self.records()
        self.assertEqual([record["p"] for record in cut], p[:5])
        self.assertEqual({record["likely"] for record in cut}, {sum(x > p[9] for x in p)})
        self.assertEqual({record["best_p"] for record in cut}, {p[0]})

    def test_says_that_no_template_is_likely(self):
        self.rank("LiF", "--cutoff", 0, "--top", 1, "--out", self.out)
        best = self.records()[0]["p"]
        self.assertLess(best, 1)
        result = self.rank("LiF", "--cutoff", best)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("LiF: no template is likely to fit", result.stdout)
        self.assertIn("--cutoff 0", result.stdout)

        self.out = self.folder / "none"
        result = self.rank("LiF", "--cutoff", best, "--page", "--out", self.out)
        self.assertIn("no template is likely to fit", result.stderr)
        record, = self.records()
        self.assertEqual((record["rank"], record["likely"], record["best_p"]), (None, 0, best))
        with open(self.out / "predictions.csv", newline="", encoding="utf-8") as file:
            row, = csv.DictReader(file)
        self.assertEqual((row["rank"], row["likely"], float(row["best_p"])), ("", "0", best))
        self.assertEqual(row["note"], record["note"])
        self.assertIn("no template is likely", (self.out / "index.html").read_text(encoding="utf-8"))

    def test_resumes_with_the_same_model_and_cut_off_only(self):
        arguments = ("LiF", "--top", 1, "--out", self.out, "--resume")
        for _ in range(2):
            self.assertEqual(self.rank(*arguments).returncode, 0)
        self.assertEqual((self.settings()["ranker"], self.settings()["cutoff"]), ("classifier", 0.5))
        self.assertRegex(self.settings()["model_hash"], "^[0-9a-f]{16}$")
        other = self.rank(*arguments, "--cutoff", 0.4)
        self.assert_refused(other, "begun with cutoff = 0.5, now it is 0.4")
        write_model(self.model, self.table, seed=2)
        self.assert_refused(self.rank(*arguments), "begun with model_hash")

    def test_refuses_models_that_do_not_fit(self):
        text = self.write("novel.txt", "It was a dark and stormy night.\n")
        cut = self.folder / "cut.safetensors"
        cut.write_bytes(self.model.read_bytes()[:-100])
        for model, *texts in (
            ("nowhere.safetensors", "nowhere.safetensors", "No such file"),
            ("magic", 'no model "magic"'), (text, "novel.txt"), (cut, "cut.safetensors"),
        ):
            with self.subTest(model=model):
                self.assert_refused(run("csp", "predict", "LiF", "--model", model), *texts)
        write_model(self.model, "0123456789abcdef", name="fixed")
        self.assert_refused(
            self.rank("LiF"), '"fixed" was trained with the element table 0123456789abcdef')
        write_model(self.model, self.table, width=10)
        self.assert_refused(self.rank("LiF"), "takes 10 values, but the element table makes 290")

    def test_has_options_that_the_other_ranker_refuses(self):
        for option, value in (("--model", self.model), ("--cutoff", 0.2)):
            result = predict("LiF", option, value)
            self.assert_refused(result, f"{option} is for --ranker classifier")


class Inside(Case):
    """The models inside kronite, and which of them ranks when nothing is said."""

    def settings(self, *arguments):
        done = run("csp", "predict", "LiF", "--out", self.out, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        manifest = json.loads((self.out / "manifest.json").read_text(encoding="utf-8"))
        return manifest["settings"], done.stderr

    def test_a_metric_with_a_cut_off_of_its_own_ranks_by_default(self):
        settings, notices = self.settings()
        self.assertEqual((settings["ranker"], settings["cutoff"]), ("metric", 0.01))
        self.assertEqual(notices, "")

    def test_a_ranker_can_be_chosen_without_a_file(self):
        settings, _ = self.settings("--ranker", "classifier")
        self.assertEqual((settings["ranker"], settings["cutoff"]), ("classifier", 0.5))

    def test_a_model_is_chosen_by_its_name(self):
        settings, _ = self.settings("--model", "2022")
        self.assertEqual(settings["ranker"], "classifier")

    def test_a_library_without_fingerprints_is_ranked_by_the_classifier(self):
        settings, notices = self.settings("--templates", BARE)
        self.assertEqual(settings["ranker"], "classifier")
        self.assertIn("has no fingerprints, which the learned metric needs", notices)

    def test_a_model_of_the_other_kind_is_refused_by_name(self):
        for ranker, model, text in (("metric", "2022", "this is a classifier, no learned metric"),
                                    ("classifier", "metric", "this is a learned metric, no classifier")):
            with self.subTest(model=model):
                done = run("csp", "predict", "LiF", "--ranker", ranker, "--model", model)
                self.assert_refused(done, f"{model} (inside kronite): {text}")


class Stopped(Case):
    """A run that ends in the middle leaves whole predictions, and --resume completes it."""

    def setUp(self):
        super().setUp()
        self.list = self.write("list.txt", "\n".join(MANY))
        self.arguments = ("csp", "predict", "--ranker", "distance", "--file", self.list, "--top", 2, "--out", self.out)

    def stop_in_the_middle(self, number):
        process = start(*self.arguments)
        path = self.out / "predictions.jsonl"
        while process.poll() is None and not (path.exists() and path.stat().st_size > 0):
            time.sleep(0.002)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
        self.assertLess(len({r["query"] for r in self.records()}), len(MANY))
        return process.returncode, stderr

    def complete(self):
        whole = self.folder / "whole"
        self.assertEqual(run(*self.arguments[:-1], whole).returncode, 0)
        result = run(*self.arguments, "--resume")
        self.assertEqual(result.returncode, 0, result.stderr)
        for name in ("predictions.jsonl", "predictions.csv", "candidates.extxyz"):
            self.assertEqual((self.out / name).read_bytes(), (whole / name).read_bytes(), name)

    def test_by_a_kill(self):
        code, _ = self.stop_in_the_middle(signal.SIGKILL)
        self.assertEqual(code, -signal.SIGKILL)
        self.complete()

    def test_by_ctrl_c(self):
        code, stderr = self.stop_in_the_middle(signal.SIGINT)
        self.assertEqual(code, 130)
        self.assertIn("--resume goes on", stderr)
        self.assert_no_half_files()
        self.complete()

    def test_by_a_full_disk(self):
        # The largest file is predictions.jsonl, and this is what some of its queries need.
        limit = 40_000
        result = run(
            *self.arguments,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )
        self.assert_refused(result, "predictions.jsonl: cannot write this file")
        self.assert_no_half_files()
        self.assertGreater(len(self.records()), 0)
        self.complete()

    def test_and_then_resumed_with_other_settings(self):
        self.stop_in_the_middle(signal.SIGKILL)
        result = run(*self.arguments, "--resume", "--volume", "template")
        self.assert_refused(result, 'begun with volume = "scaled", now it is "template"')


if __name__ == "__main__":
    unittest.main()
