//! Feeds [`postgres::fuzzing::words`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postgres::fuzzing::words(bytes));
