//! The state of one database's backups since its newest good one, as numbers that rise while something is wrong and fall when
//! it is over.

use jiff::{SignedDuration, Timestamp};

use crate::catalog::{Catalog, Entry};
use crate::clock::SKEW;

/// The backups that are damaged, gone, or not what was verified, and for which no good one has come since. Newest first.
pub fn lost_since_good(catalog: &Catalog, now: Timestamp) -> impl Iterator<Item = &Entry> {
    let good = catalog.newest_good(now).map(|good| good.instant);
    let ours = catalog.entries.iter().filter(move |entry| !entry.is_safety() && !entry.is_in_the_future(now));
    let newer = ours.take_while(move |entry| good.is_none_or(|good| entry.instant > good));
    newer.filter(|entry| entry.is_lost() || (entry.is_backup() && entry.has_changed()))
}

/// The age of the newest good backup as a share of what it may be: above 1 it is stale. A database that never had one has the age
/// of its expectation, so that its first backup has as much time as any. `None` where nothing tells: its newest good one lies
/// in the future, or there is none and nobody knows since when there should be one.
#[must_use]
pub fn share_of_age(
    catalog: &Catalog,
    since: Option<Timestamp>,
    max_age: SignedDuration,
    now: Timestamp,
) -> Option<f64> {
    let age = match catalog.newest_good(now) {
        Some(good) => Some(good.age(now)).filter(|age| *age >= -SKEW),
        None => since.map(|since| now.duration_since(since)),
    }?;
    let limit = max_age.as_secs_f64().max(1.0);
    Some(age.as_secs_f64().max(0.0) / limit)
}

/// How many good backups there could be since `since`, if one comes `each` so often; never more than `minimum`.
#[must_use]
pub fn could_be(since: Timestamp, each: SignedDuration, minimum: usize, now: Timestamp) -> usize {
    let passed = now.duration_since(since).as_secs().max(0);
    let came = passed.checked_div(each.as_secs()).unwrap_or(i64::MAX);
    usize::try_from(came).unwrap_or(usize::MAX).min(minimum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Listing, time};
    use crate::{Record, State};

    const DAY: SignedDuration = SignedDuration::from_hours(26);

    fn lost(listing: &Listing) -> Vec<String> {
        let now = time("2026-01-23T12:00:00Z");
        lost_since_good(&listing.catalog(), now).map(|entry| entry.id.stem.to_string()).collect()
    }

    #[test]
    fn what_was_lost_counts_until_a_good_one_comes() {
        let mut listing = Listing::bucket();
        listing.at(State::Damaged, "2026-01-19T03:00:00Z");
        assert_eq!(lost(&listing).len(), 1, "none was ever good");
        listing.at(State::Good, "2026-01-20T03:00:00Z");
        assert_eq!(lost(&listing), [""; 0], "a good one is newer");
        listing.at(State::Damaged, "2026-01-21T03:00:00Z");
        listing.at(State::Missing, "2026-01-22T03:00:00Z");
        listing.at(State::Uploaded, "2026-01-23T03:00:00Z");
        assert_eq!(lost(&listing), ["app_backup_20260122_030000", "app_backup_20260121_030000"]);
        listing.at(State::Good, "2026-01-23T04:00:00Z");
        assert_eq!(lost(&listing), [""; 0]);
    }

    #[test]
    fn bytes_that_were_replaced_after_their_verdict_are_lost() {
        let mut listing = Listing::bucket();
        let id = listing.at(State::Uploaded, "2026-01-23T03:00:00Z");
        listing.record(&id, Record::Intact, time("2026-01-23T03:00:30Z"));
        assert_eq!(lost(&listing), ["app_backup_20260123_030000"]);
    }

    #[test]
    fn age_is_a_share_of_what_it_may_be() {
        let (mut listing, now) = (Listing::bucket(), time("2026-01-21T05:00:00Z"));
        let share = |listing: &Listing, since| share_of_age(&listing.catalog(), since, DAY, now);
        assert_eq!(share(&listing, None), None, "nobody knows since when");
        assert_eq!(share(&listing, Some(now)), Some(0.0), "the first one has time");
        assert_eq!(share(&listing, Some(now - DAY * 2)), Some(2.0));
        listing.at(State::Good, "2026-01-20T03:00:00Z");
        assert_eq!(share(&listing, None), Some(1.0));
        let mut ahead = Listing::bucket();
        ahead.at(State::Good, "2026-01-25T03:00:00Z");
        assert_eq!(share(&ahead, Some(now)), None, "a clock is wrong, whichever");
    }

    #[test]
    fn a_database_is_not_asked_for_more_than_there_could_be() {
        let since = time("2026-01-01T00:00:00Z");
        let could = |hours: i64, each| could_be(since, each, 7, since + SignedDuration::from_hours(hours));
        assert_eq!([0, 25, 26, 181, 182, 9_999].map(|hours| could(hours, DAY)), [0, 0, 1, 6, 7, 7]);
        assert_eq!(could(400, SignedDuration::from_hours(180)), 2, "one that is backed up weekly");
        assert_eq!(could(-5, DAY), 0, "a mark of the future");
        assert_eq!(could(1, SignedDuration::ZERO), 7);
    }
}
