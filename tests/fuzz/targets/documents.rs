//! Feeds [`catalog::fuzzing::documents`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| catalog::fuzzing::documents(bytes));
