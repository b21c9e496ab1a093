//! What a store holds in the model, and what it answers.

use std::collections::BTreeMap;

use catalog::{BackupId, Catalog, Layout, Object, Record, Stem, Tag, catalogs};
use jiff::{SignedDuration, Timestamp};

/// What lies beside what.
/// A part of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The archive.
    Archive,
    /// The same in another compression, as another agent's settings say.
    Other,
    /// The globals.
    Globals,
    /// The manifest.
    Manifest,
    /// A verdict of intact.
    Intact,
    /// A verdict of damaged.
    Damaged,
}

/// Backups of the model, the last two of them not there yet.
pub const BACKUPS: usize = 4;

/// A key: of which backup, and which part.
pub type Key = (usize, Part);

/// One version of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// No other version has it.
    pub id: u32,
    /// Whose archive it is or speaks of.
    pub of: u32,
    /// Of a backup's objects those with a higher one were written later.
    rank: u8,
}

/// What kind of place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// With versions: what was overwritten is still there, and nobody who writes may delete.
    Bucket,
    /// Without, and who writes takes back what it has written.
    Directory,
}

/// The protocol's rules, each of which can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// The archive is visible before its manifest.
    pub archive_first: bool,
    /// Archive and manifest are put where nothing is.
    pub never_overwrites: bool,
    /// Verdicts and manifests go before archives.
    pub manifest_goes_first: bool,
    /// The listing comes in two pages, between which others act.
    pub pages: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { archive_first: true, never_overwrites: true, manifest_goes_first: true, pages: false }
    }
}

/// A place, and what is stored there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Store {
    /// What kind of place.
    pub kind: Kind,
    /// By which rules.
    pub rules: Rules,
    /// What is there.
    pub objects: Objects,
}

/// What is stored: of each key all versions, the present one last.
pub type Objects = BTreeMap<Key, Vec<Version>>;

impl Store {
    /// An empty one.
    pub fn new(kind: Kind, rules: Rules) -> Self {
        Self { kind, rules, objects: Objects::new() }
    }

    /// A good backup of an earlier day.
    pub fn add_good(&mut self, backup: usize) {
        let of = 100 + u32::try_from(backup).unwrap();
        for (number, part) in [Part::Archive, Part::Globals, Part::Manifest, Part::Intact].into_iter().enumerate() {
            self.put((backup, part), of * 10 + u32::try_from(number).unwrap(), of);
        }
    }

    /// The present version of a key.
    pub fn head(&self, key: Key) -> Option<&Version> {
        self.objects.get(&key).and_then(|versions| versions.last())
    }

    /// Puts where nothing is; whether it did.
    pub fn put_new(&mut self, key: Key, id: u32, of: u32) -> bool {
        let is_free = self.head(key).is_none() || !self.rules.never_overwrites;
        if is_free {
            self.put(key, id, of);
        }
        is_free
    }

    /// Puts over what is there.
    pub fn put(&mut self, key: Key, id: u32, of: u32) {
        let versions = self.objects.entry(key).or_default();
        if self.kind == Kind::Directory {
            versions.clear();
        }
        versions.push(Version { id, of, rank: u8::MAX });
        self.rank(key.0);
    }

    /// Removes versions of a key; whether all that is there was meant.
    pub fn remove(&mut self, key: Key, seen: &[u32]) -> bool {
        let Some(versions) = self.objects.get_mut(&key) else { return true };
        let is_changed = versions.iter().any(|version| !seen.contains(&version.id));
        if !is_changed {
            self.objects.remove(&key);
            self.rank(key.0);
        }
        !is_changed
    }

    /// The order of writing, and nothing else of it: so states that differ in nothing that matters are one.
    fn rank(&mut self, backup: usize) {
        let mut all: Vec<&mut Version> =
            self.objects.iter_mut().filter(|(key, _)| key.0 == backup).flat_map(|(_, versions)| versions).collect();
        all.sort_by_key(|version| version.rank);
        for (rank, version) in all.into_iter().enumerate() {
            version.rank = u8::try_from(rank).unwrap();
        }
    }

    /// What a listing of all versions shows, of some backups.
    pub fn listed(&self, backups: std::ops::Range<usize>) -> Vec<(Key, Vec<Version>)> {
        self.objects.iter().filter(|(key, _)| backups.contains(&key.0)).map(|(key, all)| (*key, all.clone())).collect()
    }
}

/// When it is, for everybody: the last backup's evening.
pub fn now() -> Timestamp {
    began(3) + SignedDuration::from_hours(12)
}

/// When a backup began.
pub fn began(backup: usize) -> Timestamp {
    let first: Timestamp = "2026-01-01T03:00:00Z".parse().unwrap();
    first + SignedDuration::from_hours(24 * i64::try_from(backup).unwrap())
}

/// The real layout of a place.
pub fn layout(kind: Kind) -> Layout {
    if kind == Kind::Bucket { Layout::bucket("backups") } else { Layout::directory() }
}

/// Which backup that is for the real code.
pub fn id(kind: Kind, backup: usize) -> BackupId {
    let tag = Tag::At(began(backup));
    layout(kind).place(Stem::new("app", &tag).unwrap(), began(backup))
}

/// The key as the real code spells it.
pub fn spelled(kind: Kind, (backup, part): Key) -> String {
    let (layout, id) = (layout(kind), id(kind, backup));
    match part {
        Part::Archive => layout.archive(&id, archive::Compression::Gzip, false),
        Part::Other => layout.archive(&id, archive::Compression::Zstd, false),
        Part::Globals => layout.globals(&id, false),
        Part::Manifest => layout.manifest(&id),
        Part::Intact => layout.record(&id, Record::Intact),
        Part::Damaged => layout.record(&id, Record::Damaged),
    }
}

/// The real catalog of a listing.
pub fn catalog(kind: Kind, listed: &[(Key, Vec<Version>)]) -> Option<Catalog> {
    let objects = listed.iter().flat_map(|(key, versions)| versions.iter().map(|version| object(kind, *key, version)));
    catalogs(&layout(kind), objects).into_iter().next()
}

fn object(kind: Kind, key: Key, version: &Version) -> Object {
    Object {
        key: spelled(kind, key),
        size: 1_000,
        last_modified: began(key.0) + SignedDuration::from_mins(version.rank.into()),
        etag: Some(format!("\"{}\"", version.id)),
        version_id: (kind == Kind::Bucket).then(|| version.id.to_string()),
        readable: true,
    }
}
