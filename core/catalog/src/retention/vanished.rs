//! Backups that are gone and that retention did not remove. Each run leaves behind how many each database had; the next one misses
//! what is missing of them. A count is enough: which ones they were, the bucket's versions tell.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Plan;
use crate::catalog::{Catalog, Entry};

/// So long a loss is passed on, for whoever tells of it.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How many backups a database has once the plan that was noted with it is carried out. In JSON, times are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct There {
    /// Those with a manifest, whatever their verdicts.
    pub backups: usize,
    /// When the newest of their manifests was stored: later ones weren't counted.
    pub up_to: Timestamp,
}

/// Backups of a database that are gone, without retention's doing. In JSON, times are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vanished {
    /// The PostgreSQL name.
    pub database: String,
    /// How many.
    pub backups: usize,
    /// When it was noticed.
    pub noticed: Timestamp,
}

impl There {
    /// What is there; `None` where no backup is.
    pub(super) fn of(catalog: &Catalog) -> Option<Self> {
        let stored = || catalog.entries.iter().filter_map(stored);
        Some(Self { backups: stored().count(), up_to: stored().max()? })
    }

    /// Whether a listing that began after `now` may lack what was counted. Stores tell times in whole seconds.
    pub(super) fn is_ahead_of(&self, now: Timestamp) -> bool {
        self.up_to.as_second() >= now.as_second()
    }

    /// This count, made by another run, after `plan`; what that one has noted as removed isn't counted any more.
    pub(super) fn without(self, plan: &Plan<'_>, noted: Option<&BTreeSet<String>>) -> Self {
        let is_noted = |entry: &Entry| noted.is_some_and(|noted| noted.contains(&entry.id.to_string()));
        let going = going(plan).filter(|entry| !is_noted(entry)).count();
        Self { backups: self.backups.saturating_sub(going), ..self }
    }

    /// How many of those that were counted are missing.
    pub(super) fn missing_in(&self, catalog: Option<&Catalog>) -> usize {
        self.backups.saturating_sub(self.left_in(catalog))
    }

    /// The count after `plan`. Where another run of the same day has counted before, `earlier`, what it was about to remove may
    /// still stand in this run's listing.
    pub(super) fn after(self, plan: &Plan<'_>, earlier: Option<&Self>, catalog: &Catalog) -> Self {
        let backups = self.backups.saturating_sub(going(plan).count());
        let newer = |earlier: &Self| earlier.backups + (self.backups - earlier.left_in(Some(catalog)));
        Self { backups: earlier.map_or(backups, |earlier| backups.min(newer(earlier))), ..self }
    }

    fn counted(&self, entry: &Entry) -> bool {
        stored(entry).is_some_and(|stored| stored <= self.up_to)
    }

    fn left_in(&self, catalog: Option<&Catalog>) -> usize {
        let entries: Vec<&Entry> = catalog.into_iter().flat_map(|catalog| &catalog.entries).collect();
        let originals: BTreeSet<&str> =
            entries.iter().filter(|entry| self.counted(entry)).map(|entry| entry.id.stem.base()).collect();
        // What came later counts where it took the place of one that was counted, and that one has gone: rows were erased from it.
        let stands_in = |entry: &&&Entry| {
            entry.id.stem.erased().is_some() && entry.instant <= self.up_to && !originals.contains(entry.id.stem.base())
        };
        let backups = entries.iter().filter(|entry| stored(entry).is_some());
        let stand_ins: BTreeSet<&str> = backups.filter(stands_in).map(|entry| entry.id.stem.base()).collect();
        entries.iter().filter(|entry| self.counted(entry)).count() + stand_ins.len()
    }
}

/// The backups that a plan is about to remove.
fn going<'p, 'a>(plan: &'p Plan<'a>) -> impl Iterator<Item = &'a Entry> + use<'p, 'a> {
    plan.removals().map(|row| row.entry).filter(|entry| stored(entry).is_some())
}

impl Vanished {
    pub(super) fn is_remembered(&self, now: Timestamp) -> bool {
        now.duration_since(self.noticed) <= REMEMBERED
    }
}

/// When its manifest was stored, which happens once. Safety backups come and go by a host's own rules.
fn stored(entry: &Entry) -> Option<Timestamp> {
    entry.manifest.as_ref().filter(|_| !entry.is_safety()).map(|manifest| manifest.last_modified)
}

#[cfg(test)]
mod tests {
    use super::super::{Limit, Policy, Removals, plan};
    use super::*;
    use crate::State;
    use crate::testing::{Listing, time};

    const NOW: &str = "2026-01-21T12:00:00Z";

    /// A run that sees this listing, and what it has missed.
    fn look(removals: &mut Removals, listing: &Listing, keep_last: u32, now: &str) -> Vec<usize> {
        let rules = Policy { keep_last, delete_after_days: None, minimum_good: 1, ..Policy::default() };
        let catalogs = [listing.catalog()];
        *removals = Removals::from_json(&removals.to_json().unwrap()).unwrap().at(time(now));
        let before = removals.vanished.len();
        removals.miss(&catalogs, time(now));
        let plan = removals.hold("app", plan(&catalogs[0], &rules, time(now), Limit::Lifted));
        removals.add(&catalogs[0], &plan);
        removals.vanished.iter().skip(before).map(|vanished| vanished.backups).collect()
    }

    fn backups(days: std::ops::RangeInclusive<i64>) -> Listing {
        let mut listing = Listing::bucket();
        for day in days {
            listing.at(State::Good, &format!("2026-01-{day:02}T03:00:00Z"));
        }
        listing
    }

    #[test]
    fn what_somebody_else_removed_is_missed_once() {
        let (listing, mut removals) = (backups(10..=20), Removals::none(time(NOW)));
        assert_eq!(look(&mut removals, &listing, 99, NOW), [0; 0], "the first look knows of none before");
        assert_eq!(look(&mut removals, &listing, 99, NOW), [0; 0]);
        let mut robbed = backups(13..=20);
        robbed.at(State::Uploaded, "2026-01-21T03:00:00Z");
        assert_eq!(look(&mut removals, &robbed, 99, "2026-01-22T12:00:00Z"), [3], "though one came meanwhile");
        assert_eq!(look(&mut removals, &robbed, 99, "2026-01-22T12:00:00Z"), [0; 0]);
        removals.miss(&[], time("2026-01-22T12:00:00Z"));
        assert_eq!(removals.vanished.last().unwrap().backups, 9, "all of them, and the database with them");
        let told = |now: &str| removals.clone().at(time(now)).vanished.len();
        assert_eq!((told("2026-01-29T12:00:00Z"), told("2026-01-29T12:00:01Z")), (2, 0), "for a week");
        assert_eq!(look(&mut removals, &robbed, 99, "2026-02-22T12:00:00Z"), [0; 0]);
        assert_eq!(removals.vanished, [], "forgotten after a week");
    }

    #[test]
    fn what_retention_removes_is_missed_by_nobody_also_when_its_run_dies_or_two_run_at_once() {
        let (listing, mut removals) = (backups(10..=20), Removals::none(time(NOW)));
        assert_eq!(look(&mut removals, &listing, 6, NOW), [0; 0]);
        assert_eq!(look(&mut removals, &listing, 6, NOW), [0; 0], "it died before it removed any, or another runs too");
        assert_eq!(look(&mut removals, &backups(13..=20), 6, NOW), [0; 0], "half way");
        assert_eq!(look(&mut removals, &backups(15..=20), 6, NOW), [0; 0]);
        let mut held = removals.clone();
        // The other one's listing is older than what was removed, and its plan was refused.
        held.miss(&[listing.catalog()], time(NOW));
        held.add(&listing.catalog(), &Plan { rows: Vec::new(), refused: None });
        assert_eq!(look(&mut held, &backups(15..=20), 6, NOW), [0; 0]);
    }

    /// The one has listed before a backup came, and reads the account after the other, which saw it, has written there.
    #[test]
    fn what_came_after_a_listing_is_missed_by_no_run_that_overlaps() {
        let (older, mut newer) = (backups(10..=20), backups(10..=20));
        newer.at(State::Good, NOW);
        newer.at(State::Good, "2026-01-21T12:01:00Z");
        let mut removals = Removals::none(time(NOW));
        assert_eq!(look(&mut removals, &newer, 9, "2026-01-21T12:03:30Z"), [0; 0]);
        let counted = removals.there["app"].clone();
        assert_eq!(counted.backups, 9);
        assert_eq!(look(&mut removals, &older, 9, NOW), [0; 0], "its listing lacks what came since");
        assert_eq!(removals.there["app"], counted, "both have the same ones removed");
        removals.miss(&[], time(NOW));
        assert_eq!((removals.vanished.len(), &removals.there["app"]), (0, &counted), "its first backup came since");
        let mut robbed = backups(15..=20);
        robbed.at(State::Good, NOW);
        robbed.at(State::Good, "2026-01-21T12:01:00Z");
        assert_eq!(look(&mut removals, &robbed, 9, "2026-01-21T12:05:00Z"), [1], "a later run misses what is gone");
    }

    #[test]
    fn what_should_go_and_stays_under_a_lock_hides_no_loss() {
        let (listing, mut removals) = (backups(10..=20), Removals::none(time(NOW)));
        assert_eq!(look(&mut removals, &listing, 6, NOW), [0; 0]);
        let (noted, stayed) = (removals.clone(), [("app".to_owned(), 5)].into());
        assert!(removals.keep(&noted, &stayed) && removals.there["app"].backups == 11);
        assert!(!removals.keep(&noted, &stayed), "once, though two runs have tried it");
        let none = [("app".to_owned(), 0)].into();
        assert!(!removals.keep(&removals.clone(), &none), "where none stayed there is nothing to store");
        assert_eq!(look(&mut removals, &listing, 6, NOW), [0; 0], "they are tried again");
        let (noted, robbed) = (removals.clone(), backups(10..=18));
        assert!(removals.keep(&noted, &stayed));
        assert_eq!(look(&mut removals, &robbed, 6, NOW), [2]);
    }

    /// Rows were erased from three of them: each has another in its place, which was stored later. One of the others is gone.
    #[test]
    fn what_took_the_place_of_a_backup_stands_for_it_and_for_no_other() {
        let (listing, mut removals) = (backups(10..=20), Removals::none(time(NOW)));
        assert_eq!(look(&mut removals, &listing, 99, NOW), [0; 0]);
        let mut erased = backups(14..=20);
        for day in 10..=12 {
            let at = time(&format!("2026-01-{day}T03:00:00Z"));
            let id = erased.id(&crate::Tag::At(at), at);
            for number in 1..=2 {
                let id = crate::BackupId { stem: id.stem.as_erased(number, at).unwrap(), ..id.clone() };
                let stored = time("2026-01-21T13:00:00Z");
                erased.archive(&id, 1, stored);
                erased.record(&id, crate::Record::Manifest, stored);
                erased.record(&id, crate::Record::Intact, stored);
            }
        }
        assert_eq!(look(&mut removals, &erased, 99, "2026-01-22T12:00:00Z"), [1]);
        // Both the original and what is to take its place: it hides no loss.
        let (mut both, mut removals) = (backups(11..=20), Removals::none(time(NOW)));
        assert_eq!(look(&mut removals, &listing, 99, NOW), [0; 0]);
        let at = time("2026-01-12T03:00:00Z");
        let id = both.id(&crate::Tag::At(at), at);
        let id = crate::BackupId { stem: id.stem.as_erased(1, at).unwrap(), ..id };
        both.archive(&id, 1, time("2026-01-21T13:00:00Z"));
        both.record(&id, crate::Record::Manifest, time("2026-01-21T13:00:00Z"));
        assert_eq!(look(&mut removals, &both, 99, "2026-01-22T12:00:00Z"), [1]);
    }
}
