//! How a row ends before its end.

use crate::agent::Outcome;

/// Nothing when it was right. What is wrong is a panic, as in any test.
pub(super) type Tried = Result<(), Trouble>;

/// Why a row couldn't be taken to its end.
pub(super) enum Trouble {
    /// The store doesn't offer what the row is about.
    Lacks(String),
    /// The agent failed where it should have been done: a store may have refused.
    Failed(Outcome),
}

impl Trouble {
    pub(super) fn lacks(what: &str) -> Trouble {
        Trouble::Lacks(what.to_owned())
    }
}
