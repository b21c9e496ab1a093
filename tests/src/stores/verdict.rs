//! What came of a row at a store.

use serde::{Deserialize, Serialize};

/// What came of a row at a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it must be.
    Good,
    /// The store doesn't offer what the row is about: what that is.
    Lacks(String),
    /// The store refuses, for a known reason, and Lastgood says so: its error, and why.
    Refused(String),
    /// Wrong: what was found.
    Bad(String),
}
