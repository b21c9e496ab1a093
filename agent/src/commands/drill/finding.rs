//! What a comparison found.

use catalog::drill::Compared;

/// What is equal, what differs, and what could not be compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) compared: Compared,
    /// A sentence each.
    pub(super) differences: Vec<String>,
    /// A sentence each, with the reason.
    pub(super) uncompared: Vec<String>,
    /// What is equal in another form, a sentence each.
    pub(super) remarks: Vec<String>,
}
