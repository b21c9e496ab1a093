//! The question before anything is replaced.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::answers::failure::{Exit, Failure};
use crate::answers::report::{columns_of_stderr, fitting, printable};
use crate::interrupt::{Interrupt, stopped_by};

/// Shows what will happen and asks for `yes`.
///
/// # Errors
/// Exit 1 for every other answer, without a terminal to ask on, and when the run is told to stop meanwhile.
pub(crate) fn ask(
    what: &dyn std::fmt::Display,
    question: &str,
    confirmed: bool,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    if confirmed {
        what.to_string().lines().for_each(|line| tracing::info!("{line}"));
        return Ok(());
    }
    // If stderr is gone, there is no answer either.
    let shown = what.to_string();
    let _ = writeln!(std::io::stderr().lock(), "{}", fitting(shown.trim_end(), columns_of_stderr()));
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(Exit::Failed, "cannot ask for confirmation: stdin is not a terminal")
            .hint("answer yes with --confirm, or only see what would happen with --dry-run"));
    }
    let _ = write!(std::io::stderr().lock(), "\n{question} Type yes: ");
    // A terminal gives whole lines: what can be read is an answer.
    if let Ok(Some(signal)) = interrupt.stop().or_readable(std::io::stdin()) {
        let _ = writeln!(std::io::stderr().lock());
        return Err(stopped_by(signal));
    }
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match read {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        _ => Err(Failure::new(Exit::Failed, "the answer was not yes: nothing was changed")),
    }
}

/// Whether somebody can be asked: what is asked is shown on stderr, and answered on stdin.
pub(crate) fn has_somebody() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for a line, and takes `proposed` where it is empty.
///
/// # Errors
/// Exit 1 at the end of the input, and when the run is told to stop.
pub(crate) fn line(question: &str, proposed: &str, interrupt: &Interrupt) -> Result<String, Failure> {
    let bracket = if proposed.is_empty() { String::new() } else { format!(" [{}]", printable(proposed)) };
    let _ = write!(std::io::stderr().lock(), "{question}{bracket}: ");
    let answer = typed(interrupt)?;
    let answer = answer.trim();
    Ok(if answer.is_empty() { proposed } else { answer }.to_owned())
}

/// Asks for a line that the terminal doesn't show.
///
/// # Errors
/// As [`line`].
pub(crate) fn hidden(question: &str, interrupt: &Interrupt) -> Result<String, Failure> {
    // Before the question: who reads it may type at once.
    let silence = Silence::begin();
    let _last = interrupt.at_end(|| Silence::show(true));
    let _ = write!(std::io::stderr().lock(), "{question}: ");
    let answer = typed(interrupt);
    drop(silence);
    let _ = writeln!(std::io::stderr().lock());
    Ok(answer?.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal gives whole lines: what can be read is an answer.
fn typed(interrupt: &Interrupt) -> Result<String, Failure> {
    if let Ok(Some(signal)) = interrupt.stop().or_readable(std::io::stdin()) {
        let _ = writeln!(std::io::stderr().lock());
        return Err(stopped_by(signal));
    }
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(1..) => Ok(answer),
        _ => Err(Failure::new(Exit::Failed, "the input ended before the last answer: nothing was changed")
            .hint("run it at a terminal, or give every answer by a flag; --help lists them")),
    }
}

/// A terminal that shows nothing of what is typed, until dropped.
struct Silence;

impl Silence {
    fn begin() -> Self {
        Self::show(false);
        Self
    }

    /// One without such a mode shows nothing anyway.
    fn show(is_shown: bool) {
        let Ok(mut mode) = tcgetattr(std::io::stdin()) else { return };
        mode.local_modes.set(LocalModes::ECHO, is_shown);
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &mode);
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        Self::show(true);
    }
}
