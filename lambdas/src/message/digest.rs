//! The daily message: what stands, until it is over. On Mondays it comes also when all is well, with how each database is: that mail
//! is the proof that mails arrive.

use catalog::status::GoesNext;
use catalog::watch::Reminder;
use catalog::words;
use jiff::Timestamp;

use super::text::{Message, Text};
use crate::findings::{Gauge, Listeners, Standing};

/// How many of what stands, and how many databases, a message names; it only counts the rest.
const NAMED: usize = 100;

/// What a daily message is made of.
#[derive(Clone, Copy, Debug)]
pub struct Digest<'a> {
    /// Which of the two it is.
    pub kind: Reminder,
    /// The repository, as `s3://…`.
    pub repository: &'a str,
    /// The state of each database.
    pub gauges: &'a [Gauge],
    /// All that stands, and news.
    pub standing: &'a [Standing],
    /// When it was looked at.
    pub now: Timestamp,
}

/// The daily message; `None` on a day on which nothing stands, unless it is a Monday.
#[must_use]
pub fn digest(digest: &Digest<'_>, next: &[GoesNext], listeners: Option<Listeners>) -> Option<Message> {
    let stands: Vec<&Standing> = digest.standing.iter().filter(|standing| standing.stands).collect();
    let is_weekly = digest.kind == Reminder::Weekly;
    if stands.is_empty() && !is_weekly {
        return None;
    }
    let databases = words::count(digest.gauges.len() as u64, "database");
    let repository = digest.repository;
    let subject = match stands.as_slice() {
        [] => format!("Lastgood: all is well with {databases} in {repository}"),
        [_] => format!("Lastgood: one thing needs you in {repository}"),
        several => format!("Lastgood: {} things need you in {repository}", several.len()),
    };
    let mut body = Text::new(&format!("{repository}, {}", words::minute(digest.now)));
    if !stands.is_empty() {
        body.line("\nThis stands, and is repeated each morning until it is over:");
        stands.iter().take(NAMED).for_each(|standing| body.standing(standing));
        if stands.len() > NAMED {
            body.line(&format!("\nand {} more", stands.len() - NAMED));
        }
    }
    if is_weekly {
        weekly(&mut body, digest, next, listeners);
    }
    Some(Message::new(&subject, body))
}

fn weekly(body: &mut Text, digest: &Digest<'_>, next: &[GoesNext], listeners: Option<Listeners>) {
    body.line("\nThis comes every Monday, also when all is well. If it doesn't come, no alarm would reach you either.");
    for gauge in digest.gauges.iter().take(NAMED) {
        let next = next.iter().find(|next| next.database == gauge.database);
        body.line(&format!("\n{}", gauge.database));
        lines(gauge, next, digest.now).iter().for_each(|line| body.line(&format!("  {line}")));
    }
    if digest.gauges.len() > NAMED {
        body.line(&format!("\nand {} more", words::count((digest.gauges.len() - NAMED) as u64, "database")));
    }
    if let Some(listeners) = listeners {
        let unconfirmed = match listeners.unconfirmed {
            0 => String::new(),
            some => format!("; not confirmed yet: {some}"),
        };
        body.line(&format!("\nSubscriptions that get this: {}{unconfirmed}.", listeners.confirmed));
    }
}

/// How one database is: its newest good backup, what is in it, when it was read back, and what goes next.
fn lines(gauge: &Gauge, next: Option<&GoesNext>, now: Timestamp) -> Vec<String> {
    if let Some(trouble) = &gauge.trouble {
        return vec![format!("unknown: {trouble}")];
    }
    let Some(good) = &gauge.newest_good else { return vec!["has no good backup".to_owned()] };
    let age = words::age(now.duration_since(good.made));
    let mut lines = vec![format!("newest good backup: {}, made {} ({age})", good.name, words::minute(good.made))];
    if let Some(proof) = gauge.proof {
        let rows = proof.extent.map_or_else(String::new, |extent| format!(", {} rows", words::grouped(extent.rows)));
        let read = proof.verified.map_or_else(String::new, |at| format!(", read back {}", words::minute(at)));
        lines.push(format!("{}{rows}{read}", words::size(proof.size)));
    }
    if let Some(last) = &gauge.drilled.last {
        let outcome = if last.passed { "passed" } else { "FAILED" };
        let age = words::age(now.duration_since(last.finished));
        lines.push(format!("restored and compared {age}: {outcome}, in {}", words::span(last.took)));
    }
    if let Some(GoesNext { backup, from, .. }) = next {
        lines.push(format!("goes next: {backup}, from {}", words::minute(*from)));
    }
    lines
}
