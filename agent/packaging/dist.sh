#!/usr/bin/env bash
# Makes what a release has, in target/dist: a .deb, an .rpm and a .tar.gz with the agent, the functions as infra/deploy.sh
# --release takes them, the bills of materials of both, and SHA256SUMS. The same commit gives the same bytes, wherever and
# whenever they are made. Needs nfpm, cargo-zigbuild and ziglang (`make tools` puts them under target/python).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PATH=$PWD/target/python/bin:$PATH
# What is packed has the same modes whoever packs it.
umask 022

readonly usage='usage: agent/packaging/dist.sh [--binary FILE] [--output FOLDER] [--fast]

  --binary FILE    pack this lastgood, and leave out the functions: nothing is compiled
  --output FOLDER  put it there instead of target/dist
  --fast           compress little'

# The C library of every system whose kernel the agent needs is newer.
readonly glibc=2.17 target=x86_64-unknown-linux-gnu
readonly packaging=agent/packaging
binary='' output=target/dist compression=xz rpm_compression=xz level=9

main() {
  read_arguments "$@"
  require_tools
  version=$(version_of_workspace)
  SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
  export SOURCE_DATE_EPOCH
  local functions=no
  if [[ -z $binary ]]; then
    build_portable
    infra/functions.sh x86_64
    functions=yes
  fi
  rm -rf "$output"
  mkdir -p "$output"
  output=$(realpath "$output")
  tree=$output/tree
  write_bills "$functions"
  lay_out
  settle_times
  pack_archive
  pack_packages
  [[ $functions == no ]] || cp target/lastgood-functions.tar.gz "$output/lastgood-functions-$version-x86_64.tar.gz"
  rm -rf "$tree"
  (cd "$output" && sha256sum -- * > SHA256SUMS)
  (cd "$output" && ls -l)
}

fail() {
  printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
  exit "${3:-1}"
}

read_arguments() {
  while (($#)); do
    case $1 in
      --binary) binary=${2:?$usage} && shift ;;
      --output) output=${2:?$usage} && shift ;;
      --fast) compression=zstd rpm_compression=gzip:1 level=1 ;;
      --help) echo "$usage" && exit ;;
      *) fail "$1 is not an option" 'see agent/packaging/dist.sh --help' 2 ;;
    esac
    shift
  done
}

require_tools() {
  local tool
  for tool in cargo nfpm python3 strip; do
    command -v "$tool" > /dev/null || fail "$tool is missing" 'run: make tools'
  done
  [[ -n $binary ]] || command -v cargo-zigbuild > /dev/null || fail 'cargo-zigbuild is missing' 'run: make tools'
}

# The one place is Cargo.toml; cargo ends the identity of a package with #NAME@VERSION or #VERSION.
version_of_workspace() {
  local identity
  identity=$(cargo pkgid --locked --package lastgood)
  echo "${identity##*[#@]}"
}

# In a folder of its own, because its flags are not those of other builds. The paths of this machine are left out of the
# program: the same commit is the same program wherever it is built.
build_portable() {
  local cargo_home=${CARGO_HOME:-$HOME/.cargo}
  RUSTFLAGS="--remap-path-prefix=$PWD=/lastgood --remap-path-prefix=$cargo_home=/cargo" \
    cargo zigbuild --release --locked --package lastgood --target "$target.$glibc" --target-dir target/portable
  binary=target/portable/$target/release/lastgood
  refuse_newer_glibc "$binary"
}

refuse_newer_glibc() {
  local newest
  newest=$(objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -1)
  [[ $(printf '%s\n' "GLIBC_$glibc" "$newest" | sort -V | tail -1) == "GLIBC_$glibc" ]] ||
    fail "$1 asks for $newest, newer than GLIBC_$glibc" 'build it with cargo-zigbuild, which links to an older glibc'
}

write_bills() {
  python3 $packaging/sbom.py lastgood "$target" > "$output/lastgood-$version.cdx.json"
  [[ $1 == no ]] || python3 $packaging/sbom.py lambdas "$target" > "$output/lastgood-functions-$version.cdx.json"
}

# The files as they are on a system, below $tree; debian/, zsh/ and scripts/ are what nfpm.yaml puts elsewhere.
lay_out() {
  local document=$tree/usr/share/doc/lastgood share=$tree/usr/share/lastgood
  install -D "$binary" "$tree/usr/bin/lastgood"
  strip "$tree/usr/bin/lastgood"
  lay_out_manual "$tree/usr/bin/lastgood"
  install -D -m 644 -t "$document" README.md
  # README and messages lead to these.
  install -D -m 644 -t "$document/docs" docs/*.md
  install -D -m 644 $packaging/copyright "$document/copyright"
  compress CHANGELOG.md "$document/CHANGELOG.md.gz"
  compress "$output/lastgood-$version.cdx.json" "$document/sbom.cdx.json.gz"
  install -D -t "$share/scripts" agent/scripts/*.sh
  install -D -m 644 -t "$share/examples" $packaging/examples/*
  install -D -m 644 -t "$share/monitoring" agent/monitoring/*
  # Of what is copied from it, the settings are a secret from their first line on.
  chmod 600 "$share/examples/lastgood.env"
  lay_out_units "$tree/usr/lib/systemd/system"
  install -D -m 644 $packaging/lastgood.logrotate "$tree/etc/logrotate.d/lastgood"
  install -D -m 755 -t "$tree/scripts" $packaging/scripts/*.sh
  install -D -m 644 $packaging/lintian-overrides "$tree/debian/lintian-overrides"
  changelog > "$tree/debian/changelog" && compress "$tree/debian/changelog" "$tree/debian/changelog.gz"
}

lay_out_manual() {
  local page
  mkdir -p "$tree/usr/share/man/man1"
  "$1" man --directory "$tree/usr/share/man/man1"
  for page in "$tree"/usr/share/man/man1/*.1; do
    compress "$page" "$page.gz" && rm "$page"
  done
  mkdir -p "$tree"/usr/share/{bash-completion/completions,fish/vendor_completions.d} "$tree/zsh"
  "$1" completions bash > "$tree/usr/share/bash-completion/completions/lastgood"
  "$1" completions fish > "$tree/usr/share/fish/vendor_completions.d/lastgood.fish"
  "$1" completions zsh > "$tree/zsh/_lastgood"
}

lay_out_units() {
  local unit
  mkdir -p "$1"
  cp $packaging/systemd/*.timer "$1"
  for unit in $packaging/systemd/*.service; do
    cat "$unit" $packaging/systemd/sandbox.conf > "$1/${unit##*/}"
  done
  chmod 644 "$1"/*
}

# Neither the name nor the time of the file goes into it.
compress() {
  mkdir -p "$(dirname "$2")"
  gzip -9 --no-name --stdout "$1" > "$2"
}

# Debian wants one of its own form; what changed stands in CHANGELOG.md.
changelog() {
  local maintainer
  maintainer=$(sed -n 's/^maintainer: //p' $packaging/nfpm.yaml)
  printf 'lastgood (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.gz beside this file.\n\n -- %s  %s\n' \
    "$version" "$maintainer" "$(LC_ALL=C date -u -d "@$SOURCE_DATE_EPOCH" '+%a, %d %b %Y %H:%M:%S +0000')"
}

# What was copied is as old as the commit, and nobody but its owner may write to it.
settle_times() {
  chmod -R u=rwX,go-w "$tree"
  find "$tree" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
}

# For systems without a package manager of either kind.
pack_archive() {
  local name=lastgood-$version-x86_64-linux
  cp LICENSE-APACHE LICENSE-MIT CHANGELOG.md "$tree"
  install -D -m 644 "$tree/zsh/_lastgood" "$tree/usr/share/zsh/site-functions/_lastgood"
  tar -C "$tree" --sort=name --mtime "@$SOURCE_DATE_EPOCH" --owner 0 --group 0 --numeric-owner \
    --mode u=rwX,go-w --transform "s,^\.,$name," -cf - ./usr ./etc ./LICENSE-APACHE ./LICENSE-MIT ./CHANGELOG.md |
    gzip -"$level" --no-name > "$output/$name.tar.gz"
  rm -r "$tree/usr/share/zsh"
}

pack_packages() {
  local kind
  sed "s/@VERSION@/$version/; s/@COMPRESSION@/$compression/; s/@RPM_COMPRESSION@/$rpm_compression/" \
    $packaging/nfpm.yaml > "$tree/nfpm.yaml"
  for kind in deb rpm; do
    (cd "$tree" && nfpm package --config nfpm.yaml --packager $kind --target "$output" > /dev/null)
  done
}

main "$@"
