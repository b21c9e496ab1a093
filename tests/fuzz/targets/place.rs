//! Feeds [`archive::fuzzing::place`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive::fuzzing::place(bytes));
