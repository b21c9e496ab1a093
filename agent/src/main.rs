//! `lastgood`: you always know your last good backup.

mod backup;
mod cli;
mod completions;
mod config;
mod failure;
mod host;
mod interrupt;
mod keys;
mod lock;
mod logging;
mod man;
mod ping;
mod postgres;
mod progress;
mod read_back;
mod report;
mod settings;

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
