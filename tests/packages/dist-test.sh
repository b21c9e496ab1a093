#!/usr/bin/env bash
# Installs what `make dist` made in systems of Debian 12 and 13 that have nothing of Rust, and lives its life through there: the .deb
# without systemd, as in a container, and under systemd; the .rpm by rpm, with what a system of Fedora's kin would have told it is
# there. With --twice it compiles everything again first, from nothing and in another folder, and compares every byte.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly roots=$PWD/target/roots
# One layer that both a person's server and PostgreSQL's packages are in.
readonly packages=postgresql,systemd,man-db,rpm

main() {
  ((EUID == 0)) || exec sudo -n "$(realpath "${BASH_SOURCE[0]}")" "$@"
  local deb rpm release
  deb=$(package_of target/dist deb)
  rpm=$(package_of target/dist rpm)
  (cd target/dist && sha256sum --check --quiet --strict SHA256SUMS)
  [[ ${1-} != --twice ]] || compile_again
  lintian --allow-root "$deb"
  pack_system
  for release in bookworm trixie; do
    make_root "$release"
    echo "Debian $(< "$roots/$release/etc/debian_version"),"
    live "$release" enter "$deb"
    live "$release" boot "$deb"
    live "$release" boot "$rpm" "$roots/system.rpm"
  done
}

package_of() {
  local -a found=("$1"/*."$2")
  [[ -e ${found[0]} ]] || { printf 'error: there is no .%s in %s\nhint: make dist\n' "$2" "$1" >&2 && exit 1; }
  echo "${found[0]}"
}

# Made once, until other packages belong in it: apt's are some hundred megabytes.
make_root() {
  [[ ! -e $roots/$1.made || $(< "$roots/$1.made") != "$packages" ]] || return 0
  mkdir -p "$roots"
  rm -rf --one-file-system "${roots:?}/$1"
  # It mounts in there: in a namespace, so that nothing of the machine can be reached from what an interrupted run left.
  unshare --mount mmdebstrap --quiet --variant=minbase --include="$packages" "$1" "$roots/$1"
  echo "$packages" > "$roots/$1.made"
}

# A package without files that says what a system of Fedora's kin has: rpm then looks at each of the .rpm's dependencies.
pack_system() {
  mkdir -p "$roots"
  cat > "$roots/system.yaml" <<'YAML'
name: system
arch: amd64
version: "1"
maintainer: nobody
description: What a system of this kind has
provides:
  - glibc = 2.34
  - shadow-utils = 4.9
  - /bin/sh
YAML
  rm -f "$roots/system.rpm"
  target/python/bin/nfpm package --config "$roots/system.yaml" --packager rpm --target "$roots/system.rpm" > /dev/null
}

# One life in a system of a release, which is entered or booted.
live() {
  local release=$1 log=$roots/$1.log
  local -A kinds=([enter]='without systemd' [boot]='under systemd')
  echo "the .${3##*.}, ${kinds[$2]}:"
  tests/packages/root.sh "$2" "$roots/$release" "${@:3}" > "$log" 2>&1 || { cat "$log" >&2 && exit 1; }
  judge "$log"
}

judge() {
  local others
  grep '^seconds' "$1"
  grep -q '^left /var/backups/lastgood/.*\.sql\.gz$' "$1" || { echo 'error: the backup is gone' >&2 && exit 1; }
  others=$(grep -E '^(left|differs) ' "$1" | grep -v '^left /var/backups/lastgood/' || true)
  [[ -z $others ]] || { printf 'error: left after the purge:\n%s\n' "$others" >&2 && exit 1; }
  echo 'left after the purge: the backups'
}

# A clone of the commit, which has no target folder but for the tools.
compile_again() {
  local other
  other=$(mktemp -d -p target)
  git clone --quiet --shared . "$other/lastgood"
  mkdir "$other/lastgood/target"
  ln -s "$PWD/target/python" "$other/lastgood/target/python"
  "$other/lastgood/agent/packaging/dist.sh"
  diff target/dist/SHA256SUMS "$other/lastgood/target/dist/SHA256SUMS"
  rm -rf --one-file-system "$other"
  echo 'compiled again in another folder: the same bytes'
}

main "$@"
