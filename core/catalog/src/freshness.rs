//! How old the newest good backup is, and whether that, their number and their size are what was asked for.
//!
//! No news is bad news: without a good backup the answer is "never", which is a finding, and so is a backup of
//! the future, for then the clock says nothing about its age.

#[cfg(test)]
mod tests;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::backup::BackupId;
use crate::catalog::{Catalog, Entry};
use crate::words;

/// How far a backup may lie in the future before it is a finding, and its age unknown: clocks of two machines differ by
/// seconds, not by more.
pub const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The age of one kind of backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// There is none.
    Never,
    /// There is one.
    Of {
        /// The newest backup of the kind.
        id: BackupId,
        /// When it was made.
        instant: Timestamp,
        /// `now` less `instant`; negative when one of the clocks is wrong.
        age: SignedDuration,
    },
}

/// What is asked of a database's backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// The newest good backup may be this old.
    pub max_age: SignedDuration,
    /// Every good backup's archive has at least this many bytes.
    pub min_size: u64,
    /// There are at least this many good backups.
    pub min_count: usize,
}

impl Default for Thresholds {
    /// 26 hours, 100 KiB, 7 backups: the defaults of `MAX_BACKUP_AGE_HOURS`, `MIN_BACKUP_SIZE` and `MIN_BACKUP_COUNT`.
    fn default() -> Self {
        Self { max_age: SignedDuration::from_hours(26), min_size: 102_400, min_count: 7 }
    }
}

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
    /// The newest good backup is in the future, so its age is unknown.
    InTheFuture {
        /// The newest good backup.
        id: BackupId,
        /// By how much, in seconds.
        by_seconds: i64,
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
    },
}

impl Freshness {
    /// The age of the newest good backup.
    #[must_use]
    pub fn of_good(catalog: &Catalog, now: Timestamp) -> Self {
        Self::of(catalog.newest_good(), now)
    }

    /// The age of the newest backup whether verified or not: it tells backups that stopped from a verifier that stopped.
    #[must_use]
    pub fn of_uploaded(catalog: &Catalog, now: Timestamp) -> Self {
        Self::of(catalog.newest_uploaded(), now)
    }

    fn of(entry: Option<&Entry>, now: Timestamp) -> Self {
        entry.map_or(Self::Never, |entry| Self::Of {
            id: entry.id.clone(),
            instant: entry.instant,
            age: now.duration_since(entry.instant),
        })
    }

    /// The age, where there is a backup.
    #[must_use]
    pub fn age(&self) -> Option<SignedDuration> {
        match self {
            Self::Never => None,
            Self::Of { age, .. } => Some(*age),
        }
    }
}

/// What is unhealthy about the catalog; nothing, when all is well.
#[must_use]
pub fn check(catalog: &Catalog, thresholds: &Thresholds, now: Timestamp) -> Vec<Finding> {
    let age = age_finding(catalog, thresholds.max_age, now);
    age.into_iter()
        .chain(too_few(catalog, thresholds.min_count))
        .chain(too_small(catalog, thresholds.min_size))
        .collect()
}

fn age_finding(catalog: &Catalog, max_age: SignedDuration, now: Timestamp) -> Option<Finding> {
    match Freshness::of_good(catalog, now) {
        Freshness::Never => {
            let unverified = |entry: &&Entry| entry.is_backup() && !entry.is_safety() && entry.judged().is_none();
            let unverified = catalog.entries.iter().filter(unverified).count();
            Some(Finding::Never { database: catalog.database.clone(), unverified })
        }
        Freshness::Of { id, age, .. } if age < -SKEW => {
            Some(Finding::InTheFuture { id, by_seconds: age.as_secs().saturating_neg() })
        }
        Freshness::Of { id, age, .. } if age > max_age => {
            Some(Finding::Stale { id, age_seconds: age.as_secs(), max_age_seconds: max_age.as_secs() })
        }
        Freshness::Of { .. } => None,
    }
}

/// Without any good backup the finding is "never", and this one would only repeat it.
fn too_few(catalog: &Catalog, min_count: usize) -> Option<Finding> {
    let good = catalog.good().count();
    (1..min_count).contains(&good).then(|| Finding::TooFew { database: catalog.database.clone(), good, min_count })
}

fn too_small(catalog: &Catalog, min_size: u64) -> Option<Finding> {
    let mut small = catalog.good().filter(|entry| entry.size() < min_size);
    let newest = small.next()?;
    Some(Finding::TooSmall { id: newest.id.clone(), size: newest.size(), min_size, count: small.count() + 1 })
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
            Self::TooFew { database, good, min_count } => {
                let good = words::count(*good as u64, "good backup");
                write!(f, "database `{database}` has {good}, fewer than {min_count}")
            }
            Self::TooSmall { id, size, min_size, count: 1 } => {
                write!(f, "the good backup {} has {size} bytes, fewer than {min_size}", id.stem)
            }
            Self::TooSmall { id, size, min_size, count } => {
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
