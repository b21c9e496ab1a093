//! Messages in plain words: what happened, to which backup, which good one to use instead, what to run.
//!
//! Alarms are the dead-man's switch and ring without these; a message says what an alarm can't. Each is sent once: of a
//! damaged backup with its verdict, of a refused plan by the daily run, of a stale database by the measurement in whose
//! interval it became stale.

#[cfg(test)]
mod tests;

use std::fmt::Write;

use catalog::words::{self, shell_word};
use catalog::{Entry, Verdict};
use jiff::Timestamp;

use crate::freshness::Gauge;
use crate::retention::Pruned;

/// SNS takes subjects of less than 100 ASCII characters.
const SUBJECT: usize = 99;
/// How many things of a kind a message names before it only counts.
const NAMED: usize = 20;

/// What a person gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One line, as SNS takes it.
    pub subject: String,
    /// The text.
    pub body: String,
}

/// A good backup to fall back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastGood {
    /// The shortest name that finds it.
    pub name: String,
    /// When it was made.
    pub made: Timestamp,
}

/// A backup that was found damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// The archive, as `s3://…`.
    pub object: String,
    /// The PostgreSQL name.
    pub database: String,
    /// What was found.
    pub verdict: Verdict,
    /// What to use instead.
    pub last_good: Option<LastGood>,
}

impl From<&Entry> for LastGood {
    fn from(entry: &Entry) -> Self {
        Self { name: entry.name(), made: entry.instant }
    }
}

/// The message about all damaged backups of one invocation; none of none.
#[must_use]
pub fn damaged(damaged: &[Damaged], now: Timestamp) -> Option<Message> {
    let [first, others @ ..] = damaged else { return None };
    let name = first.object.rsplit('/').next().unwrap_or_default();
    let subject = match others.len() {
        0 => format!("Lastgood: {name} is damaged"),
        more => format!("Lastgood: {name} and {more} more are damaged"),
    };
    let mut body = Text::new("Stored backups were read back to prove them, and this was found:");
    for damaged in damaged.iter().take(NAMED) {
        body.line(&format!("\n  {}", damaged.object));
        damaged.verdict.findings.iter().for_each(|finding| body.line(&format!("    - {finding}")));
    }
    if damaged.len() > NAMED {
        body.line(&format!("\n  and {} more", damaged.len() - NAMED));
    }
    body.line("\nNothing counts on them any more: `latest`, retention and freshness pass over them.");
    let mut databases: Vec<&Damaged> = damaged.iter().collect();
    databases.sort_by_key(|damaged| &damaged.database);
    databases.dedup_by_key(|damaged| &damaged.database);
    for damaged in databases.into_iter().take(NAMED) {
        body.instead(&damaged.database, damaged.last_good.as_ref(), now);
        body.commands(&[
            "Make a new backup now:",
            &format!("lastgood backup --database {}", shell_word(&damaged.database)),
        ]);
    }
    Some(Message { subject: short(&subject), body: body.0 })
}

/// The message about refused plans; none of none.
#[must_use]
pub fn refused(databases: &[Pruned], now: Timestamp) -> Option<Message> {
    let refused: Vec<&Pruned> = databases.iter().filter(|pruned| pruned.refused.is_some()).collect();
    let first = refused.first()?;
    let mut body = Text::new("Retention planned what to remove, and refused its own plan. Nothing was removed.");
    for pruned in refused.iter().take(NAMED) {
        let reason = pruned.refused.as_ref().map(ToString::to_string).unwrap_or_default();
        body.line(&format!("\nDatabase {}: {reason}.", pruned.database));
        body.instead(&pruned.database, pruned.newest_good.as_ref(), now);
        let database = shell_word(&pruned.database);
        body.commands(&["Read the plan:", &format!("lastgood prune --dry-run --database {database}")]);
        body.commands(&["If it is what you want:", &format!("lastgood prune --force --database {database}")]);
    }
    Some(Message {
        subject: short(&format!("Lastgood: retention refused its plan for {}", first.database)),
        body: body.0,
    })
}

/// The message about databases that have just become stale; none of none.
#[must_use]
pub fn stale(gauges: &[&Gauge], now: Timestamp) -> Option<Message> {
    let first = gauges.first()?;
    let subject = format!("Lastgood: no fresh good backup of {}", first.database);
    let mut body = Text::new("Good backups stopped coming. This is said once; the alarm rings until one comes.");
    for gauge in gauges.iter().take(NAMED) {
        let finding = gauge.finding.as_ref().map(ToString::to_string).unwrap_or_default();
        body.line(&format!("\nDatabase {}: {finding}.", gauge.database));
        if gauge.newest_good.is_some() {
            body.instead(&gauge.database, gauge.newest_good.as_ref(), now);
        }
        let database = shell_word(&gauge.database);
        body.commands(&["See what came and what was found:", &format!("lastgood list --database {database}")]);
        body.commands(&["Then make one, and see why cron didn't:", &format!("lastgood backup --database {database}")]);
        body.commands(&["If there shall be no more:", &format!("lastgood retire {database}")]);
    }
    Some(Message { subject: short(&subject), body: body.0 })
}

/// A message that grows line by line.
struct Text(String);

impl Text {
    fn new(first: &str) -> Self {
        Self(format!("{first}\n"))
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn instead(&mut self, database: &str, last_good: Option<&LastGood>, now: Timestamp) {
        let Some(LastGood { name, made }) = last_good else {
            return self.line(&format!("\nDatabase {database} has no good backup."));
        };
        let (at, ago) = (words::minute(*made), words::age(now.duration_since(*made)));
        self.line(&format!("\nThe last good backup of {database} is {name}, of {at}, {ago}:"));
        self.line(&format!("\n    lastgood restore {name}"));
    }

    /// A sentence, and what to type.
    fn commands(&mut self, [sentence, command]: &[&str; 2]) {
        let _ = write!(self.0, "\n{sentence}\n\n    {command}\n");
    }
}

fn short(subject: &str) -> String {
    subject.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' }).take(SUBJECT).collect()
}
