//! The arguments of `erase`. The doc comments are its help.

use std::path::PathBuf;

use clap::Args;
use postgres::Secret;

use super::Place;

#[derive(Args, Debug)]
pub(crate) struct EraseArgs {
    /// The backups: their names as `list` shows them.
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) ids: Vec<String>,
    /// Erase from every backup of the database.
    #[arg(long)]
    pub(crate) all: bool,
    /// Execute the SQL in FILE (`-` for stdin): statements that delete or change rows.
    #[arg(long, value_name = "FILE", required_unless_present = "table", conflicts_with_all = ["table", "conditions"])]
    pub(crate) sql: Option<PathBuf>,
    /// Delete rows of this table, `NAME` or `SCHEMA.NAME`, and what hangs on them by ON DELETE CASCADE.
    #[arg(long, value_name = "TABLE", requires = "conditions")]
    pub(crate) table: Option<String>,
    /// With --table: delete the rows whose column has this value: `COLUMN=VALUE`, `COLUMN is null` or `COLUMN is not null`. Repeat the
    /// option for rows for which all of them hold. Other users of this machine may see a command line: --sql shows no value.
    #[arg(long = "where", value_name = "CONDITION", id = "conditions", requires = "table", value_parser = secret)]
    pub(crate) conditions: Vec<Secret>,
    /// Show the plan, and count the rows in the newest backup that can be tried. Store and remove nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask for confirmation: answer yes.
    #[arg(long)]
    pub(crate) confirm: bool,
    /// Go on with an erasure that ended with this salt: what it has erased is not looked at again.
    #[arg(long, value_name = "SALT")]
    pub(crate) salt: Option<String>,
    /// Write the certificate into FILE as well, after each backup.
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
}

fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}
