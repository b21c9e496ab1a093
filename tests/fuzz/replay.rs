//! Taken in by the tests of each crate: what `make fuzz` kept holds.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Tries every input that was kept of a target: a corpus of what it found, and each finding.
pub(super) fn replay(target: &str, holds: impl Fn(&[u8])) {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|above| above.join("tests/fuzz"));
    let fuzz = folders.find(|folder| folder.is_dir()).expect("the folder of this file");
    let mut tried = 0;
    for kept in ["corpus", "findings"] {
        let Ok(inputs) = std::fs::read_dir(fuzz.join(kept).join(target)) else { continue };
        for input in inputs {
            let input = input.unwrap().path();
            let bytes = std::fs::read(&input).unwrap();
            let outcome = catch_unwind(AssertUnwindSafe(|| holds(&bytes)));
            assert!(outcome.is_ok(), "of {}", input.display());
            tried += 1;
        }
    }
    assert!(tried > 0, "nothing was kept of {target}");
}
