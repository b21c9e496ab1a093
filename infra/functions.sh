#!/usr/bin/env bash
# Builds the functions and packs what infra/deploy.sh deploys without a compiler into target/lastgood-functions, and the same
# folder into target/lastgood-functions.tar.gz. Needs cargo-lambda and python3 (`make tools` puts both under target/python).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH=$PWD/target/python/bin:$PATH

readonly usage='usage: infra/functions.sh [--no-build] [ARCHITECTURE]...

  ARCHITECTURE  x86_64 (without one) or arm64, or both
  --no-build    pack the existing target/functions/{verify,retention,freshness}/bootstrap, for the one architecture'

readonly functions=target/functions
build=yes
architectures=()

main() {
  read_arguments "$@"
  require_tools
  local architecture folder built=()
  for architecture in "${architectures[@]}"; do
    folder=$functions
    ((${#architectures[@]} == 1)) || folder=$functions-$architecture
    [[ $build == no ]] || build_into "$folder" "$architecture"
    built+=("$architecture=$folder")
  done
  local strict=()
  [[ $build == no ]] || strict=(--refuse-newer-glibc)
  python3 infra/pack.py ${strict[@]+"${strict[@]}"} target/lastgood-functions "${built[@]}"
}

fail() {
  printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
  exit "${3:-1}"
}

read_arguments() {
  local argument
  for argument; do
    case $argument in
      --no-build) build=no ;;
      --help) echo "$usage" && exit ;;
      x86_64 | arm64) architectures+=("$argument") ;;
      *) fail "$argument is neither an option nor an architecture" 'see infra/functions.sh --help' 2 ;;
    esac
  done
  ((${#architectures[@]})) || architectures=(x86_64)
  [[ $build == yes ]] || ((${#architectures[@]} == 1)) ||
    fail 'what is built already is for one architecture' 'name one, or leave --no-build out' 2
}

require_tools() {
  command -v python3 > /dev/null || fail 'python3 is missing' 'run: make tools, or: apt-get install python3'
  [[ $build == no ]] || command -v cargo-lambda > /dev/null ||
    fail 'cargo-lambda is missing' 'run: make tools, or: pip install cargo-lambda'
}

build_into() {
  local target=--x86-64
  [[ $2 != arm64 ]] || target=--arm64
  # Nothing is downloaded unasked: the user adds a missing target with rustup.
  # Without this variable AWS-LC gathers CPU jitter when a function starts (docs/security.md, Entropy).
  AWS_LC_SYS_NO_JITTER_ENTROPY=1 cargo lambda build --profile function --locked --package lambdas \
    --lambda-dir "$1" "$target" --skip-target-check
}

main "$@"
