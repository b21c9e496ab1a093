//! How old the newest good backup is, and whether that, their number and their size are what was asked for.
//!
//! No news is bad news: without a good backup the answer is "never", which is a finding, and so is a backup of
//! the future, for then a clock is wrong, whichever. Its age is unknown, and that of the newest one before it counts.

mod drills;
mod finding;
mod next;
mod past;
mod records;
mod since;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use crate::backup::BackupId;
use crate::catalog::{Catalog, Entry, State};

pub use drills::{Drills, DrillsAsked, check_drills};
pub use finding::{Finding, Remedy};
pub use next::next_command;
pub use past::{COMPARED, usual_count, usual_size};
pub use records::{Read, contradicted};
pub use since::{could_be, lost_since_good, share_of_age};

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
        /// How old it is; below zero when all of the kind lie in the future, for one of the clocks is wrong.
        age: SignedDuration,
    },
}

/// What is asked of a database's backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// The newest good backup may be this old.
    pub max_age: SignedDuration,
    /// Every good backup's archive has at least this many bytes. None: the newest one has at least half of what is usual, by
    /// [`usual_size`].
    pub min_size: Option<u64>,
    /// There are at least this many good backups. Where nobody says how many, [`usual_count`] does.
    pub min_count: usize,
}

impl Default for Thresholds {
    /// 26 hours, 100 KiB, 7 backups: the guide's defaults.
    fn default() -> Self {
        Self { max_age: SignedDuration::from_hours(26), min_size: Some(102_400), min_count: 7 }
    }
}

impl Freshness {
    /// The age of the newest good backup.
    #[must_use]
    pub fn of_good(catalog: &Catalog, now: Timestamp) -> Self {
        Self::of(catalog.newest_good(now), now)
    }

    /// The age of the newest backup whether verified or not: it tells backups that stopped from a verifier that stopped.
    #[must_use]
    pub fn of_uploaded(catalog: &Catalog, now: Timestamp) -> Self {
        Self::of(catalog.newest_uploaded(now), now)
    }

    fn of(entry: Option<&Entry>, now: Timestamp) -> Self {
        entry.map_or(Self::Never, |entry| Self::Of {
            id: entry.id.clone(),
            instant: entry.instant,
            age: entry.age(now),
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
        .chain(in_the_future(catalog, now))
        .chain(damaged(catalog, now))
        .chain(changed(catalog, now))
        .chain(too_few(catalog, thresholds.min_count))
        .chain(too_small(catalog, thresholds.min_size, now))
        .collect()
}

/// Where all good ones lie in the future their age is unknown, and another finding.
fn age_finding(catalog: &Catalog, max_age: SignedDuration, now: Timestamp) -> Option<Finding> {
    match Freshness::of_good(catalog, now) {
        Freshness::Never => {
            let unverified = |entry: &&Entry| entry.is_backup() && !entry.is_safety() && entry.judged().is_none();
            let unverified = catalog.entries.iter().filter(unverified).count();
            Some(Finding::Never { database: catalog.database.clone(), unverified })
        }
        Freshness::Of { id, age, .. } if age > max_age => {
            Some(Finding::Stale { id, age_seconds: age.as_secs(), max_age_seconds: max_age.as_secs() })
        }
        Freshness::Of { .. } => None,
    }
}

fn in_the_future(catalog: &Catalog, now: Timestamp) -> Option<Finding> {
    let first = catalog.good_ahead(now).next()?;
    let by = first.ahead_of(now)?;
    Some(Finding::InTheFuture { id: first.id.clone(), by_seconds: by.as_secs() })
}

/// Backups newer than the newest good one that are damaged or gone. Without any good one the finding is "never", and this one
/// would only repeat it.
fn damaged(catalog: &Catalog, now: Timestamp) -> Option<Finding> {
    catalog.newest_good(now)?;
    let mut lost = lost_since_good(catalog, now).filter(|entry| entry.is_lost());
    let newest = lost.next()?;
    let is_gone = newest.state == State::Missing;
    Some(Finding::NewestDamaged { id: newest.id.clone(), is_gone, count: lost.count() + 1 })
}

/// The newest backup's bytes are others than its verdict was given on.
fn changed(catalog: &Catalog, now: Timestamp) -> Option<Finding> {
    let newest = catalog.newest_uploaded(now).filter(|newest| newest.has_changed())?;
    Some(Finding::Changed { id: newest.id.clone(), how: "it was written again after its verdict".to_owned() })
}

/// Without any good backup the finding is "never", and this one would only repeat it.
fn too_few(catalog: &Catalog, min_count: usize) -> Option<Finding> {
    let good = catalog.good().count();
    (1..min_count).contains(&good).then(|| Finding::TooFew { database: catalog.database.clone(), good, min_count })
}

fn too_small(catalog: &Catalog, min_size: Option<u64>, now: Timestamp) -> Option<Finding> {
    let Some(min_size) = min_size else { return unusually_small(catalog, now) };
    let mut small = catalog.good().filter(|entry| entry.size() < min_size);
    let newest = small.next()?;
    let count = small.count() + 1;
    Some(Finding::TooSmall { id: newest.id.clone(), size: newest.size(), min_size, count, usual: None })
}

/// Of the newest one alone: an older one was judged when it was the newest.
fn unusually_small(catalog: &Catalog, now: Timestamp) -> Option<Finding> {
    let (newest, usual) = (catalog.newest_good(now)?, usual_size(catalog, now)?);
    let (id, size, min_size) = (newest.id.clone(), newest.size(), usual.div_ceil(2));
    (size < min_size).then_some(Finding::TooSmall { id, size, min_size, count: 1, usual: Some(usual) })
}
