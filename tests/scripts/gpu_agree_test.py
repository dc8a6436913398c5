"""scripts/gpu-agree: devices that agree, one that does not, and data that are not there."""
import gzip
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
KRONITE = os.environ["KRONITE"]
FORMULAS = ["NaCl", "SrTiO3", "Al2O3", "LiFePO4", "ZnS", "CaCO3"]

# Stands for a GPU that is wrong: runs the program on the CPU, then changes one of the weights.
BROKEN = """#!{python}
import struct, subprocess, sys
arguments = sys.argv[1:]
broken = arguments[-1] == "broken"
if broken:
    arguments[-1] = "cpu"
code = subprocess.run([{kronite!r}, *arguments]).returncode
if broken and "--weights" in arguments:
    with open(arguments[arguments.index("--weights") + 1], "r+b") as file:
        file.seek(-8, 2)
        value = struct.unpack("<d", file.read(8))[0]
        file.seek(-8, 2)
        file.write(struct.pack("<d", value + 1e-6))
sys.exit(code)
"""


def agree(*arguments):
    return subprocess.run([sys.executable, ROOT / "scripts/gpu-agree", *map(str, arguments)],
                          capture_output=True, text=True)


class GpuAgree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.data = self.folder / "data"
        (self.data / "composition").mkdir(parents=True)
        with gzip.open(self.data / "composition/mp_stable_formula.csv.gz", "wt") as file:
            file.write("formula_pretty\n" + "\n".join(FORMULAS) + "\n")

    def run_on(self, program, *devices):
        return agree(program, "--devices", *devices, "--data", self.data, "--out", self.folder / "out",
                     "--job", "inverses")

    def test_a_device_agrees_with_itself(self):
        done = self.run_on(KRONITE, "cpu", "cpu")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"their mixtures \| 6 rows \| 0.0e\+00 \| 1e-09 \| ok")

    def test_one_wrong_weight_is_found(self):
        program = self.folder / "program"
        program.write_text(BROKEN.format(python=sys.executable, kronite=KRONITE))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        done = self.run_on(program, "cpu", "broken")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, r"kernel means \| 6 formulas \| 0.0e\+00 .* ok")
        self.assertRegex(done.stdout, r"their mixtures \| 6 rows \| 1.0e-06 .* \*\*FAILED\*\*")

    def test_a_device_that_is_not_there_is_a_failure(self):
        done = self.run_on(KRONITE, "cpu", "cuda:99")
        self.assertEqual(done.returncode, 1)
        self.assertIn("CUDA", done.stderr)

    def test_no_data_is_said_and_is_no_success(self):
        done = agree(KRONITE, "--devices", "cpu", "cpu", "--data", self.folder / "nothing", "--out",
                     self.folder / "out", "--job", "inverses")
        self.assertEqual(done.returncode, 1)
        self.assertIn("none of the data", done.stderr)
        self.assertIn("mp_stable_formula", done.stdout)


if __name__ == "__main__":
    unittest.main()
