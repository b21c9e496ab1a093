//! What a command is struck by.

use super::aim::Aim;
use super::fault::Fault;
use crate::torture::subject::Subject;

/// One fault at one request of one command.
pub(super) struct Blow {
    pub(super) subject: Subject,
    pub(super) fault: &'static Fault,
    /// Which request.
    pub(super) aim: Aim,
    /// For a person: which of its kind.
    pub(super) moment: &'static str,
}
