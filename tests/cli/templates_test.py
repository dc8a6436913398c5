"""kronite templates, as a user runs it. The program's path is the environment variable KRONITE."""

import csv
import json
import pathlib
import signal
import tempfile
import time
import unittest

from program import run, start


def salt(cation, anion, identifier, edge=4.1, occupancy=1):
    """A Materials Project style line: caesium chloride type."""
    sites = [{"species": [{"element": cation, "occu": 1}], "abc": [0, 0, 0]},
             {"species": [{"element": anion, "occu": occupancy}], "abc": [0.5, 0.5, 0.5]}]
    matrix = [[edge, 0, 0], [0, edge, 0], [0, 0, edge]]
    return json.dumps({"material_id": identifier,
                       "structure": {"lattice": {"matrix": matrix}, "sites": sites}}) + "\n"


class TemplatesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "out.ktl"

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def build(self, *arguments):
        return run("templates", "build", *arguments, "--out", self.out)

    def test_builds_lists_and_describes_a_library(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "one") + salt("Cs", "Br", "two"))

        built = self.build("--from", source)
        listed = run("templates", "list", self.out)
        info = run("templates", "info", self.out)

        self.assertEqual(built.returncode, 0, built.stderr)
        self.assertRegex(built.stdout, r"kept +2")
        rows = list(csv.DictReader(listed.stdout.splitlines()))
        self.assertEqual([row["formula"] for row in rows], ["CsCl", "CsBr"])
        self.assertEqual(rows[0]["space_group"], "221")
        self.assertAlmostEqual(float(rows[0]["volume_per_atom"]), 4.1**3 / 2, places=3)
        self.assertIn("2 templates", info.stdout)

    def test_succeeds_when_something_was_kept_and_says_what_was_not(self):
        lines = [salt("Cs", "Cl", f"bad{n}", occupancy=0.5) for n in range(8)]
        source = self.write("a.jsonl", "".join(lines) + salt("K", "Br", "good") + "no json\n")
        report = self.folder / "report.txt"

        done = self.build("--from", source, "--report", report)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("bad0: disordered", done.stderr)
        self.assertIn("4 more", done.stderr)
        self.assertEqual(len(report.read_text(encoding="utf-8").splitlines()), 9)
        self.assertIn("a.jsonl:10", report.read_text(encoding="utf-8"))

    def test_fails_when_nothing_was_kept(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "bad", occupancy=0.5))

        done = self.build("--from", source)

        self.assertEqual(done.returncode, 1)
        self.assertIn("none of the 1 structures", done.stderr)
        self.assertIn("bad: disordered", done.stderr)
        self.assertFalse(self.out.exists())

    def test_leaves_out_the_formulas_of_a_list(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "one") + salt("K", "Br", "two"))
        formulas = self.write("test.txt", "Cl2Cs2  # held out\n")

        done = self.build("--from", source, "--exclude-formulas", formulas)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"--exclude-formulas +1\n")
        self.assertNotIn("CsCl", run("templates", "list", self.out).stdout)

    def test_names_file_and_line_of_a_bad_formula_in_the_list(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "one"))
        formulas = self.write("test.txt", "NaCl\nXx2\n")

        done = self.build("--from", source, "--exclude-formulas", formulas)

        self.assertEqual(done.returncode, 1)
        self.assertIn("test.txt:2", done.stderr)

    def test_describes_the_demo_set_without_a_file(self):
        info = run("templates", "info")

        self.assertEqual(info.returncode, 0, info.stderr)
        self.assertIn("demo set", info.stdout)

    def test_lists_one_ratio(self):
        rows = list(csv.DictReader(run("templates", "list", "--ratio", "3:1:1").stdout.splitlines()))

        self.assertGreater(len(rows), 3)
        self.assertEqual({row["ratio"] for row in rows}, {"3:1:1"})

    def test_refuses_files_that_are_not_libraries(self):
        for content, words in (("", "empty"), ("hello, this is a text", "not a template library")):
            with self.subTest(words):
                done = run("templates", "info", self.write("bad.ktl", content))
                self.assertEqual(done.returncode, 1)
                self.assertIn(words, done.stderr)
        self.assertEqual(run("templates", "info", self.folder / "missing.ktl").returncode, 1)

    def test_says_where_it_cannot_write(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "one"))

        done = run("templates", "build", "--from", source, "--out", "/proc/library.ktl")

        self.assertEqual(done.returncode, 1)
        self.assertIn("/proc/library.ktl", done.stderr)

    def test_leaves_nothing_behind_after_an_interrupt(self):
        elements = ["Li", "Na", "K", "Rb", "Cs", "Cu", "Ag", "Au"]
        lines = [salt(a, b, f"{a}{b}{n}", 3 + 0.0001 * n)
                 for n in range(500) for a in elements for b in ("F", "Cl", "Br", "I")]
        source = self.write("a.jsonl", "".join(lines))

        process = start("templates", "build", "--from", source, "--out", self.out)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)

        self.assertEqual(process.returncode, 130)
        self.assertIn("no library was written", errors)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["a.jsonl"])

    def test_helps_with_examples(self):
        for command in ("build", "info", "list"):
            self.assertIn("Example", run("templates", command, "--help").stdout)


if __name__ == "__main__":
    unittest.main()
