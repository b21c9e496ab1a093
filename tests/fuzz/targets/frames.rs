//! Feeds [`archive::fuzzing::frames`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive::fuzzing::frames(bytes));
