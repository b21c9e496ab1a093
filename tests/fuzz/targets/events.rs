//! Feeds [`lambdas::fuzzing::events`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lambdas::fuzzing::events(bytes));
