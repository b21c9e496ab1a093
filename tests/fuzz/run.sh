#!/usr/bin/env bash
# Feeds each target bytes that libFuzzer makes up, guided by what code they reach: `make fuzz`. CONTRIBUTING.md says more.
#
#   run.sh MINUTES [TARGET]   each target, or one, for so long
#   run.sh table              what the runs of this checkout came to
#   run.sh keep [TARGET]      put the fewest inputs that reach all that was reached into tests/fuzz/corpus
#
# It needs the pinned compiler alone, no nightly: coverage is LLVM's own (cargo-fuzz --sanitizer none). There is no address
# sanitizer to miss, for no crate of ours has `unsafe`; what bounds memory here is a limit of the process.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# In each: its name, the longest input in bytes, and which crates it needs (the features of tests/fuzz/Cargo.toml).
readonly targets='
sniff         600 core
frames       8192 core
walk         8192 core
inner        4096 core
stops        8192 core
place       16384 core
script       8192 core
toc          8192 core
rows         4096 core
manifest     8192 core
verdict      8192 core
index        8192 core
documents    8192 core
keys          512 core
words        4096 core
events       8192 programs
env_file     4096 programs
database_url  512 programs
toml_file    4096 programs
values        512 programs
'
# Resident megabytes that no input may need: of the 1,769 of the verify function, and what a zstd window of 128 MiB leaves.
readonly resident=400
# The same for what is reserved and not touched, in kilobytes.
readonly reserved=1000000
# Seconds for an input of some kilobytes, by the clock: it takes milliseconds, and others may want the processor.
readonly slowest=30
# The most inputs of each corpus, and their kilobytes, that are kept in the repository beside those that it began with (seed-…).
readonly most_inputs=100
readonly most_kept=16

readonly work=target/fuzz
readonly kept=tests/fuzz/corpus
readonly findings=tests/fuzz/findings

main() {
  case ${1-} in
    table) table ;;
    keep) each keep "${2-}" ;;
    '' | *[!0-9.]*) fail 'for how many minutes?' 'make fuzz MINUTES=1, or with TARGET=walk for one target' ;;
    *)
      readonly minutes=$1
      each fuzz "${2-}"
      table
      ((found == 0)) || fail "$found targets have a finding" "each input is in $findings: with it, cargo test fails as well"
      ;;
  esac
}

fail() {
  printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
  exit 1
}

require() {
  command -v cargo-fuzz > /dev/null || fail 'cargo-fuzz is missing' 'cargo install cargo-fuzz --locked'
  command -v c++ > /dev/null || fail 'a C++ compiler is missing, which builds libFuzzer' 'apt-get install g++'
}

# $1: what is done with each target; $2: the only one.
each() {
  require
  found=0
  local name longest crates any=
  while read -r name longest crates; do
    [[ -n $name && (-z $2 || $2 == "$name") ]] || continue
    any=1
    build "$name" "$crates"
    "$1" "$name" "$longest"
  done <<< "$targets"
  [[ -n $any ]] || fail "there is no target $2" "it is one of: $(awk 'NF { printf "%s ", $1 }' <<< "$targets")"
}

# As tests are built: with checks for overflow, and optimised where it matters.
build() {
  local host
  host=$(rustc -vV | sed -n 's/^host: //p')
  cargo fuzz build --fuzz-dir tests/fuzz --dev --sanitizer none --features "$2" --target "$host" --target-dir "$work/build" "$1" \
    > "$work.log" 2>&1 || { cat "$work.log" >&2; fail "the target $1 does not compile" 'the lines above say why'; }
  program=$work/build/$host/debug/$1
}

# $1: the target, $2: the longest input.
fuzz() {
  local name=$1 log=$work/$1.log status=0 began=$SECONDS
  mkdir -p "$work/corpus/$name" "$kept/$name" "$work/results"
  (
    ulimit -v "$reserved" -c 0
    RUST_BACKTRACE=0 nice -n 19 "$program" "$work/corpus/$name" "$kept/$name" -max_len="$2" -artifact_prefix="$work/found-" \
      -max_total_time="$(awk "BEGIN { print int($minutes * 60) }")" -timeout="$slowest" -rss_limit_mb="$resident" \
      -reload=0 -print_final_stats=1 > "$log" 2>&1
  ) || status=$?
  ((status == 0)) || keep_finding "$name" "$log"
  local reached
  reached=$(grep -oE 'cov: [0-9]+' "$log" | tail -1)
  printf '%s\t%s\t%s\t%s\t%s\n' "$(statistic number_of_executed_units "$log")" "${reached#cov: }" "$((SECONDS - began))" \
    "$(statistic peak_rss_mb "$log")" "$((status != 0))" >> "$work/results/$name"
  row "$name"
}

statistic() {
  sed -n "s/^stat::$1: *//p" "$2"
}

keep_finding() {
  local input
  input=$(sed -n 's/.*Test unit written to //p' "$2" | tail -1)
  found=$((found + 1))
  grep -A 5 -E 'panicked at|ERROR: libFuzzer' "$2" | head -12 >&2 || true
  [[ -n $input ]] || fail "the target $1 ended by itself" "$2 has its last words"
  mkdir -p "$findings/$1"
  mv "$input" "$findings/$1/"
  echo "error: $1: $findings/$1/$(basename "$input")" >&2
}

# The smallest set: libFuzzer prefers the shorter of two inputs.
keep() {
  local name=$1 chosen=$work/chosen/$1
  rm -rf "$chosen"
  mkdir -p "$chosen" "$kept/$name" "$work/corpus/$name"
  "$program" -set_cover_merge=1 -max_len="$2" "$chosen" "$work/corpus/$name" "$kept/$name" > "$work/$name.log" 2>&1 ||
    fail "the inputs of $name cannot be merged" "$work/$name.log says why"
  find "$kept/$name" -type f ! -name 'seed-*' -delete
  local size bytes=0 input
  while read -r size input; do
    bytes=$((bytes + size))
    ((bytes <= most_kept << 10)) || break
    cp "$input" "$kept/$name/$(sha1sum < "$input" | cut -c1-12)"
  done < <(find "$chosen" -type f -printf '%s %p\n' | sort -n | head -"$most_inputs")
  echo "$name: $(find "$kept/$name" -type f | wc -l) inputs, $(du -sb "$kept/$name" | cut -f1) bytes"
}

table() {
  echo '| target | executions | edges reached | inputs that reach them | minutes | findings | peak memory |'
  echo '|---|---|---|---|---|---|---|'
  local name rest
  while read -r name rest; do
    [[ -z $name || ! -e $work/results/$name ]] || row "$name"
  done <<< "$targets"
}

# Executions, time and findings of all runs; edges and memory as the best and the worst of them.
row() {
  local inputs
  inputs=$(find "$work/corpus/$1" "$kept/$1" -type f | wc -l)
  awk -F '\t' -v name="$1" -v inputs="$inputs" '
    { executions += $1; seconds += $3; findings += $5; if ($2 > edges) edges = $2; if ($4 > memory) memory = $4 }
    END { printf "| %s | %d | %d | %d | %.1f | %d | %d MB |\n", name, executions, edges, inputs, seconds / 60, findings, memory }
  ' "$work/results/$1"
}

mkdir -p "$work"
main "$@"
