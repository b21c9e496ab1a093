//! What is said of a backup beside its state.

use catalog::Entry;
use serde::Serialize;

/// What came of the last drill of a backup.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DrillState {
    Passed,
    Failed,
    /// There was one, and its record was not read.
    Unread,
}

/// What people have said of what a backup has lost.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ShrunkState {
    /// Nothing yet.
    Open,
    /// That it is right.
    Accepted,
}

impl DrillState {
    pub(super) fn of(passed: Option<bool>) -> Self {
        match passed {
            Some(true) => Self::Passed,
            Some(false) => Self::Failed,
            None => Self::Unread,
        }
    }

    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Passed => ", drilled",
            Self::Failed => ", DRILL FAILED",
            Self::Unread => ", drill not read",
        }
    }
}

impl ShrunkState {
    pub(super) fn of(entry: &Entry) -> Self {
        if entry.accepted.is_some() { Self::Accepted } else { Self::Open }
    }
}
