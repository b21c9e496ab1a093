//! The numbers that are published, made of findings: pure, so that tests show them all in a table.
//!
//! They are gauges for the statistics Maximum and Minimum, so an event that comes twice changes no alarm.
//! `docs/cloud.md` lists them for people.

#[cfg(test)]
mod tests;

use aws_sdk_cloudwatch::types::StandardUnit;
use catalog::{Freshness, SKEW};

use crate::findings::{Gauge, Judged, Pruned};

/// Ten years in seconds, for a backup that never was: CloudWatch takes no infinity, and every threshold is below this.
pub const NEVER: f64 = 315_360_000.0;

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

/// The measures of one verdict.
#[must_use]
pub fn judged(judged: &Judged) -> Vec<Measure> {
    let database = judged.id.stem.database().into_owned();
    let mut measures = Measures::of(&database);
    measures.everywhere("VerifyDamaged", f64::from(u8::from(!judged.verdict.is_intact())), StandardUnit::Count);
    measures.everywhere("VerifyDuration", judged.took.as_secs_f64(), StandardUnit::Seconds);
    measures.of_database("VerifyBytes", count(judged.read), StandardUnit::Bytes);
    if let Some(sizes) = &judged.sizes {
        measures.everywhere("BackupSize", count(sizes.bytes), StandardUnit::Bytes);
        measures.ratio("SizeRatio", count(sizes.bytes), median(&sizes.earlier_bytes));
        measures.ratio("RowRatio", count(sizes.rows), median(&sizes.earlier_rows));
    }
    measures.0
}

/// The measures of a run of freshness; the repository's is the oldest of its databases. Without any database the age is
/// "never"; where all are `retired` on purpose, nothing is missing.
#[must_use]
pub fn measured(gauges: &[Gauge], retired: usize) -> Vec<Measure> {
    let of = |metric: &'static str, age: &dyn Fn(&Gauge) -> f64| {
        let none = if gauges.is_empty() && retired == 0 { NEVER } else { 0.0 };
        let each = gauges.iter().map(move |gauge| Measure::seconds(metric, Some(gauge.database.clone()), age(gauge)));
        let each: Vec<Measure> = each.collect();
        let oldest = each.iter().map(|measure| measure.value).fold(none, f64::max);
        [Measure::seconds(metric, None, oldest)].into_iter().chain(each)
    };
    let good = of("AgeOfNewestGood", &|gauge| age(&gauge.good));
    good.chain(of("AgeOfNewestUploaded", &|gauge| age(&gauge.uploaded))).collect()
}

/// The measures of a run of retention. `GoodCount` is for expected databases only; the repository's is the smallest of
/// them, and 0 where there is no database yet.
#[must_use]
pub fn pruned(databases: &[Pruned], retired: usize) -> Vec<Measure> {
    let each = databases.iter().flat_map(|pruned| {
        let mut measures = Measures::of(&pruned.database);
        if pruned.expected {
            measures.of_database("GoodCount", count(pruned.good as u64), StandardUnit::Count);
        }
        measures.of_database("RetentionKept", count(pruned.kept as u64), StandardUnit::Count);
        measures.of_database("RetentionRemoved", count(pruned.removed.len() as u64), StandardUnit::Count);
        measures.of_database("RetentionRefused", f64::from(u8::from(pruned.refused.is_some())), StandardUnit::Count);
        measures.0
    });
    let each: Vec<Measure> = each.collect();
    let fold = |metric: &'static str, start: f64, fold: fn(f64, f64) -> f64| {
        let value = each.iter().filter(|measure| measure.name == metric).map(|measure| measure.value).fold(start, fold);
        Measure { name: metric, database: None, value, unit: StandardUnit::Count }
    };
    let fewest = databases.iter().filter(|pruned| pruned.expected).map(|pruned| pruned.good as u64).min();
    let fewest = fewest.or_else(|| (retired == 0).then_some(0));
    let fewest =
        fewest.map(|good| Measure { name: "GoodCount", database: None, value: count(good), unit: StandardUnit::Count });
    let all = [fold("RetentionRemoved", 0.0, |a, b| a + b), fold("RetentionRefused", 0.0, f64::max)];
    fewest.into_iter().chain(all).chain(each).collect()
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

/// The median; `None` without values.
fn median(values: &[u64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let (low, high) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some(f64::midpoint(count(*low), count(*high)))
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

/// Measures of one database, most of them for the whole repository too.
struct Measures(Vec<Measure>, String);

impl Measures {
    fn of(database: &str) -> Self {
        Self(Vec::new(), database.to_owned())
    }

    fn everywhere(&mut self, name: &'static str, value: f64, unit: StandardUnit) {
        self.0.push(Measure { name, database: None, value, unit: unit.clone() });
        self.of_database(name, value, unit);
    }

    fn of_database(&mut self, name: &'static str, value: f64, unit: StandardUnit) {
        self.0.push(Measure { name, database: Some(self.1.clone()), value, unit });
    }

    /// Adds the share of `of`, unless that is zero or there is no earlier backup.
    fn ratio(&mut self, name: &'static str, value: f64, of: Option<f64>) {
        if let Some(of) = of.filter(|of| *of > 0.0) {
            self.everywhere(name, value / of, StandardUnit::None);
        }
    }
}
