//! What the dump lacks of the backup before it. It is a warning, stands in the manifest, and is put beside the backup as a record of its
//! own, by which a listing shows it. Nothing fails of it, and what can't be compared isn't.

use std::time::Duration;

use archive::Census;
use catalog::manifest::INSERTS;
use catalog::manifest::Purpose;
use catalog::shrink::{Loss, Rule, Shrink, ShrinkRecord, lost, lost_in_another_form};
use catalog::{BackupId, Catalog, Entry, Record, State};
use jiff::Timestamp;
use repository::{Error, PutOutcome, Repository, Stored};

use crate::commands::backup::carry::Carried;
use crate::commands::backup::run::Run;

/// How long the comparison may take: the manifest waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many backups before tell what comes and goes.
const BEFORE: usize = 7;

/// What was found in one repository, and where it was put.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) shrink: Option<Shrink>,
    /// The record beside the backup.
    pub(super) stored: Option<Stored>,
}

impl Run<'_> {
    /// Compares the dump with the backup before it, and stores what it lacks.
    pub(super) async fn put_shrink(&self, repository: &Repository, id: &BackupId, carried: &Carried) -> Found {
        let rule = &self.database.shrink;
        if self.purpose != Purpose::Backup || rule.percent == 0 {
            return Found::default();
        }
        let database = &self.source.server.database;
        let content = Content { census: carried.walked.census.clone(), inserts: self.session().remove(INSERTS) };
        let place = repository.display_name();
        let shrink = match tokio::time::timeout(PATIENCE, compare(repository, database, &content, rule)).await {
            Ok(Ok(shrink)) => shrink,
            Ok(Err(error)) => {
                tracing::warn!("not compared with the backup before it in {place}: {error}");
                None
            }
            Err(_) => {
                tracing::warn!("not compared with the backup before it in {place}: that took too long");
                None
            }
        };
        let Some(shrink) = shrink else { return Found::default() };
        tracing::warn!("{}", warning(&shrink));
        let stored = self.put_record(repository, id, &shrink).await;
        Found { shrink: Some(shrink), stored }
    }

    async fn put_record(&self, repository: &Repository, id: &BackupId, shrink: &Shrink) -> Option<Stored> {
        let json = ShrinkRecord::new(self.stem.clone(), shrink.clone()).to_json().ok()?;
        let key = repository.layout().record(id, Record::Shrunk);
        let refused = match repository.put_new(&key, json).await {
            Ok(PutOutcome::Stored(stored)) => return Some(stored),
            Ok(PutOutcome::Exists) => "another one is there already".to_owned(),
            Err(error) => error.to_string(),
        };
        let object = repository.object_name(&key);
        tracing::warn!("{object} was not stored, so backups from before are removed as if nothing was lost: {refused}");
        None
    }
}

/// The sentence that says so, and what to do.
pub(super) fn warning(shrink: &Shrink) -> String {
    format!("much less is in it than in {}: {}", shrink.since.stem, shrink.in_words())
}

async fn compare(
    repository: &Repository,
    database: &str,
    content: &Content,
    rule: &Rule,
) -> Result<Option<Shrink>, Error> {
    let now = Timestamp::now();
    let recent = repository.recent(database, now).await?;
    let Some(before) = comparable(&recent, now).next() else { return Ok(None) };
    let Some(known) = read(repository, before).await? else { return Ok(None) };
    let Some(shrink) = Shrink::of(&before.id, known.lost(content, rule)) else { return Ok(None) };
    // A queue that is empty each night: only now is it worth to look further back.
    let catalog = repository.recent_good(database, now, BEFORE).await?;
    let newest_first: Vec<&Entry> = comparable(&catalog, now).take(BEFORE).collect();
    let mut history = Vec::new();
    for entry in undisputed(&newest_first) {
        history.extend(read(repository, entry).await?.map(|content| content.census));
    }
    Ok(shrink.without_usual(&history, rule))
}

/// Those that tell what comes and goes. What nobody has accepted teaches nothing: neither a backup that has lost something, nor those that
/// were made since, which may lack it as well; up to one that somebody has accepted.
fn undisputed<'e>(newest_first: &[&'e Entry]) -> Vec<&'e Entry> {
    let (mut kept, mut is_disputed) = (Vec::new(), false);
    for entry in newest_first.iter().rev() {
        is_disputed = entry.shrunk_since().is_some() || is_disputed && entry.accepted.is_none();
        if !is_disputed {
            kept.push(*entry);
        }
    }
    kept.reverse();
    kept
}

/// What a backup holds, as far as two are compared.
struct Content {
    census: Census,
    /// The form of its INSERTs, where rows are written as such and that is known.
    inserts: Option<String>,
}

impl Content {
    fn lost(&self, later: &Self, rule: &Rule) -> Vec<Loss> {
        let has_same_form = self.inserts.is_none() || self.inserts == later.inserts;
        let compare = if has_same_form { lost } else { lost_in_another_form };
        compare(&self.census, &later.census, rule)
    }
}

/// The backups whose content one would expect, newest first: verified or not, but not damaged.
fn comparable(catalog: &Catalog, now: Timestamp) -> impl Iterator<Item = &Entry> {
    let is_comparable = move |entry: &&Entry| {
        matches!(entry.state, State::Good | State::Uploaded) && !entry.is_safety() && !entry.is_in_the_future(now)
    };
    catalog.entries.iter().filter(is_comparable)
}

/// A manifest that is broken, or newer than this program, says nothing.
async fn read(repository: &Repository, entry: &Entry) -> Result<Option<Content>, Error> {
    let Some(manifest) = &entry.manifest else { return Ok(None) };
    match repository.manifest(manifest).await {
        Ok(mut manifest) => {
            let inserts = manifest.database.session.remove(INSERTS);
            Ok(Some(Content { census: manifest.census, inserts }))
        }
        Err(Error::Document { .. } | Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
