//! Messages in plain words: what happened to which backup, which good one to use instead, and what to run.
//!
//! Alarms are the dead-man's switch and need no message; a message says what an alarm cannot. Each is sent once: about
//! a damaged backup with its verdict, about a refused plan by the daily run, about a stale database by the measurement
//! in whose interval it became stale.

#[cfg(test)]
mod tests;

use std::fmt::Write;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::findings::{Damaged, Gauge, LastGood, Pruned};

/// SNS takes subjects of less than 100 ASCII characters.
const SUBJECT: usize = 99;
/// How many backups or databases a message names; it only counts the rest.
const NAMED: usize = 20;

/// What a person gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One line of ASCII, short enough for SNS.
    pub subject: String,
    /// The text, several lines long.
    pub body: String,
}

/// The message about all damaged backups of one invocation; `None` when there are none.
#[must_use]
pub fn damaged(damaged: &[Damaged], now: Timestamp) -> Option<Message> {
    let [first, others @ ..] = damaged else { return None };
    let name = first.object.rsplit('/').next().unwrap_or_default();
    let subject = match others.len() {
        0 => format!("Lastgood: {name} is damaged"),
        more => format!("Lastgood: {name} and {more} more are damaged"),
    };
    let mut body = Text::new("The verify function read stored backups back and found them damaged:");
    for damaged in damaged.iter().take(NAMED) {
        body.line(&format!("\n  {}", damaged.object));
        damaged.verdict.findings.iter().for_each(|finding| body.line(&format!("    - {finding}")));
    }
    if damaged.len() > NAMED {
        body.line(&format!("\n  and {} more", damaged.len() - NAMED));
    }
    body.line(
        "\nThey do not count as good: `restore latest` skips them, and retention and the alarms count without them.",
    );
    let mut databases: Vec<&Damaged> = damaged.iter().collect();
    databases.sort_by_key(|damaged| &damaged.database);
    databases.dedup_by_key(|damaged| &damaged.database);
    for damaged in databases.into_iter().take(NAMED) {
        body.instead(&damaged.database, damaged.last_good.as_ref(), now);
        body.commands(&["Make a new backup now:", &format!("lastgood backup --database {}", word(&damaged.database))]);
    }
    Some(Message { subject: short(&subject), body: body.0 })
}

/// The message about refused plans; `None` when there are none.
#[must_use]
pub fn refused(databases: &[Pruned], now: Timestamp) -> Option<Message> {
    let refused: Vec<&Pruned> = databases.iter().filter(|pruned| pruned.refused.is_some()).collect();
    let first = refused.first()?;
    let mut body = Text::new("Retention removed no backup of these databases, because its plan breaks a safety rule.");
    for pruned in refused.iter().take(NAMED) {
        let reason = pruned.refused.as_ref().map(ToString::to_string).unwrap_or_default();
        body.line(&format!("\nDatabase {}: {reason}.", pruned.database));
        body.instead(&pruned.database, pruned.newest_good.as_ref(), now);
        let database = word(&pruned.database);
        body.commands(&["See the plan:", &format!("lastgood prune --dry-run --database {database}")]);
        body.commands(&["To carry it out anyway:", &format!("lastgood prune --force --database {database}")]);
    }
    Some(Message {
        subject: short(&format!("Lastgood: retention refused its plan for {}", first.database)),
        body: body.0,
    })
}

/// The message about databases that have just become stale; `None` when there are none.
#[must_use]
pub fn stale(gauges: &[&Gauge], now: Timestamp) -> Option<Message> {
    let first = gauges.first()?;
    let subject = format!("Lastgood: no fresh good backup of {}", first.database);
    let mut body = Text::new(
        "No new good backup has come for too long. This message is sent once; the alarm stays on until one comes.",
    );
    for gauge in gauges.iter().take(NAMED) {
        let finding = gauge.finding.as_ref().map(ToString::to_string).unwrap_or_default();
        body.line(&format!("\nDatabase {}: {finding}.", gauge.database));
        if gauge.newest_good.is_some() {
            body.instead(&gauge.database, gauge.newest_good.as_ref(), now);
        }
        let database = word(&gauge.database);
        body.commands(&["See its backups and what was found:", &format!("lastgood list --database {database}")]);
        body.commands(&[
            "Make one now, and find out why the scheduled backup did not:",
            &format!("lastgood backup --database {database}"),
        ]);
        body.commands(&["If this database needs no more backups:", &format!("lastgood retire {database}")]);
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

    /// Adds the backup to use instead, and how to restore it.
    fn instead(&mut self, database: &str, last_good: Option<&LastGood>, now: Timestamp) {
        let Some(LastGood { name, made }) = last_good else {
            return self.line(&format!("\nDatabase {database} has no good backup."));
        };
        let (at, ago) = (made.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC"), span(now.duration_since(*made)));
        self.line(&format!("\nThe last good backup of {database} is {name}, made {at} ({ago} ago). To restore it:"));
        self.line(&format!("\n    lastgood restore {name}"));
    }

    /// Adds a sentence and the command to type.
    fn commands(&mut self, [sentence, command]: &[&str; 2]) {
        let _ = write!(self.0, "\n{sentence}\n\n    {command}\n");
    }
}

/// As people say it: the two largest of days, hours and minutes.
fn span(duration: SignedDuration) -> String {
    let minutes = duration.as_mins().max(0);
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// A name as a shell takes it.
fn word(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if name.chars().all(plain) && !name.starts_with('-') {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

/// A subject that SNS accepts: anything but printable ASCII becomes `?`, and it is cut to length.
fn short(subject: &str) -> String {
    subject.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' }).take(SUBJECT).collect()
}
