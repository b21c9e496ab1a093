//! The arguments of each command. The doc comments are its help.

mod copy;
mod diff;
mod erase;
mod init;
mod restore;
mod rows;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

pub(crate) use self::copy::CopyArgs;
pub(crate) use self::diff::{AcceptArgs, DiffArgs};
pub(crate) use self::erase::EraseArgs;
pub(crate) use self::init::{InitArgs, Schedule};
pub(crate) use self::restore::{DrillArgs, RestoreArgs};
pub(crate) use self::rows::{Condition, Name, RowsArgs, Wanted};
use crate::settings::{AGE, SIZE};

/// Which repository to look in, for settings with several.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Place {
    /// Look in this place: `bucket`, `directory`, the bucket's number (1 to 4), or the place's address (`s3://BUCKET/PREFIX`, a
    /// folder). Default: the first bucket if one is set.
    #[arg(long, value_name = "WHICH", value_parser = which)]
    pub(crate) repository: Option<Which>,
}

/// One of the places that hold backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The first bucket.
    Bucket,
    Directory,
    /// The bucket of this number; 1 is the directory where no bucket is set.
    Number(usize),
    /// The one with this address: `s3://BUCKET/PREFIX`, or a path.
    At(String),
}

/// Reads what was typed for a place.
pub(crate) fn which(text: &str) -> Result<Which, String> {
    match text {
        "bucket" => Ok(Which::Bucket),
        "directory" => Ok(Which::Directory),
        "1" | "2" | "3" | "4" => Ok(Which::Number(text.parse().unwrap_or(1))),
        _ if text.starts_with("s3://") || text.contains('/') => Ok(Which::At(text.to_owned())),
        _ => Err("expected bucket, directory, a number from 1 to 4, s3://BUCKET/PREFIX or a folder".to_owned()),
    }
}

#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    /// Write the page to FILE instead of ./lastgood-report.html. With --json, no page is written unless this or --open is given.
    #[arg(long, value_name = "FILE", conflicts_with = "link")]
    pub(crate) output: Option<PathBuf>,
    /// Open the page in the browser.
    #[arg(long, conflicts_with = "link")]
    pub(crate) open: bool,
    /// Print a link to the page that the AWS stack makes each day. Whoever has the link can read that page until it ends.
    #[arg(long)]
    pub(crate) link: bool,
    /// How long the link lasts, in whole hours or days, at most `7d`. Default: 24h.
    #[arg(long, value_name = "TIME", requires = "link", value_parser = |text: &str| (AGE.parse)(text))]
    pub(crate) expires: Option<u32>,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug)]
pub(crate) struct BackupArgs {
    /// Give the backup a name, such as `initial`, instead of its time.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Check access and show what a backup would do. Write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show at most N backups of each database.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// The backup: its name as `list` shows it, or `latest` for the newest good one; `latest~1` is the good one before it.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// The backup: its name as `list` shows it, `latest` for the newest one (good or not), or the path of a file.
    #[arg(value_name = "ID|FILE", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) id: Option<String>,
    /// Verify every backup of the chosen databases that has not been verified yet, and again some of those that were verified
    /// longest ago (BACKUP_REVERIFY_DAYS).
    #[arg(long)]
    pub(crate) all: bool,
    /// With --all: verify again everything that has been verified already.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug, Default)]
pub(crate) struct CheckArgs {
    /// Leave out what the AWS stack has said of itself, as after its removal.
    #[arg(long)]
    pub(crate) no_stack: bool,
    /// Report UNHEALTHY when the last drill that passed is older than this, in whole hours or days, or the last one failed:
    /// `35d`. Default: BACKUP_MAX_DRILL_AGE.
    #[arg(long, value_name = "AGE", value_parser = |text: &str| (AGE.parse)(text))]
    pub(crate) max_drill_age: Option<u32>,
    /// Answer in the form of a monitoring system: figures for Prometheus or Influx, or a plugin's line and exit status (0 to 3)
    /// for Nagios, Icinga and Zabbix.
    #[arg(long, value_enum, value_name = "FORM", conflicts_with = "json")]
    pub(crate) format: Option<Format>,
    /// Write that to FILE, all at once, instead of stdout.
    #[arg(long, value_name = "FILE", requires = "format")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// How monitoring systems are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Prometheus,
    Nagios,
    Influx,
}

#[derive(Args, Debug)]
pub(crate) struct PruneArgs {
    /// Show the plan. Remove nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Carry out the plan even if it removes more than half of the good backups.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug)]
pub(crate) struct AdoptArgs {
    /// The backups' names, as `list` shows them.
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) ids: Vec<String>,
    /// Adopt every backup of the chosen databases that another tool made.
    #[arg(long)]
    pub(crate) all: bool,
    /// Show what would be read back and adopted. Read and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug)]
pub(crate) struct RetireArgs {
    /// The database's name, as `list` shows it.
    #[arg(value_name = "DATABASE")]
    pub(crate) database: String,
    /// Hides the global option: only one database can be retired at a time.
    #[arg(long, hide = true, conflicts_with = "database")]
    all_databases: bool,
    /// Do not ask for confirmation: answer yes.
    #[arg(long)]
    pub(crate) confirm: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug)]
pub(crate) struct ExpectArgs {
    /// The database's name.
    #[arg(value_name = "DATABASE")]
    pub(crate) database: String,
    /// Hides the global option: limits are one database's own.
    #[arg(long, hide = true, conflicts_with = "database")]
    all_databases: bool,
    /// Raise an alarm when the newest good backup is older than this, in whole hours or days: `2h`, `8d`.
    #[arg(long, value_name = "AGE", value_parser = |text: &str| (AGE.parse)(text))]
    pub(crate) max_age: Option<u32>,
    /// Raise an alarm when a good backup is smaller than this, such as `10MB`.
    #[arg(long, value_name = "SIZE", value_parser = |text: &str| (SIZE.parse)(text))]
    pub(crate) min_size: Option<u64>,
    /// Take the age's limit away: the AWS stack's, or the settings', applies again.
    #[arg(long, conflicts_with = "max_age")]
    pub(crate) no_max_age: bool,
    /// Take the size's limit away.
    #[arg(long, conflicts_with = "min_size")]
    pub(crate) no_min_size: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug)]
pub(crate) struct PolicyArgs {
    /// The databases' names.
    #[arg(value_name = "DATABASE", required = true)]
    pub(crate) databases: Vec<String>,
    /// Hides the global option: a policy for every database is the AWS stack's own.
    #[arg(long, hide = true, conflicts_with = "databases")]
    all_databases: bool,
    /// The AWS partition: `aws`, `aws-cn`, `aws-us-gov` or another. Default: that of the region.
    #[arg(long, value_name = "NAME", value_parser = partition)]
    pub(crate) partition: Option<String>,
    /// The ARN of the KMS key that the bucket encrypts with, for a stack with KmsKeyArn; repeat it for older keys, which only decrypt.
    #[arg(long, value_name = "ARN", value_parser = key)]
    pub(crate) kms_key: Vec<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}

fn key(text: &str) -> Result<String, String> {
    let is_key = text.starts_with("arn:") && text.contains(":kms:") && !text.contains(['*', '?', '"', ' ']);
    if is_key { Ok(text.to_owned()) } else { Err("expected a key's ARN: arn:aws:kms:REGION:ACCOUNT:key/ID".to_owned()) }
}

fn partition(text: &str) -> Result<String, String> {
    let is_name = text.starts_with("aws") && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if is_name { Ok(text.to_owned()) } else { Err("expected a partition such as aws or aws-cn".to_owned()) }
}

#[derive(Args, Debug, Default)]
pub(crate) struct CostArgs {
    /// Price backups of this size, such as `50MB` or `1.5GiB`, instead of those in the bucket. Sends no request to AWS.
    #[arg(long, value_name = "SIZE", value_parser = |text: &str| (SIZE.parse)(text))]
    pub(crate) size: Option<u64>,
    /// With --size: the number of backups per day of each database; 0.14 is one a week. Default: 1.
    #[arg(long, value_name = "N", requires = "size", value_parser = rate)]
    pub(crate) per_day: Option<f64>,
    /// Days until a backup is removed: the AWS stack's DeleteAfterDays. Default: BACKUP_S3_DELETE_DAYS.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_525))]
    pub(crate) days: Option<u32>,
    /// Days until an archive moves to Glacier: the AWS stack's GlacierDays; 0 means never.
    /// Default: BACKUP_S3_GLACIER_DAYS.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(..=36_525))]
    pub(crate) glacier_days: Option<u32>,
    /// With --size: the number of such databases. Default: 1.
    #[arg(long, value_name = "N", requires = "size", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) databases: Option<u32>,
    /// Price an AWS stack with Architecture=arm64.
    #[arg(long)]
    pub(crate) arm64: bool,
    /// Price an AWS stack with PagingTopicArn set, which adds a composite alarm.
    #[arg(long)]
    pub(crate) paging: bool,
    /// Price an AWS stack with DrillMaxAgeDays set, which adds a metric and an alarm.
    #[arg(long)]
    pub(crate) drills: bool,
    /// Price an AWS stack with PerDatabaseMetrics=true.
    #[arg(long)]
    pub(crate) per_database_metrics: bool,
}

/// One backup every half minute is more than enough, and leaves room for arithmetic.
fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=2_880.0).contains(&rate) => Ok(rate),
        _ => Err("expected a number from 0.001 to 2880".to_owned()),
    }
}

#[derive(Args, Debug)]
pub(crate) struct ConfigArgs {
    /// Show only the settings that were set, without defaults.
    #[arg(long)]
    pub(crate) set: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell to complete for.
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// Write a page for each command into FOLDER. Default: print the main page.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) directory: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct VersionArgs {}
