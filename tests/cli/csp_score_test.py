"""kronite csp score: tables of the best templates, and wrong input."""

import csv
import io
import pathlib
import re
import tempfile
import unittest

from models import write_model
from program import run


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.model = cls.folder / "m.safetensors"
        # The hash of the embedded table is in the message that refuses another one.
        write_model(cls.model, "0" * 16)
        refused = cls.score("--out", "-")
        write_model(cls.model, re.search(r"\(([0-9a-f]{16})\)", refused.stderr)[1])

    @classmethod
    def score(cls, *arguments):
        return run("csp", "score", "--model", cls.model, *arguments)

    def rows(self, *arguments):
        result = self.score("--out", "-", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return list(csv.DictReader(io.StringIO(result.stdout))), result.stderr

    def queries(self, text):
        path = self.folder / "queries.txt"
        path.write_text(text, encoding="utf-8")
        return path


class Table(Case):
    def test_has_the_best_templates_of_each_query(self):
        rows, report = self.rows("--queries", self.queries("SrTiO3\nLi2F2\n"), "--top", 3)
        self.assertEqual([(r["query"], r["query_formula"], r["rank"]) for r in rows],
                         [(q, f, str(rank)) for q, f in (("SrTiO3", "SrTiO3"), ("Li2F2", "LiF"))
                          for rank in (1, 2, 3)])
        for first, second in zip(rows[0::3], rows[1::3]):
            self.assertGreaterEqual(float(first["p"]), float(second["p"]))
        self.assertIn("for 2 compositions", report)

    def test_has_the_rest_of_a_library_for_each_of_its_templates(self):
        rows, report = self.rows("--top", 2)
        self.assertTrue(rows)
        for row in rows:
            self.assertNotEqual(row["query"], row["template"])
        self.assertRegex(report, r"\d+ pairs for \d+ templates in .* pairs per second")

    def test_has_the_same_p_for_both_of_a_pair(self):
        rows, _ = self.rows("--top", 100000)
        p = {(r["query"], r["template"]): r["p"] for r in rows}
        self.assertTrue(all(p[j, i] == value for (i, j), value in p.items()))

    def test_can_be_checked_against_fp32(self):
        _, report = self.rows("--check-precision")
        self.assertRegex(report, r"fp32 against fp32: \|dp\| at most 0.*100.00 % of the best 10")

    def test_goes_into_npy_files(self):
        out = self.folder / "best.npy"
        result = self.score("--out", out, "--queries", self.queries("LiF\n"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual((self.folder / "best.columns.txt").read_text().split(),
                         ["rank", "p", "template_index"])
        self.assertTrue(out.read_bytes().startswith(b"\x93NUMPY"))


class WrongInput(Case):
    def assert_refused(self, result, text, code=1):
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertIn(text, result.stderr)

    def test_a_precision_that_the_device_does_not_have(self):
        self.assert_refused(
            self.score("--out", "-", "--device", "cpu", "--precision", "tf32"),
            "a CPU scores in fp32 or bf16 only")

    def test_a_model_that_is_not_there(self):
        self.assert_refused(run("csp", "score", "--out", "-", "--model", "no/such.safetensors"),
                            "no/such.safetensors")

    def test_a_formula_that_cannot_be_read(self):
        self.assert_refused(self.score("--out", "-", "--queries", self.queries("LiF\nXq2\n")),
                            "queries.txt:2")

    def test_a_name_of_another_format(self):
        result = self.score("--out", "best.xlsx")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(".csv or .npy", result.stderr)


if __name__ == "__main__":
    unittest.main()
