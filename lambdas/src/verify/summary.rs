//! The result of an invocation, and its log lines.

use catalog::{BackupId, Outcome};
use serde_json::{Value, json};

use super::due::Skip;
use crate::Failure;
use crate::findings::Judged;

/// What became of one backup, or of one object that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Handled {
    /// It was read and judged.
    Judged(Box<Judged>),
    /// It takes another invocation.
    GoesOn {
        /// The backup's name.
        id: BackupId,
        /// Stored bytes read so far.
        position: u64,
        /// Stored bytes in all.
        size: u64,
    },
    /// It was not read.
    Skipped {
        /// The backup's name, or the object's key.
        name: String,
        /// Why it was not read.
        reason: Skip,
    },
}

/// What came of the whole invocation.
#[derive(Debug, Default)]
pub(super) struct Summary {
    done: Vec<Value>,
    failures: Vec<Failure>,
    /// Backups that were found damaged, for the message.
    pub(super) damaged: Vec<Judged>,
    /// How many archives could not be read because they are in Glacier.
    pub(super) in_glacier: usize,
}

impl Summary {
    /// Adds what became of one backup, and logs it.
    pub(super) fn add(&mut self, handled: Result<Handled, Failure>) {
        match handled {
            Ok(handled) => {
                let line = handled.to_json();
                tracing::info!(outcome = %line, "{}", handled.in_words());
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
    /// Everything that failed.
    pub(super) fn conclude(self) -> Result<Value, Failure> {
        if self.in_glacier > 0 {
            tracing::warn!(count = self.in_glacier, "archives are in Glacier and cannot be read: not verified");
        }
        Failure::all(self.failures)?;
        Ok(json!({"backups": self.done, "inGlacier": self.in_glacier}))
    }
}

impl Handled {
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
            Self::Judged(judged) if judged.verdict.outcome == Outcome::Intact => format!("{} is intact", judged.id),
            Self::Judged(judged) => format!("{} is damaged", judged.id),
            Self::GoesOn { id, position, size } => {
                format!("{id} was read up to byte {position} of {size}; the next invocation goes on")
            }
            Self::Skipped { name, reason } => format!("{name}: {reason}"),
        }
    }
}
