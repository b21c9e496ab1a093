//! Whoever may only add backups adds many good ones, small and valid, so that the rules push the real ones out.

use super::*;

/// A run of retention over what is there: its plan, held to the day, carried out.
fn run(listing: &mut Listing, removals: &mut Removals, policy: &Policy, now: Timestamp) -> Option<Refusal> {
    let catalog = listing.catalog();
    *removals = Removals::from_json(&removals.clone().at(now).to_json().unwrap()).unwrap();
    let plan = removals.hold("app", plan(&catalog, policy, now, Limit::Half));
    removals.add(&catalog, &plan);
    let gone: Vec<String> =
        plan.removals().flat_map(|row| row.entry.removal()).map(|object| object.key.clone()).collect();
    listing.objects.retain(|object| !gone.contains(&object.key));
    plan.refused
}

/// A good backup that was put at `written`, whatever its name says.
fn plant(listing: &mut Listing, named: Timestamp, written: Timestamp) {
    let id = listing.id(&Tag::At(named), written);
    listing.archive(&id, 200, written);
    for record in [Record::Manifest, Record::Intact] {
        listing.record(&id, record, written);
    }
}

fn real(listing: &Listing, of: &[String]) -> usize {
    let catalog = listing.catalog();
    of.iter().filter(|id| catalog.good().any(|entry| entry.id.to_string() == **id)).count()
}

fn names(listing: &Listing) -> Vec<String> {
    listing.catalog().good().map(|entry| entry.id.to_string()).collect()
}

/// Seven good ones a day, one run after each: none of those runs removes more than one of eight.
#[test]
fn seven_planted_backups_push_out_no_more_than_half_of_what_the_morning_had() {
    let seven = Policy { keep_last: 7, minimum_good: 7, ..NO_RULES };
    for (policy, stay) in [(seven.clone(), 4), (Policy { never_younger_days: 14, ..seven }, 7)] {
        let mut listing = backups(1..8);
        let real_ones = names(&listing);
        let mut removals = Removals::none(time(NEWEST));
        let mut refused = 0;
        for minute in 0..7 {
            let now = time(NEWEST) + SignedDuration::from_mins(10 * minute);
            plant(&mut listing, now, now);
            refused += usize::from(run(&mut listing, &mut removals, &policy, now).is_some());
        }
        assert_eq!(real(&listing, &real_ones), stay);
        assert_eq!(refused > 0, stay == 4, "{refused}");
    }
}

#[test]
fn a_refusal_says_what_went_before_and_the_next_day_begins_anew() {
    let policy = Policy { keep_last: 2, ..NO_RULES };
    let mut listing = backups(1..5);
    let mut removals = Removals::none(time(NEWEST));
    assert_eq!(run(&mut listing, &mut removals, &policy, time(NEWEST)), None);
    assert_eq!(listing.catalog().entries.len(), 2);
    plant(&mut listing, time(NEWEST), time(NEWEST));
    let refusal = run(&mut listing, &mut removals, &policy, time(NEWEST) + SignedDuration::from_hours(1)).unwrap();
    insta::assert_snapshot!(refusal, @"1 more of the 4 good backups of this morning would go after 2 today, more than half: nothing is removed");
    insta::assert_snapshot!(String::from_utf8(removals.to_json().unwrap()).unwrap(), @r#"
    {
      "version": 1,
      "day": "2026-06-30",
      "databases": {
        "app": [
          "20260626/app_backup_20260626_030000",
          "20260627/app_backup_20260627_030000"
        ]
      },
      "there": {
        "app": {
          "backups": 3,
          "upTo": "2026-06-30T03:00:00Z"
        }
      }
    }
    "#);
    assert_eq!(run(&mut listing, &mut removals, &policy, time(NEWEST) + SignedDuration::from_hours(21)), None);
    assert_eq!(listing.catalog().entries.len(), 2);
}

/// Most of the day's went by force: no later run is refused, and no alarm raised, as long as it would remove none.
#[test]
fn a_plan_that_removes_nothing_is_not_refused_whatever_went_before() {
    let policy = Policy { keep_last: 1, ..NO_RULES };
    let mut listing = backups(1..5);
    let catalog = listing.catalog();
    let mut removals = Removals::none(time(NEWEST));
    removals.add(&catalog, &plan(&catalog, &policy, time(NEWEST), Limit::Lifted));
    assert_eq!(removals.databases["app"].len(), 3);
    listing.objects.retain(|object| object.key.contains("20260629"));
    assert_eq!(run(&mut listing, &mut removals, &policy, time(NEWEST)), None);
}

/// What is planned and can't be removed, because a lock holds it, is planned by every run, and counts once.
#[test]
fn what_a_lock_holds_counts_once() {
    let policy = Policy { keep_last: 9, ..NO_RULES };
    let catalog = backups(1..11).catalog();
    let mut removals = Removals::none(time(NEWEST));
    for run in 0..10 {
        let plan = removals.hold("app", plan(&catalog, &policy, time(NEWEST), Limit::Half));
        assert_eq!(plan.refused, None);
        let before = removals.databases.clone();
        removals.add(&catalog, &plan);
        assert_eq!(removals.databases != before, run == 0);
    }
}

proptest! {
    #[test]
    fn no_flood_removes_what_is_younger_than_the_floor_or_more_than_half_of_a_morning(
        ages in prop::collection::btree_set(1_i64..200, 1..15),
        policy in super::always::policy(),
        planted in prop::collection::vec((0_i64..24 * 60 - 1, 0_i64..300 * 24), 1..25),
    ) {
        let mut listing = backups(ages);
        let began = time("2026-06-30T00:00:00Z");
        let (all, mut removals) = (listing.catalog(), Removals::none(began));
        let real_ones = names(&listing);
        let (mut planted, policy) = (planted, policy);
        planted.sort_unstable();
        for (minute, named_hours_ago) in planted {
            let now = began + SignedDuration::from_mins(minute);
            plant(&mut listing, now - SignedDuration::from_hours(named_hours_ago), now);
            run(&mut listing, &mut removals, &policy, now + SignedDuration::from_mins(1));
        }
        let left = names(&listing);
        prop_assert!((real_ones.len() - real(&listing, &real_ones)) * 2 <= real_ones.len());
        let floor = SignedDuration::from_hours(24 * i64::from(policy.never_younger_days));
        let young = all.good().filter(|entry| began.duration_since(entry.latest_claim()) < floor - SignedDuration::from_hours(24));
        for entry in young {
            prop_assert!(left.contains(&entry.id.to_string()), "{} went", entry.id);
        }
    }
}
