//! Why a restore failed, in words that name the backup and say what to do.

use std::io;

use ::archive::{Damage, Kind};
use postgres::programs::program::ProgramError;

use crate::answers::failure::{Exit, Failure};
use crate::beyond_limits;
use crate::commands::restore::reading::ReadingError;

/// What is true before the exchange of names and before COMMIT.
pub(crate) const LIVE_IS_UNCHANGED: &str = "the live database has not been changed";

/// What is left where a key doesn't hold, or a view can't be filled: pg_restore goes on behind what fails, and names it.
const BY_HAND: &str =
    "lastgood show has the lines to restore it by hand, which without --exit-on-error restore all but what fails";
/// The same, where Lastgood can do it.
const KEEP_GOING: &str =
    "--keep-going restores every row, and leaves out keys, CHECKs, indexes and views that they do not let be made";

/// The hint of a failure of which no more is known.
pub(crate) fn unexplained() -> String {
    format!("{LIVE_IS_UNCHANGED}; {BY_HAND}")
}

/// Of a restore that could be told to keep going: that, in place of what to do by hand.
pub(crate) fn or_keep_going(failure: Failure) -> Failure {
    if failure.hint.as_ref() != Some(&unexplained()) || failure.error.contains("No space left on device") {
        return failure;
    }
    failure.hint(format!("{LIVE_IS_UNCHANGED}; {KEEP_GOING}"))
}

/// A restore that was told to stop.
pub(crate) fn stopped_by(signal: &str) -> Failure {
    Failure::new(Exit::Failed, format!("the restore was stopped by {signal}"))
        .hint(format!("{LIVE_IS_UNCHANGED}; start the restore again"))
}

/// A failure to read the backup at `place`.
pub(crate) fn reading(place: &str, error: ReadingError) -> Failure {
    match error {
        ReadingError::Damaged(Damage::NotAnArchive { found }) => not_an_archive(place, found),
        ReadingError::Damaged(limit) if limit.is_limit() => beyond_limits::failure(place, &limit),
        ReadingError::Damaged(damage) => Failure::new(Exit::Damaged, format!("{place} is damaged: {damage}"))
            .hint(format!("{LIVE_IS_UNCHANGED}; restore another backup: lastgood list")),
        ReadingError::Locked(why) => Failure::new(Exit::Failed, format!("{place} {why}"))
            .hint("set BACKUP_AGE_IDENTITY_FILE to the file with the key that it was encrypted for"),
        ReadingError::Read(error) => unreadable(place, error),
        ReadingError::Interrupted(signal) => stopped_by(signal),
    }
}

/// A repository's own failure comes inside the I/O error, with its hint.
fn unreadable(place: &str, error: io::Error) -> Failure {
    match error.downcast::<repository::Error>() {
        Ok(error) => Failure::from(error),
        Err(error) => Failure::new(Exit::Failed, format!("cannot read {place}: {error}")),
    }
}

/// What the other things that people call backups are restored with.
fn not_an_archive(place: &str, found: Kind) -> Failure {
    let hint = match found {
        Kind::PlainSql => format!(
            "it is SQL that pg_dump didn't write: restore it with psql into an empty database: psql -v ON_ERROR_STOP=1 -1 -d NAME -f {place}"
        ),
        _ => "make backups with lastgood backup, or pg_dump --format=custom".to_owned(),
    };
    Failure::new(Exit::Damaged, format!("{place} is not a pg_dump archive but {found}")).hint(hint)
}

/// A program that failed, and what to do about it.
pub(crate) fn program(error: &ProgramError) -> Failure {
    if let ProgramError::Interrupted(signal) = error {
        return stopped_by(signal);
    }
    let text = error.to_string();
    let hint = if text.contains("out of shared memory") || text.contains("max_locks_per_transaction") {
        "raise max_locks_per_transaction on the server, or restore by swap, without --in-place"
    } else if text.contains("other objects depend on it") {
        "something that isn't in the backup depends on it: drop that first, or restore by swap, without --in-place"
    } else if text.contains("must be owner of") || text.contains("permission denied") {
        "restore as the owner of the database, or as a superuser"
    } else if text.contains("extension") && (text.contains("could not open") || text.contains("is not available")) {
        "install the extension's package on the server, and restore again"
    } else {
        return Failure::new(Exit::Failed, text).hint(unexplained());
    };
    Failure::new(Exit::Failed, text).hint(hint)
}
