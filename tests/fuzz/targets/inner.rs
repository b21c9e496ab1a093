//! Feeds [`archive::fuzzing::inner`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive::fuzzing::inner(bytes));
