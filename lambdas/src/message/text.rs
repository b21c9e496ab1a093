//! A text that grows line by line, and what SNS takes of it.

use std::fmt::Write;

use catalog::words;
use jiff::Timestamp;

use crate::findings::{LastGood, Standing};

/// SNS takes subjects of less than 100 ASCII characters.
const SUBJECT: usize = 99;
/// SNS takes 256 KiB; nobody reads as much.
const BODY: usize = 100_000;

/// What a person gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One line of ASCII, short enough for SNS.
    pub subject: String,
    /// The text, several lines long.
    pub body: String,
}

impl Message {
    pub(super) fn new(subject: &str, body: Text) -> Self {
        let Text(mut body) = body;
        if body.len() > BODY {
            body.truncate(body.floor_char_boundary(BODY));
            body.push_str("\n…\n");
        }
        Self { subject: short(subject), body }
    }
}

/// A message that grows line by line.
pub(super) struct Text(String);

impl Text {
    pub(super) fn new(first: &str) -> Self {
        Self(format!("{first}\n"))
    }

    pub(super) fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// Adds the backup to use instead, and how to restore it.
    pub(super) fn instead(&mut self, database: &str, last_good: Option<&LastGood>, now: Timestamp) {
        let Some(LastGood { name, made }) = last_good else {
            return self.line(&format!("\nDatabase {database} has no good backup."));
        };
        let (at, ago) = (words::minute(*made), words::age(now.duration_since(*made)));
        self.line(&format!("\nThe last good backup of {database} is {name}, made {at} ({ago}). To restore it:"));
        self.line(&format!("\n    lastgood restore {name}"));
    }

    /// Adds what stands, and what to do about it.
    pub(super) fn standing(&mut self, standing: &Standing) {
        self.line(&format!("\n- {}.", sentence(&standing.text)));
        for [sentence, command] in &standing.commands {
            self.line(&format!("  {sentence}\n\n    {command}"));
        }
    }

    /// Adds a sentence and the command to type.
    pub(super) fn commands(&mut self, [sentence, command]: &[&str; 2]) {
        let _ = write!(self.0, "\n{sentence}\n\n    {command}\n");
    }
}

/// A subject that SNS accepts: anything but printable ASCII becomes `?`, and it is cut to length.
fn short(subject: &str) -> String {
    subject.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' }).take(SUBJECT).collect()
}

/// The text with a capital at its beginning.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
