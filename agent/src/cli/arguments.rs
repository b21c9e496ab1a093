//! The arguments of each command. The doc comments are its help.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::settings::SIZE;

/// Which repository, where both a bucket and a directory are set.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Look in the bucket or in the directory. Default: the bucket where one is set.
    #[arg(long, value_name = "WHICH")]
    pub(crate) repository: Option<Which>,
}

/// One of the two places where backups lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    Bucket,
    Directory,
}

#[derive(Args, Debug)]
pub(crate) struct BackupArgs {
    /// Name the backup, such as `initial`, in place of its time.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Check access and say what would be done; write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Show at most so many backups of each database.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// The backup: its name as `list` shows it, or `latest` for the newest good one.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// The backup: its name as `list` shows it, `latest` for the newest one (good or not), or a file.
    #[arg(value_name = "ID|FILE", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) id: Option<String>,
    /// Every backup of the chosen databases that has no verdict yet.
    #[arg(long)]
    pub(crate) all: bool,
    /// With `--all`: read again what has a verdict already.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug)]
pub(crate) struct PruneArgs {
    /// Show the plan; remove nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Carry out a plan that would remove more than half of the good backups.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug)]
pub(crate) struct AdoptArgs {
    /// The backups, as `list` names them.
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) ids: Vec<String>,
    /// Every backup of the chosen databases that another tool made.
    #[arg(long)]
    pub(crate) all: bool,
    /// Say what would be read back and adopted; read and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug)]
pub(crate) struct RetireArgs {
    /// The database, as `list` names it.
    #[arg(value_name = "DATABASE")]
    pub(crate) database: String,
    /// In place of the global option, which can't be meant: one database is retired at a time.
    #[arg(long, hide = true, conflicts_with = "database")]
    all_databases: bool,
    /// Answer the question with yes beforehand.
    #[arg(long)]
    pub(crate) confirm: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug, Default)]
pub(crate) struct CostArgs {
    /// Price backups of this size, such as `50MB` or `1.5GiB`, and not the bucket's. Nothing is asked of AWS.
    #[arg(long, value_name = "SIZE", value_parser = |text: &str| (SIZE.parse)(text))]
    pub(crate) size: Option<u64>,
    /// With --size: so many backups a day of each database; 0.14 is one a week. Default: 1.
    #[arg(long, value_name = "N", requires = "size", value_parser = rate)]
    pub(crate) per_day: Option<f64>,
    /// Days until a backup is removed, as the stack's DeleteAfterDays has it. Default: BACKUP_S3_DELETE_DAYS.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_525))]
    pub(crate) days: Option<u32>,
    /// Days until an archive moves to Glacier, as the stack's GlacierDays has it; 0 is never. Default: BACKUP_S3_GLACIER_DAYS.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(..=36_525))]
    pub(crate) glacier_days: Option<u32>,
    /// With --size: so many databases alike. Default: 1.
    #[arg(long, value_name = "N", requires = "size", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) databases: Option<u32>,
    /// The stack has Architecture=arm64.
    #[arg(long)]
    pub(crate) arm64: bool,
    /// The stack has PagingTopicArn, and so a composite alarm.
    #[arg(long)]
    pub(crate) paging: bool,
    /// The stack has PerDatabaseMetrics=true.
    #[arg(long)]
    pub(crate) per_database_metrics: bool,
}

/// Every half minute is more than anybody's backups, and leaves room for arithmetic.
fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=2_880.0).contains(&rate) => Ok(rate),
        _ => Err("a number from 0.001 to 2880 is meant".to_owned()),
    }
}

#[derive(Args, Debug)]
pub(crate) struct RestoreArgs {
    /// The backup: its name as `list` shows it, or `latest` for the newest good one.
    #[arg(value_name = "ID", group = "from")]
    #[arg(required_unless_present_any = ["backup_file", "from_s3_latest", "from_s3", "list_s3", "drop_old"])]
    pub(crate) id: Option<String>,
    /// Restore a file, made by Lastgood or by `pg_dump --format=custom`.
    #[arg(long, value_name = "PATH", group = "from")]
    pub(crate) backup_file: Option<PathBuf>,
    /// Restore the newest good backup in the bucket.
    #[arg(long, group = "from")]
    pub(crate) from_s3_latest: bool,
    /// Restore the backup at s3://BUCKET/KEY.
    #[arg(long, value_name = "URL", group = "from")]
    pub(crate) from_s3: Option<String>,
    /// List the backups in the bucket; restore nothing.
    #[arg(long, group = "from")]
    pub(crate) list_s3: bool,
    /// Restore into this database, which is created, or is there and empty. Default: the one that is set.
    #[arg(long, value_name = "DATABASE")]
    pub(crate) into: Option<String>,
    /// With --into: restore the rows of this table alone, `NAME` or `SCHEMA.NAME`. Repeat it for several.
    #[arg(long, value_name = "TABLE", requires = "into")]
    pub(crate) table: Vec<String>,
    /// Fill the new database with so many jobs. More than one need room in TMPDIR (/var/tmp), at worst for the plain dump. Default: as many as pay.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64), conflicts_with = "in_place")]
    pub(crate) jobs: Option<u8>,
    /// Replace the content inside the living database, in one transaction, after a safety backup.
    #[arg(long, conflicts_with = "into")]
    pub(crate) in_place: bool,
    /// Check the backup and say what would be replaced; change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Answer the question with yes beforehand.
    #[arg(long)]
    pub(crate) confirm: bool,
    /// Make no safety backup before an in-place restore.
    #[arg(long)]
    pub(crate) skip_backup: bool,
    /// Run neither RESTORE_STOP_COMMAND nor RESTORE_START_COMMAND.
    #[arg(long)]
    pub(crate) skip_services: bool,
    /// Replace the database that is set with a backup of another one.
    #[arg(long)]
    pub(crate) force: bool,
    /// Restore in place with an old pg_restore too, which lets an archive run commands here: you know who made it.
    #[arg(long)]
    pub(crate) trust_archive: bool,
    /// Drop the old databases `NAME_before_TIMESTAMP` that earlier restores left; restore nothing.
    #[arg(long, conflicts_with_all = ["from", "into", "table", "in_place"])]
    pub(crate) drop_old: bool,
    /// Look in the bucket or in the directory alone. Default: in both, and where both have it good, the directory's is read.
    #[arg(long, value_name = "WHICH")]
    pub(crate) repository: Option<Which>,
}

#[derive(Args, Debug)]
pub(crate) struct ConfigArgs {
    /// Show the settings that were set; leave defaults out.
    #[arg(long)]
    pub(crate) set: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder. Default: print the main page.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) directory: Option<PathBuf>,
}
