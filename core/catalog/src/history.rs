//! What was known of a database's backups on each day: `status/history/{database}.json`. Manifests go when retention removes their
//! backups; this stays, for a year and a month.
//!
//! It is for people to look at, and nothing decides by it. Several may write it: of what two know of one day the worse verdict counts,
//! because a bad hour is part of that day, and the facts of the later backup. So it doesn't matter who writes first, or twice.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::document::{DocumentError, Kind, Unknown};
use crate::drill::LastDrill;
use crate::freshness::Finding;

const KIND: Kind = Kind { what: "history", version: 1 };

/// Days that are kept: a year and a month.
pub const DAYS: usize = 400;
/// Drills that are kept.
pub const DRILLS: usize = 60;

/// History version 1. In JSON, times are RFC 3339 in UTC, sizes bytes and durations seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// The PostgreSQL name.
    pub database: String,
    /// One for each day of which something is known, the oldest first.
    pub days: Vec<Day>,
    /// The drills that are known, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drills: Vec<PastDrill>,
    /// Fields of a later version, kept when it is written again.
    #[serde(skip)]
    pub unknown: Unknown,
}

/// What was known on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Day {
    /// The day, in UTC.
    pub day: Date,
    /// The worst of it.
    pub verdict: DayVerdict,
    /// The newest good backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    /// When that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Timestamp>,
    /// Its stored bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Rows of all its tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Fields of a later version: they stay with their day.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// How a day was, from good to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DayVerdict {
    /// A good backup was there, and as recent as it should be.
    Good,
    /// The same, and something else was wrong: too few, too small, or a drill.
    Warned,
    /// The newest good one was too old, or its age unknown.
    Late,
    /// A newer one was damaged, gone or changed.
    Damaged,
    /// There was no good one.
    Never,
}

/// A drill, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PastDrill {
    /// When it ended.
    pub finished: Timestamp,
    /// The backup that was restored.
    pub backup: String,
    /// Whether what was restored is what had been dumped.
    pub passed: bool,
    /// How long all of it took.
    pub seconds: u64,
}

impl DayVerdict {
    /// By what `check` finds.
    #[must_use]
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let worst = findings.into_iter().map(|finding| match finding {
            Finding::Never { .. } => Self::Never,
            Finding::NewestDamaged { .. } | Finding::Changed { .. } | Finding::BrokenRecord { .. } => Self::Damaged,
            Finding::Stale { .. } | Finding::InTheFuture { .. } => Self::Late,
            Finding::TooFew { .. }
            | Finding::TooSmall { .. }
            | Finding::DrillFailed { .. }
            | Finding::DrillOld { .. }
            | Finding::NeverDrilled { .. }
            | Finding::DrillUnknown { .. } => Self::Warned,
        });
        worst.max().unwrap_or(Self::Good)
    }
}

impl Day {
    /// The day of this moment, with nothing but its verdict.
    #[must_use]
    pub fn at(now: Timestamp, verdict: DayVerdict) -> Self {
        let (backup, made, size, rows) = (None, None, None, None);
        Self { day: day_of(now), verdict, backup, made, size, rows, more: Map::new() }
    }

    fn facts(&self) -> (Option<Timestamp>, Option<&String>, Option<u64>, Option<u64>) {
        (self.made, self.backup.as_ref(), self.size, self.rows)
    }

    fn merge(self, other: Self) -> Self {
        let verdict = self.verdict.max(other.verdict);
        let (less, more) = if self.facts() <= other.facts() { (self, other) } else { (other, self) };
        Self { verdict, more: merge_fields(less.more, more.more), ..more }
    }
}

/// Of two values of one field the greater text counts: any rule would do that doesn't ask who came first.
fn merge_fields(mut fields: Map<String, Value>, others: Map<String, Value>) -> Map<String, Value> {
    for (name, value) in others {
        let text = value.to_string();
        if fields.get(&name).map(Value::to_string).is_none_or(|known| known < text) {
            fields.insert(name, value);
        }
    }
    fields.sort_keys();
    fields
}

impl PastDrill {
    /// What the record of a database's last drill says.
    #[must_use]
    pub fn of(last: &LastDrill) -> Self {
        let seconds = u64::try_from(last.took.as_secs()).unwrap_or(0);
        Self { finished: last.finished, backup: last.backup.clone(), passed: last.passed, seconds }
    }
}

impl History {
    /// A history in which nothing is known yet.
    #[must_use]
    pub fn new(database: &str) -> Self {
        Self { database: database.to_owned(), days: Vec::new(), drills: Vec::new(), unknown: Unknown::default() }
    }

    /// What both know.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let mut days: BTreeMap<Date, Day> = BTreeMap::new();
        for day in self.days.into_iter().chain(other.days) {
            let merged = match days.remove(&day.day) {
                Some(known) => known.merge(day),
                None => day,
            };
            days.insert(merged.day, merged);
        }
        let mut drills: Vec<PastDrill> = self.drills.into_iter().chain(other.drills).collect();
        drills.sort();
        drills.dedup();
        let days = last(days.into_values().collect(), DAYS);
        Self { days, drills: last(drills, DRILLS), ..self }
    }

    /// Without what lies in the future of `now`: a clock was wrong. What is old goes by number alone, so a clock that is ahead takes
    /// no year away.
    #[must_use]
    pub fn until(mut self, now: Timestamp) -> Self {
        let limit = day_of(now).checked_add(1.day()).unwrap_or(Date::MAX);
        self.days.retain(|day| day.day <= limit);
        self.drills.retain(|drill| day_of(drill.finished) <= limit);
        self
    }

    /// Whether it says already what `other` says.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.clone().merge(other.clone()) == *self
    }

    /// Reads a history: one entry for a day, whatever was written.
    ///
    /// # Errors
    /// When it is of a newer version, or isn't one.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        let (history, unknown) = KIND.read::<Self>(json)?;
        let empty = Self::new(&history.database);
        Ok(Self { unknown, ..history.merge(empty) })
    }

    /// The history as it is stored, on one line.
    ///
    /// # Errors
    /// Only when a value can't be put into JSON, which none of these can.
    pub fn to_json(&self) -> Result<Vec<u8>, DocumentError> {
        KIND.write_short(self, &self.unknown)
    }
}

/// The last `limit` of them.
fn last<T>(mut all: Vec<T>, limit: usize) -> Vec<T> {
    all.drain(..all.len().saturating_sub(limit));
    all
}

/// The day of a moment, in UTC.
#[must_use]
pub fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
