//! A row: one thing that is asked of every store.

use super::ground::Ground;
use super::trouble::Tried;

/// One thing to try at a store.
#[derive(Clone, Copy)]
pub struct Row {
    /// A short name, for the results and the command line.
    pub name: &'static str,
    /// What is right, for the table.
    pub title: &'static str,
    pub(super) try_at: fn(&Ground) -> Tried,
}
