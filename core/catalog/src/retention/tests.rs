use proptest::prelude::*;

use jiff::SignedDuration;

use super::*;
use crate::backup::Tag;
use crate::layout::Record;
use crate::testing::{Listing, time};

const NEWEST: &str = "2026-06-30T03:00:00Z";
const NO_RULES: Policy = Policy {
    keep_last: 0,
    daily: 0,
    weekly: 0,
    monthly: 0,
    yearly: 0,
    delete_after_days: None,
    minimum_good: 1,
    never_younger_days: 0,
    unfinished_grace_days: 7,
};

fn days_before(days: i64) -> Timestamp {
    time(NEWEST) - SignedDuration::from_hours(24 * days)
}

fn backups(ages: impl IntoIterator<Item = i64>) -> Listing {
    let mut listing = Listing::bucket();
    for age in ages {
        listing.add(State::Good, &Tag::At(days_before(age)), days_before(age));
    }
    listing
}

/// Two years of good backups, thinner the older, and one of every other kind at 5 and at 100 days.
fn two_years() -> Catalog {
    let mut listing = backups((0..10).chain((10..100).step_by(9)).chain((100..800).step_by(37)));
    let noon = time(NEWEST) - SignedDuration::from_hours(15);
    listing.add(State::Good, &Tag::At(noon), noon);
    for age in [5, 101] {
        let at = |hours| days_before(age) - SignedDuration::from_hours(hours);
        let others = [State::Damaged, State::Uploaded, State::Missing, State::Unfinished, State::Guest, State::Alone];
        for (state, hours) in others.into_iter().zip(1..) {
            listing.add(state, &Tag::At(at(hours)), at(hours));
        }
        listing.add(State::Good, &Tag::Safety(at(9)), at(9));
    }
    listing.at(State::Uploaded, "2026-06-30T09:00:00Z");
    listing.catalog()
}

fn table(plan: &Plan<'_>) -> String {
    let row = |row: &Row<'_>| {
        let fate = if row.is_removed() { "remove" } else { "keep" };
        format!("{fate:6} {:44} {}\n", row.entry.name(), row.reason())
    };
    let refused = plan.refused.iter().map(|refusal| format!("refused: {refusal}\n"));
    plan.rows.iter().map(row).chain(refused).collect()
}

fn removed(plan: &Plan<'_>) -> Vec<String> {
    plan.removals().map(|row| row.entry.id.to_string()).collect()
}

/// The golden files are named by the policy they show.
#[test]
fn policies_keep_what_their_goldens_show() {
    let catalog = two_years();
    let policies = [
        ("the-guide", Policy::default()),
        ("no-rules", NO_RULES),
        ("keep-last5", Policy { keep_last: 5, ..NO_RULES }),
        ("keep-last5-daily7", Policy { keep_last: 5, daily: 7, ..NO_RULES }),
        ("daily7-weekly4-monthly12-yearly2", Policy { daily: 7, weekly: 4, monthly: 12, yearly: 2, ..NO_RULES }),
        ("delete-after30-monthly3", Policy { monthly: 3, delete_after_days: Some(30), ..NO_RULES }),
        ("delete-after8-minimum20", Policy { minimum_good: 20, delete_after_days: Some(8), ..NO_RULES }),
    ];
    for (name, policy) in policies {
        let table = table(&plan(&catalog, &policy, time("2026-06-30T12:00:00Z"), Limit::Lifted));
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, table);
        });
    }
}

/// By age alone, the guide's last good backup was deleted on day 90 after backups had stopped.
#[test]
fn backups_that_stop_coming_stop_going() {
    let catalog = backups(0..80).catalog();
    for now in ["2026-06-30T12:00:00Z", "2026-12-31T00:00:00Z", "2106-01-01T00:00:00Z"] {
        assert_eq!(removed(&plan(&catalog, &Policy::default(), time(now), Limit::Lifted)), Vec::<String>::new());
    }
}

/// Two that were written long after their names seem young to a clock that is behind the newest one: they may not take the
/// places of those that make up the minimum by a right clock.
#[test]
fn what_seems_young_to_a_clock_that_is_behind_pushes_nothing_out() {
    let mut listing = backups([-400, 0, 20, 40]);
    for age in [60, 80] {
        listing.add(State::Good, &Tag::At(days_before(age)), days_before(1));
    }
    let catalog = listing.catalog();
    let policy = Policy { delete_after_days: Some(3), minimum_good: 4, ..NO_RULES };
    let goes = |now: Timestamp| removed(&plan(&catalog, &policy, now, Limit::Lifted));
    assert_eq!(goes(days_before(-401)).len(), 2, "the two by their names' age");
    assert_eq!(goes(days_before(-1)), Vec::<String>::new(), "they are young still, and no other goes for their sake");
}

/// New backups fail to be good, and the old ones are all there is.
#[test]
fn without_a_good_backup_nothing_goes() {
    let mut listing = Listing::bucket();
    for (state, age) in [(State::Damaged, 0), (State::Uploaded, 400), (State::Unfinished, 500), (State::Missing, 600)] {
        listing.add(state, &Tag::At(days_before(age)), days_before(age));
    }
    listing.add(State::Good, &Tag::Safety(days_before(700)), days_before(700));
    let catalog = listing.catalog();
    let plan = plan(&catalog, &Policy { minimum_good: 0, ..Policy::default() }, time(NEWEST), Limit::Lifted);
    assert_eq!(removed(&plan), Vec::<String>::new());
    assert!(plan.rows.iter().all(|row| row.decision == Decision::Keep(vec![Keep::NothingGood])));
}

#[test]
fn the_only_good_backup_stays_whatever_the_policy() {
    let mut listing = backups([0]);
    listing.at(State::Uploaded, "2030-06-30T09:00:00Z");
    let catalog = listing.catalog();
    let nothing = Policy { minimum_good: 0, delete_after_days: Some(0), ..NO_RULES };
    assert!(removed(&plan(&catalog, &nothing, time("2040-01-01T00:00:00Z"), Limit::Lifted)).is_empty());
}

#[test]
fn more_than_half_of_the_good_ones_goes_only_by_force() {
    let last = |keep_last| Policy { keep_last, ..NO_RULES };
    for (good, keep, refused) in [(2, 1, false), (3, 1, true), (3, 2, false), (10, 5, false), (10, 4, true)] {
        let catalog = backups(0..good).catalog();
        let careful = plan(&catalog, &last(keep), time(NEWEST), Limit::Half);
        assert_eq!(careful.refused.is_some(), refused, "{keep} of {good}");
        let gone = usize::try_from(good).unwrap() - usize::try_from(keep).unwrap();
        assert_eq!(careful.removals().count(), if refused { 0 } else { gone });
        assert_eq!(plan(&catalog, &last(keep), time(NEWEST), Limit::Lifted).removals().count(), gone);
    }
    let catalog = backups(0..10).catalog();
    let refusal = plan(&catalog, &last(4), time(NEWEST), Limit::Half).refused.unwrap();
    insta::assert_snapshot!(refusal, @"6 of 10 good backups would go, more than half: nothing is removed");
    let ways = ["lastgood prune --dry-run", "lastgood prune --force"];
    assert!(ways.iter().all(|way| refusal.hint().contains(way)), "{}", refusal.hint());
}

/// The host's clock was a year behind: its names say last year, the bucket says today.
#[test]
fn a_backup_is_old_only_when_both_its_times_say_so() {
    let mut listing = backups(0..10);
    let id = listing.id(&Tag::At(days_before(365)), days_before(365));
    for record in [Record::Manifest, Record::Intact] {
        listing.record(&id, record, days_before(1));
    }
    listing.archive(&id, 7, days_before(1));
    let policy = Policy { minimum_good: 0, ..Policy::default() };
    assert!(removed(&plan(&listing.catalog(), &policy, time(NEWEST), Limit::Lifted)).is_empty());
}

/// Its name is older than the newest one's and it was stored after that one: by an age of nothing.
#[test]
fn without_an_age_that_all_must_reach_nothing_is_too_young_to_go() {
    let mut listing = backups([0]);
    let (named, stored) = (days_before(1), days_before(-1));
    let id = listing.id(&Tag::At(named), named);
    listing.archive(&id, 7, stored);
    for record in [Record::Manifest, Record::Intact] {
        listing.record(&id, record, stored);
    }
    let catalog = listing.catalog();
    let last = |never_younger_days| Policy { keep_last: 1, never_younger_days, ..NO_RULES };
    let goes = |days| removed(&plan(&catalog, &last(days), days_before(-2), Limit::Lifted));
    assert_eq!((goes(0), goes(1)), (vec![id.to_string()], vec![]));
}

/// One good backup, the verifier dead since, and the words "never fewer good ones than this": what may be good stays.
#[test]
fn what_nobody_has_verified_stays_while_good_ones_are_short() {
    for (good, gone) in [(1, 0), (6, 0), (7, 50)] {
        let mut listing = backups(0..good);
        for age in 100..150 {
            listing.add(State::Uploaded, &Tag::At(days_before(age)), days_before(age));
        }
        listing.add(State::Damaged, &Tag::At(days_before(200)), days_before(200));
        let catalog = listing.catalog();
        let plan = plan(&catalog, &Policy::default(), time(NEWEST), Limit::Half);
        assert_eq!(removed(&plan).len(), gone + 1, "{good} good ones\n{}", table(&plan));
    }
}

/// A clock that is behind hides the newest backup; the rules then reach further back, and the minimum has less to add.
#[test]
fn a_clock_that_is_behind_lets_nothing_go_that_a_right_one_keeps() {
    let mut listing = Listing::bucket();
    for day in 0..35 {
        let made = time("2026-12-30T03:00:00Z") - SignedDuration::from_hours(24 * day);
        listing.add(State::Good, &Tag::At(made), made);
    }
    listing.at(State::Good, "2025-12-31T03:00:00Z");
    listing.at(State::Good, "2027-01-04T03:00:00Z");
    let catalog = listing.catalog();
    let policy = Policy { daily: 2, weekly: 2, monthly: 2, yearly: 2, minimum_good: 4, ..NO_RULES };
    let [right, behind] = ["2027-01-05T03:00:00Z", "2026-12-31T03:00:00Z"]
        .map(|now| removed(&plan(&catalog, &policy, time(now), Limit::Lifted)));
    assert_eq!(right.len(), 33);
    assert!(behind.iter().all(|name| right.contains(name)), "{behind:#?}");
}

/// A clock ten years ahead made one backup: it takes nobody's place.
#[test]
fn a_backup_of_the_future_takes_no_place_in_a_plan() {
    let mut listing = backups([0, 1, 2, 3]);
    listing.at(State::Good, "2036-06-30T03:00:00Z");
    let catalog = listing.catalog();
    let last = Policy { keep_last: 2, ..NO_RULES };
    insta::assert_snapshot!(table(&plan(&catalog, &last, time(NEWEST), Limit::Half)), @"
    keep   app_backup_20360630_030000                   lies in the future: a clock was wrong
    keep   app_backup_20260630_030000                   newest good backup, last 1 of 2
    keep   app_backup_20260629_030000                   last 2 of 2
    remove app_backup_20260628_030000                   no rule keeps it
    remove app_backup_20260627_030000                   no rule keeps it
    ");
}

/// What isn't good either: that a clock was wrong is what somebody has to know first.
#[test]
fn a_future_that_never_was_is_the_reason_that_is_told() {
    let (old, ahead) = (backups([0]), "2036-06-30T03:00:00Z");
    for state in [State::Damaged, State::Uploaded, State::Missing] {
        let mut listing = old.clone();
        listing.at(state, ahead);
        let catalog = listing.catalog();
        let plan = plan(&catalog, &Policy::default(), time(NEWEST), Limit::Half);
        assert_eq!(plan.rows[0].decision, Decision::Keep(vec![Keep::InTheFuture]), "{state:?}");
    }
    let mut local = Listing::directory();
    local.at(State::Good, NEWEST);
    local.at(State::Damaged, ahead);
    let (local, bucket) = (local.catalog(), old.catalog());
    let plan = local_plan(&local, &bucket, 30, time(NEWEST));
    assert_eq!(plan.rows[0].decision, Decision::Keep(vec![Keep::InTheFuture]));
}

/// One named backup whose file's time lies in the future must not make all the others old.
#[test]
fn a_backup_from_the_future_makes_no_other_old() {
    let mut listing = backups(0..10);
    listing.add(State::Good, &Tag::Label("initial".into()), time("2099-01-01T00:00:00Z"));
    let catalog = listing.catalog();
    assert!(
        removed(&plan(&catalog, &Policy { minimum_good: 1, ..Policy::default() }, time(NEWEST), Limit::Lifted))
            .is_empty()
    );
}

mod local {
    use super::*;
    use crate::testing::SIZE;

    fn directory(ages: impl IntoIterator<Item = i64>) -> Listing {
        let mut listing = Listing::directory();
        for age in ages {
            listing.add(State::Good, &Tag::At(days_before(age)), days_before(age));
        }
        listing
    }

    #[test]
    fn old_local_copies_go_when_the_bucket_has_them_good() {
        let local = directory([0, 29, 31, 32, 33, 34]).catalog();
        let mut bucket = backups([0, 29, 31]);
        bucket.add(State::Uploaded, &Tag::At(days_before(32)), days_before(32));
        bucket.add(State::Damaged, &Tag::At(days_before(33)), days_before(33));
        let bucket = bucket.catalog();
        let plan = local_plan(&local, &bucket, 30, time(NEWEST));
        insta::assert_snapshot!(table(&plan), @"
        keep   app_backup_20260630_030000                   newest local copy
        keep   app_backup_20260601_030000                   not older than 30 days
        remove app_backup_20260530_030000                   older than 30 days
        keep   app_backup_20260529_030000                   only uploaded in the bucket
        keep   app_backup_20260528_030000                   only damaged in the bucket
        keep   app_backup_20260527_030000                   not in the bucket
        ");
    }

    #[test]
    fn a_bucket_nobody_judges_is_trusted_by_its_manifests() {
        let local = directory([0, 31]).catalog();
        let mut bucket = Listing::bucket();
        bucket.add(State::Uploaded, &Tag::At(days_before(31)), days_before(31));
        assert_eq!(removed(&local_plan(&local, &bucket.catalog(), 30, time(NEWEST))).len(), 1);
    }

    #[test]
    fn another_archive_of_the_same_name_is_no_copy() {
        let label = Tag::Label("initial".into());
        let mut local = directory([0]);
        local.add(State::Good, &label, days_before(40));
        let mut bucket = Listing::bucket();
        bucket.add_sized(State::Good, &label, days_before(40), SIZE + 1);
        assert!(removed(&local_plan(&local.catalog(), &bucket.catalog(), 30, time(NEWEST))).is_empty());
        bucket.add_sized(State::Good, &label, days_before(41), SIZE);
        assert_eq!(removed(&local_plan(&local.catalog(), &bucket.catalog(), 30, time(NEWEST))).len(), 1);
    }

    /// Its local copy still has the rows that were erased, so its size in the bucket is another.
    #[test]
    fn the_local_copy_of_what_rows_were_erased_from_goes_once_the_bucket_has_the_other_good() {
        let local = directory([0, 40]).catalog();
        for (state, gone) in [(State::Good, 1), (State::Damaged, 0), (State::Uploaded, 0)] {
            let mut bucket = backups([0]);
            let erased = bucket.id(&Tag::At(days_before(40)), days_before(40));
            let erased = crate::BackupId { stem: erased.stem.as_erased(1, days_before(40)).unwrap(), ..erased };
            bucket.archive(&erased, SIZE - 1, days_before(1));
            bucket.record(&erased, Record::Manifest, days_before(1));
            match state {
                State::Good => bucket.record(&erased, Record::Intact, days_before(1)),
                State::Damaged => bucket.record(&erased, Record::Damaged, days_before(1)),
                _ => {}
            }
            let bucket = bucket.catalog();
            assert_eq!(removed(&local_plan(&local, &bucket, 30, time(NEWEST))).len(), gone, "{state:?}");
        }
    }

    #[test]
    fn local_copies_do_not_age_when_backups_stop() {
        let (local, bucket) = (directory(0..20).catalog(), backups(0..20).catalog());
        assert!(removed(&local_plan(&local, &bucket, 30, time("2036-01-01T00:00:00Z"))).is_empty());
    }

    #[test]
    fn guests_stay_and_old_unfinished_ones_go() {
        let mut local = directory([0]);
        local.add(State::Guest, &Tag::At(days_before(100)), days_before(100));
        local.add(State::Alone, &Tag::At(days_before(101)), days_before(101));
        let unfinished = local.add(State::Unfinished, &Tag::At(days_before(8)), days_before(8));
        local.add(State::Unfinished, &Tag::At(days_before(6)), days_before(6));
        let bucket = backups([0, 100, 101]).catalog();
        assert_eq!(removed(&local_plan(&local.catalog(), &bucket, 30, time(NEWEST))), [unfinished.to_string()]);
    }
}

mod always;
mod flood;
mod next;
mod restic;
mod shrinks;

#[test]
fn a_hundred_thousand_backups_of_three_databases_are_planned_at_once() {
    let layout = crate::Layout::bucket("backups");
    let mut objects = Vec::new();
    for hour in 0..33_334 {
        let began = time("2022-01-01T00:00:00Z") + SignedDuration::from_hours(hour);
        for database in ["app", "app_staging", "my app"] {
            let id = layout.place(crate::Stem::new(database, &Tag::At(began)).unwrap(), began);
            let keys = [
                layout.archive(&id, archive::Compression::Gzip, false),
                layout.manifest(&id),
                layout.record(&id, Record::Intact),
            ];
            objects.extend(keys.map(|key| crate::testing::object(&key, 1, began)));
        }
    }
    let catalogs = crate::catalogs(&layout, objects);
    let policy = Policy { daily: 30, monthly: 12, ..Policy::default() };
    let left: Vec<usize> = catalogs
        .iter()
        .map(|catalog| catalog.entries.len() - plan(catalog, &policy, time(NEWEST), Limit::Lifted).removals().count())
        .collect();
    // 90 days of 24, the newest one itself, and the last of eight earlier months.
    assert_eq!(left, [2_169, 2_169, 2_169]);
}
