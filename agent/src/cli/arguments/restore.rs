//! The arguments of `restore`, and of `drill`, which restores too.

use std::path::PathBuf;

use catalog::glacier::Retrieval;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use postgres::words::needs::Locale;

use super::{Which, which};

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
    /// Look only in this place: `bucket`, `directory`, the bucket's number (1 to 4), or the place's address. Default: in the
    /// directory and the first bucket; if both have a good copy, the directory's is read.
    #[arg(long, value_name = "WHICH", value_parser = which)]
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
    /// Restore every row, and go on behind a constraint, index or view that the rows do not let be made: what does not hold is put back as NOT
    /// VALID, and all of it is named at the end.
    #[arg(long, conflicts_with_all = ["in_place", "data_only", "jobs"])]
    pub(crate) keep_going: bool,
    /// Leave out this extension, which the server cannot have. What needs it makes the restore fail. Repeat the option for several.
    #[arg(long, value_name = "NAME", conflicts_with = "data_only")]
    pub(crate) without_extension: Vec<String>,
    /// Drop the old databases `NAME_before_TIMESTAMP` that earlier restores left behind. Restore nothing.
    #[arg(long, conflicts_with_all = ["from", "into", "table", "schema", "schema_only", "data_only", "in_place", "create_roles", "locale", "tablespace_map", "keep_going", "without_extension"])]
    pub(crate) drop_old: bool,
    /// Undo a restore by swap: the old database `NAME_before_TIMESTAMP`, by default the newest one, gets its name back, and the
    /// restored one is kept in its place. Restore nothing.
    #[arg(long, value_name = "OLD_NAME", conflicts_with_all = ["from", "into", "table", "schema", "schema_only", "data_only", "in_place", "create_roles", "locale", "tablespace_map", "keep_going", "without_extension", "drop_old"])]
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
    /// Look only in this place: `bucket`, `directory`, the bucket's number (1 to 4), or the place's address. Default: in the
    /// directory and the first bucket; if both have a good copy, the directory's is read.
    #[arg(long, value_name = "WHICH", value_parser = which)]
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
    let (old, new) = ::archive::quoted_name(text)
        .and_then(|(old, rest)| Some((old, rest.strip_prefix('=')?)))
        .or_else(|| text.split_once('=').map(|(old, new)| (old.to_owned(), new)))
        .filter(|(old, _)| !old.is_empty())
        .ok_or("expected OLD=NEW, or OLD=")?;
    let unquoted = ::archive::quoted_name(new).filter(|(_, rest)| rest.is_empty());
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
