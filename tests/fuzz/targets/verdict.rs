//! Feeds [`catalog::fuzzing::verdict`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| catalog::fuzzing::verdict(bytes));
