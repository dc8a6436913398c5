"""kronite templates sample and csp evaluate, as a user runs them."""

import pathlib
import tempfile
import unittest

from program import run


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

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

    def test_writes_lists_that_exclude_formulas_takes(self):
        self.draw("--count", 20)

        rest = run("templates", "build", "--from", "embedded", "--exclude-formulas",
                   self.folder / "lists/list_1.txt", "--out", self.folder / "rest.ktl")

        self.assertNotIn("list_1.txt", rest.stderr)

    def test_refuses_more_formulas_than_there_are(self):
        self.assert_refused(self.draw("--count", 10**6), "too few for 1 lists of 1000000")

    def test_refuses_a_folder_with_files(self):
        self.draw("--count", 2)

        self.assert_refused(self.draw("--count", 2), "not empty")


if __name__ == "__main__":
    unittest.main()
