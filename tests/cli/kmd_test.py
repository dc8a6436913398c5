"""kronite kmd transform, invert and map: round trips, files, and wrong input."""

import csv
import gzip
import io
import json
import re
import signal
import struct
import time
import unittest
import xml.etree.ElementTree as ElementTree

from folder_case import CommandCase
from program import start

# Zn2B2PbO6 with ten grid points per feature: the first values of the original program.
GOLDEN = [0.501302373983819, 0.623386173387045, 0.203227269515903, 0.177807621717140, 0.043757337502011]
FORMULAS = ["SrTiO3", "Ca(OH)2", "La1.85Sr0.15CuO4", "O2", "Mg0.00009Ni0.99991"]
COMPONENTS = "name,size,charge\nA,1,0.3\nB,2,-1\nC,3.5,0.1\nD,4,0.9\nE,7,0.5\n"


class Case(CommandCase):
    command = "kmd"

    def transform(self, *arguments):
        return self.good("transform", *arguments)

    def invert(self, *arguments):
        return self.good("invert", *arguments)

    def table(self, name):
        return list(csv.DictReader(io.StringIO(self.read(name))))


def values_of(row):
    return [float(cell) for cell in row[1:]]


class Transform(Case):
    def test_holds_the_numbers_of_the_original_program(self):
        result = self.transform("Zn2B2PbO6", "--n-grids", 10, "--out", "-")

        header, row = csv.reader(result.stdout.splitlines())
        self.assertEqual(header[0], "formula")
        self.assertEqual(len(header), 1 + 580)
        self.assertRegex(header[1], r"^atomic_number@")
        for value, golden in zip(values_of(row), GOLDEN):
            # The embedded table agrees with that of the original program to 3e-10.
            self.assertAlmostEqual(value, golden, delta=1e-9)
        self.assertAlmostEqual(sum(values_of(row)), 95.62161470587282, delta=1e-6)

    def test_says_how_well_it_can_be_inverted(self):
        result = self.transform("MgO", "--n-grids", 10, "--out", "-")

        header, row = (line.split("  ") for line in result.stderr.splitlines())
        cells = dict(zip([h.strip() for h in header if h], [c.strip() for c in row if c]))
        self.assertEqual(cells["rows"], "1")
        self.assertEqual(cells["width"], "580")
        self.assertEqual(cells["n_grids"], "10")
        self.assertEqual(cells["rank"], "94 of 94")
        self.assertEqual(cells["cond(H)"], "88.83")
        self.assertEqual(cells["inverse"], "yes")

    def test_chooses_the_fewest_grid_points(self):
        # The condition number of H H' is 1.162e5 with 5 points and 6.025e4 with 6.
        for condition, width in ((1e5, 6 * 58), (2e5, 5 * 58)):
            result = self.transform("MgO", "--most-condition", condition, "--out", "-")
            self.assertEqual(len(result.stdout.splitlines()[0].split(",")), 1 + width)

    def test_writes_the_same_numbers_in_every_format(self):
        for name in ("d.csv", "d.npy", "d.jsonl"):
            self.transform(*FORMULAS, "--n-grids", 6, "--out", name)
        header, *rows = csv.reader(io.StringIO(self.read("d.csv")))
        expected = [values_of(row) for row in rows]

        data = (self.folder / "d.npy").read_bytes()
        self.assertIn(b"'shape': (5, 348)", data[:128])
        self.assertEqual(list(struct.unpack(f"<{5 * 348}d", data[128:])), [v for row in expected for v in row])
        self.assertEqual(self.read("d.columns.txt").splitlines(), header[1:])
        self.assertEqual(self.read("d.rows.csv").splitlines(), ["formula", *FORMULAS])
        settings, *lines = map(json.loads, self.read("d.jsonl").splitlines())
        self.assertEqual([line["descriptor"] for line in lines], expected)
        self.assertEqual([line["formula"] for line in lines], FORMULAS)
        self.assertEqual(settings["settings"], json.loads(self.read("d.csv.settings.json")))
        self.assertEqual(settings["settings"], json.loads(self.read("d.npy.settings.json")))

    def test_settings_say_what_was_chosen(self):
        self.transform("MgO", "--kernel", "matern52", "--sigma", 0.25, "--n-grids", 4, "--out", "d.csv")

        settings = json.loads(self.read("d.csv.settings.json"))
        self.assertEqual(
            {key: settings[key] for key in ("descriptor", "layout", "kernel", "scaling", "n_grids", "sigma", "width")},
            {"descriptor": "kmd", "layout": "grid", "kernel": "matern52", "scaling": "min_max", "n_grids": 4,
             "sigma": 0.25, "width": 232})
        self.assertEqual(settings["components"], 94)
        self.assertRegex(settings["hash"], "^[0-9a-f]{16}$")

    def test_reads_lists_as_text_csv_and_compressed(self):
        self.write("list.txt", "# oxides\nMgO\nSiO2  # quartz\n")
        self.write("list.csv", "id,pretty_formula\n1,MgO\n2,SiO2\n")
        (self.folder / "list.txt.gz").write_bytes(gzip.compress(b"MgO\nSiO2\n"))
        outputs = {self.transform("--file", name, "--layout", "joint", "--out", "-").stdout
                   for name in self.files()}

        self.assertEqual(len(outputs), 1)
        self.assertEqual(len(outputs.pop().splitlines()), 3)

    def test_multiples_of_a_formula_are_the_same(self):
        rows = self.transform("SiO2", "Si2O4", "--layout", "joint", "--out", "-").stdout.splitlines()[1:]

        self.assertEqual(rows[0].split(",")[1:], rows[1].split(",")[1:])

    def test_weights_of_elements_give_what_formulas_give(self):
        self.write("w.csv", "name,O,Ca,Ti\nperovskite,0.6,0.2,0.2\n")
        weights = self.transform("--weights", "w.csv", "--n-grids", 6, "--out", "-").stdout.splitlines()
        formulas = self.transform("CaTiO3", "--n-grids", 6, "--out", "-").stdout.splitlines()

        self.assertEqual(weights[0].split(",")[1:], formulas[0].split(",")[1:])
        self.assertEqual(weights[1].split(",")[1:], formulas[1].split(",")[1:])
        self.assertEqual(weights[1].split(",")[0], "perovskite")

    def test_own_components_are_used(self):
        components = self.write("c.csv", COMPONENTS)
        self.write("w.csv", "id,A,E\n7,2,6\n")
        result = self.transform("--components", components, "--weights", "w.csv", "--normalise", "--n-grids", 3,
                                "--out", "-")

        header, row = csv.reader(result.stdout.splitlines())
        self.assertEqual(len(header), 1 + 2 * 3)
        # size 1 and 7 are the ends of the grid: weight 1/4 at its first point, 3/4 at its last.
        e = 2.718281828459045
        expected = [0.25 + 0.75 * e**-4, e**-1, 0.25 * e**-4 + 0.75]
        for value, number in zip(values_of(row), expected):
            self.assertAlmostEqual(value, number, delta=1e-15)

    def test_statistics_are_mean_variance_maximum_and_minimum(self):
        components = self.write("c.csv", COMPONENTS)
        self.write("w.csv", "A,E\n0.25,0.75\n")
        result = self.transform("--components", components, "--weights", "w.csv", "--descriptor", "statistics",
                                "--sum", "--out", "d.csv")

        self.assertEqual(result.stdout, "")
        header, row = csv.reader(io.StringIO(self.read("d.csv")))
        self.assertEqual(header, ["name"] + [f"{s}:{f}" for s in ("mean", "var", "max", "min", "sum")
                                             for f in ("size", "charge")])
        expected = [5.5, 0.45, 6.75, 0.0075, 7, 0.5, 1, 0.3, 5.5, 0.45]
        for value, number in zip(values_of(row), expected):
            self.assertAlmostEqual(value, number, delta=1e-14)
        self.assertEqual(json.loads(self.read("d.csv.settings.json"))["descriptor"], "statistics")

    def test_unknown_elements_are_refused_skipped_or_left_out(self):
        self.write("list.txt", "MgO\nAmO2\nSiO2\n")
        self.expect_failure("list.txt:2: AmO2", "transform", "--file", "list.txt", "--out", "d.csv")

        skipped = self.transform("--file", "list.txt", "--unknown", "skip", "--layout", "joint", "--out", "d.csv")
        self.assertIn("1 of 3 formulas skipped", skipped.stderr)
        self.assertEqual([row["formula"] for row in self.table("d.csv")], ["MgO", "SiO2"])
        self.transform("--file", "list.txt", "--unknown", "renormalise", "--layout", "joint", "--out", "d.csv")
        self.transform("O2", "--layout", "joint", "--out", "o.csv")
        am, oxygen = self.table("d.csv")[1], self.table("o.csv")[0]
        self.assertEqual(list(am.values())[1:], list(oxygen.values())[1:])

    def test_bad_formulas_are_left_out_where_it_is_asked(self):
        self.write("list.txt", "MgO\nCh3OH\nAmO2\nSiO2\n")
        result = self.transform("--file", "list.txt", "--skip-bad", "--layout", "joint", "--out", "d.csv")

        self.assertIn("list.txt:2: cannot read the formula", result.stderr)
        self.assertIn("list.txt:3: AmO2", result.stderr)
        self.assertIn("2 of 4 formulas left out", result.stderr)
        self.assertEqual([row["formula"] for row in self.table("d.csv")], ["MgO", "SiO2"])

    def test_any_number_of_formulas_goes_through_in_order(self):
        formulas = [f"Mg{i}O{i + 1}" for i in range(1, 10001)]
        self.write("list.txt", "\n".join(formulas))
        self.transform("--file", "list.txt", "--layout", "joint", "--out", "d.npy")

        self.assertEqual(self.read("d.rows.csv").split(), ["formula", *formulas])
        self.assertEqual((self.folder / "d.npy").stat().st_size, 128 + 10000 * 94 * 8)

    def test_wrong_formulas_write_nothing(self):
        self.expect_failure("there is no element Ch\n  Ch3OH\n  ^\n", "transform", "NaCl", "Ch3OH", "--out", "d.csv")
        self.write("list.txt", "MgO\n" * 9000 + "Ca1..5\n")
        self.expect_failure("list.txt:9001: cannot read the formula", "transform", "--file", "list.txt", "--layout",
                            "joint", "--out", "d.npy")
        self.write("empty.txt", "# nothing\n")
        self.expect_failure("empty.txt: there is no formula", "transform", "--file", "empty.txt", "--out", "d.csv")
        self.expect_failure("none of the 2 formulas can be used", "transform", "Ch3OH", "ca", "--skip-bad", "--out",
                            "d.csv")
        self.expect_failure("missing.txt: cannot read this file", "transform", "--file", "missing.txt", "--out",
                            "d.jsonl")

    def test_wrong_weights_write_nothing(self):
        def refused(message, text, *arguments):
            self.write("w.csv", text)
            self.expect_failure(message, "transform", "--weights", "w.csv", "--out", "d.csv", *arguments)

        refused("w.csv:3: column 2 (O): a weight is expected", "name,O,Mg\nx,0.5,0.5\ny,-0.5,1.5\n")
        refused("w.csv:2: column 2 (Mg): a weight is expected", "O,Mg\n0.5,nan\n")
        refused("w.csv:2: the weights add up to 0.9", "O,Mg\n0.5,0.4\n")
        refused("w.csv:2: the weights add up to 0", "O,Mg\n0,0\n", "--normalise")
        refused("w.csv:1: column 2 (Xx): there is no component Xx", "O,Xx\n0.5,0.5\n")
        refused("there are no rows of weights", "O,Mg\n")

    def test_wrong_calls_are_refused_with_a_sentence(self):
        self.write("w.csv", "O,Mg\n0.5,0.5\n")
        self.expect_failure("no formula: give one", "transform", "--out", "d.csv")
        self.expect_failure("--out is required", "transform", "MgO", code=2)
        self.expect_failure("ends in .csv, .npy or .jsonl", "transform", "MgO", "--out", "d.txt", code=2)
        self.expect_failure("--kernel", "transform", "MgO", "--kernel", "box", "--out", "d.csv", code=2)
        self.expect_failure("--n-grids", "transform", "MgO", "--n-grids", -1, "--out", "d.csv", code=2)
        self.expect_failure("--sigma", "transform", "MgO", "--sigma", -1, "--out", "d.csv", code=2)
        self.expect_failure("n_grids", "transform", "MgO", "--n-grids", 1, "--out", "d.csv")
        self.expect_failure("--weights has the mixtures", "transform", "MgO", "--weights", "w.csv", "--out", "d.csv")
        self.expect_failure("--normalise is for --weights", "transform", "MgO", "--normalise", "--out", "d.csv")
        self.expect_failure("--skip-bad is for formulas", "transform", "--weights", "w.csv", "--skip-bad", "--out",
                            "d.csv")
        self.expect_failure("neither kernel nor grid", "transform", "MgO", "--descriptor", "statistics", "--n-grids",
                            4, "--out", "d.csv")
        self.expect_failure("--sum is for --descriptor statistics", "transform", "MgO", "--sum", "--out", "d.csv")
        self.expect_failure("no.csv: cannot read this file", "transform", "MgO", "--components", "no.csv", "--out",
                            "d.csv")
        self.expect_failure("no/d.csv: cannot create this file", "transform", "MgO", "--out", "no/d.csv")

    def test_components_that_make_no_sense_are_refused(self):
        self.write("c.csv", "name,size,same\nO,1,2\nMg,3,2\n")
        self.expect_failure("same", "transform", "MgO", "--components", "c.csv", "--out", "d.csv")

    def test_an_interrupt_leaves_no_file_behind(self):
        self.write("list.txt", "LiFePO4\n" * 200_000)
        before = self.files()
        process = start("kmd", "transform", "--file", self.folder / "list.txt", "--out", self.folder / "d.csv")
        while len(self.files()) < 3 and process.poll() is None:
            time.sleep(0.01)

        process.send_signal(signal.SIGINT)
        _, message = process.communicate(timeout=120)

        self.assertEqual((process.returncode, message), (130, "kronite: stopped; nothing was written\n"))
        self.assertEqual(self.files(), before)


class Invert(Case):
    def test_gives_back_what_went_in(self):
        for name in ("d.csv", "d.npy", "d.jsonl"):
            for layout in ("grid", "joint"):
                self.transform(*FORMULAS, "--layout", layout, "--out", name)
                self.invert(name, "--out", "m.csv")
                rows = self.table("m.csv")
                self.assertEqual([row["name"] for row in rows], FORMULAS)
                self.assertEqual([row["formula"] for row in rows],
                                 ["SrTiO3", "Ca(HO)2", "Sr3La37(CuO4)20", "O2", ""])
                self.assertEqual({row["on_manifold"] for row in rows}, {"yes"})
                self.assertEqual(rows[3]["mixture"], "O2")
                # Condition numbers are below 1e5, so that ten digits are safe.
                nickel = re.fullmatch(r"Mg([0-9.]+)Ni([0-9.]+)", rows[4]["mixture"])
                self.assertAlmostEqual(float(nickel[1]), 0.00009, delta=1e-10)
                self.assertAlmostEqual(float(nickel[2]), 0.99991, delta=1e-10)

    def test_every_way_through_descriptors_and_weights_closes(self):
        components = self.write("c.csv", COMPONENTS)
        self.write("w.csv", "polymer,A,C,E\nx,0.25,0.5,0.25\n\"y, z\",0,1,0\n")
        for weights in ("again.csv", "again.npy"):
            self.transform("--components", components, "--weights", "w.csv", "--n-grids", 4, "--out", "d.csv")
            self.invert("d.csv", "--components", components, "--weights", weights)
            self.transform("--components", components, "--weights", weights, "--normalise", "--n-grids", 4, "--out",
                           "e.csv")
            first, second = self.table("d.csv"), self.table("e.csv")
            self.assertEqual(len(first), len(second))
            for a, b in zip(first, second):
                for key in a:
                    if key != "name":
                        self.assertAlmostEqual(float(a[key]), float(b[key]), delta=1e-12)

    def test_json_lines_have_the_weights(self):
        components = self.write("c.csv", COMPONENTS)
        self.write("w.csv", "polymer,A,C\nx,0.25,0.75\n")
        self.transform("--components", components, "--weights", "w.csv", "--n-grids", 4, "--out", "d.jsonl")
        self.invert("d.jsonl", "--components", components, "--out", "m.jsonl")

        line = json.loads(self.read("m.jsonl"))
        self.assertEqual((line["name"], line["formula"], line["on_manifold"]), ("x", None, True))
        self.assertEqual(list(line["weights"]), ["A", "C"])
        self.assertAlmostEqual(line["weights"]["A"], 0.25, delta=1e-12)
        self.assertLess(line["residual"], 1e-12)

    def test_prints_a_table_without_out(self):
        self.transform("SrTiO3", "O2", "--out", "d.csv")
        result = self.invert("d.csv", "--top", 2)

        header, strontium, oxygen = result.stdout.splitlines()
        self.assertRegex(header, r"^name +formula +mixture +residual +KKT +on manifold$")
        self.assertRegex(strontium, r"^SrTiO3 +SrTiO3 +O 0.6 .* \.\.\. .* yes$")
        self.assertRegex(oxygen, r"^O2 +O2 +O 1 .* yes$")
        self.assertIn("rows", result.stderr)

    def test_a_long_table_is_cut(self):
        self.write("list.txt", "".join(f"Mg{i}O\n" for i in range(1, 61)))
        self.transform("--file", "list.txt", "--out", "d.csv")

        lines = self.invert("d.csv").stdout.splitlines()
        self.assertEqual(len(lines), 1 + 50 + 1)
        self.assertEqual(lines[-1], "... and 10 more; --out writes them all")

    def test_what_is_no_mixture_gets_the_nearest_one_and_is_said_to_be_none(self):
        self.transform("SrTiO3", "--layout", "joint", "--out", "d.csv")
        header, row = csv.reader(io.StringIO(self.read("d.csv")))
        row[1:] = [repr(float(cell) + 0.01) for cell in row[1:]]
        self.write("d.csv", ",".join(header) + "\n" + ",".join(row) + "\n")
        result = self.invert("d.csv", "--out", "m.jsonl")

        line = json.loads(self.read("m.jsonl"))
        self.assertFalse(line["on_manifold"])
        self.assertGreater(line["residual"], 1e-3)
        self.assertAlmostEqual(sum(line["weights"].values()), 1, delta=1e-12)
        self.assertGreaterEqual(min(line["weights"].values()), 0)
        self.assertLess(line["kkt"], 1e-9)
        self.assertRegex(result.stderr.splitlines()[-1], r"^ *1 +0 ")

    def test_compat_rounds_to_twelve_decimals(self):
        self.transform("SrTiO3", "Mg0.00009Ni0.99991", "--out", "d.csv")
        self.invert("d.csv", "--compat", "--out", "m.jsonl")

        strontium, nickel = map(json.loads, self.read("m.jsonl").splitlines())
        self.assertEqual(strontium["weights"], {"O": 0.6, "Ti": 0.2, "Sr": 0.2})
        self.assertEqual(nickel["weights"], {"Mg": 0.00009, "Ni": 0.99991})

    def test_refuses_descriptors_of_something_else(self):
        self.write("c.csv", COMPONENTS)
        self.transform("MgO", "--n-grids", 6, "--out", "d.csv")
        settings = json.loads(self.read("d.csv.settings.json"))
        self.expect_failure("made with 94 components of 58 features", "invert", "d.csv", "--components", "c.csv",
                            "--out", "m.csv")
        self.write("edited.json", json.dumps({**settings, "kernel": "laplacian"}))
        self.expect_failure("edited.json: made with settings of the hash", "invert", "d.csv", "--settings",
                            "edited.json", "--out", "m.csv")
        self.write("other.json", json.dumps({**settings, "n_grids": 7, "width": 7 * 58}))
        self.expect_failure("d.csv:1: 349 values in a row", "invert", "d.csv", "--settings", "other.json", "--out",
                            "m.csv")
        self.write("broken.json", "{\"format\": ")
        self.expect_failure("broken.json: not JSON", "invert", "d.csv", "--settings", "broken.json", "--out", "m.csv")
        self.transform("MgO", "--descriptor", "statistics", "--out", "s.csv")
        self.expect_failure("these are summary statistics", "invert", "s.csv", "--out", "m.csv")

    def test_refuses_wrong_files(self):
        self.expect_failure("no.csv: there are no settings beside", "invert", "no.csv", "--out", "m.csv")
        self.transform("MgO", "SiO2", "--layout", "joint", "--out", "d.csv")
        lines = self.read("d.csv").splitlines()
        self.write("d.csv", lines[0] + "\n")
        self.expect_failure("d.csv: there are no descriptors", "invert", "d.csv", "--out", "m.csv")
        self.write("d.csv", "\n".join([lines[0], lines[1], re.sub(",[^,]*$", ",x", lines[2])]))
        self.expect_failure("d.csv:3: column 95 (Pu): a number is expected, not \"x\"", "invert", "d.csv", "--out",
                            "m.csv", "--weights", "w.csv")
        self.write("d.csv", "\n".join([lines[0].replace("H,", "Q,", 1), lines[1]]))
        self.expect_failure("d.csv:1: column 2 is called Q; by the settings it is H", "invert", "d.csv")

    def test_refuses_what_cannot_be_inverted(self):
        # One feature on two points cannot tell five components apart.
        components = self.write("c.csv", "name,size\nA,1\nB,2\nC,3.5\nD,4\nE,7\n")
        self.write("w.csv", "A\n1\n")
        self.transform("--components", components, "--weights", "w.csv", "--n-grids", 2, "--out", "d.csv")
        self.expect_failure("n_grids", "invert", "d.csv", "--components", components, "--out", "m.csv")

    def test_wrong_calls_are_refused_with_a_sentence(self):
        self.transform("MgO", "--layout", "joint", "--out", "d.csv")
        self.expect_failure("FILE is required", "invert", code=2)
        self.expect_failure("ends in .csv or .jsonl", "invert", "d.csv", "--out", "m.npy", code=2)
        self.expect_failure("ends in .csv or .npy", "invert", "d.csv", "--weights", "-", code=2)
        self.expect_failure("--top is for the table", "invert", "d.csv", "--top", 3, "--out", "m.csv")
        self.expect_failure("no/m.csv: cannot create", "invert", "d.csv", "--out", "no/m.csv")


class Map(Case):
    LIST = "formula,energy\nMgO,-3\nSiO2,-2.5\nNaCl,-2\nLiF,\nCaTiO3,-3.4\n"

    def map(self, *arguments):
        return self.good("map", *arguments)

    def test_draws_and_tabulates_the_compositions(self):
        self.write("list.csv", self.LIST)
        result = self.map("--file", "list.csv", "--colour", "energy", "--label", "E / eV", "--title", "Five",
                          "--out", "map.svg")

        rows = self.table("map.csv")
        self.assertEqual([row["formula"] for row in rows], ["MgO", "SiO2", "NaCl", "LiF", "CaTiO3"])
        self.assertEqual([row["energy"] for row in rows], ["-3", "-2.5", "-2", "", "-3.4"])
        for axis in ("pc1", "pc2"):  # centred
            self.assertAlmostEqual(sum(float(row[axis]) for row in rows), 0, delta=1e-12)
        svg = ElementTree.fromstring(self.read("map.svg"))
        texts = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
        for text in ("Five", "E / eV", "CaTiO3"):
            self.assertIn(text, texts)
        share = re.search(r"\n +1 +(\S+) +(\S+) +(\S+)\n +2 +(\S+) +(\S+) +(\S+)\n", result.stdout)
        self.assertGreater(float(share[1]), float(share[4]))
        self.assertAlmostEqual(float(share[2]) + float(share[5]), float(share[6]), delta=0.011)
        self.assertLessEqual(float(share[6]), 100)
        variance = sum(float(row["pc1"]) ** 2 for row in rows) / 4
        self.assertAlmostEqual(variance, float(share[1]), delta=1e-5 * variance)

    def test_takes_settings_from_a_file_and_replaces_them(self):
        self.write("list.csv", self.LIST)
        self.write("m.toml", 'title = "From the file"\n[descriptor]\nkind = "statistics"\n[colour]\ncolumn = "energy"\n')
        result = self.map("--config", "m.toml", "--file", "list.csv", "--out", "map.svg")
        self.assertIn("5 compositions, 232 columns, each divided by its standard deviation", result.stdout)
        self.assertIn("From the file", self.read("map.svg"))

        result = self.map("--config", "m.toml", "--file", "list.csv", "--no-standardise", "--title", "Mine",
                          "--descriptor", "kmd", "--n-grids", 3, "--out", "map.svg")
        self.assertIn("5 compositions, 174 columns\n", result.stdout)
        self.assertIn("Mine", self.read("map.svg"))

    def test_maps_formulas_without_a_property(self):
        self.map("MgO", "SiO2", "NaCl", "--out", "map.svg")

        self.assertEqual(list(self.table("map.csv")[0]), ["formula", "pc1", "pc2"])
        self.assertNotIn("linearGradient", self.read("map.svg"))

    def test_refuses_wrong_input_and_writes_nothing(self):
        self.write("list.csv", self.LIST)
        self.write("list.txt", "MgO\nSiO2\n")
        self.write("wrong.csv", "formula,energy\nMgO,-3\nSiO2,low\n")
        self.write("one.csv", "formula\nMgO\n")
        self.write("bad.toml", "[descriptor]\nkernel = \"box\"\n")
        out = ("--out", "map.svg")
        self.expect_failure("no column is called volume", "map", "--file", "list.csv", "--colour", "volume", *out)
        self.expect_failure("a table whose name ends in .csv is expected", "map", "--file", "list.txt", "--colour",
                            "energy", *out)
        self.expect_failure("wrong.csv:3: a number is expected in the column of values, not \"low\"", "map", "--file",
                            "wrong.csv", "--colour", "energy", *out)
        self.expect_failure("need two rows at least", "map", "--file", "one.csv", *out)
        self.expect_failure("which formulas on the command line do not have", "map", "MgO", "--file", "list.csv",
                            "--colour", "energy", *out)
        self.expect_failure("--low is for the colours of --colour", "map", "MgO", "SiO2", "--low", 1, *out)
        self.expect_failure("--high is expected to be above --low", "map", "--file", "list.csv", "--colour", "energy",
                            "--low", 1, "--high", 1, *out)
        self.expect_failure("bad.toml:2", "map", "--config", "bad.toml", "--file", "list.csv", *out)
        self.expect_failure("no.toml: cannot read this file", "map", "--config", "no.toml", "MgO", "SiO2", *out)
        self.expect_failure("ends in .svg", "map", "MgO", "SiO2", "--out", "map.png", code=2)
        self.expect_failure("no formula", "map", *out)
        self.expect_failure("--no-standardise", "map", "MgO", "SiO2", "--standardise", "--no-standardise", *out,
                            code=2)
        self.expect_failure("neither kernel nor grid", "map", "MgO", "SiO2", "--descriptor", "statistics", "--sigma",
                            1, *out)


class Help(Case):
    def test_every_command_has_an_example(self):
        for command in ("transform", "invert", "map"):
            result = self.run_command(command, "--help")
            self.assertEqual(result.returncode, 0)
            self.assertIn(f"Example:  kronite kmd {command}", result.stdout)


if __name__ == "__main__":
    unittest.main()
