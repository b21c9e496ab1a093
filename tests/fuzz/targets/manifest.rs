//! Feeds [`catalog::fuzzing::manifest`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| catalog::fuzzing::manifest(bytes));
