"""scripts/optical-curves: spectra of materials become tables for 'kronite krfd'."""

import csv
import gzip
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).parents[2] / "scripts/optical-curves"
HEADER = "material,source,wavelength_um,n,k\n"


class OpticalCurves(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def convert(self, text, *options):
        (self.folder / "spectra.csv").write_text(text, encoding="utf-8")
        return subprocess.run([sys.executable, SCRIPT, "spectra.csv", "--out", "out", *map(str, options)],
                              cwd=self.folder, capture_output=True, text=True, timeout=60)

    def rows(self, name):
        with open(self.folder / "out" / name, encoding="utf-8", newline="") as file:
            return list(csv.reader(file))

    def test_keeps_measured_points_between_two_wavelengths(self):
        points = [(0.1 * k, k, k / 10) for k in range(1, 41)]  # 0.1 to 4 um
        result = self.convert(HEADER + "".join(f"Si,A,{w!r},{n},{k}\n" for w, n, k in points), "--points", 6)
        self.assertEqual(result.returncode, 0, result.stderr)
        header, *rows = self.rows("long.csv")
        self.assertEqual(header, ["material", "log_wavelength", "n", "k"])
        self.assertEqual(len(rows), 6)
        known = {math.log10(w): (n, k) for w, n, k in points}
        steps = [math.log10(0.2) + step / 5 for step in range(6)]
        for (material, t, n, k), even in zip(rows, steps):
            self.assertEqual((material, float(n), float(k)), ("Si", *known[float(t)]))
            self.assertEqual(float(t), min(known, key=lambda at: abs(at - even)))
        self.assertEqual(self.rows("formulas.csv"), [["formula"], ["Si"]])

    def test_spectra_of_a_material_are_joined_and_equal_wavelengths_averaged(self):
        lines = [f"Ag,A,{w},1,2\n" for w in (0.5, 1, 1.5, 1.6, 1.7)] + [f"Ag,B,{w},3,6\n" for w in (0.5, 0.6, 0.7, 0.8, 0.9)]
        lines += ["Au,A,0.5,1,1\n"]  # too few points
        self.assertEqual(self.convert(HEADER + "".join(lines)).returncode, 0)
        rows = self.rows("long.csv")[1:]
        self.assertEqual(len(rows), 9)
        self.assertEqual([float(cell) for cell in rows[0][1:]], [math.log10(0.5), 2, 4])
        self.assertEqual(self.rows("formulas.csv"), [["formula"], ["Ag"]])

    def test_reads_gz(self):
        with gzip.open(self.folder / "s.csv.gz", "wt", encoding="utf-8") as file:
            file.write(HEADER + "".join(f"Si,A,{w},1,2\n" for w in (0.5, 0.6, 0.7, 0.8, 0.9)))
        result = subprocess.run([sys.executable, SCRIPT, "s.csv.gz", "--out", "out"], cwd=self.folder,
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(result.stdout, "out: 1 materials, 5 points: formulas.csv, long.csv\n")

    def test_wrong_tables_are_refused(self):
        for text, message in (("material,n\n", "spectra.csv:1: a column source is expected"),
                              (HEADER + "Si,A,1,x,2\n", "spectra.csv:2: wavelength_um, n and k must be numbers"),
                              (HEADER + "Si,A,1,nan,2\n", "spectra.csv:2: finite numbers"),
                              (HEADER + "Si,A,0,1,2\n", "spectra.csv:2: finite numbers and a wavelength above 0"),
                              (HEADER + "Si,A,1,1,2\n", "no spectrum has 5 points")):
            result = self.convert(text)
            self.assertEqual(result.returncode, 1)
            self.assertIn(message, result.stderr)
            self.assertFalse((self.folder / "out").exists())
        good = HEADER + "".join(f"Si,A,{w},1,2\n" for w in (0.5, 0.6, 0.7, 0.8, 0.9))
        os.mkdir(self.folder / "out")
        self.assertIn("out", self.convert(good).stderr)


if __name__ == "__main__":
    unittest.main()
