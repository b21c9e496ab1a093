//! What came of an invocation: its result and its log.

use catalog::{BackupId, Outcome};
use serde_json::{Value, json};

use super::due::Skip;
use crate::Failure;
use crate::findings::Judged;

/// What became of one backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Handled {
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

/// What came of the whole invocation.
#[derive(Debug, Default)]
pub(super) struct Summary {
    done: Vec<Value>,
    failures: Vec<Failure>,
    pub(super) damaged: Vec<Judged>,
    pub(super) in_glacier: usize,
}

impl Summary {
    /// Adds, and logs.
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
    /// Whatever failed.
    pub(super) fn conclude(self) -> Result<Value, Failure> {
        if self.in_glacier > 0 {
            tracing::warn!(count = self.in_glacier, "archives lie in Glacier and can't be read: not verified");
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
            Self::GoesOn { id, position, size } => format!("{id} goes on at byte {position} of {size}"),
            Self::Skipped { name, reason } => format!("{name}: {reason}"),
        }
    }
}
