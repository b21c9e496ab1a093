//! What a restore did, and the way back.

use std::fmt;

use catalog::words;
use jiff::Timestamp;
use serde::Serialize;

use crate::commands::restore::job::{Job, Restored};
use crate::commands::restore::plan::Mode;
use crate::postgres::psql::identifier;

/// A restore that is done.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outcome {
    backup: String,
    from: String,
    database: String,
    mode: Mode,
    /// The old database's name, by swap.
    old_database: Option<String>,
    /// The safety backup's name, in place.
    safety_backup: Option<String>,
    tables: usize,
    rows: u64,
    dumped_bytes: u64,
    seconds: f64,
    warnings: Vec<String>,
}

impl Outcome {
    pub(crate) fn new(job: &Job, restored: &Restored, safety_backup: Option<String>, now: Timestamp) -> Self {
        Self {
            backup: job.chosen.name.clone(),
            from: job.chosen.place.clone(),
            database: job.target.name.clone(),
            mode: job.plan.mode,
            old_database: job.plan.old_name.clone(),
            safety_backup,
            tables: restored.census.tables.len(),
            rows: restored.census.rows(),
            dumped_bytes: restored.dumped,
            seconds: now.duration_since(job.started).as_secs_f64(),
            warnings: job.plan.warnings.clone(),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "restored {} from {}: {}, {}, {} in {:.1} s, all checked",
            self.database,
            self.backup,
            words::count(self.tables as u64, "table"),
            words::count(self.rows, "row"),
            words::size(self.dumped_bytes),
            self.seconds
        )?;
        if let Some(old) = &self.old_database {
            let (name, old_name) = (identifier(&self.database), identifier(old));
            let aside = identifier(&format!("{}_restored", self.database.chars().take(50).collect::<String>()));
            writeln!(f, "the old database stays as {old}; to go back, with nobody connected:")?;
            writeln!(f, "  ALTER DATABASE {name} RENAME TO {aside};")?;
            writeln!(f, "  ALTER DATABASE {old_name} RENAME TO {name};")?;
            writeln!(
                f,
                "to drop it when all is well: lastgood restore --drop-old --database {}",
                words::shell_word(&self.database)
            )?;
        }
        if let Some(safety) = &self.safety_backup {
            writeln!(f, "to go back: lastgood restore {safety}")?;
        }
        Ok(())
    }
}
