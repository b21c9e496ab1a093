//! What is usual for a database's backups, by those that it has: what `check` asks for where nobody says what to ask for.

use jiff::{SignedDuration, Timestamp};

use crate::catalog::Catalog;

/// With how many good backups before it the newest one is compared.
pub const COMPARED: usize = 7;
/// With fewer than these there is no usual size.
const FEWEST: usize = 3;
/// At most so many good backups are asked for.
const MOST: usize = 7;
/// Backups that are made more often than this count by the day.
const DAILY: SignedDuration = SignedDuration::from_hours(48);

/// The median size in bytes of the [`COMPARED`] good backups before the newest one; of those alone that came since somebody
/// accepted what a backup has lost. None where there are too few to tell.
#[must_use]
pub fn usual_size(catalog: &Catalog, now: Timestamp) -> Option<u64> {
    let newest = catalog.newest_good(now)?;
    let accepted = catalog.entries.iter().filter(|entry| entry.accepted.is_some() && entry.instant <= newest.instant);
    let since = accepted.map(|entry| entry.instant).max();
    let before =
        catalog.good().filter(|entry| entry.instant < newest.instant && since.is_none_or(|at| entry.instant >= at));
    let mut sizes: Vec<u64> = before.take(COMPARED).map(|entry| entry.size()).collect();
    sizes.sort_unstable();
    sizes.get(sizes.len() / 2).copied().filter(|_| sizes.len() >= FEWEST)
}

/// How many good backups there should be: as many as days have gone by since the first one that is there, at most seven. Where a
/// backup may be older than two days, as many as such spans.
#[must_use]
pub fn usual_count(first: Option<Timestamp>, max_age: SignedDuration, now: Timestamp) -> usize {
    let span = if max_age > DAILY { max_age } else { SignedDuration::from_hours(24) };
    let since = first.map_or(0, |first| now.duration_since(first).as_secs().max(0));
    usize::try_from(since / span.as_secs().max(1)).unwrap_or(MOST).min(MOST)
}
