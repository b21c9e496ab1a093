//! What a command answers: words for people, or one JSON document on stdout with `--json`.
//!
//! stdout carries the answer alone; everything said along the way goes to stderr through `tracing`.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal as _, Write as _};

use jiff::SignedDuration;
use serde::Serialize;

use crate::failure::{Exit, Failure};

/// Where and how a command's answer is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// One JSON document instead of words.
    pub(crate) json: bool,
    /// Nothing along the way but warnings and errors, and of what went well nothing at all.
    pub(crate) quiet: bool,
}

/// A failure, as `--json` shows it.
#[derive(Serialize)]
struct FailureAnswer<'a> {
    error: &'a str,
    hint: Option<&'a str>,
    exit: u8,
}

impl Report {
    /// Gives the answer: `words` to a person, `value` as JSON to a program.
    ///
    /// # Errors
    /// Exit 1 when stdout can't be written. A reader that has gone away (`lastgood list | head`) is no error.
    pub(crate) fn answer(self, value: &impl Serialize, words: &impl Display) -> Result<(), Failure> {
        if self.json {
            let json = serde_json::to_string_pretty(value)
                .map_err(|e| Failure::new(Exit::Failed, format!("the answer can't be written as JSON: {e}")))?;
            return print(&json);
        }
        print(&visible(words.to_string().trim_end()))
    }

    /// Likewise of a command that cron runs, which mails whatever is said: with `quiet`, words that all is well aren't.
    ///
    /// # Errors
    /// As [`Report::answer`].
    pub(crate) fn outcome(self, exit: Exit, value: &impl Serialize, words: &impl Display) -> Result<(), Failure> {
        if self.quiet && !self.json && exit == Exit::Done {
            return Ok(());
        }
        self.answer(value, words)
    }

    /// Says why the command failed: two lines on stderr, or one JSON document on stdout.
    pub(crate) fn failure(self, failure: &Failure) {
        if self.json {
            let answer =
                FailureAnswer { error: &failure.error, hint: failure.hint.as_deref(), exit: failure.exit.code() };
            // stdout gone: the exit status still tells.
            let _ = serde_json::to_string_pretty(&answer).map(|json| print(&json));
            return;
        }
        self.say(failure);
    }

    /// Says on stderr what an answer leaves undone.
    pub(crate) fn say(self, failure: &Failure) {
        // stderr gone: the exit status still tells.
        let _ = writeln!(std::io::stderr().lock(), "error: {}", visible(&failure.to_string()));
    }

    /// Progress bars are for a person at a terminal.
    pub(crate) fn shows_progress(self) -> bool {
        !self.json && !self.quiet && std::io::stderr().is_terminal()
    }
}

/// Writes text and a newline to stdout.
///
/// # Errors
/// As [`Report::answer`].
#[expect(clippy::disallowed_methods, reason = "the one place that writes to stdout")]
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Failed, format!("can't write to stdout: {e}")))
        }
        _ => Ok(()),
    }
}

/// A size as people read it: `48.5 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return count(bytes, "byte");
    }
    let mut scaled = bytes as f64 / 1024.0;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        // 1023.95 would be shown as 1024.0.
        if scaled < 1023.95 {
            break;
        }
        scaled /= 1024.0;
        unit = larger;
    }
    format!("{scaled:.1} {unit}")
}

/// Text of anybody's on one line and without the power to move a terminal's cursor: control characters are escaped.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    without(text, char::is_control)
}

/// Lines with text of anybody's in them, which keep their ends and tabs, likewise.
pub(crate) fn visible(lines: &str) -> Cow<'_, str> {
    without(lines, |c| c.is_control() && c != '\n' && c != '\t')
}

fn without(text: &str, harms: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&harms) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| if harms(c) { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(escape).collect())
}

/// A number in groups of three digits: `1,204,511`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let places = (1..=digits.len()).rev();
    digits.chars().zip(places).fold(String::new(), |mut grouped, (digit, place)| {
        grouped.push(digit);
        if place % 3 == 1 && place > 1 {
            grouped.push(',');
        }
        grouped
    })
}

/// A span of time in its largest fitting unit, rounded down: `3 hours`, `2 days`. A span below zero is `0 seconds`.
pub(crate) fn span(span: SignedDuration) -> String {
    let seconds = u64::try_from(span.as_secs()).unwrap_or(0);
    let (minute, hour, day) = (60, 3_600, 86_400);
    match seconds {
        s if s >= 2 * day => count(s / day, "day"),
        s if s >= 2 * hour => count(s / hour, "hour"),
        s if s >= 2 * minute => count(s / minute, "minute"),
        s => count(s, "second"),
    }
}

/// How long ago something was: `3 hours ago`.
pub(crate) fn age(span_since: SignedDuration) -> String {
    format!("{} ago", span(span_since))
}

/// A number and its noun: `1 table`, `12 tables`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_like_the_tools_people_know() {
        let shown = [0, 1, 1023, 1024, 50_855_936, 1_048_575, 1 << 30, u64::MAX].map(size);
        assert_eq!(
            shown,
            ["0 bytes", "1 byte", "1023 bytes", "1.0 KiB", "48.5 MiB", "1.0 MiB", "1.0 GiB", "16384.0 PiB"]
        );
    }

    #[test]
    fn names_of_anybody_s_stay_on_their_line() {
        assert_eq!(printable("Straße \"☃\""), "Straße \"☃\"");
        assert_eq!(printable("a\nb\u{1b}[2J"), "a\\nb\\u{1b}[2J");
        assert_eq!(visible("a\n\tb\u{1b}[2J\r"), "a\n\tb\\u{1b}[2J\\r");
    }

    #[test]
    fn numbers_stand_in_groups_of_three() {
        let shown = [0, 999, 1_000, 123_456, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "123,456", "1,234,567"]);
    }

    #[test]
    fn spans_use_the_largest_unit_of_which_there_are_two() {
        let shown = [-5, 1, 119, 120, 7_199, 7_200, 172_799, 172_800].map(|s| span(SignedDuration::from_secs(s)));
        assert_eq!(
            shown,
            ["0 seconds", "1 second", "119 seconds", "2 minutes", "119 minutes", "2 hours", "47 hours", "2 days"]
        );
        assert_eq!(age(SignedDuration::from_hours(3)), "3 hours ago");
    }
}
