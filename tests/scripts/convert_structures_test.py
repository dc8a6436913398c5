"""scripts/convert-structures on small tables; the Parquet half is skipped where pyarrow is absent.

The path of the kronite program, which reads the results, is the environment variable KRONITE.
"""
import gzip
import importlib.util
import json
import lzma
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "convert-structures"
KRONITE = os.environ["KRONITE"]
needs_pyarrow = unittest.skipUnless(importlib.util.find_spec("pyarrow"), "needs pyarrow (not installed)")
needs_pandas = unittest.skipUnless(
    importlib.util.find_spec("pandas") and importlib.util.find_spec("pymatgen"),
    "needs pandas and pymatgen (not installed)")


def rocksalt(cation, edge):
    """pymatgen's dictionary of the primitive cell, with keys that kronite does not need."""
    half = edge / 2
    return {
        "@module": "pymatgen.core.structure", "@class": "Structure", "charge": 0,
        "lattice": {"matrix": [[0.0, half, half], [half, 0.0, half], [half, half, 0.0]], "a": edge},
        "sites": [{"species": [{"element": element, "occu": 1}], "abc": [x, x, x], "label": element}
                  for element, x in ((cation, 0.0), ("O", 0.5))],
    }


def summary(identifier, cation, edge, **more):
    return {"material_id": identifier, "formula_pretty": cation + "O", "deprecated": False,
            "energy_above_hull": 0.0, "formation_energy_per_atom": -3.0,
            "structure": rocksalt(cation, edge), **more}


def optimade(identifier, cation, edge, species):
    half = edge / 2
    return {
        "immutable_id": identifier, "elements": [cation, "O"], "nperiodic_dimensions": 3,
        "lattice_vectors": [[0.0, half, half], [half, 0.0, half], [half, half, 0.0]],
        "cartesian_site_positions": [[0.0, 0.0, 0.0], [half, half, half]],
        "species": species, "species_at_sites": [cation, "O"],
    }


def species_of(*symbols):
    return [{"name": s, "chemical_symbols": [s], "concentration": [1.0]} for s in symbols]


class ConvertStructures(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def convert(self, *arguments, out="out.jsonl"):
        return subprocess.run([sys.executable, SCRIPT, *map(str, arguments), "--out", out],
                              cwd=self.folder, capture_output=True, text=True, timeout=120)

    def lines(self, name="out.jsonl"):
        opener = gzip.open if name.endswith(".gz") else open
        with opener(self.folder / name, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def templates(self, name="out.jsonl", *options):
        """Rows of `kronite templates list` after building a library from the output."""
        run = lambda *a: subprocess.run([KRONITE, "templates", *a], cwd=self.folder,
                                        capture_output=True, text=True, timeout=120)
        built = run("build", "--from", name, "--out", "out.ktl", *options)
        self.assertEqual(built.returncode, 0, built.stderr)
        return sorted(run("list", "out.ktl").stdout.splitlines()[1:])

    def expect_failure(self, result, words):
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(words, result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        self.assertFalse((self.folder / "out.jsonl").exists())
        self.assertFalse((self.folder / "out.jsonl.part").exists())


@needs_pyarrow
class Parquet(ConvertStructures):
    def write(self, name, rows):
        import pyarrow
        from pyarrow import parquet
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=2)

    def test_materials_project_documents_become_json_lines_that_kronite_reads(self):
        self.write("mp/version=2025-01-01/part-0.parquet", [
            summary("mp-1", "Mg", 4.21, builder_meta={"license": "BY-C", "batch_id": None}),
            summary("mp-2", "Ca", 4.81, builder_meta={"license": "BY-NC", "batch_id": "b"}),
            summary("mp-3", "Sr", 5.16, builder_meta={"license": None, "batch_id": None}),
        ])

        done = self.convert("parquet", "mp", "--license", "CC-BY-4.0", out="out.jsonl.gz")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("3 structures", done.stdout)
        records = self.lines("out.jsonl.gz")
        self.assertEqual([r["material_id"] for r in records], ["mp-1", "mp-2", "mp-3"])
        self.assertNotIn("a", records[0]["structure"]["lattice"])
        rows = self.templates("out.jsonl.gz", "--allow-license", "BY-C,BY-NC")
        self.assertEqual([row.split(",")[0] for row in rows], ["mp-1", "mp-2", "mp-3"])
        self.assertIn("BY-NC", rows[1])
        self.assertIn("BY-C", rows[2])

    def test_structures_may_be_json_text(self):
        row = summary("mp-1", "Mg", 4.21)
        self.write("one.parquet", [{**row, "structure": json.dumps(row["structure"])}])

        self.assertEqual(self.convert("parquet", "one.parquet").returncode, 0)

        self.assertEqual(self.lines()[0]["structure"]["sites"][1]["abc"], [0.5, 0.5, 0.5])

    def test_numbers_that_are_none_are_left_out(self):
        self.write("mp.parquet", [summary("mp-1", "Mg", 4.21), summary("mp-2", "Ca", 4.81)
                                  | {"energy_above_hull": float("nan")}])

        self.assertEqual(self.convert("parquet", "mp.parquet").returncode, 0)

        first, second = self.lines()
        self.assertEqual(first["energy_above_hull"], 0)
        self.assertNotIn("energy_above_hull", second)

    def test_optimade_columns_become_an_exchange_file(self):
        self.write("bulk.parquet", [
            optimade("agm1", "Mg", 4.21, json.dumps(species_of("Mg", "O"))),
            optimade("oqmd-2", "Ca", 4.81, json.dumps(species_of("Ca", "O"))),
        ])

        done = self.convert("parquet", "bulk.parquet", "--license", "CC-BY-4.0", "--source", "LeMat-Bulk")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("x-optimade", self.lines()[0])
        rows = self.templates()
        self.assertTrue(rows[0].startswith("agm1,MgO,1:1,225,2,"), rows[0])
        self.assertTrue(rows[1].startswith("oqmd-2,CaO,1:1,225,2,"), rows[1])
        self.assertIn("BY-C,LeMat-Bulk", rows[1])

    def test_of_a_delta_table_only_the_newest_version_counts(self):
        for name, cation in (("old.parquet", "Mg"), ("kept.parquet", "Ca"), ("new one.parquet", "Sr")):
            self.write(f"table/{name}", [summary("mp-" + cation, cation, 4.5)])
        log = self.folder / "table" / "_delta_log"
        log.mkdir()
        add = lambda name: json.dumps({"add": {"path": name}})
        (log / f"{0:020d}.json").write_text("\n".join(
            ['{"metaData":{}}', add("old.parquet"), add("kept.parquet")]))
        (log / f"{1:020d}.json").write_text("\n".join(
            ['{"remove":{"path":"old.parquet"}}', add("new%20one.parquet")]))

        self.assertEqual(self.convert("parquet", "table").returncode, 0)

        self.assertEqual(sorted(r["material_id"] for r in self.lines()), ["mp-Ca", "mp-Sr"])

    def test_a_delta_checkpoint_replaces_the_commits_before_it(self):
        for name, cation in (("old.parquet", "Mg"), ("kept.parquet", "Ca"), ("new.parquet", "Sr")):
            self.write(f"table/{name}", [summary("mp-" + cation, cation, 4.5)])
        log = self.folder / "table" / "_delta_log"
        self.write(f"table/_delta_log/{5:020d}.checkpoint.parquet",
                   [{"add": {"path": "old.parquet"}}, {"add": {"path": "kept.parquet"}}, {"add": None}])
        (log / "_last_checkpoint").write_text('{"version":5,"size":3}')
        (log / f"{4:020d}.json").write_text('{"add":{"path":"forgotten.parquet"}}')
        (log / f"{6:020d}.json").write_text(
            '{"remove":{"path":"old.parquet"}}\n{"add":{"path":"new.parquet"}}')

        self.assertEqual(self.convert("parquet", "table").returncode, 0)

        self.assertEqual(sorted(r["material_id"] for r in self.lines()), ["mp-Ca", "mp-Sr"])

    def test_a_bad_row_is_left_out_by_name(self):
        self.write("two.parquet", [summary("mp-1", "Mg", 4.21), {"material_id": "mp-2", "structure": None}])

        done = self.convert("parquet", "two.parquet")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("two.parquet, row 2", done.stderr)
        self.assertEqual(len(self.lines()), 1)

    def test_wrong_input_gets_one_sentence(self):
        (self.folder / "text.parquet").write_text("no")
        self.write("other.parquet", [{"formula": "MgO"}])
        self.write("table/part.parquet", [summary("mp-1", "Mg", 4.21)])
        (self.folder / "table" / "_delta_log").mkdir()
        (self.folder / "table" / "_delta_log" / f"{0:020d}.json").write_text(
            '{"add":{"path":"part.parquet","deletionVector":{"storageType":"u"}}}')
        (self.folder / "empty").mkdir()

        self.expect_failure(self.convert("parquet", "text.parquet"), "not a Parquet file")
        self.expect_failure(self.convert("parquet", "other.parquet"), "there are: formula")
        self.expect_failure(self.convert("parquet", "table"), "marked as deleted")
        self.expect_failure(self.convert("parquet", "empty"), "no .parquet file in this folder")
        self.expect_failure(self.convert("parquet", "missing"), "no such file or folder")


class WithoutPyarrow(ConvertStructures):
    @unittest.skipIf(importlib.util.find_spec("pyarrow"), "pyarrow is installed")
    def test_says_what_parquet_needs(self):
        self.expect_failure(self.convert("parquet", "any.parquet"), "pip install pyarrow")


class Pickle(ConvertStructures):
    def write(self, name, value):
        opener = lzma.open if name.endswith(".xz") else open
        with opener(self.folder / name, "wb") as file:
            pickle.dump(value, file)

    def test_a_table_of_ids_and_structures_becomes_json_lines(self):
        self.write("MP_structures.pkl", {"material_id": ["mp-1", "mp-2"],
                                         "structure": [rocksalt("Mg", 4.21), rocksalt("Ca", 4.81)],
                                         "formation_energy_per_atom": [float("nan"), -3.2]})

        done = self.convert("pickle", "MP_structures.pkl", "--trust", "--license", "CC-BY-4.0")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([r["formation_energy_per_atom"] for r in self.lines()], [None, -3.2])
        rows = self.templates()
        self.assertTrue(rows[0].startswith("mp-1,MgO,1:1,225,2,"), rows[0])
        self.assertIn("BY-C", rows[1])

    def test_mappings_and_lists_of_structures_are_read_too(self):
        self.write("mapping.pkl.xz", {"a": rocksalt("Mg", 4.21), "b": rocksalt("Ca", 4.81)})
        self.write("list.pkl", [rocksalt("Mg", 4.21)])

        self.assertEqual(self.convert("pickle", "mapping.pkl.xz", "--trust").returncode, 0)
        self.assertEqual([r["material_id"] for r in self.lines()], ["a", "b"])
        self.assertEqual(self.convert("pickle", "list.pkl", "--trust").returncode, 0)
        self.assertEqual(len(self.lines()), 1)

    @needs_pandas
    def test_a_pandas_table_of_pymatgen_structures_is_read(self):
        import pandas
        from pymatgen.core import Structure
        structure = Structure.from_dict(rocksalt("Mg", 4.21)).add_oxidation_state_by_guess()
        pandas.DataFrame(
            {"structure": [structure], "pretty_formula": ["MgO"], "formation_energy_per_atom": [-3.0]},
            index=pandas.Index(["mp-1"], name="id")).to_pickle(self.folder / "stable.pd.xz")

        done = self.convert("pickle", "stable.pd.xz", "--trust")

        self.assertEqual(done.returncode, 0, done.stderr)
        record = self.lines()[0]
        self.assertEqual((record["material_id"], record["pretty_formula"]), ("mp-1", "MgO"))
        self.assertTrue(self.templates()[0].startswith("mp-1,MgO,1:1,225,2,"))

    def test_a_pickle_is_not_opened_unless_it_is_trusted(self):
        marker = self.folder / "marker"

        class Runs:
            def __reduce__(self):
                return os.mkdir, (str(marker),)

        self.write("evil.pkl", Runs())

        self.expect_failure(self.convert("pickle", "evil.pkl"), "--trust")
        self.assertFalse(marker.exists())

    def test_wrong_input_gets_one_sentence(self):
        (self.folder / "text.pkl").write_text("no")
        self.write("number.pkl", 7)
        self.write("tables.pkl", {"property": ["x"]})
        (self.folder / "module.pkl").write_bytes(b"cno_such_package\nThing\n.")

        for name, words in (("text.pkl", "pickle"), ("number.pkl", "of type int"),
                            ("tables.pkl", "of type dict"), ("module.pkl", "pip install no_such_package"),
                            ("missing.pkl", "No such file")):
            with self.subTest(name):
                self.expect_failure(self.convert("pickle", name, "--trust"), words)

    def test_the_name_of_the_output_is_checked(self):
        self.write("list.pkl", [rocksalt("Mg", 4.21)])

        done = self.convert("pickle", "list.pkl", "--trust", out="out.csv")

        self.assertEqual(done.returncode, 2)
        self.assertIn("does not end in .jsonl", done.stderr)


if __name__ == "__main__":
    unittest.main()
