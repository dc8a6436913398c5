"""kronite match, run as a user runs it."""
import json
import pathlib
import signal
import time
import unittest

import program
from folder_case import FolderCase


def catches_interrupts(process):
    """Whether the program has come so far that Ctrl-C is a request."""
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("SigCgt:"):
            return int(line.split()[1], 16) >> (signal.SIGINT - 1) & 1 == 1
    return False


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
# The same, conventional, larger, moved.
CUBIC = """cubic
1.05
5.6 0 0
0 5.6 0
0 0 5.6
Cl Na
4 4
Direct
0.1 0 0
0.1 0.5 0.5
0.6 0 0.5
0.6 0.5 0
0.6 0 0
0.6 0.5 0.5
0.1 0 0.5
0.1 0.5 0
"""
ZINCBLENDE = ROCKSALT.replace("0.5 0.5 0.5", "0.25 0.25 0.25")
# Cl off its place by 0.03 of the diagonal, 0.29 Å: P 3 m 1 and R 3 m, but the same within 0.3.
DISTORTED = ROCKSALT.replace("0.5 0.5 0.5", "0.53 0.53 0.53")
BROMIDE = ROCKSALT.replace("Cl", "Br")


def frame(identifier, second):
    return (f'2\nLattice="0 2.8 2.8 2.8 0 2.8 2.8 2.8 0" Properties=species:S:1:pos:R:3 '
            f'material_id={identifier}\nNa 0 0 0\nCl {second} {second} {second}\n')


class Match(FolderCase):
    def setUp(self):
        super().setUp()
        for name, text in (("a", ROCKSALT), ("cubic", CUBIC), ("zincblende", ZINCBLENDE),
                           ("distorted", DISTORTED), ("bromide", BROMIDE)):
            self.write(name + ".vasp", text)
        self.write("two.extxyz", frame("a-1", 2.8) + frame("a-2", 1.4))

    def match(self, *arguments):
        return program.run("match", *arguments, cwd=self.folder)

    def test_says_that_two_cells_are_one_crystal(self):
        result = self.match("a.vasp", "cubic.vasp")

        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout.splitlines(), [
            "A: a.vasp, NaCl, 2 sites, Fm-3m (225)",
            "B: cubic.vasp, NaCl, 8 sites (2 in the primitive cell), Fm-3m (225)",
            "the same crystal (ltol 0.2, stol 0.3, angle 5°)",
            "distance of the sites: rms 0.0000, largest 0.0000, in units of (V/n)^(1/3)",
            "space groups agree"])

    def test_says_what_is_not_the_same(self):
        for other in ("zincblende.vasp", "bromide.vasp"):
            result = self.match("a.vasp", other)

            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn("\nnot the same crystal (", result.stdout)
            self.assertNotIn("distance of the sites", result.stdout)

    def test_says_that_space_groups_differ_where_a_crystal_is_distorted(self):
        result = self.match("a.vasp", "distorted.vasp", "--json")

        line = json.loads(result.stdout)
        self.assertIs(line["same"], True)
        self.assertIs(line["space_groups_agree"], False)
        self.assertEqual((line["a"]["space_group"], line["b"]["international"]), (225, "R3m"))
        # Half of the displacement each, in units of (V/n)^(1/3) = 2.8: 0.03 (5.6, 5.6, 5.6) / 2.
        self.assertAlmostEqual(line["rms"], 0.03 * 5.6 * 3 ** 0.5 / 2 / 2.8, delta=1e-9)
        self.assertAlmostEqual(line["max_distance"], line["rms"], delta=1e-9)

    def test_narrower_tolerances_tell_a_distorted_crystal_apart(self):
        result = json.loads(self.match("a.vasp", "distorted.vasp", "--stol", "0.05", "--json").stdout)

        self.assertEqual((result["same"], result["rms"], result["max_distance"]), (False, None, None))

    def test_pairs_come_in_order_and_one_crystal_meets_each_of_many(self):
        lines = [json.loads(line) for line in self.match("two.extxyz", "two.extxyz", "--json").stdout.splitlines()]
        one = [json.loads(line) for line in self.match("a.vasp", "two.extxyz", "--json").stdout.splitlines()]
        table = self.match("two.extxyz", "cubic.vasp", "--no-space-groups")

        self.assertEqual([(p["a"]["id"], p["b"]["id"], p["same"]) for p in lines],
                         [("a-1", "a-1", True), ("a-2", "a-2", True)])
        self.assertEqual([(p["b"]["id"], p["same"]) for p in one], [("a-1", True), ("a-2", False)])
        header, first, second, last = table.stdout.splitlines()
        self.assertEqual(header.split()[:2], ["A", "B"])
        self.assertEqual(first.split()[:5], ["a-1", "cubic", "NaCl", "NaCl", "yes"])
        self.assertEqual(second.split()[4:7], ["no", "-", "-"])
        self.assertIn("1 of 2 pairs are the same crystal", last)

    def test_a_template_is_named_by_its_id(self):
        self.write("one.extxyz", frame("a-1", 2.8))
        program.run("templates", "build", "--from", "one.extxyz", "--out", "l.ktl", cwd=self.folder)

        self.assertIn("\nthe same crystal", self.match("l.ktl:a-1", "a.vasp").stdout)
        self.assertIn("\nnot the same crystal", self.match("l.ktl:a-1", "zincblende.vasp").stdout)

    def test_ctrl_c_stops_it_before_the_first_pair(self):
        self.write("many.extxyz", frame("a-1", 2.8) * 100_000)  # long to read and to find groups of
        process = program.start("match", self.folder / "many.extxyz", self.folder / "a.vasp")
        while process.poll() is None and not catches_interrupts(process):
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)

        self.assertEqual((process.returncode, stdout), (130, ""))
        self.assertRegex(stderr, r"stopped (while reading|after \d+ of 100000 crystals of) .*many.extxyz")

    def test_wrong_calls_are_refused_with_a_sentence(self):
        self.write("bad.vasp", ROCKSALT.replace("0.5 0.5 0.5", "0.001 0 0"))
        self.write("needle.vasp", "Fe\n1\n3 0 0\n0 3 0\n0 0 9000\nFe\n1\nDirect\n0 0 0\n")
        self.write("three.extxyz", frame("a-1", 2.8) * 3)

        self.assert_failure(self.match("a.vasp", "bad.vasp"), "less than 0.1")
        self.assert_failure(self.match("a.vasp", "none.cif"), "none.cif")
        self.assert_failure(self.match("needle.vasp", "a.vasp"), "needle.vasp: the reduced cell, 3 x 3 x 9000 Å, is too long")
        self.assert_failure(self.match("two.extxyz", "three.extxyz"),
                            "two.extxyz holds 2 structures and three.extxyz holds 3; pairs need equally many")
        self.assert_failure(self.match("a.vasp", "cubic.vasp", "--stol", "0"), "stol is 0, expected more than 0")
        self.assert_failure(self.match("a.vasp", "cubic.vasp", "--ltol", "nan"), "ltol is nan")
        self.assert_failure(self.match("none.cif", "cubic.vasp", "--ltol", "0"), "ltol is 0, expected more than 0")
        self.assert_failure(self.match("a.vasp", "cubic.vasp", "--no-space-groups", "--symprec", "0.1"),
                            "--symprec", code=2)
        self.assert_failure(self.match("a.vasp", "cubic.vasp", "--angle-tol", "x"), "--angle-tol", code=2)
        self.assert_failure(self.match("a.vasp"), "B is required", code=2)


if __name__ == "__main__":
    unittest.main()
