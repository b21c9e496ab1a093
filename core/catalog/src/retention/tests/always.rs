//! What holds for every catalog, policy and clock.

use super::*;

const STATES: [State; 7] =
    [State::Good, State::Good, State::Damaged, State::Uploaded, State::Unfinished, State::Guest, State::Missing];

#[derive(Clone, Debug)]
pub(super) struct Sample {
    state: State,
    age_hours: i64,
    kind: u8,
    written_later_hours: i64,
}

pub(super) fn sample() -> impl Strategy<Value = Sample> {
    let late = prop_oneof![4 => Just(0_i64), 1 => -5_000_i64..5_000];
    (prop::sample::select(STATES.to_vec()), 0_i64..10_000, 0_u8..10, late).prop_map(
        |(state, age_hours, kind, written_later_hours)| Sample { state, age_hours, kind, written_later_hours },
    )
}

pub(super) fn filled(mut listing: Listing, samples: &[Sample]) -> Listing {
    for (place, sample) in samples.iter().enumerate() {
        let named = time(NEWEST) - SignedDuration::from_hours(sample.age_hours);
        let tag = match sample.kind {
            0 => Tag::Label(format!("label{place}")),
            1 => Tag::Safety(named),
            _ => Tag::At(named),
        };
        let began = named + SignedDuration::from_hours(sample.written_later_hours);
        listing.add(sample.state, &tag, began);
    }
    listing
}

pub(super) fn policy() -> impl Strategy<Value = Policy> {
    let few = || 0_u32..8;
    let age = prop_oneof![Just(None), (0_u32..300).prop_map(Some)];
    let floor = prop_oneof![Just(0_u32), 0_u32..40];
    (few(), few(), few(), few(), few(), age, few(), floor, few()).prop_map(
        |(
            keep_last,
            daily,
            weekly,
            monthly,
            yearly,
            delete_after_days,
            minimum_good,
            never_younger_days,
            unfinished_grace_days,
        )| Policy {
            keep_last,
            daily,
            weekly,
            monthly,
            yearly,
            delete_after_days,
            minimum_good,
            never_younger_days,
            unfinished_grace_days,
        },
    )
}

fn catalog_has_past_good(catalog: &Catalog, now: Timestamp) -> bool {
    catalog.good().any(|entry| !entry.is_in_the_future(now))
}

pub(super) fn clock() -> impl Strategy<Value = Timestamp> {
    (0_i64..8_000_000_000).prop_map(|second| Timestamp::from_second(second).unwrap())
}

#[test]
fn an_unfinished_archive_goes_by_the_clock_where_no_backup_comes_any_more() {
    let mut listing = Listing::bucket();
    let began = time(NEWEST) + SignedDuration::from_hours(24);
    listing.add(State::Good, &Tag::At(time(NEWEST)), time(NEWEST));
    listing.add(State::Unfinished, &Tag::At(began), began);
    let catalog = listing.catalog();
    let policy = Policy { unfinished_grace_days: 7, ..Policy::default() };
    let goes = |days: i64| {
        let now = began + SignedDuration::from_hours(24 * days + 1);
        removed(&plan(&catalog, &policy, now, Limit::Half)).len()
    };
    assert_eq!((goes(6), goes(7)), (0, 1));
}

proptest! {
    #[test]
    fn what_must_stay_stays(
        samples in prop::collection::vec(sample(), 0..40),
        policy in policy(),
        now in clock(),
        limit in prop_oneof![Just(Limit::Half), Just(Limit::Lifted)],
    ) {
        let catalog = filled(Listing::bucket(), &samples).catalog();
        let plan = plan(&catalog, &policy, now, limit);
        let gone: Vec<&Entry> = plan.removals().map(|row| row.entry).collect();
        let good = catalog.good().count();
        let good_gone = gone.iter().filter(|entry| entry.counts_as_good()).count();

        prop_assert_eq!(plan.rows.len(), catalog.entries.len());
        prop_assert!(plan.rows.iter().all(|row| !row.reason().is_empty()));
        prop_assert!(good == 0 || good_gone < good);
        prop_assert!(good - good_gone >= good.min(policy.minimum_good as usize));
        prop_assert!(limit == Limit::Lifted || good_gone * 2 <= good);
        prop_assert!(!gone.iter().any(|entry| matches!(entry.state, State::Guest | State::Alone)));
        let newest = catalog.newest_good(now).map(|entry| entry.instant);
        prop_assert!(newest.is_some() || gone.is_empty());
        let newer = |entry: &&&Entry| newest.is_some_and(|newest| entry.instant >= newest);
        prop_assert_eq!(gone.iter().filter(newer).filter(|entry| entry.is_backup()).count(), 0);
        prop_assert!(!gone.iter().any(|entry| entry.is_in_the_future(now)));
        let unverified_go = gone.iter().any(|entry| entry.state == State::Uploaded && !entry.is_safety());
        prop_assert!(!unverified_go || good - good_gone >= policy.minimum_good as usize);
    }

    /// Whatever a wrong clock adds, the others are planned as if it weren't there, or kept.
    #[test]
    fn nothing_goes_because_of_a_backup_that_lies_in_the_future(
        samples in prop::collection::vec(sample(), 0..40),
        ahead in prop::collection::vec((sample(), 30_000_i64..60_000), 1..8),
        policy in policy(),
    ) {
        let now = time(NEWEST);
        let of_the_future = |(sample, hours): &(Sample, i64)| Sample { age_hours: -hours, kind: 2, ..sample.clone() };
        let future: Vec<Sample> = ahead.iter().map(of_the_future).collect();
        let (alone, beside) = (filled(Listing::bucket(), &samples), filled(Listing::bucket(), &[samples, future].concat()));
        let (alone, beside) = (alone.catalog(), beside.catalog());
        let would_go = removed(&plan(&alone, &policy, now, Limit::Half));
        let goes = removed(&plan(&beside, &policy, now, Limit::Half));
        prop_assert!(goes.iter().all(|name| would_go.contains(name)), "{goes:?} beyond {would_go:?}");
        let latest = |catalog: &Catalog| catalog.newest_good(now).map(|entry| entry.id.clone());
        let is_past = catalog_has_past_good(&alone, now);
        prop_assert!(!is_past || latest(&alone) == latest(&beside));
    }

    #[test]
    fn a_clock_that_jumps_ahead_removes_no_backup_and_one_that_falls_behind_only_saves(
        samples in prop::collection::vec(sample(), 0..40),
        policy in policy(),
        now in clock(),
    ) {
        let catalog = filled(Listing::bucket(), &samples).catalog();
        // Then nothing lies in the future, by name or by writing.
        let newest = catalog.entries.iter().map(Entry::latest_claim).max().unwrap_or(now);
        let true_time = plan(&catalog, &policy, newest, Limit::Lifted);
        let wrong = plan(&catalog, &policy, now, Limit::Lifted);
        if now >= newest {
            let of_backups = |plan: &Plan<'_>| -> Vec<_> {
                let others = plan.rows.iter().filter(|row| row.entry.state != State::Unfinished);
                others.map(|row| (row.entry.id.clone(), row.decision.clone())).collect()
            };
            prop_assert_eq!(of_backups(&wrong), of_backups(&true_time));
        } else {
            let would_go = removed(&true_time);
            prop_assert!(removed(&wrong).iter().all(|name| would_go.contains(name)));
        }
    }

    #[test]
    fn a_plan_carried_out_leaves_nothing_to_do(
        samples in prop::collection::vec(sample(), 0..40),
        policy in policy(),
    ) {
        let mut listing = filled(Listing::bucket(), &samples);
        let catalog = listing.catalog();
        let first = plan(&catalog, &policy, time(NEWEST), Limit::Lifted);
        let gone: Vec<&str> =
            first.removals().flat_map(|row| row.entry.removal()).map(|object| object.key.as_str()).collect();
        listing.objects.retain(|object| !gone.contains(&object.key.as_str()));
        let left = listing.catalog();
        prop_assert_eq!(left.entries.len(), first.rows.iter().filter(|row| !row.is_removed()).count());
        prop_assert_eq!(plan(&left, &policy, time(NEWEST), Limit::Lifted).removals().count(), 0);
    }

    #[test]
    fn local_copies_go_only_for_good_ones_in_the_bucket(
        local in prop::collection::vec(sample(), 0..20),
        bucket in prop::collection::vec(sample(), 0..20),
        shared in prop::collection::vec(sample(), 0..20),
        days in 0_u32..100,
        now in clock(),
    ) {
        let local = filled(Listing::directory(), &[shared.clone(), local].concat()).catalog();
        let bucket = filled(Listing::bucket(), &[shared, bucket].concat()).catalog();
        let plan = local_plan(&local, &bucket, days, now);
        for row in plan.removals().filter(|row| row.entry.is_backup() || row.entry.state == State::Missing) {
            let like = |state| bucket.entries.iter().any(|entry| entry.id.stem == row.entry.id.stem && entry.state == state);
            prop_assert!(like(State::Good) || (like(State::Uploaded) && bucket.entries.iter().all(|entry| entry.judged().is_none())));
            prop_assert!(Some(&row.entry.id) != local.newest_uploaded(now).map(|entry| &entry.id));
            prop_assert!(Some(&row.entry.id) != local.newest_good(now).map(|entry| &entry.id));
        }
    }
}
