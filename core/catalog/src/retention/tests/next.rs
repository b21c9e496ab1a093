//! What goes next, held to the plan: on the day before it nothing of ours goes, on the day itself this one.

use super::*;
use crate::Stem;

/// The plan's own answer: the catalog with a good backup a day more, day by day.
fn by_the_plan(listing: &Listing, policy: &Policy, days: i64) -> Option<(String, i64)> {
    let ours = listing.catalog();
    (0..days).find_map(|day| {
        let mut listing = listing.clone();
        for ahead in 1..=day {
            listing.add(State::Good, &Tag::At(days_before(-ahead)), days_before(-ahead) - SignedDuration::from_mins(1));
        }
        let catalog = listing.catalog();
        let plan = plan(&catalog, policy, days_before(-day) + SignedDuration::from_mins(1), Limit::Half);
        let gone: Vec<&str> = plan
            .removals()
            .filter(|row| row.entry.counts_as_good() && ours.entries.iter().any(|entry| entry.id == row.entry.id))
            .map(|row| row.entry.id.stem.as_str())
            .collect();
        gone.last().map(|last| ((*last).to_owned(), day))
    })
}

fn foretold(listing: &Listing, policy: &Policy) -> Option<(String, i64)> {
    let catalog = listing.catalog();
    let (entry, from) = goes_next(&catalog, policy, time(NEWEST) + SignedDuration::from_mins(1))?;
    Some((entry.id.stem.to_string(), from.duration_since(time(NEWEST)).as_hours() / 24))
}

#[test]
fn what_goes_next_is_what_the_plan_lets_go_when_a_good_one_comes_each_day() {
    let daily = backups(0..40);
    let monthly = backups((0..400).step_by(13));
    let last = |keep_last| Policy { keep_last, ..NO_RULES };
    let table = [
        ("by age", &daily, Policy { delete_after_days: Some(60), ..Policy::default() }, Some(22)),
        ("by number", &daily, last(42), Some(3)),
        ("at once", &daily, last(39), Some(0)),
        ("not before the floor", &daily, Policy { never_younger_days: 50, ..last(10) }, Some(12)),
        ("refused", &daily, last(3), None),
        ("by the calendar", &monthly, Policy { weekly: 4, monthly: 20, ..NO_RULES }, Some(1)),
        ("never", &daily, NO_RULES, None),
        ("not within years", &daily, Policy { delete_after_days: Some(36_525), ..Policy::default() }, None),
    ];
    for (what, listing, policy, day) in table {
        let found = foretold(listing, &policy);
        assert_eq!(found, by_the_plan(listing, &policy, 80), "{what}");
        assert_eq!(found.map(|(_, day)| day), day, "{what}");
    }
}

/// So many days are not all asked about: those before anything can go are passed over.
#[test]
fn what_goes_in_years_is_foretold_by_its_age() {
    let policy = Policy { delete_after_days: Some(1_000), ..Policy::default() };
    let oldest = days_before(2);
    let (name, day) = foretold(&backups(0..3), &policy).unwrap();
    assert_eq!((name, day), (Stem::new("app", &Tag::At(oldest)).unwrap().to_string(), 999));
}

proptest! {
    // A quarter of what other rules have, because each plans forty days.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 4))]

    #[test]
    fn what_goes_next_is_never_another_than_the_plans(
        ages in prop::collection::btree_set(0_i64..60, 1..20),
        policy in super::always::policy(),
    ) {
        let listing = backups(ages.into_iter().chain([0]).collect::<std::collections::BTreeSet<_>>());
        let days = 40;
        let found = foretold(&listing, &policy).filter(|(_, day)| *day < days);
        prop_assert_eq!(found, by_the_plan(&listing, &policy, days));
    }
}
