//! Messages in plain words: what happened to which backup, which good one to use instead, and what to run.
//!
//! Alarms are the dead-man's switch and need no message; a message says what an alarm cannot, by name. Each is sent once, as soon
//! as it is found, and is repeated in one daily message until it is over.

mod digest;
#[cfg(test)]
mod tests;
mod text;

use catalog::words::shell_word;
use jiff::Timestamp;

use self::text::Text;
use crate::findings::{Damaged, Gauge, Pruned, Standing};

pub use digest::{Digest, digest};
pub use text::Message;

/// How many backups or databases a message names; it only counts the rest.
const NAMED: usize = 20;

/// The message about all damaged backups of one invocation; `None` when there are none.
#[must_use]
pub fn damaged(damaged: &[Damaged], now: Timestamp) -> Option<Message> {
    let [first, others @ ..] = damaged else { return None };
    let name = first.object.rsplit('/').next().unwrap_or_default();
    let subject = match others.len() {
        0 => format!("Lastgood: {name} is damaged"),
        more => format!("Lastgood: {name} and {more} more are damaged"),
    };
    let mut body = Text::new("These stored backups are damaged or gone:");
    for damaged in damaged.iter().take(NAMED) {
        body.line(&format!("\n  {}", damaged.object));
        damaged.findings.iter().for_each(|finding| body.line(&format!("    - {finding}")));
    }
    if damaged.len() > NAMED {
        body.line(&format!("\n  and {} more", damaged.len() - NAMED));
    }
    body.line(
        "\nThey do not count as good: `restore latest` skips them, and retention and the alarms count without them.",
    );
    let mut databases: Vec<&Damaged> = damaged.iter().take(NAMED).collect();
    databases.sort_by_key(|damaged| &damaged.database);
    databases.dedup_by_key(|damaged| &damaged.database);
    for damaged in databases {
        body.instead(&damaged.database, damaged.last_good.as_ref(), now);
        body.commands(&[
            "Make a new backup now:",
            &format!("lastgood backup --database {}", shell_word(&damaged.database)),
        ]);
    }
    Some(Message::new(&subject, body))
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
        let database = shell_word(&pruned.database);
        body.commands(&["See the plan:", &format!("lastgood prune --dry-run --database {database}")]);
        body.commands(&["To carry it out anyway:", &format!("lastgood prune --force --database {database}")]);
    }
    Some(Message::new(&format!("Lastgood: retention refused its plan for {}", first.database), body))
}

/// The message about databases that have just become stale; `None` when there are none.
#[must_use]
pub fn stale(gauges: &[&Gauge], now: Timestamp) -> Option<Message> {
    let first = gauges.first()?;
    let subject = match gauges.len() - 1 {
        0 => format!("Lastgood: no fresh good backup of {}", first.database),
        more => format!("Lastgood: no fresh good backup of {} and {more} more", first.database),
    };
    let mut body = Text::new(
        "No new good backup has come for too long. Until one comes, the alarm stays on, and you are reminded each morning.",
    );
    for gauge in gauges.iter().take(NAMED) {
        let finding = gauge.finding.as_ref().map(ToString::to_string).unwrap_or_default();
        body.line(&format!("\nDatabase {}: {finding}.", gauge.database));
        if gauge.newest_good.is_some() {
            body.instead(&gauge.database, gauge.newest_good.as_ref(), now);
        }
        let database = shell_word(&gauge.database);
        body.commands(&["See its backups and what was found:", &format!("lastgood list --database {database}")]);
        body.commands(&[
            "Make one now, and find out why the scheduled backup did not:",
            &format!("lastgood backup --database {database}"),
        ]);
        body.commands(&["If this database needs no more backups:", &format!("lastgood retire {database}")]);
    }
    Some(Message::new(&subject, body))
}

/// The message about whatever else is new; `None` when nothing is.
#[must_use]
pub fn news(news: &[&Standing], repository: &str) -> Option<Message> {
    let (first, others) = news.split_first()?;
    let subject = match others.len() {
        0 => format!("Lastgood: {}", first.text),
        more => format!("Lastgood: {} and {more} more", first.text),
    };
    let mut body = Text::new(&format!("This is new in {repository}:"));
    for standing in news.iter().take(NAMED) {
        body.standing(standing);
    }
    if news.len() > NAMED {
        body.line(&format!("\nand {} more", news.len() - NAMED));
    }
    Some(Message::new(&subject, body))
}
