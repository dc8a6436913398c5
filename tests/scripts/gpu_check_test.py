"""scripts/gpu-check: what it says before it begins. What it does needs a build and a GPU."""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/gpu-check"


def check(*arguments):
    return subprocess.run([SCRIPT, *map(str, arguments)], capture_output=True, text=True)


class GpuCheck(unittest.TestCase):
    def test_help_names_every_part(self):
        done = check("--help")
        self.assertEqual(done.returncode, 0)
        for part in ("build", "test", "sanitize", "bench", "sweep", "agree", "peers"):
            self.assertIn(part, done.stdout)
            self.assertIn(f"\npart_{part}() {{\n", SCRIPT.read_text())

    def test_other_parts_are_refused_with_those_that_there_are(self):
        for part in ("tests", "", "build test"):
            done = check("--part", part)
            self.assertEqual(done.returncode, 1)
            self.assertIn("build test sanitize bench sweep agree peers", done.stderr)

    @unittest.skipIf(shutil.which("nvidia-smi"), "there may be a GPU here")
    def test_without_a_gpu_it_stops_and_says_so(self):
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / "report.md"
            done = check("--part", "test", "--out", report)
            self.assertEqual(done.returncode, 1)
            self.assertIn("--rehearse", done.stderr)
            self.assertFalse(report.exists())


if __name__ == "__main__":
    unittest.main()
