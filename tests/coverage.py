"""Adds up what `make coverage` counted: lines that ran of the lines that could, by room, and the files with the most that didn't.

coverage.py FILE [ROOM]: with a room, such as agent/src/commands, each of its lines that never ran.
"""

import collections
import re
import sys

# As the reader prints it: number, count, text.
LINE = re.compile(r" *(\d+)\| *(\d*)\|(.*)")
# Whatever path is before it.
OURS = re.compile(r"(?:^|/)((core/\w+|lambdas|agent)/src/.*)")
# What tests alone are made of.
OF_TESTS = re.compile(r"/(tests|testing|fuzzing|benches)(/|\.rs)")
WORST = 15


def files(text):
    """Each source file's name, and its lines as number, count or None, text."""
    name, lines = None, []
    for line in text:
        match = LINE.fullmatch(line.rstrip("\n"))
        if match:
            number, count, source = match.groups()
            lines.append((int(number), int(count) if count else None, source))
        elif line.strip():
            if name:
                yield name, lines
            name, lines = line.strip(), []
    if name:
        yield name, lines


def own(lines):
    """The lines of a file before its module of tests, which is its last."""
    for at, line in enumerate(lines):
        following = lines[at + 1][2] if at + 1 < len(lines) else ""
        if line[2] == "#[cfg(test)]" and following.startswith("mod ") and "{" in following:
            return
        yield line


def main(path, wanted=""):
    """Prints a row for each room, and the worst files; or the lines of one room."""
    ran, can = collections.Counter(), collections.Counter()
    with open(path, encoding="utf-8") as text:
        for name, lines in files(text):
            match = OURS.search(name)
            if not match or OF_TESTS.search(name):
                continue
            file, room = match.groups()
            counted = [line for line in own(lines) if line[1] is not None]
            for each in {file, room, room.split("/")[0]}:
                can[each] += len(counted)
                ran[each] += sum(count > 0 for _, count, _ in counted)
            if wanted and file.startswith(wanted):
                for number, count, source in counted:
                    if not count:
                        print(f"{file}:{number}: {source.strip()}")
    if wanted:
        return
    if not can:
        sys.exit("error: nothing was counted")
    rooms = [each for each in can if not each.endswith(".rs")]
    worst = sorted((each for each in can if each.endswith(".rs")), key=lambda each: ran[each] - can[each])[:WORST]
    for head, rows in [("room", sorted(rooms)), ("file with the most lines that did not run", worst)]:
        print(f"| {head} | lines that can run | that ran |\n|---|--:|--:|")
        for each in rows:
            print(f"| `{each}` | {can[each]:,} | {100 * ran[each] / max(can[each], 1):.1f} % |")
        print()


main(*sys.argv[1:])
