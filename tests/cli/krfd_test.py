"""kronite krfd: artificial data, fits, predictions, samples, tuning, judging, comparing, wrong input."""

import csv
import io
import json
import math
import pathlib
import re
import signal
import struct
import time
import unittest
import xml.etree.ElementTree as ElementTree
from random import Random

from folder_case import CommandCase
from program import peak_memory, start, takes_memory_of_its_own

CURVES = ("--x", "X.csv", "--y", "Y.csv", "--t", "t.csv")
# What the tutorial's search found: good for any data of this kind, so that nothing has to be tuned.
GIVEN = ("--sigma-g", 1.96, "--sigma-t", 0.466, "--sigma-m", 13, "--lambda-g", 1.7e-4,
         "--lambda-t", 0.052, "--lambda-m", 1.5e-5)


class Case(CommandCase):
    command = "krfd"

    def rows(self, name):
        return list(csv.reader(io.StringIO(self.read(name))))

    def demo_data(self, systems=40, points=11):
        self.good("demo-data", "--out", ".", "--systems", systems, "--points", points)

    def model(self):
        self.demo_data()
        return self.good("fit", *CURVES, *GIVEN, "--out", "m.safetensors")


def numbers(row, first=1):
    return [float(cell) for cell in row[first:]]


class DemoData(Case):
    def test_is_the_formula_and_the_same_for_a_seed(self):
        self.good("demo-data", "--out", "a")
        self.good("demo-data", "--out", "b", "--seed", 1122)
        self.good("demo-data", "--out", "c", "--seed", 1)
        self.assertEqual(self.read("a/Y.csv"), self.read("b/Y.csv"))
        self.assertNotEqual(self.read("a/Y.csv"), self.read("c/Y.csv"))
        x, truth, t = self.rows("a/X.csv"), self.rows("a/Y_true.csv"), self.rows("a/t.csv")
        self.assertEqual((len(x), len(truth), len(t)), (1001, 1001, 52))
        self.assertEqual(x[0], ["id", "a", "b", "c", "d", "e"])
        self.assertEqual(truth[0][1:], [row[0] for row in t[1:]])
        for k in (1, 500, 1000):
            a, b, c, d, e = numbers(x[k])
            for j, value in enumerate(numbers(truth[k])):
                at = float(t[1 + j][0])
                self.assertAlmostEqual(value, a * math.sin(b * at + c) + d * at + e, places=12)

    def test_sparse_curves_have_points_of_their_own(self):
        self.good("demo-data", "--out", "s", "--sparse", "--systems", 30)
        long = self.rows("s/long.csv")
        self.assertEqual(long[0], ["id", "t", "y"])
        self.assertEqual({row[0] for row in long[1:]}, {row[0] for row in self.rows("s/X.csv")[1:]})

    def test_points_of_sparse_curves_are_refused(self):
        self.expect_failure("--points", "demo-data", "--out", "s", "--sparse", "--points", 5, code=2)


class Fit(Case):
    def test_prints_what_it_found(self):
        result = self.model()
        self.assertIn("sigma_g", result.stdout)
        self.assertIn("m.safetensors: 40 systems of 5 features, 11 points", result.stdout)
        self.assertIn("hyper-parameters: given", result.stdout)

    def test_tunes_by_evidence_when_nothing_is_given(self):
        self.demo_data(30, 9)
        result = self.good("fit", *CURVES, "--starts", 1, "--leave-one-out", "--out", "m.safetensors")
        self.assertRegex(result.stdout, r"hyper-parameters: evidence, log p = -\d+\.\d after \d+ evaluations on 30")
        self.assertIn("left out one by one", result.stdout)

    def test_a_dry_run_writes_nothing(self):
        self.demo_data()
        before = self.files()
        result = self.good("fit", *CURVES, "--dry-run")
        self.assertEqual(self.files(), before)
        for word in ("operations", "expected time", "memory", "by Cholesky factors (chosen)", "tiled, 40 rows", "pcg", "nystrom",
                     "nothing was written"):
            self.assertIn(word, result.stdout)

    def test_fits_of_many_systems_say_how_far_they_are_from_the_exact_one(self):
        self.model()
        pcg = self.good("fit", *CURVES, *GIVEN, "--solver", "pcg", "--centres", 15, "--out", "p.safetensors")
        self.assertRegex(pcg.stdout, r"conjugate gradients: \d+ iterations, residual \S+ of the right-hand side\n")
        few = self.good("fit", *CURVES, *GIVEN, "--solver", "nystrom", "--centres", 15, "--out", "n.safetensors")
        self.assertRegex(few.stdout, r"nystrom: 15 centres miss \S+ of k_G and \S+ of k_M")
        for name in ("m", "p", "n"):
            self.good("predict", "--model", name + ".safetensors", "--x", "X.csv", "--out", name + ".csv")
        exact, same = ([numbers(row) for row in self.rows(name)[1:]] for name in ("m.csv", "p.csv"))
        for one, other in zip(exact, same):
            for a, b in zip(one, other):
                self.assertAlmostEqual(a, b, delta=1e-4)
        self.good("predict", "--model", "n.safetensors", "--x", "X.csv", "--bands", "68,95", "--out", "bands.csv")
        self.assertTrue(self.rows("bands.csv"))

    def test_fits_in_tiles_are_those_of_whole_matrices(self):
        self.model()
        outputs = []
        for name, device in (("one", "cpu"), ("two", "cpu,cpu")):
            result = self.good("fit", *CURVES, *GIVEN, "--solver", "tiled", "--tile", 16, "--device", device,
                               "--out", name + ".safetensors")
            self.assertRegex(result.stdout, r"Cholesky factors in tiles of 16 rows, \S+ \S+ moved")
            self.good("predict", "--model", name + ".safetensors", "--x", "X.csv", "--out", name + ".csv")
            outputs.append(self.read(name + ".csv"))
        self.assertEqual(outputs[0], outputs[1])
        self.good("predict", "--model", "m.safetensors", "--x", "X.csv", "--out", "m.csv")
        exact, same = ([numbers(row) for row in self.rows(name)[1:]] for name in ("m.csv", "one.csv"))
        for one, other in zip(exact, same):
            for a, b in zip(one, other):
                self.assertAlmostEqual(a, b, delta=1e-7)  # penalties of 1e-5 on Gram matrices of size 40

    def test_options_of_other_methods_are_refused(self):
        self.demo_data()
        out = ("--out", "m.safetensors")
        self.expect_failure("--tile is for --solver tiled", "fit", *CURVES, *GIVEN, "--tile", 5, *out)
        self.expect_failure("2 devices were given; several are for --solver tiled", "fit", *CURVES, *GIVEN,
                            "--device", "cpu,cpu", *out)
        self.expect_failure("a fit by Cholesky factors, which has no eigenvalues", "fit", *CURVES, *GIVEN,
                            "--solver", "tiled", "--rank-tolerance", 1e-3, *out)
        self.expect_failure("--centres is for --solver pcg or nystrom", "fit", *CURVES, *GIVEN, "--centres", 5, *out)
        self.expect_failure("--tolerance is for --solver pcg", "fit", *CURVES, *GIVEN, "--solver", "nystrom",
                            "--tolerance", 1e-3, *out)
        self.expect_failure("--centres", "fit", *CURVES, *GIVEN, "--solver", "nystrom", "--centres", 0, *out, code=2)

    @unittest.skipIf(takes_memory_of_its_own(), "AddressSanitizer takes memory of its own")
    def test_memory_is_within_a_tenth_of_what_a_dry_run_says(self):
        self.demo_data(1500, 60)
        said = self.good("fit", *CURVES, *GIVEN, "--dry-run").stdout
        line = next(line for line in said.splitlines() if "(chosen)" in line)
        value, unit = re.search(r"([\d.]+) (MB|GB)\s*$", line).groups()
        said_bytes = float(value) * {"MB": 1e6, "GB": 1e9}[unit]
        code, peak = peak_memory("krfd", "fit", *CURVES, *GIVEN, "--out", "m.safetensors", cwd=self.folder)
        self.assertEqual(code, 0)
        self.assertLess(abs(peak / said_bytes - 1), 0.1, f"{peak / 1e6:.0f} MB, said {said_bytes / 1e6:.0f} MB")

    def test_reads_npy_as_it_reads_csv(self):
        self.model()
        for name in ("X", "Y", "t"):
            rows = [[float(c) for c in row[0 if name == "t" else 1:]] for row in self.rows(f"{name}.csv")[1:]]
            header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0])}), }}"
            header = header.ljust(117) + "\n"
            data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
            data += b"".join(struct.pack(f"<{len(row)}d", *row) for row in rows)
            (self.folder / f"{name}.npy").write_bytes(data)
        self.good("fit", "--x", "X.npy", "--y", "Y.npy", "--t", "t.npy", *GIVEN, "--out", "n.safetensors")
        means = [self.good("predict", "--model", model, "--x", "X.csv").stdout
                 for model in ("m.safetensors", "n.safetensors")]
        self.assertEqual(means[0], means[1])

    def test_wrong_tables(self):
        self.demo_data(5, 4)
        fit = ("fit", "--sigma-g", 1, "--out", "m.safetensors")
        good = {name: self.read(name) for name in ("X.csv", "Y.csv", "t.csv")}

        def refused(message, name, text):
            self.write(name, text)
            self.expect_failure(message, *fit, *CURVES)
            self.write(name, good[name])

        lines = good["X.csv"].splitlines()
        broken = lines[2].split(",")
        broken[3] = "nan"
        refused('X.csv:3: column 4 (c): a finite number is expected, not "nan"', "X.csv",
                "\n".join([*lines[:2], ",".join(broken), *lines[3:]]))
        refused("X.csv:3: 5 cells, the header has 6", "X.csv",
                "\n".join([*lines[:2], ",".join(broken[:5]), *lines[3:]]))
        refused("X.csv has 4 systems, and Y.csv has 5 curves", "X.csv", "\n".join(lines[:-1]))
        refused("rows of both belong together", "X.csv", good["X.csv"].replace("s4,", "z,"))
        refused("X.csv: this file is empty", "X.csv", "")
        refused("X.csv: rows of numbers are expected below the header", "X.csv", lines[0] + "\n")
        refused("t.csv has 3 points, and the curves of Y.csv have 4 values", "t.csv", "t\n0\n1\n2\n")
        refused("two columns are called a", "X.csv", good["X.csv"].replace("a,b", "a,a"))
        self.expect_failure("none.csv", *fit, "--x", "none.csv", "--y", "Y.csv", "--t", "t.csv")

    def test_wrong_options(self):
        self.demo_data(5, 4)
        self.expect_failure("--out is expected", "fit", *CURVES)
        self.expect_failure("is no number above 0", "fit", *CURVES, "--sigma-g", "1,-2", "--out", "m", code=2)
        self.expect_failure("has 2 length scales", "fit", *CURVES, "--sigma-g", "1,2", "--out", "m.safetensors")
        self.expect_failure("--journal is for", "fit", *CURVES, "--journal", "j", "--out", "m")
        self.expect_failure("no-folder", "fit", *CURVES, "--out", "no-folder/m.safetensors")

    def test_equal_systems_give_a_notice(self):
        self.demo_data(5, 4)
        x = self.read("X.csv").splitlines()
        x[3] = "s3," + x[2].split(",", 1)[1]
        self.write("X.csv", "\n".join(x))
        result = self.good("fit", *CURVES, "--sigma-g", 2, "--out", "m.safetensors")
        self.assertIn("1 of 5 systems have the features of another one", result.stderr)


class Predict(Case):
    def test_bands_hold_the_mean_and_widen(self):
        self.model()
        mean = {row[0]: numbers(row) for row in csv.reader(
            io.StringIO(self.good("predict", "--model", "m.safetensors", "--x", "X.csv").stdout)) if row[0] != "id"}
        self.assertEqual(len(mean), 40)
        self.good("predict", "--model", "m.safetensors", "--x", "X.csv", "--bands", "95,68", "--out", "b.csv")
        self.good("predict", "--model", "m.safetensors", "--x", "X.csv", "--bands", "68", "--noise", "--out", "n.csv")
        header, *rows = self.rows("b.csv")
        self.assertEqual(header, ["id", "t", "mean", "std", "low_68", "high_68", "low_95", "high_95"])
        self.assertEqual(len(rows), 40 * 11)
        for k, row in enumerate(rows):
            _, m, std, low, high, low95, high95 = numbers(row)
            self.assertEqual(m, mean[row[0]][k % 11])
            self.assertTrue(low95 < low < m < high < high95)
            self.assertAlmostEqual(high95 - m, 1.959963984540054 * std, places=12)
            self.assertGreater(float(self.rows_n(k)[3]), std)

    def test_bands_within_the_span_are_narrower(self):
        self.model()
        self.write("far.csv", "a,b,c,d,e\n90,90,90,90,90\n")
        for name, more in (("whole.csv", ()), ("span.csv", ("--within-span",))):
            self.good("predict", "--model", "m.safetensors", "--x", "far.csv", "--bands", 68, *more, "--out", name)
        for whole, span in zip(self.rows("whole.csv")[1:], self.rows("span.csv")[1:]):
            self.assertLess(float(span[3]), 1e-6)  # no training system is near
            self.assertGreater(float(whole[3]), 1)

    def rows_n(self, k):
        if not hasattr(self, "noisy"):
            self.noisy = self.rows("n.csv")[1:]
        return self.noisy[k]

    def test_says_where_it_extrapolates(self):
        self.model()
        self.write("more.csv", "t\n0.5\n2.5\n3\n")
        result = self.good("predict", "--model", "m.safetensors", "--x", "X.csv", "--t", "more.csv")
        self.assertIn("more.csv: 2 of 3 points lie outside of what the model was fitted to, 0 to 2", result.stderr)
        self.assertEqual(result.stdout.splitlines()[0], "id,0.5,2.5,3")

    def test_wrong_questions(self):
        self.model()
        predict = ("predict", "--model", "m.safetensors", "--out", "p.csv")
        self.write("few.csv", "a,b\n1,2\n")
        self.expect_failure("few.csv has 2 features; m.safetensors was fitted with 5", *predict, "--x", "few.csv")
        self.write("other.csv", self.read("X.csv").replace("a,b", "b,a"))
        self.expect_failure("feature 1 is called b; m.safetensors was fitted with a there", *predict, "--x", "other.csv")
        self.write("t2.csv", "t,u\n1,2\n")
        self.expect_failure("t2.csv has 2 coordinates a point", *predict, "--x", "X.csv", "--t", "t2.csv")
        self.expect_failure("--noise is for --bands", *predict, "--x", "X.csv", "--noise")
        self.expect_failure("--within-span is for --bands", *predict, "--x", "X.csv", "--within-span")
        self.expect_failure("percentages between 0 and 100", *predict, "--x", "X.csv", "--bands", "68,100", code=2)

    def test_refuses_what_is_no_model(self):
        self.model()
        data = (self.folder / "m.safetensors").read_bytes()
        predict = ("predict", "--x", "X.csv", "--model")
        (self.folder / "cut.safetensors").write_bytes(data[:-1])
        self.expect_failure("cut.safetensors", *predict, "cut.safetensors")
        (self.folder / "bad.safetensors").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        self.expect_failure("the file is damaged", *predict, "bad.safetensors")
        newer = data.replace(b'"format_version":"1"', b'"format_version":"9"')
        self.assertNotEqual(newer, data)
        (self.folder / "newer.safetensors").write_bytes(newer)
        self.expect_failure("newer than this program", *predict, "newer.safetensors")
        header = b'{"x":{"dtype":"F64","shape":[1,1],"data_offsets":[0,8]}}'
        (self.folder / "foreign.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
        self.expect_failure("it does not say what it is", *predict, "foreign.safetensors")


class Sample(Case):
    def test_draws_lie_around_the_mean(self):
        self.model()
        self.write("one.csv", "\n".join(self.read("X.csv").splitlines()[:3]))
        sample = ("sample", "--model", "m.safetensors", "--x", "one.csv", "--count", 400)
        self.good(*sample, "--out", "d.csv")
        self.good("predict", "--model", "m.safetensors", "--x", "one.csv", "--bands", 68, "--out", "b.csv")
        header, *draws = self.rows("d.csv")
        self.assertEqual(header[:3], ["id", "draw", "0"])
        self.assertEqual(len(draws), 800)
        for row in self.rows("b.csv")[1:]:
            t, mean, std = numbers(row)[:3]
            at = next(k for k, name in enumerate(header) if k > 1 and float(name) == t)
            values = [float(draw[at]) for draw in draws if draw[0] == row[0]]
            # The mean of 400 draws is within 5 of its standard errors.
            self.assertLess(abs(sum(values) / 400 - mean), 5 * std / 20)
        again = self.good(*sample)
        self.assertEqual(again.stdout, self.read("d.csv"))
        self.assertNotEqual(self.good(*sample, "--seed", 1).stdout, again.stdout)

    def test_no_draws_are_refused(self):
        self.model()
        self.expect_failure("--count", "sample", "--model", "m.safetensors", "--x", "X.csv", "--count", 0, code=2)


class Tune(Case):
    def test_climbs_print_what_fit_takes(self):
        self.demo_data(25, 8)
        result = self.good("tune", *CURVES, "--starts", 2)
        table = result.stdout.splitlines()
        self.assertIn("log evidence", table[0])
        self.assertEqual(len(table), 4)
        options = table[-1].split("krfd fit':", 1)[1].split()
        self.good("fit", *CURVES, *options, "--out", "m.safetensors")

    def test_goes_on_with_its_journal(self):
        self.demo_data(20, 6)
        tune = ("tune", *CURVES, "--by", "cross-validation", "--journal", "j.jsonl")
        self.good(*tune, "--trials", 6)
        self.good("tune", *CURVES, "--by", "cross-validation", "--journal", "whole.jsonl", "--trials", 10)
        result = self.good(*tune, "--trials", 10)
        whole = self.read("whole.jsonl").splitlines()
        self.assertEqual(len(self.read("j.jsonl").splitlines()), len(whole))
        losses = [sorted(json.loads(line).get("loss", 0) or 0 for line in self.read(name).splitlines())
                  for name in ("j.jsonl", "whole.jsonl")]
        self.assertEqual(losses[0], losses[1])
        self.assertRegex(result.stdout, r"MAE")

    def test_searches_with_the_kernel_that_was_asked_for(self):
        self.demo_data(15, 5)
        result = self.good("tune", *CURVES, "--by", "cross-validation", "--trials", 3, "--kernel-x", "matern52")
        self.assertIn("--kernel-x matern52", result.stdout)

    def test_a_journal_of_other_data_is_refused(self):
        self.demo_data(20, 6)
        tune = ("tune", *CURVES, "--by", "cross-validation", "--journal", "j.jsonl", "--trials", 2)
        self.good(*tune)
        self.good("demo-data", "--out", ".", "--systems", 20, "--points", 6, "--seed", 5)
        self.expect_failure("j.jsonl", *tune)

    def test_stops_on_interrupt_and_says_how_to_go_on(self):
        self.demo_data(60, 8)
        where = {name: str(self.folder / name) for name in ("X.csv", "Y.csv", "t.csv", "j.jsonl")}
        job = start("krfd", "tune", "--x", where["X.csv"], "--y", where["Y.csv"], "--t", where["t.csv"],
                    "--by", "cross-validation", "--journal", where["j.jsonl"], "--trials", 1000000)
        journal = self.folder / "j.jsonl"
        for _ in range(600):
            if journal.exists() and len(journal.read_text().splitlines()) > 2:
                break
            time.sleep(0.1)
        job.send_signal(signal.SIGINT)
        _, error = job.communicate(timeout=60)
        self.assertEqual(job.returncode, 130, error)
        self.assertIn("the same command goes on", error)

    def test_options_that_do_nothing_are_refused(self):
        self.demo_data(5, 4)
        self.expect_failure("--journal is for --by cross-validation", "tune", *CURVES, "--journal", "j")
        self.expect_failure("cross-validation searches everywhere", "tune", *CURVES, "--by", "cross-validation", "--ard")


class Evaluate(Case):
    def test_writes_tables_and_figures(self):
        self.demo_data(60, 11)
        result = self.good("evaluate", *CURVES, *GIVEN, "--splits", 3, "--out", "judged")
        self.assertRegex(result.stdout, r"MAE \d\.\d+ ± ")
        self.assertEqual(sorted(p.name for p in (self.folder / "judged").iterdir()),
                         ["curves.svg", "metrics.csv", "parity.svg", "predictions.csv", "residuals.svg"])
        for name in ("curves.svg", "parity.svg", "residuals.svg"):
            ElementTree.fromstring(self.read(f"judged/{name}"))
        header, *rows = self.rows("judged/metrics.csv")
        self.assertEqual([row[0] for row in rows], ["1", "2", "3", "mean", "std"])
        predictions = self.rows("judged/predictions.csv")[1:]
        self.assertEqual(len(predictions), 3 * 15 * 11)
        errors = [abs(float(row[3]) - float(row[4])) for row in predictions if row[0] == "2"]
        self.assertAlmostEqual(sum(errors) / len(errors), float(rows[1][header.index("MAE")]), places=12)
        inside = [abs(float(r[3]) - float(r[4])) <= 1.959963984540054 * float(r[6]) for r in predictions if r[0] == "2"]
        self.assertAlmostEqual(sum(inside) / len(inside), float(rows[1][header.index("within_95")]), places=12)

    def test_draws_a_learning_curve(self):
        self.demo_data(60, 11)
        result = self.good("evaluate", *CURVES, *GIVEN, "--splits", 2, "--learning-curve", "10,30", "--out", "judged")
        self.assertIn("learned from", result.stdout)
        header, *rows = self.rows("judged/learning_curve.csv")
        self.assertEqual([row[:2] for row in rows],
                         [["10", "1"], ["30", "1"], ["45", "1"], ["10", "2"], ["30", "2"], ["45", "2"]])
        mae = [float(row[header.index("MAE")]) for row in rows]
        # Four times the curves: the error falls by far more than splits differ.
        self.assertLess(mae[2], mae[0])
        self.assertLess(mae[5], mae[3])
        self.assertEqual(rows[2][2:], self.rows("judged/metrics.csv")[1][2:])
        ElementTree.fromstring(self.read("judged/learning_curve.svg"))
        self.expect_failure("a point of the learning curve has 46 systems; there are 45 to learn from", "evaluate",
                            *CURVES, *GIVEN, "--learning-curve", 46)

    def test_keeps_groups_together(self):
        self.demo_data(20, 6)
        self.write("groups.txt", "".join(f"{'abcde'[k % 5]}\n" for k in range(20)))
        evaluate = ("evaluate", *CURVES, *GIVEN, "--splits", 1, "--groups", "groups.txt")
        self.good(*evaluate, "--out", "judged")
        tested = {int(row[1][1:]) - 1 for row in self.rows("judged/predictions.csv")[1:]}
        # A quarter of 20 systems is 5; groups have 4, and a second one is begun.
        self.assertEqual(len(tested), 8)
        self.assertEqual(len({k % 5 for k in tested}), 2)
        self.expect_failure("--test-ids excludes --groups", "evaluate", *CURVES, *GIVEN, "--groups", "groups.txt",
                            "--test-ids", "groups.txt", code=2)
        self.write("groups.txt", "a\nb\n")
        self.expect_failure("groups.txt has 2 lines; one for each of 20 systems is expected", *evaluate)
        self.write("groups.txt", "a\n" * 20)
        self.expect_failure("all systems are of one group", *evaluate)
        self.write("groups.txt", "a\n\n" + "b\n" * 18)
        self.expect_failure("groups.txt:2: the name of a group is expected on each line", *evaluate)

    def test_tests_on_named_systems(self):
        self.demo_data(20, 6)
        self.write("ids.txt", "s3\ns17\n")
        self.good("evaluate", *CURVES, *GIVEN, "--test-ids", "ids.txt", "--out", "judged")
        self.assertEqual({row[1] for row in self.rows("judged/predictions.csv")[1:]}, {"s3", "s17"})

    def test_unknown_systems_are_refused(self):
        self.demo_data(20, 6)
        self.write("ids.txt", "s3\nnobody\n")
        self.expect_failure("ids.txt:2: there is no system nobody in X.csv", "evaluate", *CURVES, *GIVEN,
                            "--test-ids", "ids.txt", "--out", "judged")


class Compare(Case):
    CONFIG = ("[data]\nsystems = 40\npoints = 9\n[splits]\ncount = 2\n[krfd]\nstarts = 1\n"
              "[krr]\nsigmas = [1, 2, 4]\nlambdas = [1e-4, 1e-2]\n")

    def test_judges_all_methods_on_the_same_splits(self):
        self.write("c.toml", self.CONFIG)
        result = self.good("compare", "--config", "c.toml", "--out", "c.csv")
        for method in ("KRFD, evidence", "KRRs, one setting", "KRRs, tuned at each point", "FLM"):
            self.assertIn(method, result.stdout)
        rows = self.rows("c.csv")
        self.assertEqual(len(rows), 1 + 2 * 4)
        self.assertEqual({row[1] for row in rows[1:]}, {"1", "2"})

    def test_reads_tables(self):
        self.demo_data(40, 9)
        self.write("a.toml", self.CONFIG)
        self.write("b.toml", self.CONFIG.replace("systems = 40\npoints = 9",
                                                 'x = "X.csv"\ny = "Y.csv"\nt = "t.csv"'))
        self.good("compare", "--config", "a.toml", "--out", "a.csv")
        self.good("compare", "--config", "b.toml", "--out", "b.csv")
        # The tables hold all digits of the artificial curves.
        self.assertEqual([row[:5] for row in self.rows("a.csv")], [row[:5] for row in self.rows("b.csv")])

    def test_splits_by_group_and_tunes_all_methods(self):
        self.demo_data(40, 9)
        self.write("groups.txt", "".join(f"{k // 2}\n" for k in range(40)))
        config = self.CONFIG.replace("systems = 40\npoints = 9", 'x = "X.csv"\ny = "Y.csv"\nt = "t.csv"').replace(
            "count = 2", 'count = 2\ngroups = "groups.txt"') + "[flm]\nlambdas = [1e-3, 1e3]\nfolds = 3\n"
        self.write("c.toml", config)
        self.good("compare", "--config", "c.toml", "--out", "c.csv")
        self.write("one.toml", config.replace("lambdas = [1e-3, 1e3]", "lambda = 1e-3"))
        self.good("compare", "--config", "one.toml", "--out", "one.csv")
        self.write("m.toml", config.replace("[krr]\n", '[krr]\nkernel = "matern32"\n').replace(
            "[krfd]\n", '[krfd]\nkernel_x = "matern32"\n'))
        self.good("compare", "--config", "m.toml", "--out", "m.csv")
        for gaussian, matern in zip(self.rows("c.csv")[1:], self.rows("m.csv")[1:]):
            self.assertEqual(gaussian[2] == matern[2], gaussian[0] == "FLM", gaussian[0])  # which has no such kernel
        self.write("n.toml", config.replace("[krr]\n", '[krr]\nkernel = "cosine"\n'))
        self.expect_failure("matern32", "compare", "--config", "n.toml")
        flm = [[row for row in self.rows(name) if row[0] == "FLM"] for name in ("c.csv", "one.csv")]
        # A ridge of 1,000 flattens every curve: the smaller one is chosen.
        self.assertEqual([row[:6] for row in flm[0]], [row[:6] for row in flm[1]])

    def test_unknown_settings_are_refused(self):
        self.write("c.toml", "[krfd]\nstart = 1\n")
        self.expect_failure("c.toml:2", "compare", "--config", "c.toml")


class TablesOfOthers(Case):
    """The shipped settings for tables that are not public, on made-up ones of the same shape: the electronic density
    of states at a hundredth of its 13,000 x 580 x 200, the plasma with all of its 108 spectra."""

    def stand_in(self, systems, features, points, spread):
        random = Random(7)
        centres = [[random.gauss(0, spread) for _ in range(features)] for _ in range(systems)]
        groups = [k // 2 if k < 10 else k for k in range(systems)]
        x = [centres[group] for group in groups]
        t = [-5 + 10 * j / (points - 1) for j in range(points)]
        y = [[math.exp(-(at - 2 * math.tanh(row[0])) ** 2) + 0.3 * math.exp(-(at - 3) ** 2) * row[1] +
              random.gauss(0, 0.02) for at in t] for row in x]

        def table(name, header, rows, names):
            self.write(name, "\n".join(",".join(map(str, row)) for row in [header, *([n, *r] for n, r in
                                                                                   zip(names, rows))]) + "\n")

        names = [f"g{group}" for group in groups]
        table("X.csv", ["formula", *(f"f{k}" for k in range(features))], x, names)
        table("Y.csv", ["formula", *t], y, names)
        self.write("t.csv", "t\n" + "".join(f"{at}\n" for at in t))
        self.write("groups.txt", "".join(f"{name}\n" for name in names))

    def compare(self, config, splits):
        text = (pathlib.Path(__file__).resolve().parents[2] / "configs" / config).read_text(encoding="utf-8")
        self.write("c.toml", re.sub(r"count = \d+", f"count = {splits}", re.sub(r"starts = \d+", "starts = 1", text)))
        self.good("compare", "--config", "c.toml", "--out", "c.csv")
        header, *rows = self.rows("c.csv")
        self.assertEqual(len(rows), 4 * splits)
        # Every method learns something of curves that hang on two of the features.
        for row in rows:
            self.assertGreater(float(row[header.index("R2")]), 0.1, row[0])

    def test_electronic_density_of_states(self):
        self.stand_in(130, 58, 20, 0.15)
        self.compare("krfd_electronic_dos.toml", 2)
        dry = self.good("fit", *CURVES, "--tune-on", 100, "--dry-run")
        self.assertIn("130 systems of 58 features, 20 points", dry.stdout)

    def test_plasma(self):
        self.stand_in(108, 4, 40, 0.7)
        self.compare("krfd_plasma.toml", 2)


class Help(Case):
    def test_every_command_has_an_example(self):
        for command in ("demo-data", "fit", "predict", "sample", "tune", "evaluate", "compare"):
            result = self.good(command, "--help")
            self.assertRegex(result.stdout, r"Examples?:\s+kronite krfd " + re.escape(command))


if __name__ == "__main__":
    unittest.main()
