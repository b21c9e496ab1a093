//! Feeds [`catalog::fuzzing::index`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| catalog::fuzzing::index(bytes));
