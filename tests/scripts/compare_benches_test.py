"""bench/compare.py on results as Google Benchmark writes them."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

COMPARE = pathlib.Path(__file__).resolve().parents[2] / "bench" / "compare.py"


def result(seconds, commit, **errors):
    runs = [{"name": f"{name}/real_time", "seconds": value, "share": 0.5} for name, value in seconds.items()]
    runs += [{"name": f"{name}/real_time", "error_occurred": True, "error_message": why}
             for name, why in errors.items()]
    return {"context": {"processor": "P", "commit": commit, "cpu_1_thread": "CPU, 1 thread"}, "benchmarks": runs}


class CompareBenches(unittest.TestCase):
    def compare(self, old, new, *options):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name, content in (("old.json", old), ("new.json", new)):
                paths.append(pathlib.Path(folder) / name)
                paths[-1].write_text(content if isinstance(content, str) else json.dumps(content))
            return subprocess.run([sys.executable, COMPARE, *paths, *options], capture_output=True, text=True)

    def test_says_how_many_times_faster(self):
        done = self.compare(result({"a/cpu": 2.0, "b/cpu": 1.0}, "one"), result({"a/cpu": 1.0, "b/cpu": 1.5}, "two"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("commit: one -> two", done.stdout)
        self.assertRegex(done.stdout, r"a/cpu +2 +1 +2\.00 +0\.50")
        self.assertRegex(done.stdout, r"b/cpu +1 +1\.5 +0\.67 +0\.50")

    def test_fails_when_one_is_worse_than_allowed(self):
        old, new = result({"a": 1.0, "b": 1.0}, "one"), result({"a": 1.05, "b": 1.2}, "two")
        done = self.compare(old, new, "--worse", "1.1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("slower by more than 1.1: b\n", done.stderr)
        self.assertEqual(self.compare(old, new, "--worse", "1.3").returncode, 0)

    def test_names_what_only_one_file_has_and_what_was_not_measured(self):
        done = self.compare(result({"a": 1.0, "gone": 1.0}, "one"), result({"a": 1.0}, "two", big="needs 9.0 GiB"))
        self.assertIn("only in the old file: gone", done.stdout)
        self.assertIn("only in the new file: big", done.stdout)
        done = self.compare(result({"a": 1.0, "big": 1.0}, "one"), result({"a": 1.0}, "two", big="needs 9.0 GiB"))
        self.assertIn("not compared: big: needs 9.0 GiB", done.stdout)

    def test_refuses_what_is_no_result(self):
        for wrong in ("", "[]", '{"context": {}}', '{"context": {}, "benchmarks": [1]}'):
            done = self.compare(wrong, result({"a": 1.0}, "two"))
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("is not a result of scripts/bench", done.stderr)
            self.assertNotIn("Traceback", done.stderr)
        done = self.compare(result({"a": 1.0}, "one"), result({"b": 1.0}, "two"))
        self.assertIn("no measurement in common", done.stderr)


if __name__ == "__main__":
    unittest.main()
