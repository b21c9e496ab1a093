//! `lastgood`: you always know your last good backup.

// A request of the AWS SDK is a future of some hundred layers, and ours wrap it.
#![recursion_limit = "256"]

mod adopt;
mod backup;
mod catalogs;
mod census;
mod check;
mod cli;
mod completions;
mod config;
mod cost;
#[cfg(test)]
mod documentation;
mod failure;
mod host;
mod interrupt;
mod keys;
mod list;
mod lock;
mod logging;
mod man;
mod ping;
mod postgres;
mod progress;
mod prune;
mod read_back;
mod report;
mod restore;
mod retire;
mod settings;
mod show;
mod table;
mod verify;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::parse();
    let report = cli.report();
    match cli.run() {
        Ok(exit) => exit.into(),
        Err(failure) => {
            report.failure(&failure);
            failure.exit.into()
        }
    }
}
