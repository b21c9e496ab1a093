#!/usr/bin/env bash
# Installs what the tests and the demo run against, where it is missing; asks nothing, and costs nothing when all is there.
#
# Debian packages: a PostgreSQL server, pgbouncer, zstd, age, xz and its like, Valgrind, strace, a terminal's `script`, mandoc, zsh and fish,
# a C compiler, lintian, rpm, systemd's own check, Python's venv. Python packages: tests/requirements.txt,
# in an environment of its own under target/python, so the system's Python stays as it is. `tools.sh peers` installs what
# `make bench` measures beside Lastgood, `tools.sh restic` what `make restic` asks, `tools.sh dist` what `make dist-test` needs,
# `tools.sh browser` what `make report-look` does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly requirements=tests/requirements.txt
readonly environment=target/python
# Holds the requirements that the environment was completed for: written last, so half an installation is no installation.
readonly installed=$environment/installed.txt

main() {
  if [[ ${1-} == peers ]]; then
    install_debian_packages missing_peers
    return
  elif [[ ${1-} == restic ]]; then
    install_debian_packages missing_restic
    return
  elif [[ ${1-} == dist ]]; then
    install_debian_packages missing_dist
    return
  elif [[ ${1-} == browser ]]; then
    install_debian_packages missing_browser
    install_axe
    return
  fi
  require_rust
  install_debian_packages missing_debian_packages
  require_python
  cmp --silent "$requirements" "$installed" || install_python_packages
  [[ -x $environment/bin/promtool ]] || install_promtool
}

fail() {
  printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
  exit 1
}

missing_browser() {
  command -v chromium > /dev/null || echo chromium
  compgen -G '/usr/share/fonts/truetype/dejavu/*' > /dev/null || echo fonts-dejavu-core
}

# Looks for what hinders people who don't see a page, or not well (https://github.com/dequelabs/axe-core). From npm's registry, by its digest.
install_axe() {
  local version=4.10.3 folder=target/axe
  local digest=Xm7bpRXnDSX2YE2YFfBk2FnF0ep6tmG7xPh8iHee8MIcrgq762Nkce856dYtJYLkuIoYZvGfTs/PbZhideTcEg==
  [[ -f $folder/package/axe.min.js ]] && return
  mkdir -p "$folder"
  curl --silent --show-error --fail --max-time 60 --output "$folder/axe.tgz" \
    "https://registry.npmjs.org/axe-core/-/axe-core-$version.tgz"
  [[ $(openssl dgst -sha512 -binary "$folder/axe.tgz" | base64 -w0) == "$digest" ]] ||
    fail "axe-core $version has another digest than expected" 'do not use it; compare with https://www.npmjs.com/package/axe-core'
  tar --extract --gzip --file "$folder/axe.tgz" --directory "$folder" package/axe.min.js
}

require_rust() {
  local command
  for command in cargo rustfmt cargo-clippy; do
    command -v "$command" > /dev/null ||
      fail "$command is missing" 'install Rust (https://rustup.rs), with its components rustfmt and clippy'
  done
}

# $1: what prints the packages that are missing.
install_debian_packages() {
  local -a missing
  mapfile -t missing < <("$1")
  ((${#missing[@]})) || return 0
  command -v apt-get > /dev/null ||
    fail "missing here: ${missing[*]}" 'these are the names in Debian; install their like with your package manager'
  local -a as_root=()
  if ((EUID != 0)); then
    sudo -n true 2> /dev/null ||
      fail "missing here: ${missing[*]}" "as root: apt-get install ${missing[*]}"
    as_root=(sudo -n)
  fi
  echo "Installing ${missing[*]} …"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
    > /dev/null
}

missing_debian_packages() {
  compgen -G '/usr/lib/postgresql/*/bin/postgres' > /dev/null || echo postgresql
  command -v zstd > /dev/null || echo zstd
  command -v age > /dev/null || echo age
  command -v xz > /dev/null || echo xz-utils
  command -v bzip2 > /dev/null || echo bzip2
  command -v lz4 > /dev/null || echo lz4
  command -v zip > /dev/null || echo zip
  command -v unzip > /dev/null || echo unzip
  command -v openssl > /dev/null || echo openssl
  command -v valgrind > /dev/null || echo valgrind
  command -v strace > /dev/null || echo strace
  command -v script > /dev/null || echo bsdutils
  command -v mandoc > /dev/null || echo mandoc
  command -v zsh > /dev/null || echo zsh
  command -v fish > /dev/null || echo fish
  [[ -x /usr/sbin/pgbouncer ]] || echo pgbouncer
  command -v cc > /dev/null || printf '%s\n' gcc libc6-dev
  command -v strip > /dev/null || echo binutils
  command -v lintian > /dev/null || echo lintian
  command -v rpm > /dev/null || echo rpm
  command -v systemd-analyze > /dev/null || echo systemd
  python3 -c 'import ensurepip, venv' 2> /dev/null || printf '%s\n' python3 python3-venv
}

missing_peers() {
  command -v pigz > /dev/null || echo pigz
  command -v pgbackrest > /dev/null || echo pgbackrest
}

missing_restic() {
  command -v restic > /dev/null || echo restic
  command -v python3 > /dev/null || echo python3
}

missing_dist() {
  command -v mmdebstrap > /dev/null || echo mmdebstrap
}

require_python() {
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$(python3 --version) is too old for the local AWS" 'put a python3 of version 3.11 or newer first in PATH'
}

install_python_packages() {
  echo "Installing the local AWS and more PostgreSQL versions under $environment (about 1 GB) …"
  rm -rf "$environment"
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --no-input --requirement "$requirements" ||
    fail 'pip could not install the packages above' "run it again, or see why: $environment/bin/pip install -r $requirements"
  cp "$requirements" "$installed"
}

# Out of Debian's package, because installing that starts a server.
install_promtool() {
  local folder
  folder=$(mktemp -d)
  (cd "$folder" && apt-get download --quiet=2 prometheus) > /dev/null 2>&1 ||
    fail 'promtool is missing, and cannot be downloaded' "put Prometheus' promtool into $environment/bin"
  dpkg-deb --fsys-tarfile "$folder"/prometheus_*.deb | tar -x -C "$folder" ./usr/bin/promtool
  mv "$folder/usr/bin/promtool" "$environment/bin/promtool"
  rm -r "$folder"
}

main "$@"
