//! What a comparison found.

use std::fmt::Display;

use catalog::drill::Compared;
use catalog::words;

/// How many names a sentence spells out.
const NAMED: usize = 5;

/// What is equal, what differs, and what could not be compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) compared: Compared,
    /// A sentence each.
    pub(crate) differences: Vec<String>,
    /// A sentence each, with the reason.
    pub(crate) uncompared: Vec<String>,
    /// What is equal in another form, a sentence each.
    pub(crate) remarks: Vec<String>,
}

impl Finding {
    /// Says what is equal in another form, of these; of none, nothing.
    pub(super) fn remark(&mut self, said: &str, names: &[String]) {
        self.remarks.extend(naming(said, names));
    }

    /// Says what could not be compared, of these; of none, nothing.
    pub(super) fn leave_out(&mut self, said: &str, names: &[impl Display]) {
        self.uncompared.extend(naming(said, names));
    }
}

/// A sentence about these; of none, nothing.
pub(super) fn naming(said: &str, names: &[impl Display]) -> Option<String> {
    (!names.is_empty()).then(|| format!("{said}: {}", words::first_of(names, NAMED, ", ")))
}
