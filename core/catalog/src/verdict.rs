//! What re-reading the stored bytes found.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whether the stored bytes are whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// They are what they should be, to the last byte.
    Intact,
    /// They aren't, or nothing proves that they are.
    Damaged,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Intact => "intact",
            Self::Damaged => "damaged",
        })
    }
}
