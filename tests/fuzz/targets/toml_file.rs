//! Feeds [`lastgood::fuzzing::toml_file`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lastgood::fuzzing::toml_file(bytes));
