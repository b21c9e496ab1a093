//! Why a backup can't be compared, in words that name it and say what to do.

use std::io;

use ::archive::Damage;

use crate::answers::failure::{Exit, Failure};
use crate::beyond_limits;
use crate::commands::restore::reading::ReadingError;
use crate::interrupt::stopped_by;

/// What to do where the key is missing.
pub(super) const KEY: &str = "set BACKUP_AGE_IDENTITY_FILE to the file with the key that it was encrypted for";

/// A failure to read the archive at `place`.
pub(super) fn reading(place: &str, error: ReadingError) -> Failure {
    match error {
        ReadingError::Damaged(limit) if limit.is_limit() => beyond_limits::failure(place, &limit),
        ReadingError::Damaged(damage) => damaged(place, &damage),
        ReadingError::Locked(why) => Failure::new(Exit::Failed, format!("{place} {why}")).hint(KEY),
        ReadingError::Read(error) => unreadable(place, error),
        ReadingError::Interrupted(signal) => stopped_by(signal),
    }
}

/// An archive that is damaged.
pub(super) fn damaged(place: &str, damage: &Damage) -> Failure {
    Failure::new(Exit::Damaged, format!("{place} is damaged: {damage}")).hint("compare another backup: lastgood list")
}

/// A repository's own failure comes inside the I/O error, with its hint.
fn unreadable(place: &str, error: io::Error) -> Failure {
    match error.downcast::<repository::Error>() {
        Ok(error) => error.into(),
        Err(error) => Failure::new(Exit::Failed, format!("cannot read {place}: {error}")).hint("compare them again"),
    }
}
