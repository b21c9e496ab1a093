#!/bin/sh
# Compiles a crate of ours so that it counts which of its lines run: tests/coverage.sh sets it as RUSTC_WORKSPACE_WRAPPER.
# The tests' own crates aren't counted, nor are the functions as they are deployed, whose size a test holds.
case "${CARGO_PKG_NAME:-} $* " in
"e2e "* | "fuzz "* | "protocol "* | " "* | *" opt-level=s "*) exec "$@" ;;
*) exec "$@" -C instrument-coverage -C "link-arg=$COVERAGE_NAME" -C link-arg=-Wl,--wrap=__llvm_profile_filename ;;
esac
