//! What one day may remove. Retention runs after every few verdicts, and what no single run may do, many small ones could: whoever
//! stores one good backup after another would let each run remove one that was there. So it is kept what a day has removed,
//! and a plan that would bring that to more than half of what was there when the day began is refused.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Plan, Refusal, Row, There, Vanished};
use crate::catalog::Catalog;
use crate::document::{DocumentError, Kind, Unknown};

const KIND: Kind = Kind { what: "record of removals", version: 1 };

/// The good backups that retention let go on one day, and what it left there: `status/removals.json`. It is written before they go,
/// so that a run that dies has counted them. Those that came on the day itself don't count. In JSON, times are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Removals {
    /// The day, in UTC.
    pub day: Date,
    /// Of each database, by its PostgreSQL name, the backups.
    #[serde(default)]
    pub databases: BTreeMap<String, BTreeSet<String>>,
    /// Of each database, how many backups it has after that.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub there: BTreeMap<String, There>,
    /// What was missed of them within a week, because somebody else removed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vanished: Vec<Vanished>,
    /// Whether another run of the day has counted what is there.
    #[serde(skip)]
    counted_today: bool,
    /// Databases that another run has counted by a later listing than this one's.
    #[serde(skip)]
    ahead: BTreeSet<String>,
    /// Fields of a later version.
    #[serde(skip)]
    pub unknown: Unknown,
}

impl Removals {
    /// A day that has removed nothing yet: that of `now`.
    #[must_use]
    pub fn none(now: Timestamp) -> Self {
        let (databases, there, unknown) = (BTreeMap::new(), BTreeMap::new(), Unknown::default());
        let (vanished, ahead) = (Vec::new(), BTreeSet::new());
        Self { day: day_of(now), databases, there, vanished, counted_today: false, ahead, unknown }
    }

    /// The record as it counts at `now`: what an earlier day removed counts no more, and what it left there still does. One of a
    /// day to come counts, because a clock was wrong.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.vanished.retain(|vanished| vanished.is_remembered(now));
        if self.day < day_of(now) {
            let Self { there, vanished, unknown, .. } = self;
            return Self { there, vanished, unknown, ..Self::none(now) };
        }
        Self { counted_today: true, ..self }
    }

    /// Misses what was there and is gone from a whole listing that began after `now`. What another run has counted that came after
    /// that may lack in this listing: it is missed by a later one, and its count is kept.
    pub fn miss(&mut self, catalogs: &[Catalog], now: Timestamp) {
        let found: BTreeMap<&str, &Catalog> =
            catalogs.iter().map(|catalog| (catalog.database.as_str(), catalog)).collect();
        self.ahead =
            self.there.iter().filter(|(_, there)| there.is_ahead_of(now)).map(|(name, _)| name.clone()).collect();
        let counted = self.there.iter().filter(|(database, _)| !self.ahead.contains(*database));
        let missing = counted.map(|(database, there)| Vanished {
            database: database.clone(),
            backups: there.missing_in(found.get(database.as_str()).copied()),
            noticed: now,
        });
        self.vanished.extend(missing.filter(|vanished| vanished.backups > 0));
        let ahead = &self.ahead;
        self.there.retain(|database, _| found.contains_key(database.as_str()) || ahead.contains(database));
    }

    /// Refuses a plan that would remove, with what the day has removed already, more than half of the good backups that were there
    /// when the day began.
    #[must_use]
    pub fn hold<'a>(&self, database: &str, mut plan: Plan<'a>) -> Plan<'a> {
        let earlier = self.databases.get(database);
        let is_earlier = |id: &String| earlier.is_some_and(|earlier| earlier.contains(id));
        let before = earlier.map_or(0, BTreeSet::len);
        let left: Vec<(String, bool)> =
            self.old(&plan).map(|row| (row.entry.id.to_string(), row.is_removed())).collect();
        let others = || left.iter().filter(|(id, _)| !is_earlier(id));
        let good = before + others().count();
        let removed = others().filter(|(_, goes)| *goes).count();
        if plan.refused.is_none() && removed > 0 && (before + removed) * 2 > good {
            plan.refused = Some(Refusal::MoreThanHalfOfTheDay { removed, before, good });
        }
        plan
    }

    /// Adds what `plan` is about to remove of its catalog, and counts what stays.
    pub fn add(&mut self, catalog: &Catalog, plan: &Plan<'_>) {
        let earlier = self.there.remove(&catalog.database);
        let there = match earlier.clone().filter(|_| self.ahead.contains(&catalog.database)) {
            Some(ahead) => Some(ahead.without(plan, self.databases.get(&catalog.database))),
            None => {
                let earlier = earlier.as_ref().filter(|_| self.counted_today);
                There::of(catalog).map(|there| there.after(plan, earlier, catalog))
            }
        };
        self.there.extend(there.map(|there| (catalog.database.clone(), there)));
        let going: Vec<String> = self
            .old(plan)
            .filter(|row| plan.refused.is_none() && row.is_removed())
            .map(|row| row.entry.id.to_string())
            .collect();
        if !going.is_empty() {
            self.databases.entry(catalog.database.clone()).or_default().extend(going);
        }
    }

    /// Counts what should have gone and is still there, so many backups of each database, where the count is still what `noted` said;
    /// whether it was any. Otherwise another run has listed since, and counts for itself.
    pub fn keep(&mut self, noted: &Self, stayed: &BTreeMap<String, usize>) -> bool {
        let mut has_changed = false;
        for (database, there) in &mut self.there {
            let stayed = stayed.get(database).copied().filter(|stayed| *stayed > 0);
            if let Some(stayed) = stayed.filter(|_| noted.there.get(database) == Some(&*there)) {
                there.backups += stayed;
                has_changed = true;
            }
        }
        has_changed
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When it is of a newer version, or isn't one.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        let (removals, unknown) = KIND.read::<Self>(json)?;
        Ok(Self { unknown, ..removals })
    }

    /// The record as it is stored.
    ///
    /// # Errors
    /// Only when a value can't be put into JSON, which none of these can.
    pub fn to_json(&self) -> Result<Vec<u8>, DocumentError> {
        KIND.write(self, &self.unknown)
    }

    /// The good backups of a plan that were there when the day began. A name tells nothing of that: its writer chose it.
    fn old<'p, 'a>(&self, plan: &'p Plan<'a>) -> impl Iterator<Item = &'p Row<'a>> + use<'p, 'a> {
        let began =
            TimeZone::UTC.to_timestamp(self.day.to_datetime(jiff::civil::Time::midnight())).unwrap_or(Timestamp::MAX);
        plan.rows.iter().filter(move |row| row.entry.counts_as_good() && row.entry.latest_claim() < began)
    }
}

fn day_of(now: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(now).date()
}
