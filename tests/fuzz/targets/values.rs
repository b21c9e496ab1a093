//! Feeds [`lastgood::fuzzing::values`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lastgood::fuzzing::values(bytes));
