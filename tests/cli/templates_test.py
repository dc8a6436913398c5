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

        done = self.build("--from", source)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("a.jsonl:1 (bad0): disordered", done.stderr)
        self.assertIn("4 more", done.stderr)

    def test_fails_when_nothing_was_kept(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "bad", occupancy=0.5))

        done = self.build("--from", source)

        self.assertEqual(done.returncode, 1)
        self.assertIn("none of the 1 structures", done.stderr)
        self.assertIn("(bad): disordered", done.stderr)
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

    def test_goes_on_where_an_interrupted_or_killed_build_was(self):
        elements = ["Li", "Na", "K", "Rb", "Cs", "Cu", "Ag", "Au"]
        lines = [salt(a, b, f"{a}{b}{n}", 3 + 0.0001 * n)
                 for n in range(40) for a in elements for b in ("F", "Cl", "Br", "I")]
        source = self.write("a.jsonl", "".join(lines))
        journal = self.folder / "out.ktl.journal"

        self.interrupt(signal.SIGKILL, source, journal)
        killed = journal.stat().st_size
        errors = self.interrupt(signal.SIGINT, source, journal)
        resumed = self.build("--from", source, "--keep-polymorphs")
        whole = run("templates", "build", "--from", source, "--keep-polymorphs", "--out",
                    self.folder / "whole.ktl")

        self.assertGreater(killed, 1000)
        self.assertIn("The same command goes on from here", errors)
        self.assertIn("going on after the first", resumed.stderr)
        self.assertEqual(whole.returncode, 0, whole.stderr)
        self.assertEqual(self.out.read_bytes(), (self.folder / "whole.ktl").read_bytes())
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()),
                         ["a.jsonl", "out.ktl", "whole.ktl"])

    def interrupt(self, number, source, journal):
        """Starts a build and sends it a signal once its journal has grown; gives its messages."""
        before = journal.stat().st_size if journal.exists() else 0
        process = start("templates", "build", "--from", source, "--keep-polymorphs", "--out",
                        self.out)
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None:
            if journal.exists() and journal.stat().st_size > before + 1000:
                break
            time.sleep(0.01)
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 130 if number == signal.SIGINT else -number, errors)
        self.assertFalse(self.out.exists())
        return errors

    def test_helps_with_examples(self):
        for command in ("build", "export", "info", "list", "merge", "show"):
            self.assertIn("Example", run("templates", command, "--help").stdout)


if __name__ == "__main__":
    unittest.main()
