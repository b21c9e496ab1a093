#!/usr/bin/env python3
"""Completes a document of a bucket that others use too. Nothing of theirs is dropped or changed.

usage: connect.py events|policy PRESENT WANTED MERGED STACK

Reads the files PRESENT (empty when there is none) and WANTED, writes MERGED, and prints what is new in it; nothing when all is
there. A statement of a policy is ours when it has our Sid, or our Sid with the stack's name after it, and speaks of the same
objects: an earlier version of it is replaced. Another's statement with our Sid stays, and ours gets the stack's name.
"""

import json
import re
import sys

# S3's limit for a bucket policy, in bytes.
LONGEST_POLICY = 20 * 1024


def main():
    kind, present, wanted, merged, stack = sys.argv[1:]
    with open(present) as file:
        present = file.read().strip() or "{}"
    with open(wanted) as file:
        wanted = json.load(file)
    document, changes = {"events": events, "policy": policy}[kind](json.loads(present), wanted, stack)
    text = json.dumps(document, separators=(",", ":"))
    if kind == "policy" and len(text.encode()) > LONGEST_POLICY:
        sys.exit(f"error: the policy would have {len(text.encode())} bytes, and S3 takes {LONGEST_POLICY}\nhint: shorten it")
    with open(merged, "w") as file:
        file.write(text)
    for change in changes:
        print(f"  {change}")


def events(present, wanted, _stack):
    """Every notification that is there, and EventBridge beside them."""
    present.pop("ResponseMetadata", None)
    missing = {name: value for name, value in wanted.items() if name not in present}
    return {**present, **missing}, [f"+ {name}" for name in missing]


def policy(present, wanted, stack):
    statements = as_list(present.get("Statement", []))
    changes = []
    for statement in as_list(wanted["Statement"]):
        own = {**statement, "Sid": sid_of(statement, stack)}
        if any(canonical(known) == canonical(statement) for known in statements):
            continue
        place = earlier(statements, own, statement)
        if place is not None:
            changes.append(f"- {text(statements[place])}")
            own["Sid"] = statements[place]["Sid"]
            statements[place] = own
        else:
            taken = {known.get("Sid") for known in statements}
            own["Sid"] = own["Sid"] if statement["Sid"] in taken else statement["Sid"]
            statements.append(own)
        changes.append(f"+ {text(own)}")
    return {**present, "Version": present.get("Version", wanted["Version"]), "Statement": statements}, changes


def sid_of(statement, stack):
    """Letters and digits are all that a Sid may hold."""
    return statement["Sid"] + re.sub("[^A-Za-z0-9]", "", stack)


def earlier(statements, own, statement):
    """The place of an earlier version of ours."""
    for place, known in enumerate(statements):
        if known.get("Sid") == own["Sid"]:
            return place
        if known.get("Sid") == statement["Sid"] and same_objects(known, statement):
            return place
    return None


def same_objects(known, statement):
    """Whether both deny, and one's resources are all among the other's: a newer version names more of them, or fewer."""
    if known.get("Effect") != statement["Effect"] or known.get("Principal") not in ("*", {"AWS": "*"}):
        return False
    theirs, ours = set(as_list(known.get("Resource", []))), set(as_list(statement["Resource"]))
    return bool(theirs) and (theirs <= ours or ours <= theirs)


def canonical(statement):
    """The same for statements that mean the same: without the Sid, lists of one as their element, lists sorted."""
    if isinstance(statement, dict):
        if set(statement) == {"AWS"} and statement["AWS"] == "*":
            return "*"
        return {name: canonical(value) for name, value in statement.items() if name != "Sid"}
    if isinstance(statement, list):
        return statement[0] if len(statement) == 1 else sorted(statement, key=str)
    return statement


def as_list(value):
    return list(value) if isinstance(value, list) else [value]


def text(statement):
    return json.dumps(statement)


if __name__ == "__main__":
    main()
