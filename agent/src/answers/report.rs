//! What a command answers: words for people, or one JSON document on stdout with `--json`.
//!
//! stdout carries the answer alone; everything said along the way goes to stderr through `tracing`.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal as _, Write as _};

use serde::Serialize;
use terminal_size::{Width, terminal_size_of};

use crate::answers::colour;
use crate::answers::failure::{Exit, Failure};
use crate::answers::fold::fold;
use crate::answers::runnable::runnable;

/// In a narrower terminal lines are left as they are.
const NARROWEST: u16 = 40;

/// Where and how a command's answer is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// One JSON document instead of words.
    pub(crate) json: bool,
    /// Only warnings and errors along the way, and no answer when all is well.
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
    /// Exit 1 when stdout cannot be written to. A reader that has gone away (`lastgood list | head`) is not an error.
    pub(crate) fn answer(self, value: &impl Serialize, words: &impl Display) -> Result<(), Failure> {
        if self.json {
            let json = serde_json::to_string_pretty(value)
                .map_err(|e| Failure::new(Exit::Failed, format!("cannot write the answer as JSON: {e}")))?;
            return print(&json);
        }
        print(&fitting(&runnable(&visible(words.to_string().trim_end())), columns()))
    }

    /// Gives the answer of a command that cron runs, which mails all output: with `quiet`, it prints nothing when all is well.
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

    /// Prints on stderr an error that the answer does not contain.
    pub(crate) fn say(self, failure: &Failure) {
        // stderr gone: the exit status still tells.
        let text = format!("error: {}", runnable(&visible(&failure.to_string())));
        let _ = writeln!(std::io::stderr().lock(), "{}", fitting(&text, columns_of_stderr()));
    }

    /// Prints on stderr what a person has to know, and what no log may.
    pub(crate) fn tell(self, line: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{}", fitting(&visible(line), columns_of_stderr()));
    }

    /// A log gets lines about a long run's progress.
    pub(crate) fn tells_progress(self) -> bool {
        !self.json && !self.quiet && !std::io::stderr().is_terminal()
    }

    /// Progress bars are for a person at a terminal.
    pub(crate) fn shows_progress(self) -> bool {
        !self.json && !self.quiet && std::io::stderr().is_terminal()
    }
}

/// How wide the terminal is that reads the answer; none where a file or a program does.
#[expect(clippy::disallowed_methods, reason = "the one place that writes to stdout")]
pub(crate) fn columns() -> Option<usize> {
    width(terminal_size_of(std::io::stdout())?.0)
}

/// The same of what is said along the way.
pub(crate) fn columns_of_stderr() -> Option<usize> {
    width(terminal_size_of(std::io::stderr())?.0)
}

/// A window may be too narrow for words.
fn width(Width(columns): Width) -> Option<usize> {
    (columns >= NARROWEST).then(|| usize::from(columns))
}

/// Lines that fit a terminal, in its colours; elsewhere as they are.
pub(crate) fn fitting(text: &str, columns: Option<usize>) -> Cow<'_, str> {
    let Some(columns) = columns else { return Cow::Borrowed(text) };
    let folded = fold(text, columns);
    Cow::Owned(if colour::is_wanted() { colour::paint(&folded).into_owned() } else { folded })
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
            Err(Failure::new(Exit::Failed, format!("cannot write to stdout: {e}")))
        }
        _ => Ok(()),
    }
}

/// Where an answer goes that is given piece by piece, such as rows. Whoever writes it treats a reader that has gone away as
/// [`Report::answer`] does.
#[expect(clippy::disallowed_methods, reason = "the one place that writes to stdout")]
pub(crate) fn stdout() -> std::io::Stdout {
    std::io::stdout()
}

/// Foreign text on one line and without the power to move a terminal's cursor: control characters are escaped.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    without(text, char::is_control)
}

/// Lines with foreign text in them: control characters are escaped, but for the lines' ends and tabs.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_names_stay_on_their_line() {
        assert_eq!(printable("Straße \"☃\""), "Straße \"☃\"");
        assert_eq!(printable("a\nb\u{1b}[2J"), "a\\nb\\u{1b}[2J");
        assert_eq!(visible("a\n\tb\u{1b}[2J\r"), "a\n\tb\\u{1b}[2J\\r");
    }
}
