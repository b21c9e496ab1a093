//! Which backup goes next: nothing is foretold by a second set of rules, the plan itself is asked about the days to come.

use jiff::{SignedDuration, Timestamp};

use super::{Limit, Policy, plan};
use crate::catalog::{Catalog, Entry};

/// A good backup comes each day.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// What goes only after this many days isn't foretold.
const DAYS: u32 = 1_830;
/// Of which so many are asked about at most: the calendar's rules have let one go by then, or keep them all.
const ASKED: u32 = 400;

/// The good backup that the plan lets go next, and the time of the plan that does, if a good one comes each day. The oldest, where
/// several go at once. `None`: nothing goes within years, or plans are refused.
#[must_use]
pub fn goes_next<'a>(catalog: &'a Catalog, policy: &Policy, now: Timestamp) -> Option<(&'a Entry, Timestamp)> {
    let newest = catalog.newest_good(now).filter(|newest| !newest.is_in_the_future(now))?;
    if policy.keeps_all_good() {
        return None;
    }
    let first = newest.instant.checked_add(DAY).ok()?.max(now);
    let earliest = earliest(catalog, policy)?;
    let (mut imagined, mut at, mut asked) = (catalog.clone(), now, 0);
    for day in 0..DAYS {
        if day > 0 {
            at = first.checked_add(DAY.checked_mul(i32::try_from(day - 1).ok()?)?).ok()?;
            imagined.entries.insert(0, Entry::imagined(&catalog.database, at)?);
        }
        if at < earliest {
            continue;
        }
        asked += 1;
        let plan = plan(&imagined, policy, at, Limit::Half);
        let going = plan.removals().map(|row| row.entry).filter(|entry| entry.counts_as_good());
        let ours = going.filter_map(|entry| catalog.entries.iter().find(|ours| ours.id == entry.id));
        if let Some(last) = ours.last() {
            return Some((last, at));
        }
        if asked == ASKED {
            return None;
        }
    }
    None
}

/// Nothing goes before the oldest one has the age that every rule leaves alone.
fn earliest(catalog: &Catalog, policy: &Policy) -> Option<Timestamp> {
    let days = policy.delete_after_days.unwrap_or_default().max(policy.never_younger_days);
    let oldest = catalog.good().map(Entry::aged_from).min()?;
    oldest.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok()
}
