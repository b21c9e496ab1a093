//! `lastgood accept`: a person says that what is in a backup is right, though it has lost rows or tables. Backups from before it are then
//! removed as ever, and nobody is told any more.

use std::fmt;

use catalog::shrink::Acceptance;
use catalog::{Entry, Record, Unknown, words};
use jiff::Timestamp;
use repository::{Error, PutOutcome, Repository};
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::cli::AcceptArgs;
use crate::host;
use crate::places;
use crate::settings::Settings;

/// `lastgood accept --json`.
#[derive(Serialize)]
struct AcceptAnswer {
    repository: String,
    accepted: Vec<Accepted>,
}

/// One backup.
#[derive(Serialize)]
struct Accepted {
    id: String,
    /// When a person said so, now or before.
    accepted: Timestamp,
    /// Whether somebody had said so before.
    before: bool,
    /// What it has lost, in words; null where it has lost nothing.
    lost: Option<String>,
}

/// Accepts each of these backups, once all of them have been found.
///
/// # Errors
/// Exit 5 when there is no such backup; exit 1 when the repository refuses the record.
pub(crate) async fn run(args: &AcceptArgs, settings: &Settings) -> Result<Exit, Failure> {
    let repository = places::repository(&args.place, settings).await?;
    let mut entries = Vec::new();
    for id in &args.ids {
        let entry = places::find(&repository, settings, id).await?;
        refuse_what_is_no_backup(&repository, &entry)?;
        entries.push(entry);
    }
    let mut accepted = Vec::new();
    for entry in &entries {
        match accept(&repository, entry).await {
            Ok(done) => accepted.push(done),
            Err(failure) => return Err(after(&entries, accepted.len(), failure)),
        }
    }
    let answer = AcceptAnswer { repository: repository.display_name(), accepted };
    settings.report.answer(&answer, &answer)?;
    Ok(Exit::Done)
}

/// A failure, with what was accepted before it.
fn after(entries: &[Entry], accepted: usize, failure: Failure) -> Failure {
    let names: Vec<String> = entries.iter().take(accepted).map(Entry::name).collect();
    match names.is_empty() {
        true => failure,
        false => Failure { error: format!("{}; accepted before that: {}", failure.error, names.join(", ")), ..failure },
    }
}

fn refuse_what_is_no_backup(repository: &Repository, entry: &Entry) -> Result<(), Failure> {
    if entry.is_backup() {
        return Ok(());
    }
    let error = format!(
        "{} in {} is no backup that could be accepted: {}",
        entry.name(),
        repository.display_name(),
        entry.state
    );
    Err(Failure::new(Exit::NotFound, error).hint("choose one of those that `lastgood list` shows as shrunk"))
}

async fn accept(repository: &Repository, entry: &Entry) -> Result<Accepted, Failure> {
    let lost = match &entry.shrunk {
        Some(record) => readable(repository.shrink(record).await)?.map(|read| read.shrink.in_words()),
        None => None,
    };
    let id = entry.id.to_string();
    if let Some(record) = &entry.accepted {
        let known = readable(repository.acceptance(record).await)?;
        let accepted = known.map_or(record.last_modified, |known| known.accepted);
        return Ok(Accepted { id, accepted, before: true, lost });
    }
    let accepted = Timestamp::now();
    let document =
        Acceptance { stem: entry.id.stem.clone(), accepted, host: host::name(), unknown: Unknown::default() };
    let json = document.to_json().map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
    let key = repository.layout().record(&entry.id, Record::Accepted);
    // That somebody else has said so in the meantime is as good.
    let before = repository.put_new(&key, json).await? == PutOutcome::Exists;
    tracing::info!("accepted {id}");
    Ok(Accepted { id, accepted, before, lost })
}

/// A record that is broken is there all the same.
fn readable<T>(record: Result<T, Error>) -> Result<Option<T>, Failure> {
    match record {
        Ok(record) => Ok(Some(record)),
        Err(Error::Document { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl fmt::Display for AcceptAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Accepted { id, accepted, before, lost } in &self.accepted {
            let lost = lost.as_ref().map_or_else(String::new, |lost| format!(": {lost}"));
            match before {
                true => writeln!(f, "{id} was accepted on {}{lost}", words::minute(*accepted))?,
                false => writeln!(f, "accepted {id}{lost}")?,
            }
        }
        writeln!(f, "Backups from before are removed by the rules again, and later ones are compared with these.")
    }
}
