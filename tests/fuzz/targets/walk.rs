//! Feeds [`archive::fuzzing::walked`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive::fuzzing::walked(bytes));
