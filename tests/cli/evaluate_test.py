"""kronite templates sample and csp evaluate, as a user runs them."""

import csv
import json
import pathlib
import unittest
import xml.dom.minidom

from folder_case import FolderCase
from program import run

LIBRARY = pathlib.Path(__file__).resolve().parents[2] / "data" / "demo_templates.ktl"


class Case(FolderCase):
    def assert_refused(self, result, text):
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(text, result.stderr)


class Sample(Case):
    def draw(self, *arguments):
        return run("templates", "sample", *arguments, "--out", self.folder / "lists")

    def formulas(self, number):
        lines = (self.folder / f"lists/list_{number}.txt").read_text(encoding="utf-8").splitlines()
        self.assertTrue(lines[0].startswith(f"# List {number} of "))
        return lines[1:]

    def test_writes_lists_without_a_formula_in_common(self):
        done = self.draw("--count", 20, "--lists", 3)

        self.assertEqual(done.returncode, 0, done.stderr)
        drawn = [formula for number in (1, 2, 3) for formula in self.formulas(number)]
        self.assertEqual(len(set(drawn)), 60)
        self.assertIn("3 lists of 20 formulas", done.stdout)

    def test_writes_lists_that_an_evaluation_takes(self):
        self.draw("--count", 20)

        done = run("csp", "evaluate", "--queries", LIBRARY, "--formulas", self.folder / "lists/list_1.txt",
                   "--disjoint", "--ranker", "distance", "--no-match", "--device", "cpu",
                   "--out", self.folder / "out")

        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.folder / "out/queries.csv", newline="", encoding="utf-8") as file:
            formulas = [query["formula"] for query in csv.DictReader(file)]
        self.assertEqual(set(formulas), set(self.formulas(1)))

    def test_refuses_more_formulas_than_there_are(self):
        self.assert_refused(self.draw("--count", 10**6), "too few for 1 lists of 1000000")

    def test_refuses_a_folder_with_files(self):
        self.draw("--count", 2)

        self.assert_refused(self.draw("--count", 2), "not empty")


class Evaluating(Case):
    def evaluate(self, *arguments, queries=LIBRARY):
        return run("csp", "evaluate", "--queries", queries, "--device", "cpu", *arguments)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def table(self, name):
        with open(self.folder / "out" / name, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def summary(self):
        return json.loads((self.folder / "out/summary.json").read_text(encoding="utf-8"))


class Evaluate(Evaluating):
    def test_prints_the_tables(self):
        done = self.evaluate()

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\d+ queries, \d+ templates of embedded, ranked by the model")
        header = done.stdout.splitlines()[5].split("  ")
        self.assertEqual([cell.strip() for cell in header if cell],
                         ["dissimilarity", "top 1", "top 5", "top 10", "top 20", "top 30", "top 50", "all",
                          "p > 0.01"])
        for row in ("<= 0.1", "<= 0.2", "<= 0.3", "match"):
            self.assertEqual(done.stdout.count(f"\n{row} "), 2, row)  # both lists
        self.assertIn("oxide", done.stdout)

    def test_leaves_tables_and_figures(self):
        done = self.evaluate("--out", self.folder / "out")

        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("success.svg", "reliability.svg"):
            xml.dom.minidom.parse(str(self.folder / "out" / name))
        queries, summary = self.table("queries.csv"), self.summary()
        self.assertEqual(len(queries), summary["queries"])
        hits = sum(0 < int(q["hit_0.2_rank"] or 0) <= 5 for q in queries)
        self.assertEqual(summary["success"]["plain"]["0.2"]["5"]["hits"], hits)
        matches = sum(0 < int(q["match_distinct_rank"] or 0) <= 1 for q in queries)
        self.assertEqual(summary["success"]["distinct"]["match"]["1"]["hits"], matches)
        row = next(r for r in self.table("success.csv")
                   if (r["list"], r["success"], r["among"]) == ("plain", "0.2", "5"))
        self.assertEqual(int(row["hits"]), hits)
        self.assertLess(float(row["low"]), float(row["share"]))
        groups = [r for r in self.table("groups.csv") if r["success"] == "any template"]
        chemistries = sum(int(r["queries"]) for r in groups if r["kind"] == "chemistry")
        self.assertEqual(chemistries, len(queries))
        manifest = json.loads((self.folder / "out/manifest.json").read_text(encoding="utf-8"))
        self.assertEqual(manifest["settings"]["matcher"], {"ltol": 0.3, "stol": 0.5, "angle_tol": 10.0})

    def test_takes_some_formulas_and_leaves_templates_out(self):
        formulas = self.write("few.txt", "NaCl\nXe9Rn\nMgO\n")

        done = self.evaluate("--formulas", formulas, "--disjoint", "--no-match", "--out", self.folder / "out")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 of 3 formulas have no crystal", done.stderr)
        self.assertEqual({q["formula"] for q in self.table("queries.csv")}, {"NaCl", "MgO"})
        self.assertNotIn("\nmatch ", done.stdout)

    def test_reads_structure_files(self):
        show = run("templates", "export", LIBRARY, "--out", self.folder / "cifs", "--formula", "NaCl")
        self.assertEqual(show.returncode, 0, show.stderr)

        done = self.evaluate("--ranker", "distance", queries=self.folder / "cifs")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 query, ", done.stdout)
        self.assertNotIn("p > 0.5", done.stdout)

    def test_judges_a_ranking_made_elsewhere_like_its_own(self):
        formulas = self.write("some.txt", "NaCl\nMgO\nBaTiO3\n")
        ranking = self.folder / "best.csv"
        run("csp", "score", "--queries", formulas, "--top", 100000, "--model", "2022", "--out", ranking)

        own = self.evaluate("--formulas", formulas, "--model", "2022")
        listed = self.evaluate("--formulas", formulas, "--ranking", ranking)

        self.assertEqual(listed.returncode, 0, listed.stderr)
        after = lambda text: text.split("\n", 1)[1]
        self.assertEqual(after(own.stdout), after(listed.stdout))

    def test_uses_a_share_of_the_library(self):
        done = self.evaluate("--library-share", "0.5", "--no-match", "--out", self.folder / "out")

        self.assertEqual(done.returncode, 0, done.stderr)
        whole = int(run("templates", "info").stdout.split(" templates")[0].split()[-1])
        self.assertAlmostEqual(self.summary()["templates"], whole / 2, delta=0.5)


class WrongInput(Evaluating):
    def test_no_crystal_of_the_formulas(self):
        formulas = self.write("none.txt", "Xe9Rn\n")

        self.assert_refused(self.evaluate("--formulas", formulas), "no crystal of the formulas in")

    def test_every_template_left_out(self):
        self.assert_refused(self.evaluate("--disjoint"), "no template is left")

    def test_an_empty_file(self):
        self.assert_refused(self.evaluate(queries=self.write("empty.jsonl", "")), "empty.jsonl")

    def test_disordered_crystals_alone(self):
        sites = [{"species": [{"element": "Na", "occu": 0.5}], "abc": [0, 0, 0]}]
        matrix = [[4, 0, 0], [0, 4, 0], [0, 0, 4]]
        line = json.dumps({"material_id": "a", "structure": {"lattice": {"matrix": matrix}, "sites": sites}})

        result = self.evaluate(queries=self.write("half.jsonl", line + "\n"))

        self.assert_refused(result, "there is no crystal to predict")
        self.assertIn("1 disordered", result.stderr)

    def test_formulas_of_which_one_cannot_be_read(self):
        result = self.evaluate("--formulas", self.write("f.txt", "NaCl\nXq2\n"))

        self.assert_refused(result, "f.txt:2")

    def test_a_file_of_queries_that_is_not_there(self):
        self.assertEqual(self.evaluate(queries="no/such.cif").returncode, 2)

    def test_an_unknown_template_in_a_ranking(self):
        ranking = self.write("r.csv", "query,template_id\nNaCl,no-such-id\n")

        self.assert_refused(self.evaluate("--ranking", ranking), "r.csv:2")

    def test_a_ranking_and_a_ranker(self):
        ranking = self.write("r.csv", "query,template_index\nNaCl,0\n")

        self.assert_refused(self.evaluate("--ranking", ranking, "--ranker", "distance"), "--ranking")

    def test_a_cutoff_without_a_probability(self):
        self.assert_refused(self.evaluate("--ranker", "distance", "--cutoff", "0.9"),
                            "--cutoff is for --ranker classifier and metric, which give a p")

    def test_tolerances_of_matches_that_are_not_looked_for(self):
        for option in ("--ltol", "--stol", "--angle-tol"):
            result = self.evaluate("--no-match", option, "0.1")
            self.assertEqual(result.returncode, 2, option)
            self.assertIn(option, result.stderr)

    def test_tolerances_out_of_range(self):
        self.assert_refused(self.evaluate("--ltol", "0"), "ltol is 0, expected more than 0")

    def test_a_folder_with_files(self):
        self.write("out.txt", "")

        self.assert_refused(self.evaluate("--out", self.folder), "not empty")

    def test_numbers_out_of_range(self):
        for option, value in (("--library-share", "0"), ("--library-share", "1.5"), ("--cutoff", "1"),
                              ("--distinct", "-1"), ("--threads", "-1")):
            result = self.evaluate(option, value)
            self.assertEqual(result.returncode, 2, option)
            self.assertIn(option, result.stderr)


if __name__ == "__main__":
    unittest.main()
