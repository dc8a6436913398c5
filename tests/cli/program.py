"""Running the program under test."""

import os
import subprocess

PROGRAM = os.environ["KRONITE"]


def run(*arguments, stdout=subprocess.PIPE, **options):
    """Runs the program to its end; the result has returncode, stdout and stderr as text."""
    return subprocess.run(
        [PROGRAM, *map(str, arguments)],
        stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=120, check=False, **options,
    )


def start(*arguments):
    """Starts the program and leaves it running."""
    return subprocess.Popen(
        [PROGRAM, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
