//! The question before anything is replaced.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::answers::failure::{Exit, Failure};

/// Shows what will happen and asks for `yes`.
///
/// # Errors
/// Exit 1 for every other answer, and where nobody can be asked.
pub(crate) fn ask(what: &dyn std::fmt::Display, question: &str, confirmed: bool) -> Result<(), Failure> {
    if confirmed {
        what.to_string().lines().for_each(|line| tracing::info!("{line}"));
        return Ok(());
    }
    // stderr gone: then nobody can answer either.
    let _ = write!(std::io::stderr().lock(), "{what}");
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(Exit::Failed, "nobody can be asked here: stdin is no terminal")
            .hint("--confirm says yes beforehand; --dry-run only shows what would happen"));
    }
    let _ = write!(std::io::stderr().lock(), "\n{question} Type yes: ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match read {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        _ => Err(Failure::new(Exit::Failed, "the answer wasn't yes: nothing was changed")),
    }
}
