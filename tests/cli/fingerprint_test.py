"""kronite fingerprint and kronite compare, run as a user runs them."""
import csv
import json
import math
import signal
import struct
import time
import unittest

import program
from folder_case import FolderCase

ROCKSALT = """rocksalt
1
0 2.8 2.8
2.8 0 2.8
2.8 2.8 0
Na Cl
1 1
Direct
0 0 0
0.5 0.5 0.5
"""
ZINCBLENDE = ROCKSALT.replace("Na Cl", "Zn S").replace("0.5 0.5 0.5", "0.25 0.25 0.25")
SQUASHED = ROCKSALT.replace("0.5 0.5 0.5", "0.001 0 0")


def extxyz(identifier, symbols, second):
    return (f'2\nLattice="0 2.8 2.8 2.8 0 2.8 2.8 2.8 0" Properties=species:S:1:pos:R:3 '
            f'material_id={identifier}\n{symbols[0]} 0 0 0\n{symbols[1]} {second} {second} {second}\n')


def read_csv(text):
    header, *rows = csv.reader(text.splitlines())
    return header, rows


class Folder(FolderCase):
    def setUp(self):
        super().setUp()
        self.write("rocksalt.vasp", ROCKSALT)
        self.write("zincblende.vasp", ZINCBLENDE)
        self.write("two.extxyz", extxyz("a-1", ("Na", "Cl"), 2.8) + extxyz("a-2", ("Zn", "S"), 1.4))

    def run_in_folder(self, *arguments):
        return program.run(*arguments, cwd=self.folder)


class Fingerprint(Folder):
    def fingerprint(self, *arguments):
        return self.run_in_folder("fingerprint", *arguments)

    def test_csv_has_a_row_per_crystal_and_the_names_of_matminer(self):
        result = self.fingerprint("two.extxyz", "rocksalt.vasp", "--out", "f.csv")

        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        header, rows = read_csv((self.folder / "f.csv").read_text())
        self.assertEqual(header[:4], ["id", "formula", "mean wt CN_1", "std_dev wt CN_1"])
        self.assertEqual(len(header), 2 + 244)
        self.assertEqual([row[:2] for row in rows],
                         [["a-1", "NaCl"], ["a-2", "ZnS"], ["rocksalt", "NaCl"]])
        for first, again in zip(rows[0][2:], rows[2][2:]):
            # Cartesian and fractional coordinates are a rounding apart.
            self.assertAlmostEqual(float(first), float(again), delta=1e-12)
        # Of rock salt every site is a perfect octahedron; of zinc blende a tetrahedron of 96 %, the
        # rest being its second neighbours. Both from the golden files, to their digits.
        self.assertAlmostEqual(float(rows[0][header.index("minimum octahedral CN_6")]), 1, delta=1e-6)
        self.assertAlmostEqual(float(rows[1][header.index("mean wt CN_4")]), 0.96181, delta=1e-5)

    def test_npy_holds_the_numbers_of_the_csv_and_its_names_lie_beside_it(self):
        self.assertEqual(self.fingerprint("two.extxyz", "--out", "f.npy").returncode, 0)
        header, rows = read_csv(self.fingerprint("two.extxyz", "--out", "-").stdout)

        data = (self.folder / "f.npy").read_bytes()
        self.assertIn(b"'shape': (2, 244)", data[:128])
        self.assertEqual(list(struct.unpack(f"<{2 * 244}d", data[128:])),
                         [float(cell) for row in rows for cell in row[2:]])
        self.assertEqual((self.folder / "f.columns.txt").read_text().splitlines(), header[2:])
        self.assertEqual((self.folder / "f.rows.csv").read_text(), "id,formula\na-1,NaCl\na-2,ZnS\n")

    def test_sites_gives_the_table_of_sites(self):
        header, rows = read_csv(self.fingerprint("two.extxyz", "--sites", "--out", "-").stdout)
        _, crystals = read_csv(self.fingerprint("two.extxyz", "--out", "-").stdout)

        self.assertEqual(header[:6], ["id", "formula", "site", "element", "wt CN_1", "sgl_bd CN_1"])
        self.assertEqual(len(header), 4 + 61)
        self.assertEqual([row[:4] for row in rows], [["a-1", "NaCl", "1", "Na"], ["a-1", "NaCl", "2", "Cl"],
                                                     ["a-2", "ZnS", "1", "Zn"], ["a-2", "ZnS", "2", "S"]])
        for crystal, sites in ((crystals[0], rows[:2]), (crystals[1], rows[2:])):
            for f in range(61):
                values = [float(row[4 + f]) for row in sites]
                # One addition and one division apart.
                self.assertAlmostEqual(float(crystal[2 + 4 * f]), sum(values) / 2, delta=1e-15)
                self.assertEqual([float(v) for v in crystal[4 + 4 * f : 6 + 4 * f]], [min(values), max(values)])

    def test_a_sheet_is_printed_without_out(self):
        result = self.fingerprint("rocksalt.vasp")
        sites = self.fingerprint("rocksalt.vasp", "--sites")

        self.assertEqual(result.stdout.splitlines()[0], "rocksalt: NaCl, 2 sites")
        self.assertRegex(result.stdout, r"\n6-fold, octahedral +1.0000 +0.0000 +1.0000 +1.0000\n")
        self.assertNotIn("12-fold", result.stdout)
        self.assertRegex(sites.stdout, r"\n +2 +Cl +6-fold, octahedral +1.0000\n")

    def test_a_template_library_is_read(self):
        self.assertEqual(self.run_in_folder("templates", "build", "--from", "two.extxyz", "--out", "l.ktl").returncode, 0)

        _, rows = read_csv(self.fingerprint("l.ktl", "--out", "-").stdout)

        self.assertEqual(sorted(row[0] for row in rows), ["a-1", "a-2"])

    def test_a_bad_record_is_named_and_the_others_are_unharmed(self):
        self.write("bad.vasp", SQUASHED)

        result = self.fingerprint(".", "--out", "-")

        self.assertEqual(result.returncode, 0)
        self.assertIn("bad.vasp", result.stderr)
        self.assertIn("less than 0.1", result.stderr)
        self.assertEqual(len(read_csv(result.stdout)[1]), 4)

    def test_species_can_be_named_for_a_poscar_that_does_not(self):
        self.write("vasp4.vasp", ROCKSALT.replace("Na Cl\n", ""))

        self.assert_failure(self.fingerprint("vasp4.vasp"), "--species")
        named = self.fingerprint("vasp4.vasp", "--species", "Na,Cl")

        self.assertEqual((named.returncode, named.stderr), (0, ""))
        self.assertIn("NaCl, 2 sites", named.stdout)

    def test_wrong_calls_are_refused_with_a_sentence(self):
        self.write("bad.vasp", SQUASHED)

        self.assert_failure(self.fingerprint("bad.vasp", "--out", "f.csv"), "none of the 1 structures can be used")
        self.assert_failure(self.fingerprint("none.cif"), "none.cif", code=2)
        self.assert_failure(self.fingerprint("rocksalt.vasp", "--out", "f.txt"), "ends in .csv or .npy", code=2)
        self.assert_failure(self.fingerprint("rocksalt.vasp", "--device", "tpu"), "tpu")
        self.assertFalse(any(self.folder.glob("f.*")))

    def test_an_interrupt_leaves_no_file_behind(self):
        self.write("many.extxyz", extxyz("a", ("Zn", "S"), 1.4) * 200_000)
        process = program.start("fingerprint", self.folder / "many.extxyz", "--out", self.folder / "f.csv")
        while not any(self.folder.glob("f.csv*")) and process.poll() is None:
            time.sleep(0.01)

        process.send_signal(signal.SIGINT)
        _, message = process.communicate(timeout=120)

        self.assertEqual(process.returncode, 130, message)
        self.assertIn("stopped", message)
        self.assertFalse(any(self.folder.glob("f.csv*")))


class Compare(Folder):
    def compare(self, *arguments):
        return self.run_in_folder("compare", *arguments)

    def test_says_what_differs_in_words(self):
        result = self.compare("rocksalt.vasp", "zincblende.vasp")

        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("A: rocksalt.vasp, NaCl, 2 sites\n", result.stdout)
        self.assertIn("not alike (alike: less than 0.3)\n", result.stdout)
        rows = {line.split("  ")[0]: line.split()[2:] for line in result.stdout.splitlines()}
        self.assertEqual(rows["6-fold coordination"][:4], ["100", "%", "0", "%"])
        self.assertEqual(rows["4-fold coordination"][:4], ["0", "%", "96", "%"])
        self.assertEqual(rows["6-fold, octahedral"][:2], ["1.00", "0.00"])

    def test_the_same_arrangement_of_other_elements_is_alike(self):
        self.write("periclase.vasp", ROCKSALT.replace("Na Cl", "Mg O").replace("2.8", "2.1"))

        result = self.compare("rocksalt.vasp", "periclase.vasp")

        self.assertIn("dissimilarity: 0.0000, alike", result.stdout)
        self.assertEqual(len(result.stdout.splitlines()), 3)

    def test_json_holds_all_features_and_their_shares_add_up(self):
        result = json.loads(self.compare("two.extxyz:a-1", "two.extxyz:a-2", "--json").stdout)

        self.assertEqual((result["a"]["id"], result["b"]["formula"]), ("a-1", "ZnS"))
        self.assertIs(result["alike"], False)
        self.assertEqual(len(result["features"]), 61)
        self.assertAlmostEqual(sum(f["share"] for f in result["features"]), 1, delta=1e-12)
        squares = sum((f["a"][s] - f["b"][s]) ** 2 for f in result["features"] for s in f["a"])
        self.assertAlmostEqual(result["dissimilarity"], math.sqrt(squares), delta=1e-12)
        shares = [f["share"] for f in result["features"]]
        self.assertEqual(shares, sorted(shares, reverse=True))

    def test_all_lists_everything_that_is_there(self):
        few = self.compare("rocksalt.vasp", "zincblende.vasp").stdout
        many = self.compare("rocksalt.vasp", "zincblende.vasp", "--all").stdout

        self.assertGreater(len(many.splitlines()), len(few.splitlines()))
        self.assertNotIn("24-fold", many)

    def test_the_figure_is_an_svg_with_a_bar_per_coordination_number(self):
        result = self.compare("rocksalt.vasp", "zincblende.vasp", "--figure", "f.svg")

        self.assertEqual(result.returncode, 0)
        svg = (self.folder / "f.svg").read_text()
        self.assertIn("NaCl (A): 100.0 % with 6 neighbours", svg)
        self.assertIn("ZnS (B): 96.2 % with 4 neighbours", svg)

    def test_a_template_is_named_by_its_id(self):
        self.run_in_folder("templates", "build", "--from", "two.extxyz", "--out", "l.ktl")

        result = self.compare("l.ktl:a-2", "zincblende.vasp")

        self.assertIn(", alike", result.stdout)
        self.assert_failure(self.compare("l.ktl", "zincblende.vasp"), "name one as l.ktl:ID")
        self.assert_failure(self.compare("l.ktl:a-3", "zincblende.vasp"), 'no template of the id "a-3"')

    def test_ids_of_the_materials_project_are_one_in_both_spellings(self):
        self.write("mp.extxyz", extxyz("mp-149", ("Zn", "S"), 1.4))
        self.run_in_folder("templates", "build", "--from", "mp.extxyz", "--out", "mp.ktl")

        for name in ("mp.extxyz", "mp.ktl"):
            self.assertIn(", alike", self.compare(f"{name}:mp-aaft", "zincblende.vasp").stdout)

    def test_wrong_calls_are_refused_with_a_sentence(self):
        self.write("bad.vasp", SQUASHED)

        self.assert_failure(self.compare("two.extxyz", "rocksalt.vasp"),
                            "two.extxyz holds 2 structures; say which one, such as two.extxyz:a-1 (ids: a-1, a-2)")
        self.assert_failure(self.compare("two.extxyz:b", "rocksalt.vasp"), "no structure of the id b")
        self.assert_failure(self.compare("bad.vasp", "rocksalt.vasp"), "less than 0.1")
        self.assert_failure(self.compare("none.cif", "rocksalt.vasp"), "none.cif")
        self.write("needle.vasp", "Fe\n1\n0.5 0 0\n0 0.5 0\n0 0 2000\nFe\n1\nDirect\n0 0 0\n")
        self.assert_failure(self.compare("rocksalt.vasp", "needle.vasp"), "needle.vasp: site 1 (Fe): too much vacuum")
        self.assert_failure(self.compare("rocksalt.vasp"), "B is required", code=2)


if __name__ == "__main__":
    unittest.main()
