#!/usr/bin/env python3
"""Prints a bill of materials (CycloneDX 1.5, JSON) of one package of the workspace: every crate that is compiled into it.

usage: sbom.py PACKAGE TARGET

The crates are those that `cargo tree` names for this package and target, the build's own among them; their digests are those
of Cargo.lock. The same commit gives the same bytes: SOURCE_DATE_EPOCH is its time.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
import uuid
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main():
    package, target = sys.argv[1:]
    described = cargo("metadata", "--filter-platform", target)
    packages = {identity(each): each for each in described["packages"]}
    used = compiled(package, target)
    digests = {(each["name"], each["version"]): each.get("checksum") for each in lock()["package"]}
    root = next(each for each in used if each[0] == package)
    components = [component(packages[each], digests[each]) for each in sorted(used) if each != root]
    print(json.dumps(document(component(packages[root], None), components, links(described, packages, used)), indent=1))


def cargo(command, *arguments):
    return json.loads(run("cargo", command, "--locked", "--format-version", "1", *arguments))


def run(*words):
    return subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def lock():
    return tomllib.loads((ROOT / "Cargo.lock").read_text())


def identity(package):
    return package["name"], package["version"]


def compiled(package, target):
    """Built alone, as it is for a release: features unify across a workspace, and `cargo metadata` shows all of it."""
    tree = run("cargo", "tree", "--locked", "--package", package, "--target", target, "--edges", "normal,build",
               "--prefix", "none", "--format", "{p}")
    return {tuple(found) for found in re.findall(r"^(\S+) v(\S+)", tree, re.MULTILINE)}


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, digest):
    made = {
        "type": "library" if digest else "application",
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        "purl": reference(package),
    }
    if package["description"]:
        made["description"] = " ".join(package["description"].split())
    if package["license"]:
        made["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if digest:
        made["hashes"] = [{"alg": "SHA-256", "content": digest}]
    else:
        made["type"] = "application" if any("bin" in each["kind"] for each in package["targets"]) else "library"
    if package["repository"]:
        made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return made


def links(described, packages, used):
    """Who takes from whom, among the crates that are used."""
    by_id = {each["id"]: each for each in described["packages"]}
    rows = []
    for node in described["resolve"]["nodes"]:
        taker = by_id[node["id"]]
        if identity(taker) not in used:
            continue
        given = [by_id[each["pkg"]] for each in node["deps"] if any(kind["kind"] != "dev" for kind in each["dep_kinds"])]
        names = sorted({reference(each) for each in given if identity(each) in used})
        rows.append({"ref": reference(taker), "dependsOn": names})
    return sorted(rows, key=lambda row: row["ref"])


def document(root, components, dependencies):
    made = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": "",
        "version": 1,
        "metadata": {"timestamp": moment(), "component": root},
        "components": components,
        "dependencies": dependencies,
    }
    # The name of these contents, not of this run.
    made["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(made, sort_keys=True)).urn
    return made


def moment():
    return datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    main()
