//! The same histories under the same rules as restic's `forget --keep-*`, whose answers `make restic` has written down.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

const ANSWERS: &str = include_str!("restic.json");

#[derive(Deserialize)]
struct Answers {
    /// Name and times, newest first.
    histories: Vec<(String, Vec<Timestamp>)>,
    asked: Vec<Asked>,
}

#[derive(Deserialize)]
struct Asked {
    policy: Rules,
    /// Of each history: `k` where restic keeps that one.
    kept: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rules {
    last: u32,
    daily: u32,
    weekly: u32,
    monthly: u32,
    yearly: u32,
    within_days: u32,
}

impl Rules {
    fn policy(&self) -> Policy {
        Policy {
            keep_last: self.last,
            daily: self.daily,
            weekly: self.weekly,
            monthly: self.monthly,
            yearly: self.yearly,
            delete_after_days: Some(self.within_days).filter(|days| *days > 0),
            minimum_good: 0,
            ..NO_RULES
        }
    }
}

/// Why one keeps what the other doesn't.
fn difference(ours: bool, rules: &Rules, times: &[Timestamp], place: usize) -> &'static str {
    let age = times[0].duration_since(times[place]);
    if ours && rules.within_days > 0 && age == SignedDuration::from_hours(24 * i64::from(rules.within_days)) {
        // restic keeps what is younger than the age, and we keep what isn't older.
        "as old as the age, to the second"
    } else {
        "unexplained"
    }
}

#[test]
fn the_rules_keep_what_restics_keep() {
    let answers: Answers = serde_json::from_str(ANSWERS).unwrap();
    let (mut compared, mut differences) = (0, BTreeMap::new());
    for Asked { policy: rules, kept } in &answers.asked {
        for ((name, times), kept) in answers.histories.iter().zip(kept) {
            let mut listing = Listing::bucket();
            times.iter().for_each(|time| drop(listing.add(State::Good, &Tag::At(*time), *time)));
            let catalog = listing.catalog();
            let plan = plan(&catalog, &rules.policy(), times[0], Limit::Lifted);
            assert_eq!(plan.rows.len(), times.len(), "{name}");
            for (place, (row, theirs)) in plan.rows.iter().zip(kept.bytes()).enumerate() {
                assert_eq!(row.entry.instant, times[place], "{name}");
                compared += 1;
                if row.is_removed() == (theirs == b'k') {
                    let why = difference(!row.is_removed(), rules, times, place);
                    assert_ne!(
                        why,
                        "unexplained",
                        "{name}, {rules:?}: {} of {times:?}: {}",
                        times[place],
                        row.reason()
                    );
                    *differences.entry(why).or_insert(0) += 1;
                }
            }
        }
    }
    insta::assert_snapshot!(format!("{compared} decisions: {differences:?}"), @r#"5568 decisions: {"as old as the age, to the second": 41}"#);
}
