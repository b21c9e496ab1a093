//! Feeds [`archive::fuzzing::sniffed`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive::fuzzing::sniffed(bytes));
