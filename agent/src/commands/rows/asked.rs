//! What was asked for.

use crate::answers::failure::{Exit, Failure};
use crate::cli::{Condition, Name, RestoreArgs, RowsArgs};
use crate::commands::rows::output::Format;

/// What was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    /// Which backup, as a restore takes it.
    pub(super) which: RestoreArgs,
    pub(super) table: String,
    pub(super) conditions: Vec<Condition>,
    /// `None`: all.
    pub(super) columns: Option<Vec<Name>>,
    pub(super) limit: Option<u64>,
    pub(super) format: Format,
}

impl Asked {
    /// # Errors
    /// Exit 2 when two formats are asked for.
    pub(super) fn of(args: &RowsArgs, json: bool) -> Result<Self, Failure> {
        let format = match (json, args.csv, args.insert) {
            (false, _, false) => Format::Csv,
            (false, false, true) => Format::Insert,
            (true, false, false) => Format::Json,
            _ => {
                return Err(Failure::new(Exit::Usage, "rows are printed in one format")
                    .hint("give one of --csv, --json and --insert"));
            }
        };
        let by_name = args.backup_file.is_none() && args.from_s3.is_none();
        let which = RestoreArgs {
            id: by_name.then(|| args.id.clone()),
            backup_file: args.backup_file.clone(),
            from_s3: args.from_s3.clone(),
            repository: args.repository.clone(),
            ..RestoreArgs::default()
        };
        Ok(Self {
            which,
            table: args.table.clone(),
            conditions: args.conditions.clone(),
            columns: args.columns.clone().map(|list| list.0),
            limit: args.limit,
            format,
        })
    }
}
