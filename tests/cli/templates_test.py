"""kronite templates, as a user runs it. The program's path is the environment variable KRONITE."""

import csv
import json
import pathlib
import signal
import time
import unittest

from folder_case import FolderCase
from program import run, start


def salt(cation, anion, identifier, edge=4.1, occupancy=1, **more):
    """A Materials Project style line: caesium chloride type."""
    sites = [{"species": [{"element": cation, "occu": 1}], "abc": [0, 0, 0]},
             {"species": [{"element": anion, "occu": occupancy}], "abc": [0.5, 0.5, 0.5]}]
    matrix = [[edge, 0, 0], [0, edge, 0], [0, 0, edge]]
    return json.dumps({"material_id": identifier, **more,
                       "structure": {"lattice": {"matrix": matrix}, "sites": sites}}) + "\n"


class TemplatesTest(FolderCase):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "out.ktl"

    def build(self, *arguments):
        return run("templates", "build", *arguments, "--out", self.out)

    def test_builds_lists_and_describes_a_library(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "one") + salt("Cs", "Br", "two"))

        built = self.build("--from", source)
        listed = run("templates", "list", self.out)
        info = run("templates", "info", self.out)

        self.assertEqual(built.returncode, 0, built.stderr)
        self.assertRegex(built.stdout, r"kept +2")
        rows = list(csv.DictReader(listed.stdout.splitlines()))
        self.assertEqual([row["formula"] for row in rows], ["CsCl", "CsBr"])
        self.assertEqual(rows[0]["space_group"], "221")
        self.assertAlmostEqual(float(rows[0]["volume_per_atom"]), 4.1**3 / 2, places=3)
        self.assertIn("2 templates", info.stdout)

    def test_succeeds_when_something_was_kept_and_says_what_was_not(self):
        lines = [salt("Cs", "Cl", f"bad{n}", occupancy=0.5) for n in range(8)]
        source = self.write("a.jsonl", "".join(lines) + salt("K", "Br", "good") + "no json\n")

        done = self.build("--from", source)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("a.jsonl:1 (bad0): disordered", done.stderr)
        self.assertIn("4 more", done.stderr)

    def test_reports_every_structure_left_out_as_csv_or_json_lines(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "bad", occupancy=0.5) + "no json\n" +
                            salt("K", "Br", "high", energy_above_hull=0.3) +
                            salt("K", "Br", "low", edge=4.2, energy_above_hull=0.1) +
                            salt("Na", "F", "nc", license="CC-BY-NC-4.0"))
        expected = [("a.jsonl:1", "bad", "CsCl", "disordered"), ("a.jsonl:2", "", "", "unreadable"),
                    ("a.jsonl:5", "nc", "NaF", "license"), ("a.jsonl:3", "high", "KBr", "polymorph")]
        for name in ("left.csv", "left.jsonl"):
            with self.subTest(name):
                report = self.folder / name

                done = self.build("--from", source, "--report", report)

                self.assertEqual(done.returncode, 0, done.stderr)
                text = report.read_text(encoding="utf-8")
                rows = (list(csv.DictReader(text.splitlines())) if name.endswith(".csv")
                        else [json.loads(line) for line in text.splitlines()])
                self.assertEqual([(pathlib.Path(row["where"]).name, row["id"], row["formula"],
                                   row["reason"]) for row in rows], expected)

    def test_refuses_a_report_of_no_known_kind_before_it_begins(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "one"))

        done = self.build("--from", source, "--report", "left.txt")

        self.assertEqual(done.returncode, 2)
        self.assertIn(".csv or .jsonl", done.stderr)
        self.assertFalse(self.out.exists())

    def test_takes_the_licences_it_is_told_to(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "by", license="CC-BY-4.0") +
                            salt("K", "Br", "nc", license="BY-NC") + salt("Na", "F", "none"))
        for allowed, kept in ((None, {"CsCl", "NaF"}), ("BY-NC", {"KBr"}),
                              ("BY-C,unknown", {"CsCl", "NaF"})):
            with self.subTest(allowed):
                done = self.build("--from", source,
                                  *([] if allowed is None else ["--allow-license", allowed]))

                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("licence not allowed", done.stdout)
                rows = csv.DictReader(run("templates", "list", self.out).stdout.splitlines())
                self.assertEqual({row["formula"] for row in rows}, kept)
        self.assertIn("is no licence",
                      self.build("--from", source, "--allow-license", "free, as in beer").stderr)

    def test_exports_what_builds_the_same_library(self):
        choice = ["--ratio", "3:1:1"]
        before = run("templates", "list", *choice).stdout
        for form, name in (("cif", "cifs"), ("extxyz", "all.extxyz"), ("jsonl", "all.jsonl")):
            with self.subTest(form):
                exported = run("templates", "export", *choice, "--format", form, "--out",
                               self.folder / name)
                built = self.build("--from", self.folder / name, "--keep-polymorphs")

                self.assertEqual(exported.returncode, 0, exported.stderr)
                self.assertEqual(built.returncode, 0, built.stderr)
                after = run("templates", "list", self.out).stdout
                # The volume over that fitted to the whole library depends on the library.
                self.assertEqual(self.without(after, "volume_over_fit"),
                                 self.without(before, "volume_over_fit"))
        again = run("templates", "export", *choice, "--out", self.folder / "cifs")
        self.assertEqual(again.returncode, 1)
        self.assertIn("not an empty folder", again.stderr)

    def without(self, listing, column):
        return [{k: v for k, v in row.items() if k != column}
                for row in csv.DictReader(listing.splitlines())]

    def test_merges_libraries_by_the_same_choice(self):
        parts = []
        for name, energy in (("a", 0.3), ("b", 0.1)):
            source = self.write(f"{name}.jsonl", salt("K", "Br", name, energy_above_hull=energy))
            parts.append(self.folder / f"{name}.ktl")
            run("templates", "build", "--from", source, "--out", parts[-1])

        done = run("templates", "merge", *parts, "--out", self.out)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"a better structure of the same formula +1\n")
        rows = list(csv.DictReader(run("templates", "list", self.out).stdout.splitlines()))
        self.assertEqual([row["id"] for row in rows], ["b"])

    def test_shows_one_template_in_words_and_as_a_file(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "mp-149", formation_energy_per_atom=-2.5))
        self.build("--from", source)

        words = run("templates", "show", "mp-aaft", self.out)

        self.assertEqual(words.returncode, 0, words.stderr)
        for part in ("# mp-149: CsCl, ratio 1:1", "Pm-3m, 221, cubic", "-2.5000 eV/atom", "8 (",
                     "data_mp-149", "_space_group_symop_operation_xyz"):
            self.assertIn(part, words.stdout)
        for form, begins in (("cif", "data_mp-149"), ("poscar", "CsCl mp-149"), ("extxyz", "2\n"),
                             ("json", '{"formula_pretty":"CsCl"')):
            text = run("templates", "show", "mp-149", self.out, "--format", form).stdout
            self.assertTrue(text.startswith(begins), text)
        unknown = run("templates", "show", "mp-1", self.out)
        self.assertEqual(unknown.returncode, 1)
        self.assertIn('no template with the id "mp-1"', unknown.stderr)

    def test_lists_what_a_filter_lets_through(self):
        def formulas(*arguments):
            listed = run("templates", "list", *arguments)
            self.assertEqual(listed.returncode, 0, listed.stderr)
            return {row["formula"] for row in csv.DictReader(listed.stdout.splitlines())}

        self.assertEqual(formulas("--formula", "O3TiSr"), {"SrTiO3"})
        held = formulas("--elements", "Ti,O")
        self.assertIn("SrTiO3", held)
        self.assertTrue(all("Ti" in f and "O" in f for f in held), held)
        self.assertLess(formulas("--elements", "Ti,O", "--space-group", "221"), held)
        self.assertEqual(formulas("--ratio", "2:6:2"), formulas("--ratio", "3:1:1"))
        unknown = run("templates", "list", "--ratio", "ABX3")
        self.assertEqual(unknown.returncode, 1)
        self.assertIn('"ABX3" is no composition ratio such as 3:1:1', unknown.stderr)
        self.assertEqual(run("templates", "list", "--elements", "Xx").returncode, 1)
        self.assertEqual(run("templates", "list", "--space-group", "231").returncode, 2)

    def test_fails_when_nothing_was_kept(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "bad", occupancy=0.5))

        done = self.build("--from", source)

        self.assertEqual(done.returncode, 1)
        self.assertIn("none of the 1 structures", done.stderr)
        self.assertIn("(bad): disordered", done.stderr)
        self.assertFalse(self.out.exists())

    def test_leaves_out_the_formulas_of_a_list(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "one") + salt("K", "Br", "two"))
        formulas = self.write("test.txt", "Cl2Cs2  # held out\n")

        done = self.build("--from", source, "--exclude-formulas", formulas)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"--exclude-formulas +1\n")
        self.assertNotIn("CsCl", run("templates", "list", self.out).stdout)

    def test_names_file_and_line_of_a_bad_formula_in_the_list(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "one"))
        formulas = self.write("test.txt", "NaCl\nXx2\n")

        done = self.build("--from", source, "--exclude-formulas", formulas)

        self.assertEqual(done.returncode, 1)
        self.assertIn("test.txt:2", done.stderr)

    def test_describes_the_demo_set_without_a_file(self):
        info = run("templates", "info")

        self.assertEqual(info.returncode, 0, info.stderr)
        self.assertIn("demo set", info.stdout)

    def test_lists_one_ratio(self):
        rows = list(csv.DictReader(run("templates", "list", "--ratio", "3:1:1").stdout.splitlines()))

        self.assertGreater(len(rows), 3)
        self.assertEqual({row["ratio"] for row in rows}, {"3:1:1"})

    def test_refuses_files_that_are_not_libraries(self):
        for content, words in (("", "empty"), ("hello, this is a text", "not a template library")):
            with self.subTest(words):
                done = run("templates", "info", self.write("bad.ktl", content))
                self.assertEqual(done.returncode, 1)
                self.assertIn(words, done.stderr)
        self.assertEqual(run("templates", "info", self.folder / "missing.ktl").returncode, 1)

    def test_says_where_it_cannot_write(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "one"))

        done = run("templates", "build", "--from", source, "--out", "/proc/library.ktl")

        self.assertEqual(done.returncode, 1)
        self.assertIn("/proc/library.ktl", done.stderr)

    def test_says_before_it_begins_where_it_cannot_write_the_report(self):
        source = self.write("a.jsonl", salt("Cs", "Cl", "one"))

        done = self.build("--from", source, "--report", self.folder / "none" / "left.csv")

        self.assertEqual(done.returncode, 1)
        self.assertIn("left.csv: cannot create this file", done.stderr)
        self.assertFalse(self.out.exists())

    def test_goes_on_where_an_interrupted_or_killed_build_was(self):
        elements = ["Li", "Na", "K", "Rb", "Cs", "Cu", "Ag", "Au"]
        lines = [salt(a, b, f"{a}{b}{n}", 3 + 0.0001 * n)
                 for n in range(40) for a in elements for b in ("F", "Cl", "Br", "I")]
        source = self.write("a.jsonl", "".join(lines))
        journal = self.folder / "out.ktl.journal"

        self.interrupt(signal.SIGKILL, source, journal)
        killed = journal.stat().st_size
        errors = self.interrupt(signal.SIGINT, source, journal)
        resumed = self.build("--from", source, "--keep-polymorphs")
        whole = run("templates", "build", "--from", source, "--keep-polymorphs", "--out",
                    self.folder / "whole.ktl")

        self.assertGreater(killed, 1000)
        self.assertIn("The same command goes on from here", errors)
        self.assertIn("going on after the first", resumed.stderr)
        self.assertEqual(whole.returncode, 0, whole.stderr)
        self.assertEqual(self.out.read_bytes(), (self.folder / "whole.ktl").read_bytes())
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()),
                         ["a.jsonl", "out.ktl", "whole.ktl"])

    def interrupt(self, number, source, journal):
        """Starts a build and sends it a signal once its journal has grown; gives its messages."""
        before = journal.stat().st_size if journal.exists() else 0
        process = start("templates", "build", "--from", source, "--keep-polymorphs", "--out",
                        self.out)
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None:
            if journal.exists() and journal.stat().st_size > before + 1000:
                break
            time.sleep(0.01)
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 130 if number == signal.SIGINT else -number, errors)
        self.assertFalse(self.out.exists())
        return errors

    def test_helps_with_examples(self):
        for command in ("build", "export", "info", "list", "merge", "show"):
            self.assertIn("Example", run("templates", command, "--help").stdout)

    def test_the_examples_of_the_demo_set_run(self):
        for command in ("info", "list", "show"):
            example = run("templates", command, "--help").stdout.split("kronite templates ")[-2]

            done = run("templates", *example.split())

            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreater(len(done.stdout.splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
