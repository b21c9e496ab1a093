#!/usr/bin/env bash
# All of the tests must pass, so that the database is what PostgreSQL's developers mean it to be.
set -euo pipefail

tests=$ROOT/target/regression
[[ -e $tests/parallel_schedule ]] || { echo 'error: no regression tests are here; hint: tests/regression.sh' >&2; exit 1; }

# The server reads and writes files of theirs.
cp -r "$tests" "$FOLDER/tests"
mkdir -p "$FOLDER/output/results"
chmod -R a+rX "$FOLDER"
chmod 777 "$FOLDER/output" "$FOLDER/output/results"

"$(dirname "$PROGRAMS")/lib/pgxs/src/test/regress/pg_regress" --inputdir="$FOLDER/tests" --outputdir="$FOLDER/output" \
  --dlpath="$FOLDER/tests/lib" --bindir="$PROGRAMS" --host="$PGHOST" --port="$PGPORT" --user="$PGUSER" \
  --schedule="$FOLDER/tests/parallel_schedule" --max-connections=6 --no-locale --encoding=UTF8 > "$FOLDER/output/log" 2>&1 ||
  { grep FAILED "$FOLDER/output/log" >&2; head -30 "$FOLDER/output/regression.diffs" >&2; exit 1; }

psql() {
  local database=$1
  shift
  PGDATABASE=$database "$PROGRAMS/psql" --no-psqlrc --quiet --set ON_ERROR_STOP=1 "$@"
}

# A restored child has its parent's order of columns. PostgreSQL's own test of dump and restore sets these three aside as well.
psql regression --command 'ALTER TABLE gtestxx_4 NO INHERIT gtest1' \
  --command 'ALTER TABLE test_type_diff2_c1 NO INHERIT test_type_diff2' \
  --command 'ALTER TABLE test_type_diff2_c2 NO INHERIT test_type_diff2'
# The rows of a materialized view aren't dumped: a restore asks its query again, which has another answer by now.
psql regression --command 'REFRESH MATERIALIZED VIEW mvtest_bb'
psql postgres --command "ALTER DATABASE regression OWNER TO $OWNER" --command "DROP DATABASE $PGDATABASE" --command "ALTER DATABASE regression RENAME TO $PGDATABASE"
