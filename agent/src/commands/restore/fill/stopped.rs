//! Why a part of a restore side by side wasn't done, and which of several reasons counts.

use std::any::Any;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::fill::relay::Cancelled;
use crate::commands::restore::fill::unfilled::Unfilled;

/// Why a part wasn't restored.
pub(super) enum Stopped {
    /// Another part failed first.
    Cancelled,
    Failed(Failure),
    /// The database didn't take the rows.
    Refused(Failure),
    /// An index or a key wasn't made of rows that are in. If the archive turns out to be damaged, that is why.
    Unmade(Failure),
}

/// The part that failed says why; the others were only told. A refusal counts where nothing else went wrong.
pub(super) fn why(parts: &mut Vec<Stopped>) -> Option<Unfilled> {
    let mut refused = None;
    let mut rest = Vec::new();
    for part in parts.drain(..) {
        match part {
            Stopped::Failed(failure) => return Some(Unfilled::Failed(failure)),
            Stopped::Refused(failure) if refused.is_none() => refused = Some(Unfilled::Refused(failure)),
            part => rest.push(part),
        }
    }
    *parts = rest;
    refused
}

/// What wasn't made, where everything else went well.
pub(super) fn unmade(parts: Vec<Stopped>) -> Option<Stopped> {
    let is_why = |part: &Stopped| matches!(part, Stopped::Unmade(_));
    let (mut unmade, mut others): (Vec<_>, Vec<_>) = parts.into_iter().partition(is_why);
    unmade.drain(..).next().or_else(|| others.drain(..).next())
}

/// Failures of a pg_restore that filled in rows which another order of the rows would not mend.
const HOPELESS: [&str; 7] = [
    "permission denied",
    "must be owner of",
    "No space left on device",
    "out of memory",
    "out of shared memory",
    "terminating connection",
    "server closed the connection",
];

/// What came of handing rows to the database. pg_restore names the statement that was refused, in whatever language: a program
/// that breaks otherwise is not tried again.
pub(super) fn refused(failure: Failure) -> Stopped {
    let is_of_rows = failure.error.contains("COPY ");
    if !is_of_rows || is_hopeless(&failure) {
        return Stopped::Failed(failure);
    }
    Stopped::Refused(failure)
}

/// Nothing that is done otherwise would mend it.
pub(super) fn is_hopeless(failure: &Failure) -> bool {
    HOPELESS.iter().any(|words| failure.error.contains(words))
}

/// What wasn't made of rows that are in. Sessions that waited for each other don't if each comes by itself.
pub(super) fn deadlocked(failure: Failure) -> Unfilled {
    match failure.error.contains("deadlock detected") {
        true => Unfilled::Refused(failure),
        false => Unfilled::Failed(failure),
    }
}

/// A thread that panicked.
pub(super) fn panicked(_: Box<dyn Any + Send>) -> Failure {
    Failure::new(Exit::Failed, "a part of the restore panicked")
}

impl From<Cancelled> for Stopped {
    fn from(Cancelled: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Stopped> for Unfilled {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Failed(failure) => Self::Failed(failure),
            Stopped::Unmade(failure) => deadlocked(failure),
            Stopped::Refused(failure) => Self::Refused(failure),
            Stopped::Cancelled => {
                Self::Failed(Failure::new(Exit::Failed, "a part of the restore failed and did not say why"))
            }
        }
    }
}
