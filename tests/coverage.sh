#!/usr/bin/env bash
# Counts the lines of core/, agent/ and lambdas/ that tests run: coverage.sh [cargo test's own arguments]
#
#   coverage.sh report [ROOM]   what the counts of the last run come to; with a room, such as agent, each of its lines that never ran
#
# The counters are LLVM's. What reads them is llvm_profparser, because the toolchain comes without LLVM's own reader.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly PARSER=0.15.0
readonly FOLDER=$PWD/target/coverage

main() {
  if [[ ${1-} == report ]]; then
    report "${2-}"
    return
  fi
  prepare
  local failed=0
  cargo build --quiet --workspace --bins --locked
  cargo test --workspace --locked --no-run "$@" 2>&1 | tee "$FOLDER/programs.txt"
  rm -f "$FOLDER"/counts/*.profraw
  cargo test --workspace --locked --no-fail-fast "$@" -- --test-threads "$((2 * $(nproc)))" || failed=$?
  report ""
  return "$failed"
}

# Its own target folder: other builds stay as they are.
prepare() {
  [[ -x $FOLDER/bin/cov ]] ||
    (cd / && cargo install --quiet --locked --root "$FOLDER" --features __llvm_22 --version "$PARSER" llvm_profparser)
  # Where a program writes its counts is linked into it: tests start programs with an empty environment. Up to four files are kept for
  # each program, and runs are added up in them, whoever runs it: the counts are anybody's to write.
  mkdir -p "$FOLDER/counts"
  chmod 1777 "$FOLDER/counts"
  cat > "$FOLDER/name.c" << END
#include <stdlib.h>
#include <sys/stat.h>
char __wrap___llvm_profile_filename[] = "$FOLDER/counts/%4m.profraw";
static void for_all(void) { umask(0); }
/* Registered last, and so called first, before the counts are written. */
__attribute__((constructor(65535))) static void at_end(void) { atexit(for_all); }
END
  cc -c -o "$FOLDER/name.o" "$FOLDER/name.c"
  export CARGO_TARGET_DIR=$FOLDER/build COVERAGE_NAME=$FOLDER/name.o RUSTC_WORKSPACE_WRAPPER=$PWD/tests/coverage-rustc.sh
}

# Those of the programs that have counters: some are of nothing but the tests' own crates.
counted() {
  local program
  while read -r program; do
    readelf --sections --wide "$program" | grep --quiet __llvm_covfun && echo "$program"
  done
}

report() {
  local built=$FOLDER/build/debug programs counts
  programs=("$built"/{lastgood,verify,freshness,retention})
  mapfile -t -O "${#programs[@]}" programs < <(sed -n 's/.*Executable .*(\(.*\))$/\1/p' "$FOLDER/programs.txt" | counted)
  counts=("$FOLDER"/counts/*.profraw)
  "$FOLDER/bin/cov" show "${programs[@]/#/--object=}" "${counts[@]/#/--instr-profile=}" > "$FOLDER/lines.txt" 2> "$FOLDER/errors.txt" ||
    { cat "$FOLDER/errors.txt" >&2; exit 1; }
  python3 tests/coverage.py "$FOLDER/lines.txt" "$1"
}

main "$@"
