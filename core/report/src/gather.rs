//! Reads what is stored: one listing, and the small records of each database and backup, several at the same time.

use std::collections::{BTreeMap, HashSet};

use catalog::drill::Drill;
use catalog::status::Run;
use catalog::{BackupId, Catalog, DatabaseEntry, DocumentError, Entry, Object, StatusRecord, Verdict};
use jiff::{SignedDuration, Timestamp};
use repository::{Error, Repository};
use tokio::task::JoinSet;

use crate::build;
use crate::data::{Report, VERSION};
use crate::parts::{Asked, Facts, Parts};
use crate::tables::Tables;

/// Records that are read at the same time.
const AT_ONCE: usize = 16;
/// How far back the backup lies that the newest one's tables are compared with.
const COMPARED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What the page is to show.
pub struct Wanted<'a> {
    /// Whether a database of this name is shown.
    pub chosen: &'a (dyn Fn(&str) -> bool + Sync),
    /// Databases that are shown even where nothing is stored of them.
    pub named: Vec<String>,
    /// What is asked of a database, by its name and its mark.
    pub asked: &'a (dyn Fn(&str, Option<&DatabaseEntry>) -> Asked + Sync),
    /// Of how many backups the records are read, all databases together: the newest ones.
    pub records: usize,
    /// What is wrong with the AWS stack.
    pub stack: Vec<String>,
}

enum Record {
    Manifest(Box<Facts>, Option<Tables>),
    Verdict(Box<Verdict>),
    Drill(Box<Drill>),
    /// It is broken or newer.
    Broken(Kind, DocumentError),
    /// It is gone since.
    Gone,
}

/// Reads everything that the page shows of these catalogs, which are the repository's.
///
/// # Errors
/// When the repository can't be read. A record that is broken is none.
pub async fn gather(
    repository: &Repository,
    mut catalogs: Vec<Catalog>,
    wanted: &Wanted<'_>,
    now: Timestamp,
) -> Result<Report, Error> {
    catalogs.retain(|catalog| (wanted.chosen)(&catalog.database));
    for name in &wanted.named {
        if !catalogs.iter().any(|catalog| catalog.database == *name) {
            catalogs.push(Catalog { database: name.clone(), entries: Vec::new(), expected: None });
        }
    }
    let prune = repository.last_run(StatusRecord::Prune).await.ok().flatten();
    let share = wanted.records / catalogs.len().max(1);
    let mut all = Vec::new();
    for catalog in catalogs {
        all.push(parts(repository, catalog, wanted, prune.as_ref(), now).await?);
    }
    let left = read_records(repository, &mut all, share.max(2), now).await?;
    let mut databases: Vec<_> = all.into_iter().map(|parts| build::database(parts, now)).collect();
    databases.sort_by(|a, b| (a.healthy, &a.database).cmp(&(b.healthy, &b.database)));
    let note = (left > 0).then(|| {
        format!("the records of {left} older backups were not read for this page: their rows, digests and verifiers are left out; lastgood report reads all of them")
    });
    let stack = wanted.stack.clone();
    let notes = note.into_iter().collect();
    Ok(Report { version: VERSION, made: now, repository: repository.display_name(), stack, databases, notes })
}

async fn parts(
    repository: &Repository,
    catalog: Catalog,
    wanted: &Wanted<'_>,
    prune: Option<&Run>,
    now: Timestamp,
) -> Result<Parts, Error> {
    let name = catalog.database.clone();
    let mut notes = Vec::new();
    let mark = match repository.database_entry_of(&name).await {
        Err(Error::Document { source, .. }) => {
            notes.push(format!("its mark cannot be read: {source}"));
            None
        }
        read => read?,
    };
    let history = match repository.history(&name).await {
        Ok(history) => history.map(|history| history.until(now)),
        Err(error) => {
            notes.push(format!("its history cannot be read: {error}"));
            None
        }
    };
    let drills = match repository.drill_status(&name).await {
        Err(Error::Document { source, .. }) => Err(source),
        read => Ok(read?),
    };
    let asked = (wanted.asked)(&name, mark.as_ref());
    let next = prune.and_then(|run| run.next.iter().find(|next| next.database == name).cloned());
    let (records, tables) = (BTreeMap::new(), [None, None]);
    Ok(Parts { catalog, mark, asked, history, drills, records, tables, next, notes })
}

/// The newest good backup, and the one of a month before it, or the oldest: their tables are compared.
fn compared(catalog: &Catalog, now: Timestamp) -> [Option<BackupId>; 2] {
    let newest = catalog.newest_good(now);
    let earlier = newest.and_then(|newest| {
        let before = || catalog.good().filter(|entry| entry.instant < newest.instant);
        before().find(|entry| newest.instant.duration_since(entry.instant) >= COMPARED).or_else(|| before().next_back())
    });
    [newest, earlier].map(|entry| entry.map(|entry| entry.id.clone()))
}

/// Reads the records of the newest backups of each, and of those that are compared; how many are left.
async fn read_records(repository: &Repository, all: &mut [Parts], each: usize, now: Timestamp) -> Result<usize, Error> {
    let (mut wanted, mut left) = (Vec::new(), 0);
    for (place, parts) in all.iter().enumerate() {
        let pairs = compared(&parts.catalog, now);
        let chosen: HashSet<&BackupId> = pairs.iter().flatten().collect();
        let backups = parts.catalog.entries.iter().filter(|entry| entry.manifest.is_some());
        for (at, entry) in backups.enumerate() {
            if at >= each && !chosen.contains(&entry.id) {
                left += 1;
                continue;
            }
            let with_tables = pairs.iter().position(|id| id.as_ref() == Some(&entry.id));
            wanted.extend(asked_of(entry).map(|(kind, object)| (place, entry.id.clone(), with_tables, kind, object)));
        }
    }
    let mut waiting = wanted.into_iter();
    let mut under_way = JoinSet::new();
    loop {
        while under_way.len() < AT_ONCE
            && let Some((place, id, with_tables, kind, object)) = waiting.next()
        {
            let repository = repository.clone();
            under_way.spawn(async move {
                let record = read(&repository, kind, &object, with_tables.is_some()).await;
                (place, id, with_tables, record)
            });
        }
        let Some(done) = under_way.join_next().await else { return Ok(left) };
        // Nothing aborts these tasks, so it is a panic, and goes on as one.
        let (place, id, with_tables, record) =
            done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        if let Some(parts) = all.get_mut(place) {
            parts.take(id, with_tables, record?);
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Manifest,
    Verdict,
    Drill,
}

fn asked_of(entry: &Entry) -> impl Iterator<Item = (Kind, Object)> {
    let verdict = match entry.judged() {
        Some(catalog::Outcome::Damaged) => &entry.damaged,
        _ => &entry.intact,
    };
    let records = [(Kind::Manifest, &entry.manifest), (Kind::Verdict, verdict), (Kind::Drill, &entry.drill)];
    records.into_iter().filter_map(|(kind, object)| Some((kind, object.clone()?)))
}

async fn read(repository: &Repository, kind: Kind, object: &Object, with_tables: bool) -> Result<Record, Error> {
    let read = match kind {
        Kind::Manifest => repository.manifest(object).await.map(|manifest| {
            let tables = with_tables.then(|| Tables::of(&manifest));
            Record::Manifest(Box::new(Facts::of(&manifest)), tables)
        }),
        Kind::Verdict => repository.verdict(object).await.map(|verdict| Record::Verdict(Box::new(verdict))),
        Kind::Drill => repository.drill(object).await.map(|drill| Record::Drill(Box::new(drill))),
    };
    match read {
        Err(Error::Document { source, .. }) => Ok(Record::Broken(kind, source)),
        Err(Error::NotFound { .. }) => Ok(Record::Gone),
        read => read,
    }
}

impl Parts {
    fn take(&mut self, id: BackupId, with_tables: Option<usize>, record: Record) {
        let records = self.records.entry(id).or_default();
        match record {
            Record::Manifest(facts, tables) => {
                records.manifest = Some(*facts);
                if let Some(place) = with_tables.and_then(|place| self.tables.get_mut(place)) {
                    *place = tables;
                }
            }
            Record::Verdict(verdict) => records.verdict = Some(*verdict),
            Record::Drill(drill) => records.drill = Some(*drill),
            Record::Broken(kind, error) => {
                records.unreadable = true;
                let [manifest, verdict] = &mut records.broken;
                match kind {
                    Kind::Manifest => *manifest = Some(error),
                    Kind::Verdict => *verdict = Some(error),
                    Kind::Drill => {}
                }
            }
            Record::Gone => records.unreadable = true,
        }
    }
}
