//! What a command is struck by.

use super::command::Command;
use super::fault::{Fault, Place};

/// One fault under one command.
pub(super) struct Blow {
    pub(super) command: Command,
    pub(super) place: Place,
    pub(super) fault: Fault,
    pub(super) name: String,
}
