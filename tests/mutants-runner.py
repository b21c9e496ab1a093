#!/usr/bin/env python3
"""Runs a unit-test program for `make mutants`, which only asks whether a test fails: at the first one that does, it ends.

What takes seconds comes last: most mutants are noticed before.
"""

import subprocess
import sys

SLOW = ["a_hundred_thousand_backups", "retention::tests::flood::", "retention::tests::next::what_goes_next_is_"]


def run(program: list[str]) -> int:
    """The status of a program, or that of a failed test's as soon as there is one."""
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith("test ") and line.rstrip().endswith(" ... FAILED"):
                process.kill()
                return 101
    return process.returncode


def main() -> None:
    """Fast tests, then slow ones."""
    program = sys.argv[1:]
    skips = [word for name in SLOW for word in ("--skip", name)]
    sys.exit(run([*program, *skips]) or run([*program, *SLOW]))


main()
