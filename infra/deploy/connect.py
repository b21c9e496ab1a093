#!/usr/bin/env python3
"""Completes a document of a bucket that others use too. Nothing of theirs is dropped or changed.

usage: connect.py events|policy PRESENT WANTED MERGED STACK

Reads the files PRESENT (empty when there is none) and WANTED, writes MERGED, and prints what is new in it; nothing when all is
there. An earlier version of a statement of ours is replaced, and one that no parameter asks for any more is taken out. Ours has our
Sid with the stack's name after it; or our Sid alone, and asks the same of the same actions below the stack's prefix. What speaks of the whole bucket is the same for every stack, and for
strangers: under our Sid alone it is ours only beside such a statement about the stack's prefix. Another's statement with our Sid
stays, and ours gets the stack's name.
"""

import json
import re
import sys

# S3's limit for a bucket policy, in bytes.
LONGEST_POLICY = 20 * 1024
# What a stack wants of the whole bucket only with some parameters (AdminArns), by Sid and actions. Without them it would bind
# everybody to those who were named once.
OPTIONAL = {"DenyChangedPolicy": {"s3:PutBucketPolicy", "s3:DeleteBucketPolicy"}}


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
    wanted_statements = as_list(wanted["Statement"])
    plain = has_plain_sids(statements, wanted_statements, same_places)
    named = not plain and has_plain_sids(statements, wanted_statements, other_places)
    changes = []
    for statement in wanted_statements:
        own = {**statement, "Sid": sid_of(statement, stack)}
        if any(canonical(known) == canonical(statement) for known in statements):
            continue
        place = earlier(statements, own, statement, plain)
        if place is not None:
            changes.append(f"- {text(statements[place])}")
            own["Sid"] = statements[place]["Sid"]
            statements[place] = own
        else:
            taken = {known.get("Sid") for known in statements}
            own["Sid"] = own["Sid"] if named or statement["Sid"] in taken else statement["Sid"]
            statements.append(own)
        changes.append(f"+ {text(own)}")
    for statement in [known for known in statements if is_left_over(known, wanted_statements, plain, stack)]:
        statements.remove(statement)
        changes.append(f"- {text(statement)}")
    return {**present, "Version": present.get("Version", wanted["Version"]), "Statement": statements}, changes


def is_left_over(known, wanted, plain, stack):
    """Whether it is an optional statement of ours that is wanted no more. Another stack's that is the same comes back with it."""
    for sid, actions in OPTIONAL.items():
        own = {sid_of({"Sid": sid}, stack)} | ({sid} if plain else set())
        if known.get("Sid") in own and all(statement["Sid"] != sid for statement in wanted):
            return known.get("Effect") == "Deny" and set(as_list(known.get("Action", []))) == actions
    return False


def sid_of(statement, stack):
    """Letters and digits are all that a Sid may hold."""
    return statement["Sid"] + re.sub("[^A-Za-z0-9]", "", stack)


def has_plain_sids(statements, wanted, of):
    """Whether a stack came first, so that its statements have our Sids without its name: one about a prefix has."""
    return any(
        known.get("Sid") == statement["Sid"] and same_question(known, statement) and of(known, statement)
        for statement in wanted
        for known in statements
    )


def same_places(known, statement):
    """Whether both speak of this stack's prefix."""
    return bool(places(known) & places(statement))


def other_places(known, statement):
    """Whether the one speaks of another stack's prefix."""
    return bool(places(known) and places(statement)) and not same_places(known, statement)


def earlier(statements, own, statement, plain):
    """The place of an earlier version of ours."""
    for place, known in enumerate(statements):
        if known.get("Sid") == own["Sid"]:
            return place
    for place, known in enumerate(statements):
        if known.get("Sid") != statement["Sid"] or not same_question(known, statement):
            continue
        if same_places(known, statement) or plain and canonical(known.get("Resource")) == canonical(statement["Resource"]):
            return place
    return None


def same_question(known, statement):
    """Whether both forbid everybody the same, and ask the same for it; whom or what they except may differ."""
    return (
        known.get("Effect") == statement["Effect"]
        and known.get("Principal") in ("*", {"AWS": "*"})
        and canonical(known.get("Action")) == canonical(statement["Action"])
        and questions(known) == questions(statement)
    )


def questions(statement):
    """The operators and keys of its condition. Where somebody is excepted at all, it is by AdminArns: they come and go."""
    condition = statement.get("Condition", {})
    found = {(operator, key) for operator, keys in condition.items() for key in keys}
    return found if places(statement) else found - {("ArnNotLike", "aws:PrincipalArn")}


def places(statement):
    """The folders that its resources lie in; none when it speaks of the whole bucket."""
    resources = [resource.split(":::")[-1] for resource in as_list(statement.get("Resource", []))]
    folders = {re.match("[^*?]*/|", resource).group() for resource in resources}
    return {folder for folder in folders if folder.strip("/").count("/")}


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
