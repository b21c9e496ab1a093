//! Feeds [`archive::fuzzing::rows`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive::fuzzing::rows(bytes));
