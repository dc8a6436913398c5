"""scripts/prepare-polymers on small tables; what needs RDKit is skipped where it is absent.

The path of the kronite program, which reads the results, is the environment variable KRONITE.
"""
import csv
import gzip
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "prepare-polymers"
KRONITE = os.environ["KRONITE"]
needs_rdkit = unittest.skipUnless(importlib.util.find_spec("rdkit"), "needs RDKit (not installed)")

EXPERIMENT = """[data]
formula = "name"
target = "y"
[splits]
kind = "folds"
count = 3
[[descriptor]]
kind = "kmd"
n_grids = 4
[[descriptor]]
kind = "statistics"
[[learner]]
kind = "kernel_ridge"
"""


class PreparePolymers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, rows, name="polymers.csv", header="name,smiles"):
        (self.folder / name).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")

    def prepare(self, *arguments, table="polymers.csv", **options):
        return subprocess.run([sys.executable, SCRIPT, table, "--out", "out", *arguments],
                              cwd=self.folder, capture_output=True, text=True, timeout=120, **options)

    def table(self, name):
        with open(self.folder / name, newline="", encoding="utf-8") as file:
            return {next(iter(row.values())): row for row in csv.DictReader(file)}

    def shares(self, polymer):
        """Kinds of atoms of a polymer with their shares."""
        row = self.table("out_weights.csv")[polymer]
        return {kind: float(share) for kind, share in row.items() if kind != "name" and share != "0"}

    def expect_failure(self, result, words):
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(words, result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        self.assertEqual(list(self.folder.glob("out*")), [])


class WithoutRdkit(PreparePolymers):
    def test_says_what_is_missing(self):
        self.write(["pe,*CC*"])
        (self.folder / "rdkit.py").write_text("raise ImportError('hidden')\n")

        result = self.prepare(env={**os.environ, "PYTHONPATH": str(self.folder)})

        self.expect_failure(result, "pip install rdkit")


@needs_rdkit
class WithRdkit(PreparePolymers):
    def test_a_chain_has_no_ends(self):
        self.write(["one,*C*", "two,*CC*", "five,*CCCCC*", "heavy,*C([2H])([2H])C*"])

        self.assertEqual(self.prepare().returncode, 0)

        # Each atom is a CH2 between two CH2, however the repeat unit is written.
        kind = "CH2 main turns2 -C2-C2"
        for polymer in ("one", "two", "five", "heavy"):
            self.assertEqual(self.shares(polymer), {kind: 1.0})

    def test_kinds_say_place_ring_and_neighbours(self):
        # Polystyrene, and the same chain with the ring inside it.
        self.write(["side,*CC(*)c1ccccc1", "main,*CCc1ccc(*)cc1"])

        self.assertEqual(self.prepare().returncode, 0)

        side, main = self.shares("side"), self.shares("main")
        self.assertEqual(side, {
            "CH2 main turns2 -C1-C1": 1 / 8,
            "CH1 main turns3 -C0r-C2-C2": 1 / 8,
            "CH0 side1 ring6x1 turns1 -C1:C1r:C1r": 1 / 8,
            "CH1 side2 ring6x1 turns0 :C0r:C1r": 2 / 8,
            "CH1 side3 ring6x1 turns0 :C1r:C1r": 2 / 8,
            "CH1 side4 ring6x1 turns0 :C1r:C1r": 1 / 8,
        })
        self.assertEqual(main, {
            "CH2 main turns2 -C0r-C2": 2 / 8,
            "CH0 main ring6x1 turns1 -C2:C1r:C1r": 2 / 8,
            "CH1 main ring6x1 turns0 :C0r:C1r": 4 / 8,
        })

    def test_features(self):
        self.write(["acid,*CC(*)C(=O)O", "pe,*CC*", "teflon,*C(F)(F)C(F)(F)*"])

        self.assertEqual(self.prepare().returncode, 0)

        components = self.table("out_components.csv")
        hydroxyl = components["OH1 side2 turns0 -C0"]
        self.assertAlmostEqual(float(hydroxyl["mass"]), 15.999 + 1.008, places=6)
        self.assertEqual(float(hydroxyl["en_pauling"]), 3.44)
        self.assertEqual(float(hydroxyl["donor"]), 1)
        self.assertAlmostEqual(float(hydroxyl["polarity"]), 3.44 - 2.55, places=6)
        carbonyl = components["OH0 side2 turns0 =C0"]
        self.assertEqual([float(carbonyl[c]) for c in ("donor", "bond_order", "side_chain_distance")],
                         [0, 2, 2])
        # Charges of a polymer add up to its own, which is 0.
        charge = sum(share * float(components[kind]["charge"]) for kind, share in self.shares("teflon").items())
        self.assertAlmostEqual(charge, 0, places=3)
        # There are no rings: columns that are the same for all kinds are left out.
        self.assertNotIn("rings", hydroxyl)

    def test_an_aromatic_nitrogen_may_be_where_the_chain_goes_on(self):
        self.write(["imide,*n1c(=O)c2cc3c(=O)n(*)c(=O)c3cc2c1=O", "pe,*CC*"])

        result = self.prepare()

        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("left out", result.stderr + result.stdout)

    def test_kronite_reads_the_tables(self):
        units = ["*CC*", "*CC(*)C", "*CC(*)F", "*CC(*)Cl", "*CC(*)O", "*CCO*", "*CC(*)c1ccccc1", "*CC(*)C#N",
                 "*CC(=O)N*", "*CCCC(=O)O*", "*c1ccc(*)cc1", "*CS*"]
        self.write([f"p{i},{unit},{len(unit)}" for i, unit in enumerate(units)], header="name,smiles,y")
        with gzip.open(self.folder / "polymers.csv.gz", "wt") as file:
            file.write((self.folder / "polymers.csv").read_text())
        (self.folder / "config.toml").write_text(EXPERIMENT)

        self.assertEqual(self.prepare(table="polymers.csv.gz").returncode, 0)
        result = subprocess.run(
            [KRONITE, "kmd", "evaluate", "--config", "config.toml", "--data", "polymers.csv.gz",
             "--components", "out_components.csv", "--weights", "out_weights.csv"],
            cwd=self.folder, capture_output=True, text=True, timeout=120)

        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("12 rows, 3 folds", result.stdout)

    def test_unusable_polymers_are_left_out_by_line(self):
        self.write(["good,*CC*", "other,*CO*", "one_end,*CC", "broken,*C(C*", "double,*=CC*", "nothing,**"])

        result = self.prepare()

        self.assertEqual(result.returncode, 0, result.stderr)
        for words in ("polymers.csv:4: '*CC' has 1 atoms '*'", "polymers.csv:5: '*C(C*' is no SMILES",
                      "polymers.csv:6: the bonds of the two atoms '*'", "polymers.csv:7: '**' has no atom between"):
            self.assertIn(words, result.stderr)
        self.assertIn("2 polymers, 4 left out", result.stdout)

    def test_wrong_input_gets_one_sentence(self):
        self.write(["pe,*CC*", "pe,*CO*"])
        self.write(["x,CC"], name="none.csv")

        self.expect_failure(self.prepare("--name", "id"), "there is no column 'id'")
        self.expect_failure(self.prepare(), "polymers.csv:3: 'pe' is also the name of line 2")
        self.expect_failure(self.prepare(table="none.csv"), "no row has a usable SMILES")
        self.expect_failure(self.prepare(table="missing.csv"), "missing.csv: No such file")


if __name__ == "__main__":
    unittest.main()
