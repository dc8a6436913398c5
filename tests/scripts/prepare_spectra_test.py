"""scripts/prepare-spectra on small tables; molecules are skipped where RDKit is absent.

The path of the kronite program, which reads the results, is the environment variable KRONITE.
"""
import csv
import gzip
import importlib.util
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "prepare-spectra"
KRONITE = os.environ["KRONITE"]
needs_rdkit = unittest.skipUnless(importlib.util.find_spec("rdkit"), "needs rdkit (not installed)")

TABLE = """name,SMILES,V1,V2,V4
ethanol,CCO,0.5,1,0
ethanol again,OCC,0.4,1,0
benzene,c1ccccc1,1,0.2,1e-3
acetic acid,CC(O)=O,0,0.1,0.3
"""


class PrepareSpectra(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def prepare(self, text, *more, name="table.csv"):
        path = self.folder / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return subprocess.run([sys.executable, SCRIPT, name, "--out", "out", *more], cwd=self.folder, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)

    def rows(self, name):
        with open(self.folder / "out" / name, newline="", encoding="utf-8") as file:
            return list(csv.reader(file))

    def refused(self, message, text, *more):
        result = self.prepare(text, *more)
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn(message, result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_wrong_tables(self):
        self.refused("table.csv: a header and rows below it are expected", "SMILES,V1\n")
        self.refused("table.csv:3: 2 cells, the header has 3", "SMILES,V1,V2\nC,1,2\nC,1\n")
        self.refused("there is no column 'smi'", TABLE, "--smiles", "smi")
        self.refused("no column is called W and a number", TABLE, "--values", "W")
        (self.folder / "table.csv").unlink()
        result = subprocess.run([sys.executable, SCRIPT, "none.csv", "--out", "out"], cwd=self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("none.csv: No such file", result.stderr)

    @needs_rdkit
    def test_writes_what_krfd_reads(self):
        result = self.prepare(TABLE, "--id", "name", name="table.csv.gz")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("4 spectra at 3 points, 3 molecules", result.stdout)
        self.assertEqual(self.rows("t.csv"), [["t"], ["1"], ["2"], ["4"]])
        self.assertEqual(self.rows("Y.csv")[0], ["id", "1", "2", "4"])
        self.assertEqual([float(c) for c in self.rows("Y.csv")[3][1:]], [1, 0.2, 1e-3])
        groups = (self.folder / "out/groups.txt").read_text().splitlines()
        self.assertEqual(groups[0], groups[1])
        self.assertEqual(len(set(groups)), 3)
        header, *x = self.rows("X.csv")
        self.assertEqual([row[0] for row in x], ["ethanol", "ethanol again", "benzene", "acetic acid"])
        self.assertEqual(x[0][1:], x[1][1:])
        for k in range(1, len(header)):
            values = [float(row[k]) for row in x]
            self.assertAlmostEqual(sum(values), 0, places=9)
            self.assertAlmostEqual(math.fsum(v * v for v in values) / 4, 1, places=9)
        # Ethanol weighs 46.069, benzene 78.114 and acetic acid 60.052.
        weight = [float(row[header.index("MolWt")]) for row in x]
        self.assertAlmostEqual((weight[2] - weight[0]) / (weight[3] - weight[0]), (78.114 - 46.069) / (60.052 - 46.069),
                               places=3)
        fit = subprocess.run([KRONITE, "krfd", "fit", "--x", "out/X.csv", "--y", "out/Y.csv", "--t", "out/t.csv",
                              "--sigma-g", "10", "--out", "m.safetensors"], cwd=self.folder, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual(fit.returncode, 0, fit.stderr)

    @needs_rdkit
    def test_molecules_that_cannot_be_read(self):
        bad = TABLE + "odd,C1=CC=[Cl]C=[Cl]1,1,2,3\n"
        self.refused("table.csv:6: RDKit reads no molecule in 'C1=CC=[Cl]C=[Cl]1'; --skip-bad leaves", bad)
        result = self.prepare(bad, "--skip-bad")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("left out: table.csv:6", result.stderr)
        self.assertEqual([row[0] for row in self.rows("X.csv")[1:]], ["m1", "m2", "m3", "m4"])

    @needs_rdkit
    def test_values_that_are_no_numbers(self):
        self.refused("table.csv:4: column 4: a finite number is expected, not 'x'", TABLE.replace("1,0.2,", "1,x,"))


if __name__ == "__main__":
    unittest.main()
