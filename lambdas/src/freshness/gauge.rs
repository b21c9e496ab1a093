//! The state of one database's backups: its catalog held to what is asked of it.

use catalog::freshness::{Finding, check, lost_since_good, share_of_age};
use catalog::verdict::Extent;
use catalog::{Catalog, DatabaseEntry, Entry, Freshness, Object, Thresholds};
use jiff::{SignedDuration, Timestamp};

use super::limits::Limits;
use crate::findings::{Drilled, Gauge, LastGood, OwnLimits, Proof, Trouble};

/// What is asked of one database.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) since: Option<Timestamp>,
    pub(super) max_age: SignedDuration,
    pub(super) min_size: Option<u64>,
    pub(super) own: Option<OwnLimits>,
}

impl Asked {
    /// By its mark, as it is stored. One that isn't trusted asks for more and never for less.
    pub(super) fn by(entry: Option<&DatabaseEntry>, mark: Option<&Object>, limits: &Limits) -> Self {
        let own = entry.and_then(|entry| entry.max_age_hours).map(|hours| SignedDuration::from_hours(hours.into()));
        Self {
            since: entry.map(|entry| mark.map_or(entry.since, |mark| entry.expected_since(mark.last_modified))),
            max_age: own
                .map_or(limits.max_age, |own| if limits.distrusts_marks { own.min(limits.max_age) } else { own }),
            min_size: entry.and_then(|entry| entry.min_size),
            own: entry.zip(mark).and_then(|(entry, mark)| OwnLimits::of(entry, mark.last_modified)),
        }
    }
}

impl Gauge {
    /// One that counts as never backed up, because nothing is known of it.
    pub(super) fn unknown(database: &str, trouble: Trouble) -> Self {
        Self {
            database: database.to_owned(),
            good: Freshness::Never,
            uploaded: Freshness::Never,
            share: None,
            finding: None,
            lost: 0,
            newest_good: None,
            proof: None,
            min_size: None,
            since: None,
            own: None,
            drilled: Drilled::default(),
            shrinks: Vec::new(),
            trouble: Some(trouble),
        }
    }

    pub(super) fn of(catalog: &Catalog, asked: Asked, extent: Option<Extent>, now: Timestamp) -> Self {
        let newest = catalog.newest_good(now);
        let mut gauge = Self {
            database: catalog.database.clone(),
            good: Freshness::of_good(catalog, now),
            uploaded: Freshness::of_uploaded(catalog, now),
            share: share_of_age(catalog, asked.since, asked.max_age, now),
            finding: None,
            lost: lost_since_good(catalog, now).count(),
            newest_good: newest.map(LastGood::from),
            proof: newest.map(|newest| {
                let extent = extent.map(|extent| if is_new_normal(catalog, newest) { extent.alone() } else { extent });
                Proof { size: newest.size(), verified: newest.found_intact(), extent }
            }),
            min_size: asked.min_size,
            since: asked.since,
            own: asked.own,
            drilled: Drilled::default(),
            shrinks: Vec::new(),
            trouble: None,
        };
        if gauge.is_stale() {
            let thresholds = Thresholds { max_age: asked.max_age, min_size: Some(0), min_count: 0 };
            let is_about_age = |finding: &Finding| {
                matches!(finding, Finding::Never { .. } | Finding::Stale { .. } | Finding::InTheFuture { .. })
            };
            gauge.finding = check(catalog, &thresholds, now).into_iter().find(is_about_age);
        }
        gauge
    }
}

/// Whether a person has said since its verdict that what is in it, or in one before it, is right: what it was compared with is not what
/// one expects any more.
fn is_new_normal(catalog: &Catalog, newest: &Entry) -> bool {
    let judged = newest.found_intact();
    let accepted = catalog.entries.iter().filter(|entry| entry.instant <= newest.instant);
    let accepted = accepted.filter_map(|entry| entry.accepted.as_ref()).map(|record| record.last_modified);
    newest.accepted.is_some() || accepted.max().is_some_and(|accepted| judged.is_none_or(|judged| accepted > judged))
}
