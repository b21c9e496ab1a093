use std::fmt::Write;

use catalog::verdict::{Verdict, Verifier};
use catalog::{BackupId, Object};
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::findings::{LastGood, Sizes};

fn table(measures: &[Measure]) -> String {
    let line = |text: String, measure: &Measure| {
        let whose = measure.database.as_deref().unwrap_or("(all)");
        text + &format!("{:<20} {whose:<8} {:>12} {}\n", measure.name, measure.value, measure.unit.as_str())
    };
    measures.iter().fold(String::new(), line)
}

fn id(text: &str) -> BackupId {
    text.parse().unwrap()
}

/// A verdict that isn't intact; an intact one is made of it.
fn verdict(intact: bool) -> Verdict {
    let object = Object {
        key: "b/20260120/app_backup_20260120_030000.sql.gz".into(),
        size: 5_000,
        last_modified: Timestamp::UNIX_EPOCH,
        etag: None,
        version_id: None,
        readable: true,
    };
    let by = Verifier { name: "function".into(), version: "0".into(), host: "verify".into() };
    let verdict = Verdict::unfinished(&object, 9, Timestamp::UNIX_EPOCH, by);
    if !intact {
        return verdict;
    }
    Verdict { outcome: catalog::Outcome::Intact, findings: Vec::new(), ..verdict }
}

fn outcome(intact: bool, sizes: Option<Sizes>) -> Judged {
    Judged {
        id: id("20260120/app_backup_20260120_030000"),
        verdict: verdict(intact),
        read: 5_000,
        rounds: 2,
        took: SignedDuration::from_millis(1_500),
        sizes,
    }
}

fn sizes(bytes: u64, rows: u64, earlier: &[(u64, u64)]) -> Sizes {
    let (earlier_bytes, earlier_rows) = earlier.iter().copied().unzip();
    Sizes { bytes, rows, earlier_bytes, earlier_rows }
}

fn gauge(database: &str, good: Option<i64>, uploaded: Option<i64>) -> Gauge {
    let freshness = |age: Option<i64>| {
        age.map_or(Freshness::Never, |seconds| Freshness::Of {
            id: id("20260120/app_backup_20260120_030000"),
            instant: Timestamp::UNIX_EPOCH,
            age: SignedDuration::from_secs(seconds),
        })
    };
    let newest_good = good.map(|_| LastGood { name: "x".into(), made: Timestamp::UNIX_EPOCH });
    let (good, uploaded) = (freshness(good), freshness(uploaded));
    Gauge { database: database.into(), good, uploaded, finding: None, newest_good, since: None }
}

fn pruned_of(database: &str, good: usize, removed: usize) -> Pruned {
    Pruned {
        database: database.into(),
        expected: true,
        good,
        kept: good + 1,
        removed: vec![("x".into(), "old".into()); removed],
        stayed: Vec::new(),
        refused: None,
        newest_good: None,
    }
}

#[test]
fn every_outcome_publishes_these_numbers() {
    let shrunken = sizes(5_000, 300, &[(10_000, 600), (30_000, 1_000), (20_000, 800), (20_000, 800)]);
    let refused = Pruned {
        refused: Some(catalog::retention::Refusal::MoreThanHalf { removed: 9, good: 10 }),
        ..pruned_of("shop", 10, 0)
    };
    let guests = Pruned { expected: false, ..pruned_of("guests", 0, 0) };
    let cases: [(&str, Vec<Measure>); 11] = [
        ("intact, half as large as those before", judged(&outcome(true, Some(shrunken)))),
        ("intact, the first of its database", judged(&outcome(true, Some(sizes(5_000, 300, &[]))))),
        ("intact, nothing but empty tables before", judged(&outcome(true, Some(sizes(5_000, 300, &[(5_000, 0)]))))),
        ("damaged, again or a guest", judged(&outcome(false, None))),
        ("two databases", measured(&[gauge("app", Some(3_600), Some(60)), gauge("shop", Some(60), Some(60))], 0)),
        (
            "one that never had a good backup",
            measured(&[gauge("app", None, Some(60)), gauge("shop", Some(60), None)], 0),
        ),
        ("a backup from the future", measured(&[gauge("app", Some(-301), Some(-300))], 0)),
        ("no database yet", measured(&[], 0)),
        ("all databases retired", measured(&[], 2)),
        ("retention", pruned(&[pruned_of("app", 8, 2), refused, guests], 0)),
        ("retention without any database", pruned(&[], 0)),
    ];
    let mut text = String::new();
    for (name, measures) in &cases {
        writeln!(text, "{name}\n{}", table(measures)).unwrap();
    }
    insta::assert_snapshot!(text);
    assert!(pruned(&[], 3).iter().all(|measure| measure.name != "GoodCount"), "all are retired");
    assert_eq!(table(&unlisted()), "RetentionRefused     (all)               1 Count\n");
}

proptest! {
    #[test]
    fn no_number_is_ever_infinite_or_none(
        bytes: u64, rows: u64,
        earlier in proptest::collection::vec((any::<u64>(), any::<u64>()), 0..8),
        ages in proptest::collection::vec(proptest::option::of(any::<i64>()), 0..4),
    ) {
        let gauges: Vec<Gauge> = ages.iter().map(|age| gauge("app", *age, *age)).collect();
        let all = judged(&outcome(true, Some(sizes(bytes, rows, &earlier)))).into_iter().chain(measured(&gauges, 0));
        for measure in all {
            prop_assert!(measure.value.is_finite() && measure.value >= 0.0, "{measure:?}");
        }
    }
}

#[test]
fn an_event_that_comes_twice_changes_no_gauge() {
    let once = judged(&outcome(true, Some(sizes(5, 5, &[(10, 10)]))));
    let value = |measures: &[Measure], of: fn(f64, f64) -> f64| {
        measures.iter().filter(|measure| measure.name == "SizeRatio").map(|measure| measure.value).reduce(of)
    };
    let twice: Vec<Measure> = once.iter().chain(&once).cloned().collect();
    assert_eq!(value(&once, f64::max), value(&twice, f64::max));
    assert_eq!(value(&once, f64::min), value(&twice, f64::min));
}
