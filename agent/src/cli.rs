//! The command line: every command and flag, and where each command's work begins.
//!
//! Nothing here reads a setting, opens a connection or starts a thread: `--help` and a mistyped flag answer at once.

mod arguments;
mod examples;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use arguments::{
    AdoptArgs, BackupArgs, CheckArgs, CompletionsArgs, ConfigArgs, CostArgs, ListArgs, ManArgs, Place, PruneArgs,
    RestoreArgs, RetireArgs, ShowArgs, VerifyArgs, Which,
};

use crate::failure::{Exit, Failure};
use crate::report::Report;
use crate::settings::{Given, LogFile, Settings};
use crate::{
    adopt, backup, check, completions, config, cost, list, logging, man, prune, restore, retire, show, verify,
};

/// You always know your last good backup.
///
/// Backs up PostgreSQL databases to a bucket, a directory or both, reads back what was stored, and restores it.
#[derive(Debug, Parser)]
#[command(name = "lastgood", version, after_help = examples::LASTGOOD, propagate_version = true)]
#[command(disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
struct GlobalArgs {
    /// Read settings from FILE, not from ./.env or /etc/lastgood.env.
    #[arg(long, value_name = "FILE", global = true, overrides_with = "env_file")]
    env_file: Option<PathBuf>,
    /// Read settings from the TOML file FILE, not from ~/.config/lastgood/lastgood.toml or /etc/lastgood.toml.
    #[arg(long, value_name = "FILE", global = true, overrides_with = "config")]
    config: Option<PathBuf>,
    /// The database. Repeat it for several.
    #[arg(long, value_name = "NAME", global = true, conflicts_with = "all_databases")]
    database: Vec<String>,
    /// Every database of the server that accepts connections, templates excepted; for commands that look at backups alone,
    /// every database that has some.
    #[arg(long, global = true)]
    all_databases: bool,
    /// Ask AWS as this profile of ~/.aws/config, whatever keys are set.
    #[arg(long, value_name = "NAME", global = true)]
    aws_profile: Option<String>,
    /// Answer with one JSON document on stdout.
    #[arg(long, global = true)]
    json: bool,
    /// Say more on stderr. Twice: with details for a bug report.
    #[arg(short, long, action = clap::ArgAction::Count, global = true, conflicts_with = "quiet")]
    verbose: u8,
    /// Say nothing along the way but warnings and errors; `backup`, `verify`, `check` and `prune` say nothing at all when all is
    /// well, as cron wants it.
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Back up databases.
    #[command(after_help = examples::BACKUP)]
    Backup(BackupArgs),
    /// List backups, newest first.
    #[command(after_help = examples::LIST)]
    List(ListArgs),
    /// Show one backup: its manifest, its tables and what reading it back found.
    #[command(after_help = examples::SHOW)]
    Show(ShowArgs),
    /// Read stored backups back and judge them.
    #[command(after_help = examples::VERIFY)]
    Verify(VerifyArgs),
    /// Check that good backups are recent, large and many enough.
    #[command(after_help = examples::CHECK)]
    Check(CheckArgs),
    /// Remove the backups that no rule keeps.
    #[command(after_help = examples::PRUNE)]
    Prune(PruneArgs),
    /// Make backups of other tools ours, once they have been read back and found whole.
    #[command(after_help = examples::ADOPT)]
    Adopt(AdoptArgs),
    /// Say that no more backups of a database will come, so that nobody is told of their absence.
    #[command(after_help = examples::RETIRE)]
    Retire(RetireArgs),
    /// Restore a backup.
    #[command(after_help = examples::RESTORE)]
    Restore(RestoreArgs),
    /// Estimate what the backups cost a month at AWS, or would cost.
    #[command(after_help = examples::COST)]
    Cost(CostArgs),
    /// Show every setting and where its value came from.
    #[command(after_help = examples::CONFIG)]
    Config(ConfigArgs),
    /// Print a script that completes commands and flags.
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print or write the manual pages.
    #[command(after_help = examples::MAN)]
    Man(ManArgs),
}

/// Reads the command line. Ends the process after `--help` and `--version`, and with exit status 2 after a mistake.
pub(crate) fn parse() -> Cli {
    Cli::parse()
}

impl Cli {
    /// How answers and failures are given.
    pub(crate) fn report(&self) -> Report {
        Report { json: self.global.json, quiet: self.global.quiet }
    }

    /// Does what the command line asks for.
    ///
    /// # Errors
    /// The failure of the command.
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        match &self.command {
            Command::Completions(args) => completions::run(args),
            Command::Man(args) => man::run(args),
            Command::Config(args) => config::run(args, &self.given(), self.report()),
            command => {
                let settings = Settings::load(&self.given(), self.report())?;
                logging::start(command.log_file(&settings), self.global.verbose, self.global.quiet);
                for warning in &settings.warnings {
                    tracing::warn!("{warning}");
                }
                let done = command.run(&settings);
                if let Err(failure) = &done {
                    logging::failed(failure);
                }
                done
            }
        }
    }

    fn given(&self) -> Given {
        let mut given = Given::here();
        given.env_file.clone_from(&self.global.env_file);
        given.config.clone_from(&self.global.config);
        given.databases.clone_from(&self.global.database);
        given.all_databases = self.global.all_databases;
        if let Some(profile) = &self.global.aws_profile {
            given.flags.push(("AWS_PROFILE", "--aws-profile", profile.clone()));
        }
        if let Command::Backup(BackupArgs { name: Some(name), .. }) = &self.command {
            given.flags.push(("BACKUP_NAME", "--name", name.clone()));
        }
        given
    }
}

/// Runs a command that waits for the network or for child processes.
fn wait(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| Failure::new(Exit::Failed, format!("can't start threads: {e}")))?;
    runtime.block_on(command)
}

impl Command {
    fn run(&self, settings: &Settings) -> Result<Exit, Failure> {
        match self {
            Self::Backup(args) => wait(backup::run(args, settings)),
            Self::Restore(args) => wait(restore::run(args, settings)),
            Self::List(args) => wait(list::run(args, settings)),
            Self::Show(args) => wait(show::run(args, settings)),
            Self::Verify(args) => wait(verify::run(args, settings)),
            Self::Check(args) => wait(check::run(args, settings)),
            Self::Prune(args) => wait(prune::run(args, settings)),
            Self::Adopt(args) => wait(adopt::run(args, settings)),
            Self::Retire(args) => wait(retire::run(args, settings)),
            Self::Cost(args) => wait(cost::run(args, settings)),
            // Answered already, before the settings were read.
            Self::Config(_) | Self::Completions(_) | Self::Man(_) => Ok(Exit::Done),
        }
    }

    /// Where this command's log lines go; `None`: it only answers and changes nothing.
    fn log_file<'a>(&self, settings: &'a Settings) -> Option<&'a LogFile> {
        match self {
            Self::Backup(_) | Self::Prune(_) | Self::Adopt(_) | Self::Retire(_) => Some(&settings.logs.backup),
            Self::Restore(_) => Some(&settings.logs.restore),
            Self::Verify(_) | Self::Check(_) => Some(&settings.logs.verify),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
