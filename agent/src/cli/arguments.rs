//! The arguments of each command. The doc comments are its help.

mod diff;

use std::path::PathBuf;

use catalog::glacier::Retrieval;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use postgres::words::needs::Locale;

pub(crate) use self::diff::{AcceptArgs, DiffArgs};
use crate::settings::{AGE, SIZE};

/// Which repository to look in, for settings with both a bucket and a directory.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Look in the bucket or in the directory. Default: the bucket if one is set.
    #[arg(long, value_name = "WHICH")]
    pub(crate) repository: Option<Which>,
}

/// One of the two places that hold backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    Bucket,
    Directory,
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

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// Leave out what the AWS stack has said of itself, as after its removal.
    #[arg(long)]
    pub(crate) no_stack: bool,
    /// Report UNHEALTHY when the last drill that passed is older than this, in whole hours or days, or the last one failed:
    /// `35d`. Default: BACKUP_MAX_DRILL_AGE.
    #[arg(long, value_name = "AGE", value_parser = |text: &str| (AGE.parse)(text))]
    pub(crate) max_drill_age: Option<u32>,
    #[command(flatten)]
    pub(crate) place: Place,
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
pub(crate) struct DrillArgs {
    /// The backup: its name as `list` shows it, or `latest` for the newest good one; `latest~1` is the good one before it. Default: latest.
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Restore onto this server instead of the one that the settings name. The URL may not contain a password: set PGPASSWORD,
    /// ~/.pgpass or BACKUP_DRILL_SERVER.
    #[arg(long, value_name = "URL", conflicts_with = "temporary_server")]
    pub(crate) server: Option<String>,
    /// Restore onto a private server, which is started from the installed PostgreSQL and removed afterwards. It needs disk space in TMPDIR
    /// (default /var/tmp).
    #[arg(long)]
    pub(crate) temporary_server: bool,
    /// Number of parallel jobs. Default: chosen by the archive's size and the number of cores.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) jobs: Option<u8>,
    /// Give the backup's functions a search_path until their rows, indexes and views are restored, as `restore` does.
    #[arg(long)]
    pub(crate) search_path_fix: bool,
    /// Show what would be restored where, and whether there is room. Change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// For an archive in Glacier: do not ask for confirmation before it is brought back, which may cost: answer yes.
    #[arg(long)]
    pub(crate) confirm: bool,
    /// For an archive in Glacier: how fast it is brought back. Each takes its time and has its price.
    #[arg(long, value_name = "TIER", default_value = "standard", value_parser = retrieval())]
    pub(crate) retrieval: Retrieval,
    /// For an archive in Glacier: wait until it is back, hours later, and drill it then.
    #[arg(long)]
    pub(crate) wait: bool,
    /// For an archive that was brought back from Glacier: go on with its drill. Ask S3 for nothing that costs.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Look only in the bucket or only in the directory. Default: in both; if both have a good copy, the directory's is
    /// read.
    #[arg(long, value_name = "WHICH")]
    pub(crate) repository: Option<Which>,
}

#[derive(Args, Debug, Default)]
pub(crate) struct RestoreArgs {
    /// The backup: its name as `list` shows it, or `latest` for the newest good one; `latest~1` is the good one before it.
    #[arg(value_name = "ID", group = "from")]
    #[arg(required_unless_present_any = ["backup_file", "from_s3_latest", "from_s3", "list_s3", "drop_old", "undo"])]
    pub(crate) id: Option<String>,
    /// Restore a file that Lastgood or pg_dump made, in any format, or a folder of `pg_dump --format=directory`.
    #[arg(long, value_name = "PATH", group = "from")]
    pub(crate) backup_file: Option<PathBuf>,
    /// Restore the newest good backup in the bucket.
    #[arg(long, group = "from")]
    pub(crate) from_s3_latest: bool,
    /// Restore the backup at s3://BUCKET/KEY.
    #[arg(long, value_name = "URL", group = "from")]
    pub(crate) from_s3: Option<String>,
    /// List the backups in the bucket. Restore nothing.
    #[arg(long, group = "from")]
    pub(crate) list_s3: bool,
    /// Restore into this database. It is created if missing, and must be empty otherwise.
    /// Default: the database of the settings.
    #[arg(long, value_name = "DATABASE", group = "harmless")]
    pub(crate) into: Option<String>,
    /// With --into or --data-only: restore only the rows of this table, `NAME` or `SCHEMA.NAME`, or of those that a pattern of psql matches, such
    /// as `log_*`. Repeat the option for several tables.
    #[arg(long, value_name = "TABLE", requires = "harmless")]
    pub(crate) table: Vec<String>,
    /// With --into or --data-only: restore only the rows of the tables in this schema. Repeat the option for several schemas. With --table:
    /// look for the tables only in these schemas.
    #[arg(long, value_name = "SCHEMA", requires = "harmless")]
    pub(crate) schema: Vec<String>,
    /// With --into: restore only the definitions, and no rows.
    #[arg(long, requires = "into", conflicts_with_all = ["table", "schema"])]
    pub(crate) schema_only: bool,
    /// Restore only rows, into the live database's own tables, in one transaction. The tables must be there, and empty.
    #[arg(long, group = "harmless")]
    pub(crate) data_only: bool,
    /// Number of parallel jobs. More than one needs disk space in TMPDIR (default /var/tmp), at most the size of the
    /// uncompressed dump. Default: chosen by the archive's size and the number of cores.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64), conflicts_with_all = ["in_place", "data_only"])]
    pub(crate) jobs: Option<u8>,
    /// Replace the content of the live database, in one transaction, after a safety backup.
    #[arg(long, conflicts_with = "into")]
    pub(crate) in_place: bool,
    /// Check the backup and show what would be replaced. Change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask for confirmation: answer yes.
    #[arg(long)]
    pub(crate) confirm: bool,
    /// Skip the safety backup before an in-place restore.
    #[arg(long)]
    pub(crate) skip_backup: bool,
    /// Do not run RESTORE_STOP_COMMAND and RESTORE_START_COMMAND.
    #[arg(long)]
    pub(crate) skip_services: bool,
    /// Do not run the checks of RESTORE_CHECKS.
    #[arg(long)]
    pub(crate) skip_checks: bool,
    /// Allow replacing the database with a backup of a different one.
    #[arg(long)]
    pub(crate) force: bool,
    /// Allow an in-place restore with an old pg_restore, which lets an archive run commands on this machine. Use it only for
    /// an archive that you trust.
    #[arg(long)]
    pub(crate) trust_archive: bool,
    /// Create the roles that the backup names and this server lacks, with the attributes, memberships and settings that were
    /// stored with it. They cannot log in before you give them a password.
    #[arg(long)]
    pub(crate) create_roles: bool,
    /// Create the database with this locale instead of its own, which this server may lack: `C`, `de_DE.utf8`, `icu:de-DE`,
    /// `builtin:C.UTF-8`. Its character set stays; texts are sorted otherwise.
    #[arg(long, value_name = "LOCALE", value_parser = locale)]
    pub(crate) locale: Option<Locale>,
    /// Put what was in the tablespace OLD into NEW; without NEW, into that of the database. Repeat the option for several
    /// tablespaces; a name with `=` goes into double quotes. Default: into OLD if it is there, otherwise into that of the database.
    #[arg(long, value_name = "OLD=NEW", value_parser = renamed)]
    pub(crate) tablespace_map: Vec<(String, String)>,
    /// Give the backup's functions a search_path until their rows, indexes and views are restored. For functions that name
    /// tables or functions without a schema, and are called by a CHECK, an index or the like.
    #[arg(long, conflicts_with = "data_only")]
    pub(crate) search_path_fix: bool,
    /// Drop the old databases `NAME_before_TIMESTAMP` that earlier restores left behind. Restore nothing.
    #[arg(long, conflicts_with_all = ["from", "into", "table", "schema", "schema_only", "data_only", "in_place", "create_roles", "locale", "tablespace_map"])]
    pub(crate) drop_old: bool,
    /// Undo a restore by swap: the old database `NAME_before_TIMESTAMP`, by default the newest one, gets its name back, and the
    /// restored one is kept in its place. Restore nothing.
    #[arg(long, value_name = "OLD_NAME", conflicts_with_all = ["from", "into", "table", "schema", "schema_only", "data_only", "in_place", "create_roles", "locale", "tablespace_map", "drop_old"])]
    pub(crate) undo: Option<Option<String>>,
    /// For an archive in Glacier: how fast it is brought back. Each takes its time and has its price; the plan names both.
    #[arg(long, value_name = "TIER", default_value = "standard", value_parser = retrieval())]
    pub(crate) retrieval: Retrieval,
    /// For an archive in Glacier: wait until it is back, hours later, and restore it then.
    #[arg(long)]
    pub(crate) wait: bool,
    /// For an archive that was brought back from Glacier: go on with its restore. Ask S3 for nothing that costs.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Look only in the bucket or only in the directory. Default: in both; if both have a good copy, the directory's is
    /// read.
    #[arg(long, value_name = "WHICH")]
    pub(crate) repository: Option<Which>,
}

impl RestoreArgs {
    /// The database that comes of it will lack most of what the backup has.
    pub(crate) fn leaves_gaps(&self) -> bool {
        !self.data_only && (self.schema_only || !self.table.is_empty() || !self.schema.is_empty())
    }
}

fn retrieval() -> impl TypedValueParser<Value = Retrieval> {
    PossibleValuesParser::new(Retrieval::ALL.map(Retrieval::name)).try_map(|name| name.parse())
}

fn locale(text: &str) -> Result<Locale, String> {
    postgres::database::locales::parse(text)
}

/// Names of tablespaces may hold anything but, before it, the sign between them.
fn renamed(text: &str) -> Result<(String, String), String> {
    let (old, new) = postgres::words::pattern::name(text)
        .and_then(|(old, rest)| Some((old, rest.strip_prefix('=')?)))
        .or_else(|| text.split_once('=').map(|(old, new)| (old.to_owned(), new)))
        .filter(|(old, _)| !old.is_empty())
        .ok_or("expected OLD=NEW, or OLD=")?;
    let unquoted = postgres::words::pattern::name(new).filter(|(_, rest)| rest.is_empty());
    Ok((old, unquoted.map_or_else(|| new.to_owned(), |(new, _)| new)))
}

#[cfg(test)]
mod tests {
    use super::renamed;

    #[test]
    fn tablespaces_are_named_plainly_or_in_quotes() {
        let read = |text: &str| renamed(text).unwrap();
        let pair = |old: &str, new: &str| (old.to_owned(), new.to_owned());
        assert_eq!(read("fast=ssd"), pair("fast", "ssd"));
        assert_eq!(read("fast="), pair("fast", ""));
        assert_eq!(read("\"a=b\"=c"), pair("a=b", "c"));
        assert_eq!(read("\"we\"\"ird=\"=\"x = \"\"y\""), pair("we\"ird=", "x = \"y"));
        assert_eq!(read("\"a=b\"="), pair("a=b", ""));
        assert_eq!(read("a=b=c"), pair("a", "b=c"));
        assert_eq!(read("\"odd=x"), pair("\"odd", "x"), "a name that begins with a quote, as it was");
        for wrong in ["", "fast", "=x", "\"a=b\""] {
            assert!(renamed(wrong).is_err() || wrong.starts_with('"'), "{wrong}");
        }
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
