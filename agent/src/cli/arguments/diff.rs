//! The arguments of `diff`, and of `accept`, which is what follows from it.

use clap::Args;

use super::Place;

#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    /// The first backup: its name as `list` shows it, or `latest` for the newest good one; `latest~1` is the good one before it.
    #[arg(value_name = "ID1")]
    pub(crate) first: String,
    /// The second backup, usually the newer one.
    #[arg(value_name = "ID2")]
    pub(crate) second: String,
    /// Show the rows that differ, of all tables that do. Reads both archives to the last of these tables, and needs disk space in
    /// TMPDIR (default /var/tmp) for their rows.
    #[arg(long)]
    pub(crate) rows: bool,
    /// With --rows: show only the rows of this table, `NAME` or `SCHEMA.NAME`, or of those that a pattern with `*` and `?` stands for. Of a
    /// partitioned table its partitions are compared. Repeat the option for several tables.
    #[arg(long, value_name = "TABLE", requires = "rows")]
    pub(crate) table: Vec<String>,
    /// With --rows: show at most N rows of each table. All are counted.
    #[arg(long, value_name = "N", requires = "rows")]
    pub(crate) limit: Option<u64>,
    /// Exit with 6 if anything differs. Default: 0, whether or not.
    #[arg(long)]
    pub(crate) exit_code: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args, Debug)]
pub(crate) struct AcceptArgs {
    /// The backups' names, as `list` shows them, or `latest`.
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}
