//! `lastgood`: you always know your last good backup.
//!
//! Every command, and where its work begins.

// A request of the AWS SDK is a future of some hundred layers, and ours wrap it.
#![recursion_limit = "256"]

mod all_at_once;
mod answers;
mod beyond_limits;
mod cli;
mod commands;
mod completion;
mod core_dumps;
#[cfg(test)]
mod documentation;
mod folder;
mod history;
mod host;
mod interrupt;
mod keys;
mod leftovers;
mod lock;
mod logging;
mod marks;
mod money;
mod patience;
mod places;
mod prices;
mod read_back;
mod rules;
mod settings;
mod shell;
mod together;
mod unsealed;
mod watchers;

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub use settings::fuzzing;

use std::process::ExitCode;

use clap::CommandFactory as _;

use crate::answers::failure::{Exit, Failure};
use crate::answers::runnable;
use crate::cli::{Cli, Command};
use crate::commands::{
    accept, adopt, backup, check, completions, config, copy, cost, diff, drill, erase, expect, init, list, man, policy,
    prune, report, restore, retire, rows, show, status, verify, version,
};
use crate::interrupt::Interrupt;
use crate::settings::{LogFile, Settings};

/// The whole program: reads the command line, does what it asks for, and says how that ended.
#[must_use]
pub fn main() -> ExitCode {
    core_dumps::forbid();
    if let Some(exit) = completion::answered() {
        return exit;
    }
    let cli = cli::parse();
    let given = cli.given();
    runnable::name_files(given.env_file.as_deref(), given.config.as_deref(), &Cli::command());
    match run(&cli) {
        Ok(exit) => exit.into(),
        Err(failure) if cli.is_plugin() => check::formats::unknown(&failure).unwrap_or(failure.exit).into(),
        Err(failure) => {
            cli.report().failure(&failure);
            failure.exit.into()
        }
    }
}

/// Does what the command line asks for.
fn run(cli: &Cli) -> Result<Exit, Failure> {
    match cli.asked() {
        Command::Status(args) => begin(cli, unlogged, async |s, i| i.or(status::run(args, s)).await),
        Command::Backup(args) => begin(cli, |of| Some(&of.logs.backup), async |s, i| backup::run(args, s, i).await),
        Command::Restore(args) => begin(cli, |of| Some(&of.logs.restore), async |s, i| restore::run(args, s, i).await),
        Command::Diff(args) => begin(cli, unlogged, async |s, i| diff::run(args, s, i).await),
        Command::Rows(args) => begin(cli, unlogged, async |s, i| rows::run(args, s, i).await),
        Command::Drill(args) => begin(cli, |of| Some(&of.logs.restore), async |s, i| drill::run(args, s, i).await),
        Command::Erase(args) => begin(cli, |of| Some(&of.logs.restore), async |s, i| erase::run(args, s, i).await),
        Command::Verify(args) => begin(cli, |of| Some(&of.logs.verify), async |s, i| i.or(verify::run(args, s)).await),
        Command::Check(args) => begin(cli, |of| Some(&of.logs.verify), async |s, i| check::run(args, s, i).await),
        Command::Prune(args) => begin(cli, |of| Some(&of.logs.backup), async |s, i| prune::run(args, s, i).await),
        Command::Adopt(args) => begin(cli, |of| Some(&of.logs.backup), async |s, i| i.or(adopt::run(args, s)).await),
        Command::Copy(args) => begin(cli, |of| Some(&of.logs.backup), async |s, i| copy::run(args, s, i).await),
        Command::Accept(args) => begin(cli, |of| Some(&of.logs.backup), async |s, i| i.or(accept::run(args, s)).await),
        Command::Retire(args) => {
            begin(cli, |of| Some(&of.logs.backup), async |s, i| i.or(retire::run(args, s, i)).await)
        }
        Command::Expect(args) => begin(cli, |of| Some(&of.logs.backup), async |s, i| i.or(expect::run(args, s)).await),
        Command::Policy(args) => begin(cli, unlogged, async |s, _| policy::run(args, s)),
        Command::List(args) => begin(cli, unlogged, async |s, i| i.or(list::run(args, s)).await),
        Command::Show(args) => begin(cli, unlogged, async |s, i| i.or(show::run(args, s)).await),
        Command::Report(args) => begin(cli, unlogged, async |s, i| i.or(report::run(args, s)).await),
        Command::Cost(args) => begin(cli, unlogged, async |s, i| i.or(cost::run(args, s)).await),
        Command::Init(args) => {
            begin_without_settings(cli, async |i| init::run(args, cli.given(), cli.report(), i).await)
        }
        Command::Config(args) => config::run(args, &cli.given(), cli.report()),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
        Command::Version(_) => version::run(cli.report()),
    }
}

/// A command that only answers and changes nothing has no log file.
fn unlogged(_: &Settings) -> Option<&LogFile> {
    None
}

/// Reads the settings, starts the log, and runs a command that waits for the network or for child processes.
fn begin(
    cli: &Cli,
    log_file: impl Fn(&Settings) -> Option<&LogFile>,
    command: impl AsyncFnOnce(&Settings, &Interrupt) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let mut settings = Settings::load(&cli.given(), cli.report())?;
    logging::start(log_file(&settings), cli.global.verbose, cli.global.quiet);
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    for remark in &settings.remarks {
        tracing::debug!("{remark}");
    }
    let done = in_runtime(async |interrupt| {
        let buckets = settings.buckets.iter_mut();
        buckets.for_each(|bucket| patience::set(bucket, interrupt, cli.asked().is_impatient()));
        command(&settings, interrupt).await
    });
    let own = |failure: Failure| Failure {
        hint: failure.hint.map(|hint| settings::numbered(&hint, cli.number())),
        ..failure
    };
    done.map_err(own).inspect_err(logging::failed)
}

/// Starts a log without a file, and runs a command that makes the settings.
fn begin_without_settings(
    cli: &Cli,
    command: impl AsyncFnOnce(&Interrupt) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    logging::start(None, cli.global.verbose, cli.global.quiet);
    in_runtime(command)
}

/// Runs what waits for the network or for child processes, and hears signals.
fn in_runtime(command: impl AsyncFnOnce(&Interrupt) -> Result<Exit, Failure>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| Failure::new(Exit::Failed, format!("cannot start threads: {e}")))?;
    let done = runtime.block_on(async {
        let interrupt = Interrupt::listen()?;
        command(&interrupt).await
    });
    // A thread that still blocks, on a name that is looked up or a file that is read, is of no use any more.
    runtime.shutdown_background();
    done
}
