//! The question before anything is replaced.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::answers::failure::{Exit, Failure};
use crate::answers::report::{columns_of_stderr, fitting};
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
