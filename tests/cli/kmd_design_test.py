"""kronite kmd design and search: tables, files, and wrong input."""

import csv
import json
import math
import unittest

from folder_case import CommandCase

COMPONENTS = "name,size,charge\nA,1,0.3\nB,2,-1\nC,3.5,0.1\nD,4,0.9\nE,7,0.5\n"


class Case(CommandCase):
    command = "kmd"

    def read_csv(self, name):
        return list(csv.DictReader(self.read(name).splitlines()))

    def read_lines(self, name):
        return [json.loads(line) for line in self.read(name).splitlines()]


class DesignTest(Case):
    def test_other_titanates_come_first(self):
        result = self.good(
            "design", "--target", "CaTiO3", "--allow", "Ca,Zr,Hf,Sn,O", "--require", "Ca", "--neutral",
            "--atoms", "5", "--n-grids", "10")
        head, *table = result.stdout.splitlines()
        self.assertIn("CaTiO3", head)
        self.assertIn("proved", head)
        self.assertEqual([line.split()[2] for line in table[1:4]], ["CaZrO3", "CaHfO3", "CaSnO3"])
        self.assertIn("Zr+4", table[1])
        self.assertIn("O-2", table[1])

    def test_csv_and_json_lines_say_the_same(self):
        arguments = ["design", "--target", "CaTiO3", "--forbid", "Ti radioactive noble", "--most-elements", "3",
                     "--neutral", "--oxidation", "V:3,5", "--atoms", "8", "--top", "4", "--n-grids", "10"]
        self.good(*arguments, "--out", "d.csv")
        self.good(*arguments, "--out", "d.jsonl")

        rows, (line,) = self.read_csv("d.csv"), self.read_lines("d.jsonl")

        self.assertEqual(len(rows), 4)
        self.assertTrue(line["complete"])
        self.assertEqual(line["proved"], 4)
        self.assertLessEqual(line["relaxed"], line["proposals"][0]["distance"])
        self.assertEqual([row["formula"] for row in rows], [one["formula"] for one in line["proposals"]])
        for rank, (row, one) in enumerate(zip(rows, line["proposals"]), start=1):
            self.assertEqual(float(row["rank"]), rank)
            self.assertEqual(float(row["distance"]), one["distance"])
            self.assertEqual(row["proved"], "yes")
            self.assertEqual(sum(one["amounts"][e] * one["states"][e] for e in one["amounts"]), 0)
            self.assertAlmostEqual(sum(one["weights"].values()), 1, places=12)
            self.assertNotIn("Ti", one["weights"])
            self.assertLessEqual(sum(one["amounts"].values()), 8)

    def test_fractions_keep_their_bounds(self):
        self.good(
            "design", "--target", "LiFePO4", "--require", "Na", "--bounds", "Li:-0.05 O:0.5-0.6 P:0.1",
            "--most-elements", "4", "--least", "0.02", "--n-grids", "10", "--out", "d.jsonl")
        (line,) = self.read_lines("d.jsonl")
        self.assertEqual(len(line["proposals"]), 10)
        for one in line["proposals"]:
            weights = one["weights"]
            self.assertIsNone(one["formula"])
            self.assertGreaterEqual(weights["Na"], 0.02)
            self.assertTrue(0.5 <= weights["O"] <= 0.6)
            self.assertEqual(weights["P"], 0.1)
            self.assertLessEqual(weights.get("Li", 0), 0.05)
            self.assertLessEqual(len(weights), 4)

    def test_targets_of_a_file_and_the_mean_of_formulas(self):
        self.good("transform", "SrTiO3", "BaTiO3", "--n-grids", "10", "--out", "t.csv")
        self.good("design", "--file", "t.csv", "--atoms", "5", "--top", "1", "--out", "d.csv")
        self.assertEqual([(row["target"], row["formula"]) for row in self.read_csv("d.csv")],
                         [("SrTiO3", "SrTiO3"), ("BaTiO3", "BaTiO3")])

        self.good("design", "--target", "SrTiO3", "BaTiO3", "--mean", "--most-elements", "4", "--atoms",
                            "10", "--top", "1", "--n-grids", "10", "--out", "m.jsonl")
        (line,) = self.read_lines("m.jsonl")
        self.assertEqual(line["proposals"][0]["amounts"], {"O": 6, "Ti": 2, "Sr": 1, "Ba": 1})
        self.assertLess(line["proposals"][0]["distance"], 1e-9)

    def test_components_of_any_kind(self):
        self.write("c.csv", COMPONENTS)
        self.write("w.csv", "name,A,B,C\nmix,0.5,0.25,0.25\n")
        self.good("transform", "--weights", "w.csv", "--components", "c.csv", "--n-grids", "5", "--out",
                            "w.jsonl")
        self.good("design", "--file", "w.jsonl", "--components", "c.csv", "--forbid", "B", "--neutral",
                            "--oxidation", "A:1 C:-1 D:-2;E:+1", "--atoms", "6", "--top", "3", "--out", "d.jsonl")
        (line,) = self.read_lines("d.jsonl")
        states = {"A": 1, "C": -1, "D": -2, "E": 1}
        for one in line["proposals"]:
            self.assertEqual(sum(states[name] * amount for name, amount in one["amounts"].items()), 0)
            self.assertEqual({name: states[name] for name in one["amounts"]}, one["states"])

    def test_an_unfinished_search_says_so(self):
        result = self.good("design", "--target", "YBa2Cu3O7", "--forbid", "Cu,Y,Ba", "--most-elements", "5",
                                     "--atoms", "26", "--neutral", "--nodes", "40", "--n-grids", "10")
        self.assertIn("no other is closer than", result.stdout)
        self.assertIn("proved", result.stdout)

    def test_wrong_input(self):
        target = ["design", "--target", "CaTiO3", "--n-grids", "10"]
        for message, arguments in [
            ("no target", ["design"]),
            ("Ti is both required and forbidden", [*target, "--require", "Ti", "--forbid", "Ti"]),
            ("there is no component 'Xx'", [*target, "--allow", "Xx,O"]),
            ("--bounds \"Li\"", [*target, "--bounds", "Li"]),
            ("--bounds \"Li:a-b\"", [*target, "--bounds", "Li:a-b"]),
            ("the bounds of Li are 0.4 and 0.3", [*target, "--bounds", "Li:0.4-0.3"]),
            ("--oxidation is for --neutral", [*target, "--oxidation", "Fe:2"]),
            ("integers are expected", [*target, "--neutral", "--oxidation", "Fe:x"]),
            ("He is required, but has no oxidation state", [*target, "--neutral", "--require", "He"]),
            ("no choice of oxidation states is neutral", [*target, "--neutral", "--allow", "Ca,Sr"]),
            ("--mean is for several formulas", ["design", "--file", "x.csv", "--mean"]),
            ("--settings is for --file", [*target, "--settings", "x.json"]),
            ("are two kinds of targets", [*target, "--file", "x.csv"]),
            ("Xy", ["design", "--target", "Xy2"]),
        ]:
            with self.subTest(message):
                self.expect_failure(message, *arguments, "--out", "never.csv")
        self.expect_failure(".csv or .jsonl is expected", *target, "--out", "d.txt", code=2)


class SearchTest(Case):
    LIBRARY = ["SrTiO3", "BaTiO3", "CaTiO3", "NaCl", "KCl", "Fe2O3", "Ti3Sr3O9", "Si"]

    def setUp(self):
        super().setUp()
        self.write("library.txt", "\n".join(self.LIBRARY) + "\n")

    def test_the_nearest_of_a_list(self):
        result = self.good("search", "SrTiO3", "NaCl", "--library", "library.txt", "--top", "3",
                                     "--n-grids", "10")
        rows = [line.split() for line in result.stdout.splitlines()]
        self.assertEqual(rows[0], ["query", "rank", "neighbour", "distance", "row"])
        self.assertEqual(rows[1], ["SrTiO3", "1", "SrTiO3", "0", "1"])
        self.assertEqual(rows[2][:3] + rows[2][4:], ["SrTiO3", "2", "Ti3Sr3O9", "7"])
        self.assertEqual(rows[4][:3], ["NaCl", "1", "NaCl"])
        self.assertEqual(rows[5][2], "KCl")

    def test_formulas_and_descriptors_give_the_same(self):
        self.good("transform", "--file", "library.txt", "--n-grids", "10", "--out", "library.npy")
        self.good("transform", "CaTiO3", "KBr", "--n-grids", "10", "--out", "queries.jsonl")
        self.good("search", "CaTiO3", "KBr", "--library", "library.txt", "--n-grids", "10", "--out", "a.csv")
        self.good("search", "CaTiO3", "KBr", "--library-descriptors", "library.npy", "--out", "b.csv")
        self.good("search", "--query-descriptors", "queries.jsonl", "--library-descriptors", "library.npy",
                            "--out", "c.jsonl")

        first, second, third = self.read_csv("a.csv"), self.read_csv("b.csv"), self.read_lines("c.jsonl")

        self.assertEqual(len(first), 2 * len(self.LIBRARY))
        for a, b, c in zip(first, second, third):
            self.assertEqual((a["query"], a["neighbour"], a["row"]), (b["query"], b["neighbour"], b["row"]))
            self.assertEqual((c["query"], c["neighbour"], c["row"]), (b["query"], b["neighbour"], int(b["row"])))
            self.assertTrue(math.isclose(float(a["distance"]), float(b["distance"]), abs_tol=1e-9))
            self.assertTrue(math.isclose(c["distance"], float(b["distance"]), abs_tol=1e-12))

    def test_without_queries_the_neighbours_of_all_but_itself(self):
        self.good("search", "--library", "library.txt", "--top", "1", "--n-grids", "10", "--out", "n.csv")
        nearest = {row["query"]: row["neighbour"] for row in self.read_csv("n.csv")}
        self.assertEqual(len(nearest), len(self.LIBRARY))
        self.assertEqual(nearest["SrTiO3"], "Ti3Sr3O9")
        self.assertEqual(nearest["Ti3Sr3O9"], "SrTiO3")
        self.assertEqual(nearest["NaCl"], "KCl")

    def test_wrong_input(self):
        self.good("transform", "CaTiO3", "--n-grids", "10", "--out", "a.csv")
        self.good("transform", "CaTiO3", "--n-grids", "9", "--out", "b.csv")
        for message, arguments in [
            ("give --library with formulas or --library-descriptors", ["SrTiO3"]),
            ("two kinds of queries", ["SrTiO3", "--query-descriptors", "a.csv", "--library", "library.txt"]),
            ("leave out --layout", ["--library-descriptors", "a.csv", "--n-grids", "10"]),
            ("were made with different settings",
             ["--library-descriptors", "a.csv", "--query-descriptors", "b.csv"]),
            ("missing.txt", ["SrTiO3", "--library", "missing.txt"]),
            ("Xx", ["Xx2", "--library", "library.txt"]),
        ]:
            with self.subTest(message):
                self.expect_failure(message, "search", *arguments, "--out", "never.csv")


if __name__ == "__main__":
    unittest.main()
