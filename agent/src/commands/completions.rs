//! `lastgood completions`: a script that completes commands and flags in a shell.

use clap::CommandFactory as _;

use crate::answers::failure::{Exit, Failure};
use crate::answers::report;
use crate::cli::{Cli, CompletionsArgs};

/// Prints the script for the chosen shell.
pub(crate) fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "lastgood", &mut script);
    report::print(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Done)
}
