//! The command line: every command and flag that may be typed.
//!
//! Nothing here reads a setting, opens a connection or starts a thread: `--help` and a mistyped flag answer at once.

mod arguments;
mod examples;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::answers::report::{self, Report};
use crate::settings::Given;
pub(crate) use arguments::{
    AcceptArgs, AdoptArgs, BackupArgs, CheckArgs, CompletionsArgs, Condition, ConfigArgs, CopyArgs, CostArgs, DiffArgs,
    DrillArgs, EraseArgs, ExpectArgs, Format, InitArgs, ListArgs, ManArgs, Name, Place, PolicyArgs, PruneArgs,
    ReportArgs, RestoreArgs, RetireArgs, RowsArgs, Schedule, ShowArgs, StatusArgs, VerifyArgs, VersionArgs, Wanted,
    Which, which,
};

/// You always know your last good backup.
///
/// Backs up PostgreSQL databases to S3 buckets, a directory or both, verifies each backup by reading it back, and restores
/// it.
#[derive(Debug, Parser)]
#[command(name = "lastgood", version, after_help = examples::LASTGOOD, propagate_version = true)]
#[command(max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What `lastgood` alone does.
static ALONE: Command = Command::Status(StatusArgs { place: Place { repository: None } });

/// The flags that every command takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Read settings from FILE instead of ./.env or /etc/lastgood.env.
    #[arg(long, value_name = "FILE", global = true, overrides_with = "env_file")]
    env_file: Option<PathBuf>,
    /// Read settings from the TOML file FILE instead of ~/.config/lastgood/lastgood.toml or /etc/lastgood.toml.
    #[arg(long, value_name = "FILE", global = true, overrides_with = "config")]
    config: Option<PathBuf>,
    /// The database's name. Repeat the option for several databases.
    #[arg(long, value_name = "NAME", global = true, conflicts_with = "all_databases")]
    database: Vec<String>,
    /// Every database on the server that accepts connections, except templates. For commands that only look at backups:
    /// every database that has backups.
    #[arg(long, global = true)]
    all_databases: bool,
    /// Use this profile of ~/.aws/config for AWS, even if keys are set. With `--repository 2`, 3 or 4 it is that bucket's.
    #[arg(long, value_name = "NAME", global = true)]
    aws_profile: Option<String>,
    /// Print the answer as one JSON document on stdout.
    #[arg(long, global = true)]
    json: bool,
    /// Print more on stderr. Repeat it (-vv) for the details that a bug report needs.
    #[arg(short, long, action = clap::ArgAction::Count, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Print only warnings and errors while running. `backup`, `verify`, `check` and `prune` print nothing at all when all is
    /// well, which suits cron.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// One command and its flags.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show on one screen each database's last good backup, what is wrong, and the command to run next. `lastgood` alone does
    /// the same.
    #[command(after_help = examples::STATUS)]
    Status(StatusArgs),
    /// Set up backups on this machine: ask for the database and the place, try both, write the settings, make and verify the first
    /// backup, and have it done every night.
    #[command(after_help = examples::INIT)]
    Init(InitArgs),
    /// Back up databases.
    #[command(after_help = examples::BACKUP)]
    Backup(BackupArgs),
    /// List backups, newest first.
    #[command(after_help = examples::LIST)]
    List(ListArgs),
    /// Show one backup: its manifest, its tables and what reading it back found.
    #[command(after_help = examples::SHOW)]
    Show(ShowArgs),
    /// Verify backups by reading back every stored byte.
    #[command(after_help = examples::VERIFY)]
    Verify(VerifyArgs),
    /// Check that the good backups are recent enough, large enough and numerous enough.
    #[command(after_help = examples::CHECK)]
    Check(CheckArgs),
    /// Remove the backups that no retention rule keeps.
    #[command(after_help = examples::PRUNE)]
    Prune(PruneArgs),
    /// Take over backups that another tool made, after reading them back and finding them intact.
    #[command(after_help = examples::ADOPT)]
    Adopt(AdoptArgs),
    /// Copy backups from one place to another, without asking the database again.
    #[command(after_help = examples::COPY)]
    Copy(CopyArgs),
    /// Say that what is in a backup is right, though it has lost rows or tables.
    #[command(after_help = examples::ACCEPT)]
    Accept(AcceptArgs),
    /// Mark a database as no longer backed up, so that `check` and the alarms stop reporting it as missing.
    #[command(after_help = examples::RETIRE)]
    Retire(RetireArgs),
    /// Mark a database as one whose backups are expected, and give it limits of its own.
    #[command(after_help = examples::EXPECT)]
    Expect(ExpectArgs),
    /// Restore a backup.
    #[command(after_help = examples::RESTORE)]
    Restore(RestoreArgs),
    /// Show what differs between two backups: tables, definitions, sequences and, if asked for, rows.
    #[command(after_help = examples::DIFF)]
    Diff(DiffArgs),
    /// Print rows of a table straight from a backup, without restoring it.
    #[command(after_help = examples::ROWS)]
    Rows(RowsArgs),
    /// Prove that a backup restores: restore it into a scratch database, compare that with what was dumped, and drop it.
    #[command(after_help = examples::DRILL)]
    Drill(DrillArgs),
    /// Erase somebody's rows from backups: each is restored, changed, compared and stored again, and the original removed.
    #[command(after_help = examples::ERASE)]
    Erase(EraseArgs),
    /// Write a page for the browser: each database's last good backup, its past year, and what proves each backup.
    #[command(after_help = examples::REPORT)]
    Report(ReportArgs),
    /// Estimate what the backups cost, or would cost, per month on AWS.
    #[command(after_help = examples::COST)]
    Cost(CostArgs),
    /// Print the IAM policy for a host that backs up these databases and no others.
    #[command(after_help = examples::POLICY)]
    Policy(PolicyArgs),
    /// Show every setting and where its value came from.
    #[command(after_help = examples::CONFIG)]
    Config(ConfigArgs),
    /// Print a shell completion script.
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print or write the manual pages.
    #[command(after_help = examples::MAN)]
    Man(ManArgs),
    /// Print the version.
    #[command(after_help = examples::VERSION)]
    Version(VersionArgs),
}

impl Command {
    /// The place that it is told to look into.
    fn place(&self) -> Option<&Which> {
        let place = match self {
            Self::Status(args) => &args.place,
            Self::Report(args) => &args.place,
            Self::List(args) => &args.place,
            Self::Show(args) => &args.place,
            Self::Verify(args) => &args.place,
            Self::Check(args) => &args.place,
            Self::Prune(args) => &args.place,
            Self::Adopt(args) => &args.place,
            Self::Accept(args) => &args.place,
            Self::Retire(args) => &args.place,
            Self::Expect(args) => &args.place,
            Self::Diff(args) => &args.place,
            Self::Erase(args) => &args.place,
            Self::Copy(args) => return args.from.as_ref(),
            Self::Restore(args) => return args.repository.as_ref(),
            Self::Rows(args) => return args.repository.as_ref(),
            Self::Drill(args) => return args.repository.as_ref(),
            _ => return None,
        };
        place.repository.as_ref()
    }

    /// Whether it tries nothing twice: somebody waits for it, and it changes nothing.
    pub(crate) fn is_impatient(&self) -> bool {
        match self {
            Self::Status(_) => true,
            Self::Backup(args) => args.dry_run,
            Self::Prune(args) => args.dry_run,
            Self::Adopt(args) => args.dry_run,
            Self::Copy(args) => args.dry_run,
            Self::Restore(args) => args.dry_run,
            Self::Drill(args) => args.dry_run,
            Self::Erase(args) => args.dry_run,
            _ => false,
        }
    }
}

/// Reads the command line. Ends the process after `--help` and `--version`, and with exit status 2 after a mistake; a plugin's is 3, for
/// UNKNOWN.
#[expect(clippy::exit, reason = "as clap does: nothing has begun that would have to be given back")]
#[expect(clippy::disallowed_methods, reason = "the command line, which could not be read")]
pub(crate) fn parse() -> Cli {
    let mistaken = match Cli::try_parse() {
        Ok(cli) => return cli,
        Err(mistaken) => mistaken,
    };
    let is_plugin = std::env::args().any(|word| word == "nagios" || word == "--format=nagios");
    if !mistaken.use_stderr() || !is_plugin {
        mistaken.exit();
    }
    let text = mistaken.to_string();
    let _ = report::print(&format!("LASTGOOD UNKNOWN - {}", text.lines().next().unwrap_or_default()));
    std::process::exit(3)
}

impl Cli {
    /// What it is told to do.
    pub(crate) fn asked(&self) -> &Command {
        self.command.as_ref().unwrap_or(&ALONE)
    }

    /// How answers and failures are given.
    pub(crate) fn report(&self) -> Report {
        Report { json: self.global.json, quiet: self.global.quiet }
    }

    /// Whether a monitoring system runs it as a plugin, and goes by its exit status and what it prints.
    pub(crate) fn is_plugin(&self) -> bool {
        matches!(self.asked(), Command::Check(CheckArgs { format: Some(Format::Nagios), .. }))
    }

    /// Whose profile `--aws-profile` is: that of the bucket which the command looks into.
    fn profile_setting(&self) -> &'static str {
        match self.asked().place() {
            Some(Which::Number(2)) => "AWS_PROFILE_2",
            Some(Which::Number(3)) => "AWS_PROFILE_3",
            Some(Which::Number(4)) => "AWS_PROFILE_4",
            _ => "AWS_PROFILE",
        }
    }

    /// The number of the bucket that the command looks into, by what it was told; the first one's otherwise.
    pub(crate) fn number(&self) -> usize {
        match self.asked().place() {
            // A copy has two places, and says itself which of them a failure is about.
            Some(Which::Number(number)) if !matches!(self.asked(), Command::Copy(_)) => *number,
            _ => 1,
        }
    }

    /// What was given to the settings: flags, and the environment.
    pub(crate) fn given(&self) -> Given {
        let mut given = Given::here();
        given.env_file.clone_from(&self.global.env_file);
        given.config.clone_from(&self.global.config);
        given.databases.clone_from(&self.global.database);
        given.all_databases = self.global.all_databases;
        if let Some(profile) = &self.global.aws_profile {
            given.flags.push((self.profile_setting(), "--aws-profile", profile.clone()));
        }
        if let Command::Backup(BackupArgs { name: Some(name), .. }) = self.asked() {
            given.flags.push(("BACKUP_NAME", "--name", name.clone()));
        }
        given
    }
}

#[cfg(test)]
mod tests;
