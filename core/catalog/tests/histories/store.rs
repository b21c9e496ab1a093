//! A store and what is in it, with the truth about each backup: what the promises are held to.

use std::collections::{BTreeMap, BTreeSet};

use archive::Compression;
use catalog::{BackupId, Catalog, Layout, Object, Origin, Record, Stem, Tag, catalogs};
use jiff::{SignedDuration, Timestamp};

/// The database of the histories.
pub(crate) const DATABASE: &str = "app";

/// What a backup truly is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Good,
    /// Read back once, and damaged.
    Damaged,
    /// Good once, and damaged since.
    Rotten,
    /// Nobody has judged it.
    Uploaded,
    /// Ours, without its manifest.
    Unfinished,
    /// Of another program.
    Guest,
    /// Without a manifest, and nobody may ask whose it is.
    Unknown,
    /// Its archive was removed outside.
    Missing,
}

/// A backup as it was made.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) id: BackupId,
    pub(crate) kind: Kind,
    /// When its archive was written; of one without an archive, the first of its records.
    pub(crate) written: Timestamp,
    /// When its record of lost rows was put, where nobody has accepted it.
    pub(crate) shrunk: Option<Timestamp>,
}

impl Made {
    /// When it was made, as far as can be trusted: a guest's name is in nobody's time zone.
    pub(crate) fn instant(&self) -> Timestamp {
        let named = self.id.named_time().filter(|_| !matches!(self.kind, Kind::Guest | Kind::Unknown));
        named.map_or(self.written, |named| named.min(self.written))
    }

    /// The time from which it ages: the latest that anything claims, but for what took another's place.
    pub(crate) fn aged_from(&self) -> Timestamp {
        if self.id.stem.erased().is_some() && self.is_backup() {
            return self.instant();
        }
        let written = if self.kind == Kind::Missing { self.instant() } else { self.written };
        self.id.stem.time().into_iter().chain([written]).fold(self.instant(), Timestamp::max)
    }

    pub(crate) fn is_backup(&self) -> bool {
        matches!(self.kind, Kind::Good | Kind::Damaged | Kind::Rotten | Kind::Uploaded)
    }

    pub(crate) fn counts(&self) -> bool {
        self.kind == Kind::Good && !self.id.stem.is_safety()
    }

    /// More than five minutes ahead by its instant, or by its name more than any time zone explains.
    pub(crate) fn is_of_the_future(&self, now: Timestamp) -> bool {
        let ahead = |time: Timestamp, by: SignedDuration| time.duration_since(now) > by;
        let named = self.id.stem.time().is_some_and(|named| ahead(named, SignedDuration::from_mins(14 * 60 + 5)));
        named || ahead(self.instant(), SignedDuration::from_mins(5))
    }
}

/// A version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) object: Object,
    pub(crate) locked: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) layout: Layout,
    /// Whether it keeps what was written over.
    versioned: bool,
    /// By key, the present version last.
    pub(crate) objects: BTreeMap<String, Vec<Version>>,
    pub(crate) made: Vec<Made>,
    ours: BTreeSet<String>,
    guests: BTreeSet<String>,
    untouchable: BTreeSet<String>,
    written: u64,
}

impl Store {
    pub(crate) fn new(layout: Layout, versioned: bool) -> Self {
        let (objects, made, none) = (BTreeMap::new(), Vec::new(), BTreeSet::new);
        Self { layout, versioned, objects, made, ours: none(), guests: none(), untouchable: none(), written: 0 }
    }

    /// Writes an object, over what is there.
    pub(crate) fn put(&mut self, key: &str, at: Timestamp) {
        self.written += 1;
        let (etag, version_id) =
            (Some(format!("\"{}\"", self.written)), self.versioned.then(|| self.written.to_string()));
        let object = Object { key: key.to_owned(), size: 1_000, last_modified: at, etag, version_id, readable: true };
        let versions = self.objects.entry(key.to_owned()).or_default();
        if !self.versioned {
            versions.clear();
        }
        versions.push(Version { object, locked: false });
    }

    pub(crate) fn record(&mut self, id: &BackupId, record: Record, at: Timestamp) {
        self.put(&self.layout.record(id, record), at);
    }

    pub(crate) fn archive(&self, id: &BackupId) -> String {
        self.layout.archive(id, Compression::Gzip, false)
    }

    /// Makes a backup whose archive is written then, and what else belongs to its kind within seconds. `None` where its name is taken.
    pub(crate) fn make(&mut self, kind: Kind, tag: &Tag, began: Timestamp, written: Timestamp) -> Option<BackupId> {
        let id = self.layout.place(Stem::new(DATABASE, tag).ok()?, began);
        self.make_called(kind, id, written)
    }

    pub(crate) fn make_called(&mut self, kind: Kind, id: BackupId, written: Timestamp) -> Option<BackupId> {
        let archive = self.archive(&id);
        if self.made.iter().any(|made| made.id == id) {
            return None;
        }
        if kind != Kind::Missing {
            self.put(&archive, written);
        }
        if matches!(kind, Kind::Guest | Kind::Unknown) {
            self.untouchable.insert(archive.clone());
        }
        match kind {
            Kind::Guest => drop(self.guests.insert(archive)),
            Kind::Unfinished => drop(self.ours.insert(archive)),
            Kind::Unknown => {}
            _ => {
                self.ours.insert(archive);
                self.record(&id, Record::Globals, written);
                self.record(&id, Record::Manifest, written);
            }
        }
        if matches!(kind, Kind::Good | Kind::Rotten) {
            self.record(&id, Record::Intact, written);
        }
        if matches!(kind, Kind::Damaged | Kind::Rotten) {
            self.record(&id, Record::Damaged, later(written, 60));
        }
        self.made.push(Made { id: id.clone(), kind, written, shrunk: None });
        Some(id)
    }

    /// What an honest listing of all versions shows.
    pub(crate) fn listed(&self) -> Vec<Object> {
        self.objects.values().flatten().map(|version| version.object.clone()).collect()
    }

    /// The catalog of a listing, with what is known of archives without a manifest.
    pub(crate) fn catalog(&self, listed: Vec<Object>) -> Catalog {
        let empty = || Catalog { database: DATABASE.into(), entries: Vec::new(), expected: None };
        let found = catalogs(&self.layout, listed).into_iter().find(|catalog| catalog.database == DATABASE);
        let mut catalog = found.unwrap_or_else(empty);
        catalog.resolve(|entry| {
            let key = &entry.archive.as_ref()?.key;
            let guest = self.guests.contains(key).then_some(Origin::Guest);
            guest.or_else(|| self.ours.contains(key).then_some(Origin::Ours))
        });
        catalog
    }

    pub(crate) fn honest(&self) -> Catalog {
        self.catalog(self.listed())
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.objects.contains_key(key)
    }

    pub(crate) fn has_record(&self, id: &BackupId, record: Record) -> bool {
        self.has(&self.layout.record(id, record))
    }

    /// Whether it is a backup still.
    pub(crate) fn has_backup(&self, id: &BackupId) -> bool {
        self.has_record(id, Record::Manifest)
    }

    /// The good ones that are still there, verdict and all.
    pub(crate) fn good(&self) -> impl Iterator<Item = &Made> {
        let is_there =
            |made: &&Made| made.counts() && self.has_backup(&made.id) && self.has_record(&made.id, Record::Intact);
        self.made.iter().filter(is_there)
    }

    /// Puts what no retention may touch: what isn't ours, or another database's.
    pub(crate) fn put_foreign(&mut self, key: &str, at: Timestamp) {
        self.put(key, at);
        self.untouchable.insert(key.to_owned());
    }

    /// Guests, what nobody knows, what isn't ours and other databases' are as they were in `before`.
    pub(crate) fn left_alone(&self, before: &Self) -> Result<(), String> {
        let touched = before.untouchable.iter().find(|key| before.objects.get(*key) != self.objects.get(*key));
        ensure(touched.is_none(), || format!("{touched:?} is none of retention's"))
    }

    /// The promise of every instant about one backup: what has a manifest is whole, and nothing damaged seems good.
    pub(crate) fn keeps_the_promise(&self, made: &Made) -> Result<(), String> {
        if made.is_backup() && self.has_backup(&made.id) {
            let is_whole = self.has(&self.archive(&made.id)) && self.has_record(&made.id, Record::Globals);
            ensure(is_whole, || format!("{} has a manifest and isn't whole", made.id))?;
        }
        let seems_good = self.has_record(&made.id, Record::Intact) && !self.has_record(&made.id, Record::Damaged);
        ensure(!(made.kind == Kind::Rotten && seems_good && self.has_backup(&made.id)), || {
            format!("{} is damaged and seems good", made.id)
        })
    }

    /// Somebody reads back what nobody has judged, and what has lost its verdict.
    pub(crate) fn verify(&mut self) {
        for made in self.made.clone() {
            let is_judged = [Record::Intact, Record::Damaged].iter().any(|record| self.has_record(&made.id, *record));
            if !self.has_backup(&made.id) || is_judged {
                continue;
            }
            match made.kind {
                Kind::Good => self.record(&made.id, Record::Intact, later(made.written, 90)),
                Kind::Damaged | Kind::Rotten => self.record(&made.id, Record::Damaged, later(made.written, 90)),
                _ => {}
            }
        }
    }
}

/// So many seconds later, or earlier, within the times that there are.
pub(crate) fn later(time: Timestamp, seconds: i64) -> Timestamp {
    let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(time.as_second().saturating_add(seconds).clamp(first, last)).unwrap()
}

pub(crate) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
