//! Feeds [`lastgood::fuzzing::env_file`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lastgood::fuzzing::env_file(bytes));
