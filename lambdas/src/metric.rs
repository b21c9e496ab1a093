//! The numbers that are published, made of findings: pure, so that tests show them all in a table.
//!
//! They are gauges for the statistics Maximum and Minimum, so an event that comes twice changes no alarm.
//! `docs/cloud.md` lists them for people.

#[cfg(test)]
mod tests;

use aws_sdk_cloudwatch::types::StandardUnit;
use catalog::{Freshness, SKEW};
use jiff::SignedDuration;

use crate::findings::{Gauge, Judged, Pruned, Watch};

/// Ten years in seconds, for a backup that never was: CloudWatch takes no infinity, and every threshold is below this.
pub const NEVER: f64 = 315_360_000.0;
/// The share of a limit that stands for one that nobody knows.
pub const UNKNOWN: f64 = 1_000.0;

/// One number for CloudWatch.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// The metric's name.
    pub name: &'static str,
    /// The database it is about; `None` when it is about all of the repository's.
    pub database: Option<String>,
    /// The number, which is always finite.
    pub value: f64,
    /// The unit of the number.
    pub unit: StandardUnit,
}

/// The measures of one verdict: of its database alone. What stands afterwards is measured by freshness.
#[must_use]
pub fn judged(judged: &Judged) -> Vec<Measure> {
    let database = judged.id.stem.database().into_owned();
    let mut measures = Measures::of(&database);
    measures.of_database("VerifyDamaged", f64::from(u8::from(!judged.verdict.is_intact())), StandardUnit::Count);
    measures.of_database("VerifyDuration", judged.took.as_secs_f64(), StandardUnit::Seconds);
    measures.of_database("VerifyBytes", count(judged.read), StandardUnit::Bytes);
    measures.0
}

/// The measures of a run of freshness. Of each that is published for the whole repository it is the worst of its databases.
/// Without any database the age is "never"; where all are retired on purpose, nothing is missing.
#[must_use]
pub fn measured(gauges: &[Gauge], watch: &Watch) -> Vec<Measure> {
    let nobody = gauges.is_empty() && watch.retired == 0;
    // An alarm whose database is gone, or can't be compared any more, must come to its end.
    let alike = (!gauges.is_empty()).then_some(1.0);
    let each: Vec<Measure> = gauges.iter().flat_map(of_gauge).collect();
    let worst = |name: &'static str, unit: StandardUnit, start: Option<f64>, worse: fn(f64, f64) -> f64| {
        let values = each.iter().filter(|measure| measure.name == name).map(|measure| measure.value);
        let value = start.into_iter().chain(values).reduce(worse)?;
        Some(Measure { name, database: None, value, unit })
    };
    let all = [
        worst("AgeOfNewestGood", StandardUnit::Seconds, Some(if nobody { NEVER } else { 0.0 }), f64::max),
        worst("Staleness", StandardUnit::None, Some(if nobody { UNKNOWN } else { 0.0 }), f64::max),
        worst("DamagedSinceGood", StandardUnit::Count, Some(0.0), f64::max),
        worst("SizeRatio", StandardUnit::None, alike, f64::min),
        worst("RowRatio", StandardUnit::None, alike, f64::min),
        worst("BackupSize", StandardUnit::Bytes, None, f64::max),
        Some(Measure { name: "Overdue", database: None, value: share(Some(watch.overdue)), unit: StandardUnit::None }),
        worst("DrillAge", StandardUnit::None, watch.asks_for_drills.then_some(0.0), f64::max),
        watch.oldest_verdict.map(|age| Measure::seconds("OldestUnverified", None, age.clamp(0.0, NEVER))),
    ];
    all.into_iter().flatten().chain(each).collect()
}

fn of_gauge(gauge: &Gauge) -> Vec<Measure> {
    let mut measures = Measures::of(&gauge.database);
    measures.of_database("AgeOfNewestGood", age(&gauge.good), StandardUnit::Seconds);
    measures.of_database("AgeOfNewestUploaded", age(&gauge.uploaded), StandardUnit::Seconds);
    measures.of_database("Staleness", share(gauge.share), StandardUnit::None);
    measures.of_database("DamagedSinceGood", count(gauge.lost as u64), StandardUnit::Count);
    if let Some(unproved) = gauge.drilled.unproved {
        measures.of_database("DrillAge", days(unproved), StandardUnit::None);
    }
    measures.of_database("ShrunkBackups", count(gauge.shrinks.len() as u64), StandardUnit::Count);
    if let Some(proof) = gauge.proof {
        measures.of_database("BackupSize", count(proof.size), StandardUnit::Bytes);
    }
    for (name, ratio) in [("SizeRatio", gauge.size_ratio()), ("RowRatio", gauge.least_left())] {
        if let Some(ratio) = ratio {
            measures.of_database(name, ratio, StandardUnit::None);
        }
    }
    measures.0
}

/// The measures of a run of retention: what is missing of expected databases, the most of any; and whether a plan was refused.
#[must_use]
pub fn pruned(databases: &[Pruned]) -> Vec<Measure> {
    let each = databases.iter().flat_map(|pruned| {
        let mut measures = Measures::of(&pruned.database);
        if pruned.could_be.is_some() {
            measures.of_database("GoodCount", count(pruned.good as u64), StandardUnit::Count);
            measures.of_database("GoodMissing", count(pruned.missing() as u64), StandardUnit::Count);
        }
        measures.of_database("RetentionKept", count(pruned.kept as u64), StandardUnit::Count);
        measures.of_database("RetentionRemoved", count(pruned.removed.len() as u64), StandardUnit::Count);
        measures.of_database("RetentionRefused", f64::from(u8::from(pruned.refused.is_some())), StandardUnit::Count);
        measures.0
    });
    let each: Vec<Measure> = each.collect();
    let most = |name: &'static str| {
        let values = each.iter().filter(|measure| measure.name == name).map(|measure| measure.value);
        Measure { name, database: None, value: values.fold(0.0, f64::max), unit: StandardUnit::Count }
    };
    [most("GoodMissing"), most("RetentionRefused")].into_iter().chain(each).collect()
}

/// The measures of a run of retention that could not list everything: nothing was planned, which is a refusal too.
#[must_use]
pub fn unlisted() -> Vec<Measure> {
    vec![Measure { name: "RetentionRefused", database: None, value: 1.0, unit: StandardUnit::Count }]
}

/// The age in seconds; [`NEVER`] for a time too far in the future, because the age is then unknown.
fn age(freshness: &Freshness) -> f64 {
    match freshness.age() {
        Some(age) if age >= -SKEW => age.as_secs_f64().clamp(0.0, NEVER),
        _ => NEVER,
    }
}

/// A time in days, which CloudWatch has no unit for; at most those of [`NEVER`].
fn days(time: SignedDuration) -> f64 {
    time.as_secs_f64().clamp(0.0, NEVER) / 86_400.0
}

/// A share of a limit; [`UNKNOWN`] where nobody can tell, which is beyond any.
fn share(share: Option<f64>) -> f64 {
    share.map_or(UNKNOWN, |share| share.clamp(0.0, UNKNOWN))
}

/// A number as a double, exact up to 2^53: eight petabytes.
#[expect(clippy::cast_precision_loss, reason = "a metric is a double")]
fn count(number: u64) -> f64 {
    number as f64
}

impl Measure {
    fn seconds(name: &'static str, database: Option<String>, value: f64) -> Self {
        Self { name, database, value, unit: StandardUnit::Seconds }
    }
}

/// Measures of one database.
struct Measures(Vec<Measure>, String);

impl Measures {
    fn of(database: &str) -> Self {
        Self(Vec::new(), database.to_owned())
    }

    fn of_database(&mut self, name: &'static str, value: f64, unit: StandardUnit) {
        self.0.push(Measure { name, database: Some(self.1.clone()), value, unit });
    }
}
