"""kronite krfd on curves with points of their own: fits, predictions, samples, tuning, judging, wrong input."""

import math
import unittest
import xml.etree.ElementTree as ElementTree

from krfd_test import Case, numbers
from program import run

LONG = ("--x", "X.csv", "--long", "long.csv")
GIVEN = ("--sigma-g", 2.5, "--sigma-t", 0.6, "--sigma-m", 8, "--lambda-g", 1e-3, "--lambda-t", 1e-2,
         "--lambda-m", 1e-4)
RIDGE = ("--method", "krsfd", "--sigma-g", 1.4, "--sigma-t", 0.13, "--lambda", 0.06)


class LongCase(Case):
    def run_command(self, *arguments):
        """On one thread: these problems are small, and threads that wait for each other are slow on busy machines."""
        threads = () if arguments[0] == "demo-data" else ("--threads", 1)
        return run("krfd", *arguments, *threads, cwd=self.folder)

    def demo_data(self, systems=40):
        self.good("demo-data", "--out", ".", "--sparse", "--systems", systems)

    def models(self):
        self.demo_data()
        self.good("fit", *LONG, *GIVEN, "--out", "krfd.safetensors")
        self.good("fit", *LONG, *RIDGE, "--out", "krsfd.safetensors")
        return "krfd.safetensors", "krsfd.safetensors"


class Fit(LongCase):
    def test_prints_what_it_fitted(self):
        self.demo_data()
        count = len(self.rows("long.csv")) - 1
        result = self.good("fit", *LONG, *GIVEN, "--out", "m.safetensors")
        self.assertIn("sigma_m", result.stdout)
        self.assertIn(f"m.safetensors: {count} measurements of 40 systems of 5 features", result.stdout)
        self.assertIn("hyper-parameters: given", result.stdout)
        result = self.good("fit", *LONG, *RIDGE, "--out", "r.safetensors")
        self.assertIn("sigma_x", result.stdout)

    def test_tunes_by_evidence_when_nothing_is_given(self):
        self.demo_data(15)
        for method in ("krfd", "krsfd"):
            result = self.good("fit", *LONG, "--method", method, "--starts", 1, "--grid-points", 8,
                               "--out", "m.safetensors")
            self.assertRegex(result.stdout, r"hyper-parameters: evidence, log p = -?\d+\.\d after \d+ evaluations on 15")

    def test_columns_by_name_and_a_grid_of_ones_own(self):
        self.models()
        rows = self.rows("long.csv")[1:]
        self.write("other.csv", "note,y,id,t\n" + "".join(f"x,{y},{i},{t}\n" for i, t, y in rows))
        self.write("grid.csv", "t\n" + "".join(f"{2 * k / 19!r}\n" for k in range(20)))
        other = ("--x", "X.csv", "--long", "other.csv", "--id-column", "id", "--t-columns", "t", "--y-column", "y",
                 "--grid", "grid.csv")
        self.good("fit", *other, *GIVEN, "--out", "a.safetensors")
        self.good("fit", *LONG, "--grid", "grid.csv", *GIVEN, "--out", "b.safetensors")
        means = [self.good("predict", "--model", model, "--x", "X.csv").stdout
                 for model in ("a.safetensors", "b.safetensors")]
        self.assertEqual(means[0], means[1])

    def test_a_dry_run_writes_nothing(self):
        self.demo_data()
        before = self.files()
        result = self.good("fit", *LONG, "--dry-run")
        self.assertEqual(self.files(), before)
        for word in ("operations", "expected time", "GB of memory", "nothing was written"):
            self.assertIn(word, result.stdout)

    def test_wrong_tables(self):
        self.demo_data(5)
        fit = ("fit", *LONG, *GIVEN, "--out", "m.safetensors")
        good = self.read("long.csv")
        lines = good.splitlines()

        def refused(message, text):
            self.write("long.csv", text)
            self.expect_failure(message, *fit)
            self.write("long.csv", good)

        refused("long.csv:3: there is no system z in X.csv", "\n".join([*lines[:2], "z,0,1", *lines[2:]]))
        refused("has this point a second time; the first one is in line 2", "\n".join([*lines, lines[1]]))
        refused('long.csv:2: column 2 (t): a finite number is expected, not "inf"',
                "\n".join([lines[0], "s1,inf,1", *lines[2:]]))
        refused("long.csv: this file is empty", "")
        self.expect_failure("none.csv", "fit", "--x", "X.csv", "--long", "none.csv", "--out", "m.safetensors")
        self.write("grid2.csv", "t,u\n0,0\n1,1\n")
        self.expect_failure("grid2.csv has 2 coordinates a point, and long.csv has 1", *fit, "--grid", "grid2.csv")

    def test_wrong_options(self):
        self.demo_data(5)
        fit = ("fit", *LONG, "--out", "m.safetensors")
        self.expect_failure("--long", "fit", "--x", "X.csv", "--y", "Y.csv", "--long", "long.csv", "--out", "m", code=2)
        self.expect_failure("--y and --t are expected, or --long", "fit", "--x", "X.csv", "--out", "m")
        self.expect_failure("--method", "fit", "--x", "X.csv", "--method", "krsfd", "--out", "m", code=2)
        self.expect_failure("are for --method krsfd", *fit, "--lambda", 1)
        self.expect_failure("are for krfd", *fit, *RIDGE, "--sigma-m", 1)
        self.expect_failure("one length scale for all columns", *fit, "--method", "krsfd", "--sigma-g", "1,2,3,4,5")
        self.expect_failure("is for curves at common points", *fit, "--tune", "cross-validation")
        self.expect_failure("is for curves at common points", *fit, "--leave-one-out")
        self.expect_failure("is for curves at common points", "tune", *LONG, "--by", "cross-validation")

    def test_curves_of_one_point_and_systems_without_any(self):
        self.demo_data(6)
        first = {}
        for row in self.rows("long.csv")[1:]:
            first.setdefault(row[0], row)
        del first["s3"]
        self.write("long.csv", "id,t,y\n" + "".join(",".join(row) + "\n" for row in first.values()))
        result = self.good("fit", *LONG, *GIVEN, "--out", "m.safetensors")
        self.assertIn("1 of 6 systems of X.csv have no row in long.csv; they are left out", result.stderr)
        self.assertIn("5 measurements of 5 systems", result.stdout)


class Predict(LongCase):
    def test_bands_hold_the_mean_at_common_points_and_at_points_of_each(self):
        for model in self.models():
            self.good("predict", "--model", model, "--x", "X.csv", "--bands", "95,68", "--out", "b.csv")
            header, *rows = self.rows("b.csv")
            self.assertEqual(header, ["id", "t", "mean", "std", "low_68", "high_68", "low_95", "high_95"])
            self.assertEqual(len(rows), 40 * 30)  # points of the grid
            for row in rows:
                _, mean, std, low, high, low95, high95 = numbers(row)
                self.assertTrue(low95 < low < mean < high < high95)
                self.assertAlmostEqual(high95 - mean, 1.959963984540054 * std, places=12)
            self.good("predict", "--model", model, "--x", "X.csv", "--at", "long.csv", "--bands", "68", "--noise",
                      "--out", "p.csv")
            self.good("predict", "--model", model, "--x", "X.csv", "--at", "long.csv", "--out", "m.csv")
            points, means = self.rows("p.csv")[1:], self.rows("m.csv")[1:]
            wanted = self.rows("long.csv")[1:]
            self.assertEqual([row[:2] for row in points], [row[:2] for row in wanted])
            self.assertEqual([row[:2] for row in means], [row[:2] for row in wanted])
            for row, mean in zip(points, means):
                self.assertAlmostEqual(float(row[2]), float(mean[2]), places=9)
            # What was learned from is fitted: far better than the curves' own spread of about 3.
            error = sum(abs(float(a[2]) - float(b[2])) for a, b in zip(means, wanted)) / len(wanted)
            self.assertLess(error, 0.5)

    def test_points_of_each_for_a_model_of_common_points(self):
        self.good("demo-data", "--out", ".", "--systems", 12, "--points", 7)
        self.good("fit", "--x", "X.csv", "--y", "Y.csv", "--t", "t.csv", *GIVEN, "--out", "m.safetensors")
        self.good("predict", "--model", "m.safetensors", "--x", "X.csv", "--bands", 68, "--out", "all.csv")
        self.write("some.csv", "id,t\ns7,2\ns1,0\n")
        self.good("predict", "--model", "m.safetensors", "--x", "X.csv", "--at", "some.csv", "--bands", 68,
                  "--out", "some_out.csv")
        everything = {(row[0], float(row[1])): numbers(row, 2) for row in self.rows("all.csv")[1:]}
        rows = self.rows("some_out.csv")[1:]
        self.assertEqual([row[0] for row in rows], ["s7", "s1"])
        for row in rows:
            for got, expected in zip(numbers(row, 2), everything[row[0], float(row[1])]):
                self.assertAlmostEqual(got, expected, places=10)

    def test_says_where_it_extrapolates(self):
        model, _ = self.models()
        self.write("more.csv", "t\n0.5\n2.5\n")
        result = self.good("predict", "--model", model, "--x", "X.csv", "--t", "more.csv")
        self.assertIn("1 of 2 points t lie outside the range that the model was trained on", result.stderr)

    def test_wrong_questions(self):
        krfd, krsfd = self.models()
        predict = ("predict", "--out", "p.csv", "--x", "X.csv", "--model")
        self.write("ids.csv", "id,t\ns1,0\nnobody,0\n")
        self.expect_failure("ids.csv:3: there is no system nobody in X.csv", *predict, krfd, "--at", "ids.csv")
        self.expect_failure("--at has points for each system", *predict, krfd, "--at", "ids.csv", "--t", "long.csv")
        self.expect_failure("--within-span is for --bands", *predict, krsfd, "--within-span")
        self.write("few.csv", "a,b\n1,2\n")
        self.expect_failure("few.csv has 2 features", "predict", "--x", "few.csv", "--model", krfd)
        data = (self.folder / krfd).read_bytes()
        (self.folder / "bad.safetensors").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        self.expect_failure("the file is damaged", *predict, "bad.safetensors")


class Sample(LongCase):
    def test_draws_lie_around_the_mean(self):
        for model in self.models():
            self.write("one.csv", "\n".join(self.read("X.csv").splitlines()[:3]))
            self.write("few.csv", "t\n0.2\n1.1\n")
            ask = ("--model", model, "--x", "one.csv", "--t", "few.csv")
            self.good("sample", *ask, "--count", 400, "--out", "d.csv")
            self.good("predict", *ask, "--bands", 68, "--out", "b.csv")
            header, *draws = self.rows("d.csv")
            self.assertEqual(header, ["id", "draw", "0.2", "1.1"])
            for row in self.rows("b.csv")[1:]:
                t, mean, std = numbers(row)[:3]
                values = [float(draw[header.index(f"{t:g}")]) for draw in draws if draw[0] == row[0]]
                # The mean of 400 draws is within 5 of its standard errors.
                self.assertLess(abs(sum(values) / 400 - mean), 5 * std / 20)


class Tune(LongCase):
    def test_climbs_print_what_fit_takes(self):
        self.demo_data(12)
        for method in ("krfd", "krsfd"):
            result = self.good("tune", *LONG, "--method", method, "--starts", 2, "--grid-points", 8)
            table = result.stdout.splitlines()
            self.assertIn("log evidence", table[0])
            self.assertEqual(len(table), 4)
            options = table[-1].split("krfd fit':", 1)[1].split()
            self.good("fit", *LONG, *options, "--grid-points", 8, "--out", "m.safetensors")


class Evaluate(LongCase):
    def test_writes_tables_and_figures(self):
        self.demo_data(60)
        result = self.good("evaluate", *LONG, *GIVEN, "--splits", 3, "--out", "judged")
        self.assertRegex(result.stdout, r"MAE \d\.\d+ ± ")
        self.assertEqual(sorted(p.name for p in (self.folder / "judged").iterdir()),
                         ["curves.svg", "metrics.csv", "parity.svg", "predictions.csv", "residuals.svg"])
        for name in ("curves.svg", "parity.svg", "residuals.svg"):
            ElementTree.fromstring(self.read(f"judged/{name}"))
        header, *rows = self.rows("judged/metrics.csv")
        self.assertEqual([row[0] for row in rows], ["1", "2", "3", "mean", "std"])
        predictions = self.rows("judged/predictions.csv")[1:]
        errors = [abs(float(row[3]) - float(row[4])) for row in predictions if row[0] == "2"]
        self.assertAlmostEqual(sum(errors) / len(errors), float(rows[1][header.index("MAE")]), places=12)
        inside = [abs(float(r[3]) - float(r[4])) <= 1.959963984540054 * float(r[6]) for r in predictions if r[0] == "2"]
        self.assertAlmostEqual(sum(inside) / len(inside), float(rows[1][header.index("within_95")]), places=12)
        tested = {row[1] for row in predictions if row[0] == "1"}
        self.assertEqual(len(tested), 15)

    def test_systems_of_equal_features_stay_in_one_part(self):
        self.demo_data(24)
        x = self.rows("X.csv")
        for k in range(1, 25):
            x[k][1:] = x[1 + (k - 1) % 8][1:]
        self.write("X.csv", "".join(",".join(row) + "\n" for row in x))
        self.good("evaluate", *LONG, *GIVEN, "--splits", 2, "--out", "judged")
        for split in ("1", "2"):
            tested = {int(row[1][1:]) % 8 for row in self.rows("judged/predictions.csv")[1:] if row[0] == split}
            self.assertEqual(len(tested), 2)

    def test_completed_bands_hold_more(self):
        krfd, _ = self.models()
        predict = ("predict", "--model", krfd, "--x", "X.csv", "--bands", 68, "--out")
        self.good(*predict, "wide.csv")
        self.good(*predict, "plain.csv", "--within-span")
        more = 0
        for plain, wide in zip(self.rows("plain.csv")[1:], self.rows("wide.csv")[1:]):
            self.assertEqual(plain[:3], wide[:3])
            self.assertGreaterEqual(float(wide[3]), float(plain[3]) * (1 - 1e-9))
            more += float(wide[3]) > float(plain[3])
        self.assertGreater(more, 0)

    def test_tests_on_named_systems(self):
        self.demo_data(20)
        self.write("ids.txt", "s3\ns17\n")
        self.good("evaluate", *LONG, *RIDGE, "--test-ids", "ids.txt", "--out", "judged")
        self.assertEqual({row[1] for row in self.rows("judged/predictions.csv")[1:]}, {"s3", "s17"})


class Compare(LongCase):
    CONFIG = ("[data]\nsparse = true\nsystems = 40\ngrid_points = 8\n[splits]\ncount = 2\n"
              "[tuning]\nstarts = 1\ntune_on = 15\nfolds = 3\n[krsfd]\nsigma_x = 1.4\nsigma_t = 0.2\nlambda = 0.06\n"
              "[krr]\nsigmas = [1, 2, 4]\nlambdas = [1e-4, 1e-2]\n[flm]\nsigmas_t = [0.5, 1]\nlambdas = [0.1, 1]\n")

    def test_judges_all_methods_on_the_same_splits(self):
        self.write("c.toml", self.CONFIG)
        result = self.good("compare", "--config", "c.toml", "--out", "c.csv")
        for method in ("KRFD, evidence", "KRSFD, evidence", "KRSFD, as given", "FLM",
                       "KRRs on interpolated curves, one setting", "KRRs on interpolated curves, tuned at each point"):
            self.assertIn(method, result.stdout)
        rows = self.rows("c.csv")
        self.assertEqual(len(rows), 1 + 2 * 6)
        for row in rows[1:]:
            self.assertTrue(math.isfinite(float(row[2])))

    def test_reads_tables(self):
        self.demo_data(40)
        self.write("a.toml", self.CONFIG)
        self.write("b.toml", self.CONFIG.replace("sparse = true\nsystems = 40", 'x = "X.csv"\nlong = "long.csv"'))
        self.good("compare", "--config", "a.toml", "--out", "a.csv")
        self.good("compare", "--config", "b.toml", "--out", "b.csv")
        # The tables hold all digits of the artificial curves.
        self.assertEqual([row[:5] for row in self.rows("a.csv")], [row[:5] for row in self.rows("b.csv")])

    def test_wrong_settings_are_refused(self):
        self.write("c.toml", self.CONFIG.replace("starts = 1", "start = 1"))
        self.expect_failure("c.toml:8", "compare", "--config", "c.toml")
        self.write("c.toml", self.CONFIG.replace("sparse = true", 'sparse = true\nlong = "long.csv"'))
        self.expect_failure("x and long belong together", "compare", "--config", "c.toml")


if __name__ == "__main__":
    unittest.main()
