"""Tests that work in a folder of their own."""

import pathlib
import tempfile
import unittest

from program import run


class FolderCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def read(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    def files(self):
        return sorted(path.name for path in self.folder.iterdir())


    def assert_failure(self, result, message, code=1):
        """One error in words."""
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertIn(message, result.stderr)
        self.assertNotIn("internal error", result.stderr)


class CommandCase(FolderCase):
    """Of one command, which runs in the folder."""

    command = ""

    def run_command(self, *arguments):
        return run(self.command, *arguments, cwd=self.folder)

    def good(self, *arguments):
        result = self.run_command(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def expect_failure(self, message, *arguments, code=1):
        """One error, and no file that was not there before."""
        before = self.files()
        self.assert_failure(self.run_command(*arguments), message, code)
        self.assertEqual(self.files(), before)
