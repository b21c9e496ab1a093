#!/usr/bin/env bash
# Installs what `make dist` made in systems of Debian 12 and 13 that have nothing of Rust, and lives its life through there. With
# --twice it compiles everything again first, from nothing and in another folder, and compares every byte.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly roots=$PWD/target/roots

main() {
  ((EUID == 0)) || exec sudo -n "$(realpath "${BASH_SOURCE[0]}")" "$@"
  local package release
  package=$(package_of target/dist)
  (cd target/dist && sha256sum --check --quiet --strict SHA256SUMS)
  [[ ${1-} != --twice ]] || compile_again
  lintian --allow-root "$package"
  for release in bookworm trixie; do
    make_root "$release"
    echo "Debian $(< "$roots/$release/etc/debian_version"):"
    tests/packages/root.sh "$roots/$release" "$package" > "$roots/$release.log" 2>&1 ||
      { cat "$roots/$release.log" >&2 && exit 1; }
    judge "$roots/$release.log"
  done
}

package_of() {
  local -a found=("$1"/*.deb)
  [[ -e ${found[0]} ]] || { printf 'error: there is no package in %s\nhint: make dist\n' "$1" >&2 && exit 1; }
  echo "${found[0]}"
}

# One layer that both a person's server and PostgreSQL's packages are in. Made once: apt's packages are some hundred megabytes.
make_root() {
  [[ ! -e $roots/$1.made ]] || return 0
  mkdir -p "$roots"
  rm -rf --one-file-system "${roots:?}/$1"
  # It mounts in there: in a namespace, so that nothing of the machine can be reached from what an interrupted run left.
  unshare --mount mmdebstrap --quiet --variant=minbase --include=postgresql,systemd,man-db "$1" "$roots/$1"
  touch "$roots/$1.made"
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
