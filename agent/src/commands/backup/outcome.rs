//! What became of a run: one line per database and repository for people, one document for programs.

use std::fmt;

use catalog::shrink::Shrink;
use catalog::verdict::{Outcome, Verdict};
use catalog::words;
use catalog::{BackupId, Stem};
use repository::Stored;
use serde::Serialize;

use crate::answers::census;
use crate::answers::failure::{Exit, Failure};
use crate::answers::report::Report;
use crate::commands::backup::shrink;
use crate::logging;
use crate::places::Spot;
use crate::settings::DatabaseSettings;

/// One database's backup, in every repository that has it.
#[derive(Debug)]
pub(crate) struct BackupOutcome {
    pub(super) database: String,
    /// The server's version.
    pub(super) server: String,
    pub(super) tables: usize,
    /// `None` where they could not be counted.
    pub(super) rows: Option<u64>,
    /// pg_dump's own length, in bytes.
    pub(super) dumped: u64,
    pub(super) seconds: f64,
    /// How many lines pg_dump said on stderr.
    pub(super) warnings: usize,
    pub(super) stem: Stem,
    /// There are several buckets, which are told apart by their numbers.
    pub(super) several: bool,
    pub(crate) kept: Vec<Kept>,
    /// The repositories that don't have it, each with the reason.
    pub(super) failures: Vec<Missed>,
}

/// A repository that doesn't have the backup.
#[derive(Debug)]
pub(super) struct Missed {
    pub(super) spot: Spot,
    /// What `--repository` calls it.
    pub(super) place: String,
    pub(super) repository: String,
    pub(super) failure: Failure,
}

/// A backup in one repository.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(super) spot: Spot,
    /// What `--repository` calls it.
    pub(super) place: String,
    pub(crate) repository: String,
    /// The archive, as a user names it: a path, or `s3://…`.
    pub(crate) name: String,
    pub(crate) id: BackupId,
    pub(crate) stored: Stored,
    /// `None`: it was not read back here.
    pub(crate) verdict: Option<Verdict>,
    /// What is not as it was asked for, and is no reason to call it a failure.
    pub(crate) warning: Option<String>,
    /// What it has lost since the one before it.
    pub(crate) shrink: Option<Shrink>,
}

impl BackupOutcome {
    /// Whether every repository has it, good as far as it was judged.
    pub(crate) fn is_whole(&self) -> bool {
        self.failure().is_none()
    }

    /// Whether this place has it.
    pub(crate) fn is_kept_in(&self, spot: Spot) -> bool {
        self.kept.iter().any(|kept| kept.spot == spot)
    }

    /// What went wrong, if anything did: a repository that failed, or a backup that was found damaged.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let damaged = self.kept.iter().find(|kept| kept.is_damaged()).map(|kept| {
            Failure::new(Exit::Damaged, format!("{} in {} was damaged while it was stored", kept.id, kept.repository))
                .hint("back up again to another place, and test the disk or the store: it lost or changed bytes (details: lastgood show)")
        });
        damaged.or_else(|| {
            let Missed { spot, place, repository, failure } = self.failures.first()?;
            let repository = self.numbered(*spot, place, repository);
            let others = match self.failures.len() - 1 {
                0 => String::new(),
                others => format!(" (and {others} more)"),
            };
            let error = format!("the backup is only partly done: {repository} failed{others}: {}", failure.error);
            Some(Failure { exit: Exit::Failed, error, hint: self.hint(failure) })
        })
    }

    /// What mends it, and what brings the backup there then.
    fn hint(&self, failure: &Failure) -> Option<String> {
        let copies = self.failures.iter().filter_map(|missed| self.copy(missed));
        let copies: Vec<String> = copies.collect();
        if copies.is_empty() {
            return failure.hint.clone();
        }
        let mend = failure.hint.clone().unwrap_or_else(|| "mend it".to_owned());
        Some(format!("{mend}; then bring the backup there: {}", copies.join("; ")))
    }

    /// The command that copies the backup to a place that has missed it: from the local copy, which is read without asking a store, or from
    /// the first place that has it.
    fn copy(&self, missed: &Missed) -> Option<String> {
        let from = self.kept.iter().filter(|kept| !kept.is_damaged()).min_by_key(|kept| kept.spot)?;
        Some(format!("lastgood copy {} --from {} --to {}", self.stem, from.place, missed.place))
    }

    /// A place's name, with its number where there are several buckets.
    fn numbered(&self, spot: Spot, place: &str, repository: &str) -> String {
        match spot {
            Spot::Bucket(_) if self.several => format!("bucket {place} ({repository})"),
            _ => repository.to_owned(),
        }
    }
}

impl Kept {
    fn is_damaged(&self) -> bool {
        self.verdict.as_ref().is_some_and(|verdict| verdict.outcome == Outcome::Damaged)
    }

    fn state(&self) -> &'static str {
        match self.verdict.as_ref().map(|verdict| verdict.outcome) {
            Some(Outcome::Intact) => "good",
            Some(Outcome::Damaged) => "damaged",
            None => "uploaded",
        }
    }
}

/// Every database of a run.
#[derive(Debug, Default)]
pub(crate) struct Outcomes(Vec<(String, Result<BackupOutcome, Failure>)>);

impl Outcomes {
    pub(crate) fn add(&mut self, database: &DatabaseSettings, outcome: Result<BackupOutcome, Failure>) {
        let name = match &outcome {
            Ok(outcome) => outcome.database.clone(),
            Err(_) => database.name.clone().unwrap_or_else(|| "the default database".to_owned()),
        };
        self.0.push((name, outcome));
    }

    /// Answers, and decides the exit status: a single database's own; of several, 1 when only some were backed up.
    ///
    /// # Errors
    /// The only database's failure, so that it is shown as any other.
    pub(crate) fn answer(self, report: Report) -> Result<Exit, Failure> {
        if let [(_, Err(failure))] = self.0.as_slice() {
            return Err(failure.clone());
        }
        logging::done(&self);
        let failures: Vec<Failure> = self.0.iter().filter_map(|(_, outcome)| failure_of(outcome)).collect();
        let exit = match (failures.as_slice(), self.0.len()) {
            ([], _) => Exit::Done,
            ([only], 1) => only.exit,
            _ => Exit::Failed,
        };
        report.outcome(exit, &OutcomesDocument::new(&self), &self)?;
        failures.iter().for_each(|failure| {
            logging::failed(failure);
            report.say(failure);
        });
        Ok(exit)
    }
}

/// What went wrong with one database, if anything did.
pub(crate) fn failure_of(outcome: &Result<BackupOutcome, Failure>) -> Option<Failure> {
    outcome.as_ref().map_or_else(|failure| Some(failure.clone()), BackupOutcome::failure)
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcome) in &self.0 {
            match outcome {
                Ok(outcome) => outcome.fmt(f)?,
                Err(failure) => writeln!(f, "{name}  FAILED: {}", failure.error)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for BackupOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} (PostgreSQL {}): {}, {}, {} dumped in {:.1} s",
            self.database,
            self.server,
            words::count(self.tables as u64, "table"),
            census::rows(self.rows),
            words::size(self.dumped),
            self.seconds
        )?;
        for kept in &self.kept {
            let number = if self.several { format!("{}: ", kept.place) } else { String::new() };
            writeln!(f, "  {:<8}  {:>9}  {number}{}", kept.state(), words::size(kept.stored.size), kept.name)?;
            kept.warning.iter().try_for_each(|warning| writeln!(f, "  WARNING   {warning}"))?;
            if let Some(shrink) = &kept.shrink {
                writeln!(f, "  WARNING   {}", shrink::warning(shrink))?;
                writeln!(f, "            what changed: lastgood diff {} {}", shrink.since, kept.id)?;
                writeln!(f, "            if that is right: lastgood accept {}", kept.id)?;
            }
        }
        for Missed { spot, place, repository, failure } in &self.failures {
            writeln!(f, "  FAILED    {}: {}", self.numbered(*spot, place, repository), failure.error)?;
        }
        Ok(())
    }
}

/// `lastgood backup --json`.
#[derive(Serialize)]
struct OutcomesDocument {
    backups: Vec<BackupDocument>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BackupDocument {
    database: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tables: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dumped_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pg_dump_warnings: Option<usize>,
    stored: Vec<KeptDocument>,
    failures: Vec<FailureDocument>,
}

#[derive(Serialize)]
struct KeptDocument {
    /// What `--repository` calls it.
    place: String,
    repository: String,
    id: String,
    key: String,
    size: u64,
    state: &'static str,
    /// Null where all is as it was asked for.
    warning: Option<String>,
    /// Null where nothing worth a warning was lost since the backup before.
    shrunk: Option<Shrink>,
}

#[derive(Serialize)]
struct FailureDocument {
    /// What `--repository` calls it; absent where the dump itself failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    error: String,
    hint: Option<String>,
}

impl OutcomesDocument {
    fn new(outcomes: &Outcomes) -> Self {
        Self { backups: outcomes.0.iter().map(|(name, outcome)| BackupDocument::new(name, outcome)).collect() }
    }
}

impl BackupDocument {
    fn new(database: &str, outcome: &Result<BackupOutcome, Failure>) -> Self {
        let failure = |missed: Option<&Missed>, failure: &Failure| FailureDocument {
            place: missed.map(|missed| missed.place.clone()),
            repository: missed.map(|missed| missed.repository.clone()),
            error: failure.error.clone(),
            hint: failure.hint.clone(),
        };
        let done = outcome.as_ref().ok();
        Self {
            database: database.to_owned(),
            server_version: done.map(|o| o.server.clone()),
            tables: done.map(|o| o.tables),
            rows: done.and_then(|o| o.rows),
            dumped_bytes: done.map(|o| o.dumped),
            seconds: done.map(|o| o.seconds),
            pg_dump_warnings: done.map(|o| o.warnings),
            stored: done.map(|o| o.kept.iter().map(KeptDocument::new).collect()).unwrap_or_default(),
            failures: match outcome {
                Ok(outcome) => outcome.failures.iter().map(|missed| failure(Some(missed), &missed.failure)).collect(),
                Err(only) => vec![failure(None, only)],
            },
        }
    }
}

impl KeptDocument {
    fn new(kept: &Kept) -> Self {
        Self {
            place: kept.place.clone(),
            repository: kept.repository.clone(),
            id: kept.id.to_string(),
            key: kept.stored.key.clone(),
            size: kept.stored.size,
            state: kept.state(),
            warning: kept.warning.clone(),
            shrunk: kept.shrink.clone(),
        }
    }
}
