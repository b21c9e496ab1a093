//! A row: one thing that is asked of every store.

use super::ground::Ground;
use crate::agent::Outcome;

/// One thing to try at a store.
#[derive(Clone, Copy)]
pub struct Row {
    /// A short name, for the results and the command line.
    pub name: &'static str,
    /// What is right, for the table.
    pub title: &'static str,
    pub(super) try_at: fn(&Ground) -> Tried,
}

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
