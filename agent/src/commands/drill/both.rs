//! Two entries that aren't equal, with their texts.

use ::archive::{Described, is_reordered, shown};

/// An entry of the original and one of the copy, or one of them alone.
#[derive(Debug)]
pub(super) struct Both {
    pub(super) original: Option<Described>,
    pub(super) copy: Option<Described>,
}

impl Both {
    /// What it is about.
    pub(super) fn shown(&self) -> Option<String> {
        self.original.as_ref().or(self.copy.as_ref()).map(shown)
    }

    /// Rows of a child whose columns a restore has put into its parents' order: compared by the columns' names.
    pub(super) fn is_reordered(&self) -> bool {
        self.original.as_ref().zip(self.copy.as_ref()).is_some_and(|(original, copy)| is_reordered(original, copy))
    }
}
