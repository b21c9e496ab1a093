//! The question before anything is replaced.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::answers::failure::{Exit, Failure};

/// Shows what will happen and asks for `yes`.
///
/// # Errors
/// Exit 1 for every other answer, and without a terminal to ask on.
pub(crate) fn ask(what: &dyn std::fmt::Display, question: &str, confirmed: bool) -> Result<(), Failure> {
    if confirmed {
        what.to_string().lines().for_each(|line| tracing::info!("{line}"));
        return Ok(());
    }
    // If stderr is gone, there is no answer either.
    let _ = write!(std::io::stderr().lock(), "{what}");
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(Exit::Failed, "cannot ask for confirmation: stdin is not a terminal")
            .hint("answer yes with --confirm, or only see what would happen with --dry-run"));
    }
    let _ = write!(std::io::stderr().lock(), "\n{question} Type yes: ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match read {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        _ => Err(Failure::new(Exit::Failed, "the answer was not yes: nothing was changed")),
    }
}
