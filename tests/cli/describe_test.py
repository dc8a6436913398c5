"""kronite describe, run as a user runs it. The program's path is the environment variable KRONITE."""
import csv
import gzip
import os
import pathlib
import signal
import struct
import subprocess
import time
import unittest

from folder_case import FolderCase
from program import PROGRAM, run

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden" / "xenonpy290.csv"


def read_csv(text):
    header, *rows = csv.reader(text.splitlines())
    return header, rows


class DescribeTest(FolderCase):
    def describe(self, *arguments):
        return run("describe", *arguments, cwd=self.folder)

    def test_csv_holds_the_golden_numbers(self):
        golden_names, golden = read_csv(GOLDEN.read_text())
        formulas = [row[0] for row in golden]

        result = self.describe(*formulas, "--out", "d.csv")

        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        header, rows = read_csv((self.folder / "d.csv").read_text())
        self.assertEqual(header, ["formula", "reduced_formula", *golden_names[1:]])
        self.assertEqual([row[0] for row in rows], formulas)
        for row, expected in zip(rows, golden):
            for name, value, number in zip(golden_names[1:], row[2:], expected[1:]):
                # The embedded table agrees with the golden one to 3e-10.
                self.assertAlmostEqual(float(value), float(number), delta=1e-9 * max(1, abs(float(number))), msg=name)

    def test_npy_holds_the_numbers_of_the_csv_and_its_names_lie_beside_it(self):
        self.assertEqual(self.describe("Si2O4", "NaCl", "--out", "d.npy").returncode, 0)
        header, rows = read_csv(self.describe("Si2O4", "NaCl", "--out", "-").stdout)

        data = (self.folder / "d.npy").read_bytes()
        values = struct.unpack(f"<{2 * 290}d", data[-2 * 290 * 8 :])
        self.assertIn(b"'shape': (2, 290)", data[:128])
        self.assertEqual(list(values), [float(cell) for row in rows for cell in row[2:]])
        self.assertEqual((self.folder / "d.columns.txt").read_text().split(), header[2:])
        self.assertEqual(
            (self.folder / "d.rows.csv").read_text(), "formula,reduced_formula\nSi2O4,SiO2\nNaCl,NaCl\n"
        )

    def test_formulas_are_reduced(self):
        _, rows = read_csv(self.describe("SiO2", "Si2O4", "--out", "-").stdout)

        self.assertEqual(rows[0][2:], rows[1][2:])

    def test_lists_are_read_as_text_csv_and_compressed(self):
        self.write("list.txt", "# oxides\nMgO\nSiO2  # quartz\n")
        self.write("list.csv", "id,pretty_formula\n1,MgO\n2,SiO2\n")
        (self.folder / "list.txt.gz").write_bytes(gzip.compress(b"MgO\nSiO2\n"))

        outputs = {self.describe("--file", name, "--out", "-").stdout for name in self.files()}

        self.assertEqual(len(outputs), 1)
        self.assertEqual([row[0] for row in read_csv(outputs.pop())[1]], ["MgO", "SiO2"])

    def test_a_table_is_printed_without_out(self):
        result = self.describe("Sr2Ti2O6")

        lines = result.stdout.splitlines()
        self.assertEqual(lines[0], "SrTiO3, ratio 3:1:1, 5 atoms")
        self.assertEqual(lines[2].split(), ["feature", "ave", "sum", "var", "max", "min"])
        self.assertEqual(lines[3].split(), ["atomic_number", "16.8", "84", "141.76", "38", "8"])
        self.assertEqual(len(lines), 3 + 58)

    def test_an_own_element_table_is_used(self):
        self.write("table.csv", "symbol,mass\nCl,35\nNa,23\n")

        result = self.describe("NaCl", "--elements", "table.csv", "--out", "-")

        header, rows = read_csv(result.stdout)
        self.assertEqual(header[2:], ["ave:mass", "sum:mass", "var:mass", "max:mass", "min:mass"])
        self.assertEqual([float(cell) for cell in rows[0][2:]], [29, 58, 36, 35, 23])

    def test_a_bad_formula_is_shown_with_a_caret_and_nothing_is_written(self):
        self.assert_failure(self.describe("NaCl", "Ch3OH", "--out", "d.csv"), "there is no element Ch\n  Ch3OH\n  ^\n")
        self.assertEqual(self.files(), [])

    def test_a_bad_line_is_named(self):
        self.write("list.txt", "MgO\nCa1..5\n")

        self.assert_failure(self.describe("--file", "list.txt", "--out", "d.npy"), "list.txt:2: cannot read the formula")
        self.assertEqual(self.files(), ["list.txt"])

    def test_an_element_outside_the_table_is_named_with_its_line(self):
        self.write("list.txt", "MgO\nAmO2\n")

        self.assert_failure(
            self.describe("--file", "list.txt"), "list.txt:2: AmO2: the element table has no values for Am"
        )

    def test_skip_bad_reports_and_goes_on(self):
        self.write("list.txt", "MgO\nCh3OH\nAmO2\nSiO2\n")

        result = self.describe("--file", "list.txt", "--skip-bad", "--out", "d.csv")

        self.assertEqual(result.returncode, 0)
        self.assertIn("list.txt:2: cannot read the formula", result.stderr)
        self.assertIn("list.txt:3: AmO2: the element table has no values for Am", result.stderr)
        _, rows = read_csv((self.folder / "d.csv").read_text())
        self.assertEqual([row[0] for row in rows], ["MgO", "SiO2"])

    def test_only_bad_formulas_are_an_error_even_with_skip_bad(self):
        self.assert_failure(self.describe("Ch3OH", "--skip-bad"), "there is no element Ch")
        self.assert_failure(self.describe("Ch3OH", "ca", "--skip-bad"), "none of the 2 formulas can be used")

    def test_wrong_calls_are_refused_with_a_sentence(self):
        self.assert_failure(self.describe(), "no formula: give one such as SrTiO3, or --file with a list")
        self.assert_failure(self.describe("MgO", "--out", "d.txt"), "ends in .csv or .npy", code=2)
        self.assert_failure(self.describe("--file", "missing.txt"), "missing.txt: cannot read this file")
        self.assert_failure(self.describe("MgO", "--out", "no/where/d.csv"), "no/where/d.csv: cannot create this file")
        self.assert_failure(self.describe("MgO", "--elements", "no.csv"), "no.csv: cannot read this file")

    @unittest.skipUnless(os.path.exists("/dev/full"), "needs /dev/full")
    def test_a_full_disk_is_an_error(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run(
                [PROGRAM, "describe", "MgO", "--out", "-"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120
            )

        self.assert_failure(result, "standard output cannot be written")

    def test_an_interrupt_leaves_no_file_behind(self):
        self.write("list.txt", "LiFePO4\n" * 200_000)
        process = subprocess.Popen(
            [PROGRAM, "describe", "--file", "list.txt", "--out", "d.csv"],
            cwd=self.folder, stderr=subprocess.PIPE, text=True,
        )
        while len(self.files()) == 1 and process.poll() is None:
            time.sleep(0.01)

        process.send_signal(signal.SIGINT)
        _, message = process.communicate(timeout=120)

        self.assertEqual((process.returncode, message), (130, "kronite: stopped; nothing was written\n"))
        self.assertEqual(self.files(), ["list.txt"])

    def test_help_gives_an_example_and_says_that_formulas_are_reduced(self):
        result = self.describe("--help")

        self.assertEqual(result.returncode, 0)
        self.assertIn("Example:  kronite describe", result.stdout)
        self.assertIn("Formulas are reduced first", result.stdout)


if __name__ == "__main__":
    unittest.main()
