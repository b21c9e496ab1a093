//! `lastgood`: you always know your last good backup.

mod cli;
mod completions;
mod config;
mod failure;
mod logging;
mod man;
mod ping;
mod postgres;
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
