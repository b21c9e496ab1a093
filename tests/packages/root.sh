#!/usr/bin/env bash
# Lives a package's life through in a system that is thrown away: ROOT stays as it is, because what is written goes to memory
# over it. Says what is left after a purge, one path a line, but for the notes of the package manager and of the programs that make
# users. `enter` runs it as in a container; `boot` has systemd run that system, which starts the units itself.
#
# usage: root.sh enter|boot ROOT PACKAGE [FILE…]     needs root, and PostgreSQL's server in ROOT; live.sh finds the files in /run
set -euo pipefail
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
readonly here
# What a container's systemd has no business with: the machine's modules, clock, memory and log.
readonly withheld=-sys_module,-sys_time,-sys_boot,-sys_rawio,-syslog

main() {
  # Namespaces of its own: no network, and nothing that it starts or mounts outlives it. Nothing is removed but an empty folder:
  # what was written there goes with the mounts, and a removal of all could reach what is mounted below.
  work=$(mktemp -d)
  trap 'rmdir "$work"' EXIT
  case $1 in
    enter) unshare --mount --pid --net --ipc --fork --kill-child "${BASH_SOURCE[0]}" --inside "$work" "$@" ;;
    boot) in_group unshare --mount --net --ipc --uts --cgroup "${BASH_SOURCE[0]}" --inside "$work" "$@" ;;
    *) printf 'error: %s is neither enter nor boot\n' "$1" >&2 && exit 2 ;;
  esac
}

# systemd wants a control group of its own, in the one hierarchy of the second version.
in_group() {
  local mounted group status=0
  mounted=$(findmnt --noheadings --first-only --output TARGET --types cgroup2) ||
    { printf 'error: no cgroup2 is mounted here, which systemd needs\nhint: mount -t cgroup2 cgroup2 FOLDER\n' >&2 && exit 1; }
  group=$mounted/lastgood-${work##*/}
  mkdir "$group"
  (echo "$BASHPID" > "$group/cgroup.procs" && exec "$@") || status=$?
  # What it killed takes a moment to be gone.
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    ! find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || break
    sleep 0.2
  done
  [[ ! -d $group ]] || { printf 'error: %s cannot be removed: something still runs in it\n' "$group" >&2 && exit 1; }
  return "$status"
}

# The rest runs in the namespaces.
inside() {
  local how=$2
  readonly work=$1 root=$3
  readonly system=$work/system
  shift 3
  mount -t tmpfs tmpfs "$work"
  mkdir "$work"/{upper,work,system}
  mount -t overlay overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/work" "$system"
  make_devices
  # The index of all the manual pages of a developer's machine takes long, and is no part of this.
  [[ $root != / ]] || rm -f "$system/var/lib/man-db/auto-update"
  local package
  for package in "$@"; do cp "$package" "$system/run/"; done
  ln -s "${1##*/}" "$system/run/package"
  cp "$here/live.sh" "$system/run/live.sh"
  "$how"
  tell_calls
  tell_left
}

# Devices of its own, so that nothing in there can remove the machine's.
make_devices() {
  local folder
  for folder in dev run tmp var/tmp; do mount -t tmpfs -o mode=1777 tmpfs "$system/$folder"; done
  chmod 755 "$system/run"
  mknod -m 666 "$system/dev/null" c 1 3
  mknod -m 666 "$system/dev/zero" c 1 5
  mknod -m 666 "$system/dev/full" c 1 7
  mknod -m 666 "$system/dev/random" c 1 8
  mknod -m 666 "$system/dev/urandom" c 1 9
  mknod -m 666 "$system/dev/tty" c 5 0
  mkdir "$system/dev/pts"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$system/dev/pts"
  ln -s pts/ptmx "$system/dev/ptmx"
  ln -s /proc/self/fd "$system/dev/fd"
  mkdir -m 1777 "$system/dev/shm" "$system/run/lock"
}

enter() {
  mount -t proc proc "$system/proc"
  env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    chroot "$system" bash /run/live.sh
}

# As a container's first process: it ends when live.sh does, with its status. The kernel's settings are the machine's, and can be
# read alone.
boot() {
  mount -t tmpfs -o mode=755 tmpfs "$system/sys"
  mkdir -p "$system/sys/fs/cgroup"
  mount -t cgroup2 cgroup2 "$system/sys/fs/cgroup"
  mount -o remount,bind,ro "$system/sys"
  mkdir -p "$system/run/systemd/system"
  cat > "$system/run/systemd/system/live.service" <<'UNIT'
[Unit]
Requires=basic.target
After=basic.target
SuccessAction=exit
FailureAction=exit

[Service]
Type=oneshot
Environment=HOME=/root LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
StandardOutput=append:/run/live.log
StandardError=append:/run/live.log
ExecStart=/bin/bash /run/live.sh
UNIT
  local status=0
  # shellcheck disable=SC2016 # The inner shell's own.
  env --ignore-environment container=lastgood PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    timeout --kill-after 5 300 unshare --mount --pid --fork --kill-child bash -c '
      set -e
      mount -t proc proc "$1/proc"
      mount --bind "$1/proc/sys" "$1/proc/sys"
      mount -o remount,bind,ro "$1/proc/sys"
      # A container is expected to have it so; else no credential comes to its unit.
      mount --make-rshared "$1"
      exec setpriv --bounding-set="$2" chroot "$1" /lib/systemd/systemd --unit=live.service --log-target=journal --show-status=no' \
    bash "$system" "$withheld" < /dev/null > "$system/run/boot.log" 2>&1 || status=$?
  cat "$system/run/live.log" || status=1
  ((status == 0)) || { cat "$system/run/boot.log" >&2 && exit "$status"; }
}

# The calls of the kernel that strace saw, by name.
tell_calls() {
  cat "$system"/run/calls.* 2> /dev/null | sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/calls \1/p' | sort -u || true
}

# A character device stands for what ROOT has and the system above no longer. What a system writes as it starts and ends is not the
# package's.
tell_left() {
  (cd "$work/upper" && find . -mindepth 1 ! -type d ! -type c -cnewer "$system/run/began" ! -path './var/lib/dpkg/*' \
    ! -path './var/lib/rpm/*' ! -path './root/.rpmdb/*' ! -path './var/log/journal/*' ! -path './var/log/dpkg.log' ! -path './var/log/alternatives.log' ! -path './var/cache/*' \
    ! -path './etc/*-' ! -path './etc/.pwd.lock' ! -path './etc/passwd' ! -path './etc/shadow' ! -path './etc/group' \
    ! -path './etc/gshadow' ! -path './etc/sub?id' ! -path './var/log/wtmp' ! -path './var/lib/systemd/random-seed' |
    sed 's/^\./left /' | sort)
  local file
  for file in passwd shadow group gshadow; do
    diff <(sort "$root/etc/$file") <(sort "$system/etc/$file") | sed -n "s,^[<>],differs /etc/$file &," || true
  done
}

if [[ ${1-} == --inside ]]; then
  shift
  inside "$@"
else
  main "$@"
fi
