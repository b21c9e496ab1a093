"""Starts the S3 stores that only Debian has, from its unpacked packages: as few daemons as make one, on loopback.

    stores_of_debian.py ceph|swift ROOT FOLDER PORT KEY SECRET

ROOT is where tests/stores.sh unpacked the packages, FOLDER an empty one for data and logs. The store is ready when something listens
at PORT; its daemons end with this program, however it ends.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 90  # seconds for any one thing to answer


def main() -> None:
    store, root, folder, port, key, secret = sys.argv[1:]
    os.environ.update(surroundings(Path(root)))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # A daemon that dies takes the store down, and the test says what it left in its log.
    daemons = {"ceph": ceph, "swift": swift}[store](Path(root), Path(folder), int(port), key, secret)
    while all(daemon.poll() is None for daemon in daemons):
        time.sleep(0.2)
    sys.exit(f"a daemon of {store} ended; its log is in {folder}")


def surroundings(root: Path) -> dict[str, str]:
    libraries = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/ceph"]
    return {
        "LD_LIBRARY_PATH": ":".join(str(root / library) for library in libraries),
        "PATH": f"{root}/usr/bin:/usr/bin:/bin",
        "PYTHONPATH": str(root / "usr/lib/python3/dist-packages"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


# --- Ceph: one monitor, one storage daemon in memory, one gateway --------------------------------------------------

CEPH = """
[global]
fsid = 11111111-2222-3333-4444-555555555555
mon host = [v2:127.0.0.1:{monitor}]
mon initial members = a
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
ms bind msgr1 = false
keyring = {folder}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon data avail crit = 1
osd objectstore = memstore
memstore device bytes = 4294967296
osd class dir = {root}/usr/lib/x86_64-linux-gnu/rados-classes
erasure code dir = {root}/usr/lib/x86_64-linux-gnu/ceph/erasure-code
plugin dir = {root}/usr/lib/x86_64-linux-gnu/ceph
run dir = {folder}
admin socket = {folder}/$name.asok
log file = {folder}/$name.log
mon cluster log file = {folder}/cluster.log
mon data = {folder}/mon
osd data = {folder}/osd
rgw data = {folder}/gateway
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw dns name = s3.ceph.localhost
"""


def ceph(root: Path, folder: Path, port: int, key: str, secret: str) -> list[subprocess.Popen]:
    (monitor,), disk = free_ports(1), "22222222-2222-3333-4444-555555555555"
    for name in ("mon", "osd", "gateway"):
        (folder / name).mkdir()
    settings = folder / "ceph.conf"
    settings.write_text(CEPH.format(monitor=monitor, folder=folder, root=root, port=port))
    os.environ["CEPH_CONF"] = str(settings)
    rights = {
        "mon.": ["--cap", "mon", "allow *"],
        "client.admin": ["--cap", "mon", "allow *", "--cap", "osd", "allow *"],
        "osd.0": ["--cap", "mon", "allow profile osd", "--cap", "osd", "allow *"],
    }
    for name, caps in rights.items():
        create = ["--create-keyring"] if name == "mon." else []
        run("ceph-authtool", f"{folder}/keyring", *create, "--gen-key", "-n", name, *caps)
    cluster = ["--fsid", "11111111-2222-3333-4444-555555555555"]
    run("monmaptool", "--create", *cluster, "--addv", "a", f"[v2:127.0.0.1:{monitor}]", f"{folder}/monmap")
    run("ceph-mon", "-i", "a", "--mkfs", "--monmap", f"{folder}/monmap", "--keyring", f"{folder}/keyring")
    daemons = [daemon(folder, "ceph-mon", "-i", "a", "-f")]
    run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk)
    administrate = ["python3", f"{root}/usr/bin/ceph", "--connect-timeout", str(PATIENCE)]
    for step in (["osd", "new", disk, "0"], ["osd", "crush", "add-bucket", "here", "host"],
                 ["osd", "crush", "move", "here", "root=default"], ["osd", "crush", "add", "osd.0", "1.0", "host=here"]):
        run(*administrate, *step)
    daemons.append(daemon(folder, "ceph-osd", "-i", "0", "-f"))
    wait_for("the storage daemon", lambda: "1 up" in run(*administrate, "osd", "stat"))
    user = ["--uid=tests", "--display-name=tests", f"--access-key={key}", f"--secret={secret}"]
    run("radosgw-admin", "user", "create", *user)
    return [*daemons, daemon(folder, "radosgw", "-n", "client.admin", "-f")]


# --- Swift: a proxy with s3api before one server of each kind, one replica -------------------------------------------

SWIFT = """
[swift-hash]
swift_hash_path_prefix = tests
swift_hash_path_suffix = tests
[storage-policy:0]
name = one
default = yes
"""

SERVER = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
devices = {folder}/node
mount_check = false
disable_fallocate = true
log_level = WARNING
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""

MIDDLEWARE = "catch_errors gatekeeper memcache listing_formats bulk s3api tempauth copy slo dlo versioned_writes symlink"

PROXY = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
log_level = WARNING
[pipeline:main]
pipeline = {middleware} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:memcache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memory}
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
storage_domain = s3.swift.localhost
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{name} = {secret} .admin
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
"""

# Swift looks for its own settings in /etc alone.
LAUNCHER = """
import sys
import swift.common.utils as utils
utils.SWIFT_CONF_FILE = sys.argv[2] + '/swift.conf'
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi(sys.argv[2] + '/' + sys.argv[1] + '.conf', sys.argv[1]))
"""


def swift(root: Path, folder: Path, port: int, key: str, secret: str) -> list[subprocess.Popen]:
    (folder / "node/disk").mkdir(parents=True)
    (folder / "swift.conf").write_text(SWIFT)
    user, daemons = os.environ.get("USER") or subprocess.check_output(["id", "-un"], text=True).strip(), []
    *ports, memory = free_ports(4)
    for kind, own in zip(("account", "container", "object"), ports):
        ring = ["python3", f"{root}/usr/bin/swift-ring-builder", f"{folder}/{kind}.builder"]
        for step in (["create", "4", "1", "1"], ["add", f"r1z1-127.0.0.1:{own}/disk", "1"], ["rebalance"]):
            run(*ring, *step)
        (folder / f"{kind}-server.conf").write_text(SERVER.format(port=own, user=user, folder=folder, kind=kind))
        daemons.append(daemon(folder, "python3", "-c", LAUNCHER, f"{kind}-server", str(folder)))
    daemons.append(daemon(folder, "memcached", "-u", user, "-l", "127.0.0.1", "-p", str(memory)))
    filters = [f"[filter:{name}]\nuse = egg:swift#{name}" for name in MIDDLEWARE.split() if f"[filter:{name}]" not in PROXY]
    account, name = key.split(":")
    chosen = {"port": port, "user": user, "folder": folder, "memory": memory, "middleware": MIDDLEWARE}
    proxy = PROXY.format(account=account, name=name, secret=secret, **chosen)
    (folder / "proxy-server.conf").write_text("\n".join([proxy, *filters, ""]))
    return [*daemons, daemon(folder, "python3", "-c", LAUNCHER, "proxy-server", str(folder))]


# --- What both need ---------------------------------------------------------------------------------------------------


def run(*command: str) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    # swift-ring-builder's 1 is a warning.
    if done.returncode > (1 if "swift-ring-builder" in command[1] else 0):
        sys.exit(f"{' '.join(command)}: {done.stderr or done.stdout}")
    return done.stdout


def daemon(folder: Path, *command: str) -> subprocess.Popen:
    with open(folder / "daemons.log", "a") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=end_with_this_program)


def end_with_this_program() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def wait_for(what: str, is_so) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end:
            sys.exit(f"waited {PATIENCE} s for {what}")
        time.sleep(0.1)


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


if __name__ == "__main__":
    main()
