#!/usr/bin/env bash
# Lives a package's life through in a system that is thrown away: ROOT stays as it is, because what is written goes to memory
# over it. Says what is left after a purge, one path a line, but for the notes of dpkg and of the programs that make users.
#
# usage: root.sh ROOT PACKAGE.deb      needs root, and PostgreSQL's server in ROOT
set -euo pipefail
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")

# Namespaces of its own: no network, and nothing that it starts or mounts outlives it. Nothing is removed but an empty folder:
# what was written there goes with the mounts, and a removal of all could reach what is mounted below.
if [[ ${1-} != --inside ]]; then
  work=$(mktemp -d)
  trap 'rmdir "$work"' EXIT
  unshare --mount --pid --net --ipc --fork --kill-child "${BASH_SOURCE[0]}" --inside "$work" "$@"
  exit
fi
readonly work=$2 root=$3 package=$4
readonly system=$work/system

mount -t tmpfs tmpfs "$work"
mkdir "$work"/{upper,work,system}
mount -t overlay overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/work" "$system"
mount -t proc proc "$system/proc"
for folder in dev run tmp var/tmp; do mount -t tmpfs -o mode=1777 tmpfs "$system/$folder"; done
# Devices of its own, so that nothing in there can remove the machine's.
mknod -m 666 "$system/dev/null" c 1 3
mknod -m 666 "$system/dev/zero" c 1 5
mknod -m 666 "$system/dev/random" c 1 8
mknod -m 666 "$system/dev/urandom" c 1 9
ln -s /proc/self/fd "$system/dev/fd"
mkdir -m 1777 "$system/dev/shm" "$system/run/lock"
# The index of all the manual pages of a developer's machine takes long, and is no part of this.
[[ $root != / ]] || rm -f "$system/var/lib/man-db/auto-update"
cp "$package" "$system/run/lastgood.deb"
cp "$here/live.sh" "$system/run/live.sh"

env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
  chroot "$system" bash /run/live.sh

# The calls of the kernel that strace saw, by name.
cat "$system"/run/calls.* 2> /dev/null | sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/calls \1/p' | sort -u || true

# A character device stands for what ROOT has and the system above no longer.
(cd "$work/upper" && find . -mindepth 1 ! -type d ! -type c ! -path './var/lib/dpkg/*' ! -path './var/log/dpkg.log' \
  ! -path './var/log/alternatives.log' ! -path './var/cache/*' ! -path './etc/*-' ! -path './etc/.pwd.lock' \
  ! -path './etc/passwd' ! -path './etc/shadow' ! -path './etc/group' ! -path './etc/gshadow' ! -path './etc/sub?id' |
  sed 's/^\./left /' | sort)
for file in passwd shadow group gshadow; do
  diff <(sort "$root/etc/$file") <(sort "$system/etc/$file") | sed -n "s,^[<>],differs /etc/$file &," || true
done
