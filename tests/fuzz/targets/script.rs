//! Feeds [`archive::fuzzing::script`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive::fuzzing::script(bytes));
