//! From a listing to catalogs, whatever the order of its rows.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Catalog;
use super::entry::{Entry, State, judged};
use crate::backup::{BackupId, Stem};
use crate::layout::{Layout, Part, Record};
use crate::object::Object;
use crate::verdict::Outcome;

/// The catalogs of all databases a listing shows or expects, by name.
///
/// Where the listing has several versions of a key, the newest counts. The listing must be complete for what it is used
/// for: what it leaves out doesn't exist here.
pub fn catalogs(layout: &Layout, objects: impl IntoIterator<Item = Object>) -> Vec<Catalog> {
    let mut found = Found::default();
    for object in objects {
        found.add(layout.parse(&object.key), object);
    }
    found.into_catalogs(layout.is_vault())
}

#[derive(Default)]
struct Found {
    backups: HashMap<BackupId, Pieces>,
    expected: BTreeMap<String, Object>,
}

#[derive(Default)]
struct Pieces {
    archives: Vec<Object>,
    /// Of another verifier's documents nothing matters but that they go along.
    records: Vec<(Option<Record>, Object)>,
}

impl Found {
    fn add(&mut self, part: Part, object: Object) {
        match part {
            Part::Archive { id, .. } => push(&mut self.backups.entry(id).or_default().archives, object),
            Part::Record { id, record } => {
                push(&mut self.backups.entry(id).or_default().records, (Some(record), object))
            }
            Part::Elsewhere { id } => push(&mut self.backups.entry(id).or_default().records, (None, object)),
            Part::DatabaseEntry { database } => {
                let newest = self.expected.entry(database).or_insert_with(|| object.clone());
                if age_order(newest) < age_order(&object) {
                    *newest = object;
                }
            }
            Part::Status(_) | Part::DrillStatus { .. } | Part::History { .. } | Part::Foreign => {}
        }
    }

    fn into_catalogs(self, is_vault: bool) -> Vec<Catalog> {
        let mut catalogs: BTreeMap<String, Catalog> = BTreeMap::new();
        let empty = |database: &str| Catalog { database: database.to_owned(), entries: Vec::new(), expected: None };
        for (id, pieces) in self.backups {
            let database = id.stem.database().into_owned();
            let catalog = catalogs.entry(database).or_insert_with_key(|database| empty(database));
            catalog.entries.push(Entry { is_replica: is_vault, ..pieces.into_entry(id) });
        }
        for (database, object) in self.expected {
            catalogs.entry(database).or_insert_with_key(|database| empty(database)).expected = Some(object);
        }
        catalogs.into_values().map(Catalog::completed).collect()
    }
}

impl Catalog {
    /// The same with entries that another listing has shown.
    #[must_use]
    pub fn joined(mut self, others: impl IntoIterator<Item = Entry>) -> Self {
        self.entries.extend(others);
        self.completed()
    }

    fn completed(mut self) -> Self {
        let mut seen: HashSet<&Stem> = HashSet::with_capacity(self.entries.len());
        let again = self.entries.iter().map(|entry| &entry.id.stem).filter(|stem| !seen.insert(*stem));
        let repeated: HashSet<Stem> = again.cloned().collect();
        for entry in &mut self.entries {
            entry.repeated = repeated.contains(&entry.id.stem);
        }
        self.sort();
        self
    }
}

impl Pieces {
    fn into_entry(mut self, id: BackupId) -> Entry {
        let [manifest, intact, damaged, verifying, drill] =
            [Record::Manifest, Record::Intact, Record::Damaged, Record::Verifying, Record::Drill]
                .map(|record| self.take_newest(record));
        let [shrunk, accepted] = [Record::Shrunk, Record::Accepted].map(|record| self.take_newest(record));
        let globals = self.take_newest(Record::Globals).or_else(|| self.take_newest(Record::SealedGlobals));
        let index = self.take_newest(Record::Index).or_else(|| self.take_newest(Record::SealedIndex));
        let links = self.take_newest(Record::Links);
        let awaited = self.take_newest(Record::Awaited);
        let archive = self.take_archive(manifest.as_ref());
        let (mut superseded, mut strays): (Vec<_>, Vec<_>) =
            self.archives.into_iter().partition(|other| archive.as_ref().is_some_and(|main| main.key == other.key));
        let awaited_since = awaited.as_ref().map(|mark| mark.last_modified);
        superseded.extend(self.records.into_iter().map(|(_, object)| object).chain(awaited));
        for rest in [&mut superseded, &mut strays] {
            rest.sort_by(|a, b| age_order(a).cmp(&age_order(b)));
        }

        let verdict = archive.as_ref().and_then(|archive| judged(archive, intact.as_ref(), damaged.as_ref()));
        let state = state(archive.is_some(), manifest.is_some(), verdict);
        let mut entry = Entry {
            instant: jiff::Timestamp::MIN,
            repeated: false,
            is_replica: false,
            id,
            state,
            archive,
            manifest,
            intact,
            damaged,
            verifying,
            drill,
            globals,
            shrunk,
            accepted,
            index,
            links,
            awaited_since,
            superseded,
            strays,
        };
        entry.instant = entry.earliest_claim();
        entry
    }

    fn take_newest(&mut self, wanted: Record) -> Option<Object> {
        let all = self.records.iter().enumerate().filter(|(_, (record, _))| *record == Some(wanted));
        let (newest, _) = all.max_by(|(_, (_, a)), (_, (_, b))| age_order(a).cmp(&age_order(b)))?;
        Some(self.records.swap_remove(newest).1)
    }

    /// The newest version of the archive the manifest was put after, among several of one name; without a manifest, of
    /// the newest.
    fn take_archive(&mut self, manifest: Option<&Object>) -> Option<Object> {
        let newest = |fits: &dyn Fn(&Object) -> bool| {
            let all = self.archives.iter().enumerate().filter(|(_, archive)| fits(archive));
            all.max_by(|(_, a), (_, b)| age_order(a).cmp(&age_order(b)))
        };
        let before = |archive: &Object| manifest.is_none_or(|manifest| archive.last_modified <= manifest.last_modified);
        let (_, meant) = newest(&before).or_else(|| newest(&|_| true))?;
        let (chosen, _) = newest(&|archive| archive.key == meant.key)?;
        Some(self.archives.swap_remove(chosen))
    }
}

/// A backup has one archive and two or three records: room for four of each would double what a large listing takes.
fn push<T>(pieces: &mut Vec<T>, piece: T) {
    pieces.reserve_exact(1);
    pieces.push(piece);
}

fn state(archive: bool, manifest: bool, verdict: Option<Outcome>) -> State {
    match (archive, manifest, verdict) {
        (false, _, _) => State::Missing,
        (true, false, _) => State::Alone,
        (true, true, Some(Outcome::Intact)) => State::Good,
        (true, true, Some(Outcome::Damaged)) => State::Damaged,
        (true, true, None) => State::Uploaded,
    }
}

/// Orders versions from old to new; keys and version ids only break ties, so that any listing gives the same catalog.
fn age_order(object: &Object) -> (jiff::Timestamp, &str, Option<&str>) {
    (object.last_modified, &object.key, object.version_id.as_deref())
}
