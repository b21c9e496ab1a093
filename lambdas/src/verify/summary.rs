//! The result of an invocation, and its log lines.

use catalog::{BackupId, Outcome};
use serde_json::{Map, Value, json};

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
    /// Others read it, in parts.
    InParts {
        /// The backup's name.
        id: BackupId,
        /// How many parts it has.
        parts: usize,
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
    /// The messages of the queue, with what each has failed by.
    messages: Vec<Message>,
    /// How many archives could not be read because they are in Glacier.
    pub(super) in_glacier: usize,
    /// How many backups the sweep left to the queue, and how many that are due to a later sweep.
    pub(super) enqueued: Option<(usize, usize)>,
}

/// A message of the queue, and whether it has to come again.
#[derive(Debug)]
struct Message {
    id: String,
    failed: bool,
    /// Only time helps: it needn't come soon.
    waits: bool,
}

impl Summary {
    /// From now on it is about this message of a queue.
    pub(super) fn begin(&mut self, message: String) {
        self.messages.push(Message { id: message, failed: false, waits: false });
    }

    /// Adds a failure, by which these messages have to come again.
    pub(super) fn fail(&mut self, messages: impl IntoIterator<Item = String>, failure: Failure) {
        tracing::error!("{failure}");
        let waits = matches!(failure, Failure::NotYet { .. });
        for id in messages {
            for message in self.messages.iter_mut().filter(|message| message.id == id) {
                (message.failed, message.waits) = (true, waits);
            }
        }
        self.failures.push(failure);
    }

    /// Whether this message failed by something that may be over soon.
    pub(super) fn comes_again_soon(&self, id: &str) -> bool {
        self.messages.iter().any(|message| message.id == id && message.failed && !message.waits)
    }

    /// Adds what became of one backup, and logs it.
    pub(super) fn add(&mut self, handled: Result<Handled, Failure>) {
        match handled {
            Ok(handled) => {
                let line = handled.to_json();
                match &handled {
                    Handled::Judged(judged) if !judged.verdict.is_intact() => {
                        tracing::warn!(outcome = %line, "{}", handled.in_words());
                    }
                    _ => tracing::info!(outcome = %line, "{}", handled.in_words()),
                }
                self.done.push(line);
            }
            Err(failure) => self.fail(self.messages.last().map(|message| message.id.clone()), failure),
        }
    }

    /// The invocation's result. Where some messages of a queue failed and others didn't, it names those that did.
    ///
    /// # Errors
    /// Everything that failed. Of messages, if all did: then it is the function that fails, and its alarm that tells.
    pub(super) fn conclude(self) -> Result<Value, Failure> {
        if self.in_glacier > 0 {
            tracing::warn!(count = self.in_glacier, "archives are in Glacier and cannot be read: not verified");
        }
        let mut answer = Map::new();
        let mut say = |name: &str, value: Value| answer.insert(name.to_owned(), value);
        say("backups", self.done.into());
        say("inGlacier", self.in_glacier.into());
        if let Some((enqueued, left)) = self.enqueued {
            tracing::info!(enqueued, left, "the sweep has put what is due into the queue");
            say("enqueued", enqueued.into());
            say("left", left.into());
        }
        if self.messages.iter().any(|message| !message.failed) {
            let failed = self.messages.iter().filter(|message| message.failed);
            say("batchItemFailures", failed.map(|message| json!({"itemIdentifier": message.id})).collect());
            return Ok(answer.into());
        }
        Failure::all(self.failures)?;
        Ok(answer.into())
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
            Self::InParts { id, parts, size } => {
                json!({"backup": id.to_string(), "outcome": "inParts", "parts": parts, "size": size})
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
            Self::InParts { id, parts, size } => format!("{id} is read in {parts} parts, {size} bytes in all"),
            Self::Skipped { name, reason } => format!("{name}: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> Failure {
        Failure::Place { cause: "of the test".into() }
    }

    fn skipped() -> Handled {
        Handled::Skipped { name: "x".into(), reason: Skip::Judged }
    }

    #[test]
    fn of_several_messages_those_that_failed_are_named_and_come_again() {
        let mut summary = Summary::default();
        for (id, handled) in [("1", Ok(skipped())), ("2", Err(failure())), ("3", Ok(skipped()))] {
            summary.begin(id.into());
            summary.add(handled);
        }
        summary.begin("4".into());
        summary.add(Ok(skipped()));
        summary.add(Err(Failure::NotYet { object: "app".into() }));
        assert_eq!(["1", "2", "3", "4"].map(|id| summary.comes_again_soon(id)), [false, true, false, false]);
        let answer = summary.conclude().unwrap();
        assert_eq!(answer["batchItemFailures"], json!([{"itemIdentifier": "2"}, {"itemIdentifier": "4"}]));
        assert_eq!(answer["backups"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn a_function_that_fails_by_all_it_was_given_fails() {
        let mut alone = Summary::default();
        alone.begin("1".into());
        alone.add(Err(failure()));
        assert_eq!(alone.conclude().unwrap_err().to_string(), failure().to_string());
        let mut direct = Summary::default();
        direct.add(Ok(skipped()));
        direct.add(Err(failure()));
        assert!(direct.conclude().is_err(), "without messages there is nothing to name");
        assert_eq!(Summary::default().conclude().unwrap(), json!({"backups": [], "inGlacier": 0}));
    }
}
