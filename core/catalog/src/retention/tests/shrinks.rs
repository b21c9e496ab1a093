//! Backups from before one that has lost rows.

use super::*;
use crate::backup::BackupId;

const SHRUNK: &str = "2026-01-10T03:00:00Z";

/// A good backup each day of January up to this one, of which that of the tenth has lost rows.
fn january(last: i64) -> Listing {
    let mut listing = Listing::bucket();
    for day in 1..=last {
        let id = listing.at(State::Good, &format!("2026-01-{day:02}T03:00:00Z"));
        if day == 10 {
            listing.record(&id, Record::Shrunk, time("2026-01-10T03:01:30Z"));
        }
    }
    listing
}

fn rules(keep_last: u32) -> Policy {
    Policy { keep_last, delete_after_days: None, minimum_good: 1, ..Policy::default() }
}

/// The days of January that go.
fn gone(listing: &Listing, policy: &Policy, now: &str) -> Vec<String> {
    let catalog = listing.catalog();
    let plan = plan(&catalog, policy, time(now), Limit::Lifted);
    plan.removals().map(|row| row.entry.id.stem.to_string()[17..19].to_owned()).collect()
}

#[test]
fn what_is_older_than_a_shrink_stays_until_it_is_accepted() {
    let mut listing = january(20);
    let now = "2026-01-20T12:00:00Z";
    assert_eq!(gone(&listing, &rules(5), now), ["15", "14", "13", "12", "11"], "what came after it goes as ever");
    let catalog = listing.catalog();
    let plan = plan(&catalog, &rules(5), time(now), Limit::Lifted);
    let reason = plan.rows.iter().find(|row| row.entry.instant == time("2026-01-03T03:00:00Z")).unwrap().reason();
    insta::assert_snapshot!(reason, @"app_backup_20260110_030000 has lost rows: kept until 2026-02-09 03:01 UTC, or until `lastgood accept 20260110/app_backup_20260110_030000`");
    let open = unaccepted(&catalog, &plan, time(now));
    assert_eq!((open.len(), open[0].kept, open[0].until), (1, 10, time("2026-02-09T03:01:30Z")));

    let shrunk = listing.id(&Tag::At(time(SHRUNK)), time(SHRUNK));
    listing.record(&shrunk, Record::Accepted, time("2026-01-20T09:00:00Z"));
    assert_eq!(gone(&listing, &rules(5), now).len(), 15);
    let catalog = listing.catalog();
    let plan = super::plan(&catalog, &rules(5), time(now), Limit::Lifted);
    assert_eq!(unaccepted(&catalog, &plan, time(now)), []);
}

#[test]
fn a_hold_ends_after_thirty_days_of_backups_and_not_by_a_clock() {
    let mut listing = january(20);
    assert!(
        !gone(&listing, &rules(5), "2026-06-01T00:00:00Z").contains(&"03".to_owned()),
        "no good backup has come since"
    );
    listing.at(State::Good, "2026-02-09T03:01:00Z");
    assert!(!gone(&listing, &rules(5), "2026-02-09T12:00:00Z").contains(&"03".to_owned()));
    listing.at(State::Good, "2026-02-09T03:01:30Z");
    let gone = gone(&listing, &rules(5), "2026-02-09T12:00:00Z");
    assert!(gone.contains(&"03".to_owned()) && gone.contains(&"10".to_owned()), "{gone:?}");
}

/// Until then somebody may have something to look at; after that only where backups still stay for its sake.
#[test]
fn a_shrink_is_open_until_its_hold_ends_and_nothing_stays_for_it() {
    let catalog = january(20).catalog();
    let open = |keep_last: u32, now: &str| {
        let plan = plan(&catalog, &rules(keep_last), time(now), Limit::Lifted);
        unaccepted(&catalog, &plan, time(now)).iter().map(|open| open.kept).collect::<Vec<_>>()
    };
    let (last, end) = ("2026-02-09T03:01:29Z", "2026-02-09T03:01:30Z");
    assert_eq!((open(99, last), open(99, end)), (vec![0], vec![]));
    assert_eq!((open(5, last), open(5, end)), (vec![10], vec![10]), "no good backup has come since");
}

/// Whoever has the keys of a host can put as many such records as it likes, beside any backup.
#[test]
fn a_flood_of_shrinks_keeps_nothing_longer_than_the_first_of_them() {
    let mut listing = january(10);
    let began = time("2026-01-11T03:00:00Z");
    for day in 0..60 {
        let at = began + SignedDuration::from_hours(24 * day);
        let id = listing.add(State::Good, &Tag::At(at), at);
        listing.record(&id, Record::Shrunk, at + SignedDuration::from_mins(2));
    }
    // A record that is put today beside a backup of long ago stands where it was put.
    let old = listing.id(&Tag::At(time("2026-01-02T03:00:00Z")), time("2026-01-02T03:00:00Z"));
    listing.record(&old, Record::Shrunk, began + SignedDuration::from_hours(24 * 59));
    let gone = gone(&listing, &rules(5), "2026-03-12T00:00:00Z");
    assert!(gone.contains(&"03".to_owned()) && gone.len() >= 10, "{gone:?}");
}

#[test]
fn a_record_alone_holds_nothing_and_what_never_was_a_backup_is_not_held() {
    let mut listing = january(9);
    let id = listing.id(&Tag::At(time(SHRUNK)), time(SHRUNK));
    listing.record(&id, Record::Shrunk, time(SHRUNK));
    let safety = time("2026-01-11T03:00:00Z");
    let safety = listing.add(State::Good, &Tag::Safety(safety), safety);
    listing.record(&safety, Record::Shrunk, time("2026-01-11T03:05:00Z"));
    listing.at(State::Good, "2026-01-12T03:00:00Z");
    assert_eq!(gone(&listing, &rules(2), "2026-01-12T12:00:00Z").len(), 8);
    let mut listing = january(20);
    let began = time("2026-01-01T05:00:00Z");
    listing.add(State::Unfinished, &Tag::At(began), began);
    let catalog = listing.catalog();
    let plan = plan(&catalog, &rules(5), time("2026-01-20T12:00:00Z"), Limit::Lifted);
    assert!(plan.removals().any(|row| row.entry.state == State::Unfinished), "it may be what fills the disk");
}

proptest! {
    #[test]
    fn a_wrong_clock_ends_no_hold_and_one_that_falls_behind_only_saves(
        samples in prop::collection::vec(super::always::sample(), 1..40),
        shrunk in prop::collection::vec((any::<prop::sample::Index>(), -3_000_i64..0), 1..6),
        policy in super::always::policy(),
        now in super::always::clock(),
    ) {
        let mut listing = super::always::filled(Listing::bucket(), &samples);
        let there = listing.catalog().entries.into_iter().filter(|entry| entry.state != State::Missing);
        let ids: Vec<BackupId> = there.map(|entry| entry.id).collect();
        for (which, hours) in shrunk.iter().filter(|_| !ids.is_empty()) {
            listing.record(which.get(&ids), Record::Shrunk, time(NEWEST) + SignedDuration::from_hours(*hours));
        }
        let catalog = listing.catalog();
        let newest = catalog.entries.iter().map(Entry::latest_claim).max().unwrap_or(now).max(time(NEWEST));
        let (right, wrong) = (plan(&catalog, &policy, newest, Limit::Lifted), plan(&catalog, &policy, now, Limit::Lifted));
        let of_backups = |plan: &Plan<'_>| -> Vec<String> {
            let rows = plan.removals().filter(|row| row.entry.state != State::Unfinished);
            rows.map(|row| row.entry.id.to_string()).collect()
        };
        let would_go = of_backups(&right);
        if now >= newest {
            prop_assert_eq!(of_backups(&wrong), would_go);
        } else {
            prop_assert!(of_backups(&wrong).iter().all(|name| would_go.contains(name)));
        }
    }

    /// Whatever is shrunk, accepted or not: nothing goes that would stay without it, and a shrink of long ago changes nothing.
    #[test]
    fn a_hold_removes_nothing_and_ends(
        samples in prop::collection::vec(super::always::sample(), 1..40),
        shrunk in prop::collection::vec((any::<prop::sample::Index>(), -3_000_i64..3_000, any::<bool>()), 0..10),
        policy in super::always::policy(),
        now in super::always::clock(),
        limit in prop_oneof![Just(Limit::Half), Just(Limit::Lifted)],
    ) {
        let plain = super::always::filled(Listing::bucket(), &samples);
        let mut listing = plain.clone();
        // Without an archive a record's own time would tell how old it is.
        let there = plain.catalog().entries.into_iter().filter(|entry| entry.state != State::Missing);
        let ids: Vec<BackupId> = there.map(|entry| entry.id).collect();
        let mut newest = Timestamp::MIN;
        for (which, hours, accepted) in shrunk.iter().filter(|_| !ids.is_empty()) {
            let (id, at) = (which.get(&ids), time(NEWEST) + SignedDuration::from_hours(*hours));
            listing.record(id, Record::Shrunk, at);
            newest = newest.max(at);
            if *accepted {
                listing.record(id, Record::Accepted, at);
            }
        }
        let (without, with) = (plain.catalog(), listing.catalog());
        let (without, with) = (plan(&without, &policy, now, Limit::Lifted), plan(&with, &policy, now, limit));
        let would_go = removed(&without);
        prop_assert!(removed(&with).iter().all(|name| would_go.contains(name)));
        let good = with.rows.iter().filter(|row| row.entry.counts_as_good()).count();
        let good_gone = with.removals().filter(|row| row.entry.counts_as_good()).count();
        prop_assert!(limit == Limit::Lifted || good_gone * 2 <= good);
        let anchor = with.rows.iter().filter(|row| row.entry.counts_as_good() && !row.entry.is_in_the_future(now));
        let anchor = anchor.map(|row| row.entry.instant.min(now)).max();
        let held = |row: &Row<'_>| matches!(&row.decision, Decision::Keep(reasons) if reasons.iter().any(|keep| matches!(keep, Keep::BeforeShrink { .. })));
        if anchor.is_some_and(|anchor| anchor.duration_since(newest) >= crate::shrink::HOLD) {
            prop_assert!(!with.rows.iter().any(held), "thirty days after the last of them nothing is held");
            prop_assert!(limit == Limit::Half || removed(&with) == would_go);
        }
    }
}
