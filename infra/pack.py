#!/usr/bin/env python3
"""Packs built functions into what infra/deploy.sh deploys: a folder, and the same folder as a .tar.gz.

usage: pack.py [--refuse-newer-glibc] FOLDER ARCHITECTURE=FUNCTIONS...

FUNCTIONS holds verify/bootstrap, retention/bootstrap and freshness/bootstrap. The same programs give the same bytes wherever
and whenever they are packed: times, owners and order are fixed. So an upload, which is named by its digest, is done once.
"""

import gzip
import hashlib
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

FUNCTIONS = ("verify", "retention", "freshness")
# Of Lambda's provided.al2023.
NEWEST_GLIBC = 34
# The first day that a zip can say, and the same for the archive.
LONG_AGO, LONG_AGO_IN_SECONDS = (1980, 1, 1, 0, 0, 0), 315_532_800

INFRA = Path(__file__).resolve().parent


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--refuse-newer-glibc"]
    folder = Path(arguments[0])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for built in arguments[1:]:
        architecture, _, functions = built.partition("=")
        (folder / architecture).mkdir()
        for name in FUNCTIONS:
            program = read(Path(functions) / name / "bootstrap")
            check_glibc(Path(functions) / name / "bootstrap", program, len(arguments) < len(sys.argv) - 1)
            write_zip(folder / architecture / f"{name}.zip", program)
    add_script(folder)
    write_template(folder, [built.partition("=")[0] for built in arguments[1:]])
    write_sums(folder)
    write_archive(folder)


def fail(problem, hint):
    sys.exit(f"error: {problem}\nhint: {hint}")


def read(program):
    if not program.is_file():
        fail(f"{program} is missing", "run it without --no-build")
    return program.read_bytes()


def check_glibc(path, program, refuse):
    """A function that needs a newer glibc does not start on Lambda. Somebody's own build is only warned of: a local AWS may
    run it."""
    newest = max((int(minor) for minor in re.findall(rb"GLIBC_2\.([0-9]+)", program)), default=0)
    if newest <= NEWEST_GLIBC:
        return
    problem = f"{path} needs GLIBC_2.{newest}, but Lambda has GLIBC_2.{NEWEST_GLIBC}"
    if refuse:
        fail(problem, "install zig, which cargo-lambda builds with: make tools")
    print(f"warning: {problem}", file=sys.stderr)


def write_zip(path, program):
    entry = zipfile.ZipInfo("bootstrap", LONG_AGO)
    entry.create_system, entry.external_attr = 3, 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, program)


def add_script(folder):
    """The script itself, so that the folder is all that a deployment takes."""
    shutil.copy(INFRA / "deploy.sh", folder)
    shutil.copy(INFRA / "parameters.example", folder)
    (folder / "deploy").mkdir()
    for part in sorted((INFRA / "deploy").iterdir()):
        if part.suffix in (".sh", ".py"):
            shutil.copy(part, folder / "deploy")


def write_template(folder, architectures):
    """The template with the first architecture's zips as its code; deploy.sh puts another's in their place."""
    template = (INFRA / "template.yaml").read_text()
    for name in FUNCTIONS:
        code = f"Code: ../target/functions/{name}\n"
        if code not in template:
            fail(f"infra/template.yaml has no line {code.strip()}", "name the function's code as the others do")
        template = template.replace(code, f"Code: {architectures[0]}/{name}.zip\n")
    (folder / "template.yaml").write_text(template)
    shutil.copy(INFRA / "vault.yaml", folder)


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def write_sums(folder):
    digests = [(hashlib.sha256(path.read_bytes()).hexdigest(), path.relative_to(folder)) for path in files(folder)]
    (folder / "SHA256SUMS").write_text("".join(f"{digest}  {path.as_posix()}\n" for digest, path in digests))


def write_archive(folder):
    def settle(entry):
        entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = LONG_AGO_IN_SECONDS, 0, 0, "", ""
        entry.mode = 0o755 if entry.name.endswith((".sh", ".py")) else 0o644
        return entry

    with open(f"{folder}.tar.gz", "wb") as file:
        # Without its own name and time in the header.
        with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
            for path in files(folder):
                archive.add(path, f"{folder.name}/{path.relative_to(folder).as_posix()}", filter=settle)


if __name__ == "__main__":
    main()
