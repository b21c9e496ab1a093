//! Feeds [`archive::fuzzing::stops`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive::fuzzing::stops(bytes));
