//! What an erasure does with each backup, decided from what a listing and the records say. Newest first: the newest are restored most
//! often, and stay longest; what a run that breaks off has not come to is what goes soonest by itself.

use std::collections::BTreeMap;

use super::obstacle::{Lock, Obstacle};
use crate::backup::BackupId;
use crate::catalog::{Entry, State};
use crate::erased::{Erased, ErasedTable};
use crate::manifest::Manifest;

/// What is known of a backup besides its listing.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Its manifest; what stands in the way of reading it, in words; neither where it has none.
    pub manifest: Option<Result<Manifest, String>>,
    /// What keeps its objects from being removed.
    pub lock: Option<Lock>,
    /// It must first be brought back from an archive storage class.
    pub is_cold: bool,
    /// A key is set that opens it, as far as its manifest tells, or it needs none.
    pub is_open: bool,
    /// Keys are set at all.
    pub has_keys: bool,
}

/// What happens to one backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// What an upload that broke off has left: it goes.
    Clear,
    /// An earlier run has made this one of it: it goes when that one is good.
    Finish {
        /// What takes its place.
        by: BackupId,
    },
    /// It is restored, changed, stored again and removed.
    Erase,
    /// It stays as it is.
    Leave(Obstacle),
}

/// One backup, and what happens to it.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The backup.
    pub entry: &'a Entry,
    /// What happens to it.
    pub fate: Fate,
}

/// The plan for `entries`, newest first as they come; `known` holds what is known of each by its name and place. `chosen`: those that were asked for, with what
/// stands for them already.
pub fn plan<'a>(
    entries: &'a [Entry],
    known: &BTreeMap<BackupId, Known>,
    chosen: impl Fn(&BackupId) -> bool,
) -> Vec<Row<'a>> {
    let stand_ins: Vec<(&Entry, &Manifest, &Erased)> =
        entries.iter().filter_map(|entry| stand_in(entry, known)).collect();
    let is_meant = |entry: &Entry| {
        let originals = entries.iter().filter(|other| chosen(&other.id));
        chosen(&entry.id)
            || originals.into_iter().any(|other| {
                other.id.stem.base() == entry.id.stem.base() && entry.id.stem.erased() > other.id.stem.erased()
            })
    };
    let fate = |entry: &'a Entry| {
        let stands = |(other, manifest, erased): &&(&Entry, &Manifest, &Erased)| {
            other.id != entry.id && stands_for(entry, known.get(&entry.id), manifest, erased)
        };
        match stand_ins.iter().find(stands) {
            Some(_) if known.get(&entry.id).is_some_and(|known| known.lock.is_some()) => {
                leave(entry, known.get(&entry.id))
            }
            Some((by, ..)) => Fate::Finish { by: by.id.clone() },
            None if is_remainder(entry, entries) => Fate::Clear,
            None => leave(entry, known.get(&entry.id)),
        }
    };
    entries.iter().filter(|entry| is_meant(entry)).map(|entry| Row { entry, fate: fate(entry) }).collect()
}

/// A backup that may stand for another one.
fn stand_in<'a>(
    entry: &'a Entry,
    known: &'a BTreeMap<BackupId, Known>,
) -> Option<(&'a Entry, &'a Manifest, &'a Erased)> {
    entry.id.stem.erased().filter(|_| matches!(entry.state, State::Good | State::Uploaded))?;
    let manifest = known.get(&entry.id)?.manifest.as_ref()?.as_ref().ok()?;
    Some((entry, manifest, manifest.erased.as_ref()?))
}

/// Without its manifest, which goes first, the original is known by its name and the size of what is left of it.
fn stands_for(entry: &Entry, known: Option<&Known>, manifest: &Manifest, erased: &Erased) -> bool {
    if erased.of != entry.id.stem {
        return false;
    }
    match known.and_then(|known| known.manifest.as_ref()) {
        Some(Ok(original)) => adds_up((manifest, erased), original),
        Some(Err(_)) => false,
        None => entry.archive.as_ref().is_none_or(|archive| archive.size == erased.size),
    }
}

/// An upload of an erasure that never got its manifest, beside what it was made of.
fn is_remainder(entry: &Entry, entries: &[Entry]) -> bool {
    let stem = &entry.id.stem;
    let has_original =
        || entries.iter().any(|other| other.is_backup() && other.id != entry.id && other.id.stem.base() == stem.base());
    stem.erased().is_some() && matches!(entry.state, State::Unfinished) && has_original()
}

fn leave(entry: &Entry, known: Option<&Known>) -> Fate {
    let Some(known) = known else { return Fate::Leave(Obstacle::OnlyRecords) };
    let obstacle = match (entry.state, &known.manifest) {
        (State::Missing, _) => Some(Obstacle::OnlyRecords),
        (State::Unfinished, _) => Some(Obstacle::Unfinished),
        (State::Guest | State::Alone, _) => Some(Obstacle::Guest),
        (_, Some(Err(how))) => Some(Obstacle::Manifest(how.clone())),
        (_, None) => Some(Obstacle::Unfinished),
        _ if known.lock.is_some() => known.lock.map(Obstacle::Locked),
        (State::Damaged, _) => Some(Obstacle::Damaged),
        _ if known.is_cold => Some(Obstacle::Cold),
        _ if !known.is_open && known.has_keys => Some(Obstacle::OtherKey),
        _ if !known.is_open => Some(Obstacle::NoKey),
        _ => None,
    };
    obstacle.map_or(Fate::Erase, Fate::Leave)
}

/// The number that is free for what takes this one's place: higher than those of all `entries` that took it before. None beyond 99.
#[must_use]
pub fn number<'a>(entry: &Entry, entries: impl IntoIterator<Item = &'a Entry>) -> Option<u32> {
    let base = entry.id.stem.base();
    let of_it = entries.into_iter().filter(|other| other.id.stem.base() == base);
    let taken = of_it.filter_map(|other| other.id.stem.erased());
    let next = taken.max().unwrap_or(0) + 1;
    (next <= 99).then_some(next)
}

/// Whether the backup with the manifest `mine` stands for the one with the manifest `original`: it was made of just these bytes, and its
/// rows are as many as it says have stayed.
fn adds_up((mine, erased): (&Manifest, &Erased), original: &Manifest) -> bool {
    let digest = &original.archive.digest;
    let is_made_of_it = (&erased.of, erased.size, erased.md5) == (&original.stem, digest.size, digest.md5);
    let named = |table: &&ErasedTable, schema: &str, name: &str| (&*table.schema, &*table.name) == (schema, name);
    let has_its_rows = original.census.tables.iter().all(|before| {
        let after =
            mine.census.tables.iter().find(|after| (&after.schema, &after.name) == (&before.schema, &before.name));
        let change = erased.tables.iter().find(|table| named(table, &before.schema, &before.name));
        match (after, change) {
            (Some(after), None) => (after.rows, after.bytes) == (before.rows, before.bytes),
            (Some(after), Some(change)) => {
                (before.rows, after.rows) == (Some(change.before), Some(change.after))
                    && change.before.checked_add(change.came) == change.after.checked_add(change.left)
            }
            (None, _) => false,
        }
    });
    is_made_of_it && has_its_rows && mine.census.tables.len() == original.census.tables.len()
}
