//! Feeds [`archive::fuzzing::toc`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive::fuzzing::toc(bytes));
