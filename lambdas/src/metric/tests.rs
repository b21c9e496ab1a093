use std::fmt::Write;

use catalog::verdict::{Verdict, Verifier};
use catalog::{BackupId, Object};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use catalog::verdict::Extent;

use crate::findings::{Drilled, LastGood, Proof, Sizes};

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
    let share =
        good.filter(|age| *age > -300).map(|age| SignedDuration::from_secs(age).as_secs_f64().max(0.0) / 7_200.0);
    let proof = good.map(|_| Proof { size: 5_000, verified: None, extent: None });
    let (good, uploaded) = (freshness(good), freshness(uploaded));
    let (finding, min_size, since, trouble) = (None, None, None, None);
    let database = database.into();
    Gauge {
        database,
        good,
        uploaded,
        share,
        finding,
        lost: 0,
        newest_good,
        proof,
        min_size,
        since,
        own: None,
        drilled: Drilled::default(),
        shrinks: Vec::new(),
        trouble,
    }
}

fn extent(bytes: u64, rows: u64, median_bytes: Option<u64>, median_rows: Option<u64>) -> Option<Extent> {
    Some(Extent { bytes, rows, median_bytes, median_rows })
}

fn with(gauge: Gauge, extent: Option<Extent>, lost: usize) -> Gauge {
    let proof = gauge.proof.map(|proof| Proof { extent, ..proof });
    Gauge { proof, lost, ..gauge }
}

fn retired(retired: usize) -> Watch {
    Watch { retired, ..Watch::default() }
}

fn pruned_of(database: &str, good: usize, removed: usize) -> Pruned {
    Pruned {
        database: database.into(),
        good,
        could_be: Some(7),
        kept: good + 1,
        removed: vec![("x".into(), "old".into()); removed],
        stayed: Vec::new(),
        refused: None,
        newest_good: None,
    }
}

#[test]
fn every_outcome_publishes_these_numbers() {
    let refused = Pruned {
        refused: Some(catalog::retention::Refusal::MoreThanHalf { removed: 9, good: 10 }),
        ..pruned_of("shop", 5, 0)
    };
    let guests = Pruned { could_be: None, ..pruned_of("guests", 0, 0) };
    let well = gauge("app", Some(3_600), Some(60));
    let shrunken = with(well.clone(), extent(5_000, 300, Some(20_000), Some(800)), 0);
    let first = with(well.clone(), extent(5_000, 300, None, None), 0);
    let emptied = with(gauge("shop", Some(60), Some(60)), extent(5_000, 0, Some(5_000), Some(10)), 2);
    let small = Gauge { min_size: Some(5_001), ..well.clone() };
    let late = Watch { overdue: 1.5, oldest_verdict: Some(864_000.0), ..Watch::default() };
    let watch = Watch::default();
    let cases: [(&str, Vec<Measure>); 13] = [
        ("a verdict: intact", judged(&outcome(true, Some(sizes(5_000, 300, &[(10_000, 600)]))))),
        ("a verdict: damaged", judged(&outcome(false, None))),
        ("two databases", measured(&[well.clone(), gauge("shop", Some(60), Some(60))], &watch)),
        (
            "a fourth as large as those before, and one without rows, damaged since",
            measured(&[shrunken, emptied], &watch),
        ),
        ("the first of its database", measured(&[first], &watch)),
        ("smaller than a person said", measured(&[small], &watch)),
        (
            "one that never had a good backup",
            measured(&[gauge("app", None, Some(60)), gauge("shop", Some(60), None)], &watch),
        ),
        ("a backup from the future", measured(&[gauge("app", Some(-301), Some(-300))], &watch)),
        ("no database yet", measured(&[], &watch)),
        ("all databases retired", measured(&[], &retired(2))),
        ("the sweep is overdue", measured(&[], &Watch { retired: 1, ..late })),
        ("retention", pruned(&[pruned_of("app", 8, 2), refused, guests])),
        ("retention without any database", pruned(&[])),
    ];
    let mut text = String::new();
    for (name, measures) in &cases {
        writeln!(text, "{name}\n{}", table(measures)).unwrap();
    }
    insta::assert_snapshot!(text);
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
        let before = earlier.first().copied();
        let extent = extent(bytes, rows, before.map(|(bytes, _)| bytes), before.map(|(_, rows)| rows));
        let gauges: Vec<Gauge> = gauges.into_iter().map(|gauge| with(gauge, extent, 1)).collect();
        let overdue = if gauges.is_empty() { f64::MAX } else { 0.0 };
        let watch = Watch { overdue, oldest_verdict: Some(-5.0), ..Watch::default() };
        let all = judged(&outcome(true, Some(sizes(bytes, rows, &earlier)))).into_iter().chain(measured(&gauges, &watch));
        for measure in all {
            prop_assert!(measure.value.is_finite() && measure.value >= 0.0, "{measure:?}");
        }
    }
}

#[test]
fn ten_metrics_are_published_for_the_whole_repository() {
    let extent = extent(1, 1, Some(1), Some(1));
    let watch = Watch { oldest_verdict: Some(1.0), ..Watch::default() };
    let all = [
        judged(&outcome(true, None)),
        measured(&[with(gauge("app", Some(60), Some(60)), extent, 0)], &watch),
        pruned(&[pruned_of("app", 8, 2)]),
        unlisted(),
    ];
    let free: std::collections::BTreeSet<&str> =
        all.iter().flatten().filter(|measure| measure.database.is_none()).map(|measure| measure.name).collect();
    assert_eq!(free.len(), 10, "{free:?}");
}
