//! What can be unhealthy about a database's backups.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::backup::BackupId;
use crate::words;

/// Something unhealthy about a database's backups. Display is the sentence for people, `code` the word for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Finding {
    /// There is no good backup.
    Never {
        /// The PostgreSQL name.
        database: String,
        /// How many backups are not verified yet.
        unverified: usize,
    },
    /// The newest good backup is too old.
    Stale {
        /// The newest good backup.
        id: BackupId,
        /// Its age in seconds.
        age_seconds: i64,
        /// The age it may have, in seconds.
        max_age_seconds: i64,
    },
    /// A good backup lies in the future: a clock is wrong, and its age unknown.
    InTheFuture {
        /// The farthest of them.
        id: BackupId,
        /// By how much, in seconds.
        by_seconds: i64,
    },
    /// A backup is damaged, or its archive gone, and no good one is newer.
    NewestDamaged {
        /// The newest of them.
        id: BackupId,
        /// Whether its archive is gone.
        is_gone: bool,
        /// How many are damaged or gone that are newer than the newest good one.
        count: usize,
    },
    /// The newest backup isn't what its verdict or its manifest is about.
    Changed {
        /// The backup.
        id: BackupId,
        /// What tells.
        how: String,
    },
    /// A record of the newest good backup can't be read: it can't be restored by its name, or nothing is known of it.
    BrokenRecord {
        /// The backup.
        id: BackupId,
        /// What is wrong with which record.
        how: String,
    },
    /// The last drill failed: a restore is not what was dumped.
    DrillFailed {
        /// The PostgreSQL name.
        database: String,
        /// The backup that was restored.
        backup: String,
        /// When the drill ended.
        finished: Timestamp,
        /// Why it failed, where it says so.
        how: Option<String>,
    },
    /// The last drill that passed is too long ago.
    DrillOld {
        /// The PostgreSQL name.
        database: String,
        /// When it ended.
        passed: Timestamp,
        /// How long ago that is, in seconds.
        age_seconds: i64,
        /// How long ago it may be, in seconds.
        max_age_seconds: i64,
    },
    /// No drill has ever passed.
    NeverDrilled {
        /// The PostgreSQL name.
        database: String,
    },
    /// Nothing is known of its drills: their record can't be understood, or ends in the future.
    DrillUnknown {
        /// The PostgreSQL name.
        database: String,
        /// What is wrong with it.
        how: String,
        /// What could help.
        #[serde(skip)]
        remedy: Remedy,
    },
    /// There are too few good backups.
    TooFew {
        /// The PostgreSQL name.
        database: String,
        /// How many there are.
        good: usize,
        /// How many there should be.
        min_count: usize,
    },
    /// Good backups are smaller than they should be.
    TooSmall {
        /// The newest of them.
        id: BackupId,
        /// Its bytes.
        size: u64,
        /// The bytes it should have.
        min_size: u64,
        /// How many good backups are too small.
        count: usize,
        /// The usual size of which that is half, where nobody has set a size.
        #[serde(skip_serializing_if = "Option::is_none")]
        usual: Option<u64>,
    },
}

/// What could help where nothing is known of a database's drills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The next drill puts another record in its place.
    Drill,
    /// A newer version reads it.
    Upgrade,
    /// It could not be read now, and is read again.
    Wait,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never { database, unverified: 0 } => write!(f, "database `{database}` has no good backup"),
            Self::Never { database, unverified } => {
                write!(f, "database `{database}` has no good backup; not verified yet: {unverified}")
            }
            Self::Stale { id, age_seconds, max_age_seconds } => {
                let [age, limit] = [age_seconds, max_age_seconds].map(|seconds| span(*seconds));
                write!(f, "the newest good backup {} is {age} old, more than {limit}", id.stem)
            }
            Self::InTheFuture { id, by_seconds } => {
                let by = span(*by_seconds);
                write!(f, "the newest good backup {} is {by} in the future: a clock is wrong", id.stem)
            }
            Self::NewestDamaged { id, count, is_gone } => {
                let what = if *is_gone { "has lost its archive" } else { "is damaged" };
                write!(f, "the backup {} {what}, and no good one is newer", id.stem)?;
                if *count > 1 { write!(f, "; damaged or lost since the newest good one: {count}") } else { Ok(()) }
            }
            Self::Changed { id, how } => {
                write!(f, "the newest backup {} is not what was verified: {how}", id.stem)
            }
            Self::BrokenRecord { id, how } => {
                write!(f, "the newest good backup {} has a broken record: {how}", id.stem)
            }
            Self::DrillFailed { database, backup, finished, how } => {
                let when = words::minute(*finished);
                write!(f, "the last drill of database `{database}` failed, with {backup} on {when}")?;
                how.as_ref().map_or(Ok(()), |how| write!(f, ": {how}"))
            }
            Self::DrillOld { database, age_seconds, max_age_seconds, .. } => {
                let [age, limit] = [age_seconds, max_age_seconds].map(|seconds| span(*seconds));
                write!(f, "the last drill of database `{database}` that passed is {age} ago, more than {limit}")
            }
            Self::NeverDrilled { database } => write!(f, "no drill of database `{database}` has ever passed"),
            Self::DrillUnknown { database, how, .. } => {
                write!(f, "nothing is known of the drills of database `{database}`: {how}")
            }
            Self::TooFew { database, good, min_count } => {
                let good = words::count(*good as u64, "good backup");
                write!(f, "database `{database}` has {good}, fewer than {min_count}")
            }
            Self::TooSmall { id, size, usual: Some(usual), .. } => {
                let [size, usual] = [size, usual].map(|bytes| words::size(*bytes));
                write!(f, "the newest good backup {} has {size}, less than half of the usual {usual}", id.stem)
            }
            Self::TooSmall { id, size, min_size, count: 1, .. } => {
                write!(f, "the good backup {} has {size} bytes, fewer than {min_size}", id.stem)
            }
            Self::TooSmall { id, size, min_size, count, .. } => {
                write!(
                    f,
                    "{count} good backups have fewer than {min_size} bytes, the newest is {} with {size}",
                    id.stem
                )
            }
        }
    }
}

fn span(seconds: i64) -> String {
    words::span(SignedDuration::from_secs(seconds))
}
