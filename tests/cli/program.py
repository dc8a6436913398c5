"""Running the program under test."""

import os
import subprocess
import sys

PROGRAM = os.environ["KRONITE"]


def takes_memory_of_its_own():
    """Whether the program was built with AddressSanitizer, whose memory is not that of the program."""
    with open(PROGRAM, "rb") as file:
        return b"__asan_init" in file.read()


def run(*arguments, stdout=subprocess.PIPE, **options):
    """Runs the program to its end; the result has returncode, stdout and stderr as text."""
    return subprocess.run(
        [PROGRAM, *map(str, arguments)],
        stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=120, check=False, **options,
    )


# A process counts the memory of the one that it came from until it begins. So the program is started
# by a small Python, not by that of the tests, which may hold more than the program does.
_MEASURE = """
import os, subprocess, sys
with subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL) as process:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
print(process.returncode, usage.ru_maxrss * 1024)
"""


def peak_memory(*arguments, **options):
    """Runs the program to its end; its return code, and the most memory that it held, in bytes."""
    done = subprocess.run([sys.executable, "-c", _MEASURE, PROGRAM, *map(str, arguments)],
                          stdout=subprocess.PIPE, text=True, check=True, **options)
    code, peak = done.stdout.split()
    return int(code), int(peak)


def start(*arguments):
    """Starts the program and leaves it running."""
    return subprocess.Popen(
        [PROGRAM, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
