//! What came of an invocation: its result, its log, and the message about what is damaged.

use catalog::verdict::Verdict;
use catalog::{BackupId, Outcome as Found};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::due::Skip;
use super::{Round, Sizes};
use crate::Failure;
use crate::message::{self, LastGood};

/// What became of one backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was read and judged.
    Judged(Box<Judged>),
    /// It takes another invocation.
    GoesOn {
        /// Which.
        id: BackupId,
        /// Stored bytes read so far.
        position: u64,
        /// Of so many.
        size: u64,
    },
    /// It wasn't read.
    Skipped {
        /// Its name, or a key.
        name: String,
        /// Why.
        reason: Skip,
    },
}

/// A backup that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Which.
    pub id: BackupId,
    /// What was found.
    pub verdict: Verdict,
    /// Stored bytes that were read.
    pub read: u64,
    /// How many invocations it took.
    pub rounds: u32,
    /// From the beginning of the first of them to the verdict.
    pub took: SignedDuration,
    /// How it compares; of a backup with a manifest that is judged for the first time and isn't a safety backup.
    pub sizes: Option<Sizes>,
}

/// What came of the whole invocation.
#[derive(Debug, Default)]
pub struct Report {
    done: Vec<Value>,
    failures: Vec<Failure>,
    pub(super) damaged: Vec<Judged>,
    pub(super) in_glacier: usize,
}

impl Report {
    /// Adds, and logs.
    pub(super) fn add(&mut self, outcome: Result<Outcome, Failure>) {
        match outcome {
            Ok(outcome) => {
                let line = outcome.to_json();
                tracing::info!(outcome = %line, "{}", outcome.in_words());
                self.done.push(line);
            }
            Err(failure) => {
                tracing::error!("{failure}");
                self.failures.push(failure);
            }
        }
    }

    /// The invocation's result.
    ///
    /// # Errors
    /// Whatever failed.
    pub(super) fn conclude(self) -> Result<Value, Failure> {
        if self.in_glacier > 0 {
            tracing::warn!(count = self.in_glacier, "archives lie in Glacier and can't be read: not verified");
        }
        Failure::all(self.failures)?;
        Ok(json!({"backups": self.done, "inGlacier": self.in_glacier}))
    }
}

impl Outcome {
    fn to_json(&self) -> Value {
        match self {
            Self::Judged(judged) => json!({
                "backup": judged.id.to_string(), "outcome": judged.verdict.outcome, "content": judged.verdict.content,
                "findings": judged.verdict.findings, "bytes": judged.read, "invocations": judged.rounds,
                "seconds": judged.took.as_secs_f64(),
            }),
            Self::GoesOn { id, position, size } => {
                json!({"backup": id.to_string(), "outcome": "goesOn", "position": position, "size": size})
            }
            Self::Skipped { name, reason } => {
                json!({"backup": name, "outcome": "skipped", "reason": reason.to_string()})
            }
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::Judged(judged) if judged.verdict.outcome == Found::Intact => format!("{} is intact", judged.id),
            Self::Judged(judged) => format!("{} is damaged", judged.id),
            Self::GoesOn { id, position, size } => format!("{id} goes on at byte {position} of {size}"),
            Self::Skipped { name, reason } => format!("{name}: {reason}"),
        }
    }
}

impl Round<'_> {
    /// One message about all that is damaged.
    pub(super) async fn tell(&mut self) {
        let told = self.tell_damaged().await;
        if let Err(failure) = told {
            tracing::error!("{failure}");
            self.report.failures.push(failure);
        }
    }

    async fn tell_damaged(&self) -> Result<(), Failure> {
        let (now, repository) = (Timestamp::now(), &self.cloud().repository);
        let mut damaged: Vec<message::Damaged> = Vec::new();
        for judged in &self.report.damaged {
            let database = judged.id.stem.database().into_owned();
            let known = damaged.iter().find(|other| other.database == database).map(|other| other.last_good.clone());
            let last_good = match known {
                Some(known) => known,
                None => repository.newest_good(&database, now).await?.as_ref().map(LastGood::from),
            };
            let object = repository.object_name(&judged.verdict.identity.key);
            damaged.push(message::Damaged { object, database, verdict: judged.verdict.clone(), last_good });
        }
        match message::damaged(&damaged, now) {
            Some(message) => self.cloud().tell(&message).await,
            None => Ok(()),
        }
    }
}
