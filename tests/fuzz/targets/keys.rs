//! Feeds [`catalog::fuzzing::keys`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| catalog::fuzzing::keys(bytes));
