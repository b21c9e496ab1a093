"""Asks `restic forget` what it keeps of some histories under some policies, and writes its answers down for the tests.

    restic.py ANSWERS    writes them into this file (core/catalog/src/retention/tests/restic.json)

restic wants a snapshot for each backup, and about a second for each command: so it is asked by `make restic` alone, and
`make test` holds retention to what it answered. Every history has a tag of its own, by which restic groups: one command
answers for all of them. None lies in the future, which restic's age passes over and its other rules count.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta

FORMAT = "%Y-%m-%d %H:%M:%S"


def every(newest, count, **step):
    """So many times, back from the newest."""
    newest = datetime.strptime(newest, FORMAT)
    return [newest - timedelta(**step) * number for number in range(count)]


def months(newest, count):
    """The same day of so many months; what has no such day has its last."""
    newest, times = datetime.strptime(newest, FORMAT), []
    for number in range(count):
        year, month = divmod(newest.year * 12 + newest.month - 1 - number, 12)
        first_of_next = datetime(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
        last = (first_of_next - timedelta(days=1)).day
        times.append(newest.replace(year=year, month=month + 1, day=min(newest.day, last)))
    return times


def times(*texts):
    return [datetime.strptime(text, FORMAT) for text in texts]


HISTORIES = {
    "each day, one day thrice": every("2026-06-30 03:00:00", 12, days=1) + times("2026-06-28 11:00:00", "2026-06-28 23:59:59"),
    "every five hours into a new year": every("2026-01-02 01:00:00", 14, hours=5),
    "weeks around a week 53": every("2021-01-17 23:59:59", 8, days=7) + times("2021-01-03 00:00:00", "2020-12-28 00:00:00"),
    "months with a leap day": months("2024-05-31 12:00:00", 16),
    "years from a leap day on": every("2024-02-29 00:00:00", 9, days=365),
    "days to the second": every("2026-03-31 00:00:00", 9, days=1) + every("2026-03-01 00:00:00", 4, days=30),
    "a long pause": every("2026-06-30 03:00:00", 4, days=1) + every("2025-02-10 03:00:00", 6, days=1),
    "one alone": times("2026-06-30 03:00:00"),
}


def policies():
    none = {"last": 0, "daily": 0, "weekly": 0, "monthly": 0, "yearly": 0, "withinDays": 0}
    for rule in none:
        for number in (1, 2, 3, 5, 7, 30, 365):
            if rule == "withinDays" or number < 30:
                yield {**none, rule: number}
    for one, other in itertools.combinations(none, 2):
        yield {**none, one: 2, other: 3}
        yield {**none, one: 4, other: 1}
    yield {**none, "daily": 7, "weekly": 4, "monthly": 12, "yearly": 2}
    yield {**none, "last": 3, "daily": 2, "weekly": 3, "monthly": 4, "yearly": 5, "withinDays": 2}


def options(policy):
    days = policy["withinDays"]
    within = ["--keep-within", f"{days}d"] if days else []
    rules = [[f"--keep-{rule}", str(number)] for rule, number in policy.items() if number and rule != "withinDays"]
    return sum(rules, within)


class Restic:
    def __init__(self, folder):
        self.empty = os.path.join(folder, "empty")
        os.mkdir(self.empty)
        # Its calendar is the machine's, and ours is UTC.
        places = {"RESTIC_REPOSITORY": os.path.join(folder, "repository"), "RESTIC_PASSWORD": "x", "TZ": "UTC"}
        self.environment = {**os.environ, **places}

    def run(self, *arguments):
        command = ["restic", "--no-cache", "--quiet", *arguments]
        return subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE, timeout=120).stdout

    def remember(self, time, history):
        self.run("backup", "--force", "--time", time.strftime(FORMAT), "--tag", history, self.empty)

    def kept(self, policy):
        """The times that it keeps, by history."""
        groups = json.loads(self.run("forget", "--dry-run", "--json", "--group-by", "tags", *options(policy)))
        return {group["tags"][0]: {snapshot["time"] for snapshot in group["keep"]} for group in groups}


def main(answers):
    version = subprocess.run(["restic", "version"], check=True, stdout=subprocess.PIPE, timeout=60).stdout.decode().split()[1]
    histories = [sorted(set(times), reverse=True) for times in HISTORIES.values()]
    with tempfile.TemporaryDirectory() as folder:
        restic = Restic(folder)
        restic.run("init")
        for number, times in enumerate(histories):
            for time in times:
                restic.remember(time, f"h{number}")
        asked = []
        for policy in policies():
            kept = restic.kept(policy)
            marks = ["".join("k" if spelled(time) in kept[f"h{number}"] else "-" for time in times) for number, times in enumerate(histories)]
            asked.append({"policy": policy, "kept": marks})
    rows = ",\n    ".join(json.dumps(row) for row in asked)
    spelled_histories = ",\n    ".join(json.dumps([name, [spelled(time) for time in times]]) for name, times in zip(HISTORIES, histories))
    with open(answers, "w", encoding="utf-8") as file:
        file.write(f'{{\n  "restic": "{version}",\n  "histories": [\n    {spelled_histories}\n  ],\n  "asked": [\n    {rows}\n  ]\n}}\n')
    print(f"restic {version}: {len(asked)} policies, {sum(map(len, histories))} snapshots in {len(histories)} histories")


def spelled(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    main(*sys.argv[1:])
