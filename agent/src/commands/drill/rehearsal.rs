//! What a drill would do: the answer of `--dry-run`.

use std::fmt;

use catalog::drill::ServerKind;
use catalog::words;
use serde::Serialize;

use crate::commands::drill::room::Room;
use crate::commands::restore::backup::Backup;
use crate::commands::restore::job::Job;

/// A drill that was only looked at.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rehearsal {
    backup: String,
    server: ServerKind,
    place: String,
    /// PostgreSQL's version there.
    version: Option<String>,
    /// `None`: known when the server has been started.
    scratch_database: Option<String>,
    /// Bytes; `None` where that can't be known.
    needed_bytes: Option<u64>,
    free_bytes: Option<u64>,
    warnings: Vec<String>,
}

impl Rehearsal {
    pub(super) fn new(backup: &Backup, server: ServerKind, place: String) -> Self {
        Self {
            backup: backup.name.clone(),
            server,
            place,
            version: None,
            scratch_database: None,
            needed_bytes: None,
            free_bytes: None,
            warnings: Vec::new(),
        }
    }

    /// On a server of this version, with this room.
    pub(super) fn of(self, version: Option<String>, room: Option<Room>) -> Self {
        let (needed_bytes, free_bytes) = (room.map(|room| room.needed), room.map(|room| room.free));
        Self { version, needed_bytes, free_bytes, ..self }
    }

    /// By this plan.
    pub(super) fn planned(self, job: &Job) -> Self {
        let scratch_database = Some(job.facts.target.name.clone());
        Self { scratch_database, warnings: job.plan.warnings.clone(), ..self }
    }
}

impl fmt::Display for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scratch = self.scratch_database.as_ref().map_or_else(String::new, |name| format!(" as {name}"));
        let version = self.version.as_ref().map_or_else(String::new, |version| format!(" (PostgreSQL {version})"));
        writeln!(f, "would restore {} on {}{version}{scratch}, compare it and drop it", self.backup, self.place)?;
        if let (Some(needed), Some(free)) = (self.needed_bytes, self.free_bytes) {
            writeln!(f, "room     {} needed, {} free", words::size(needed), words::size(free))?;
        }
        self.warnings.iter().try_for_each(|warning| writeln!(f, "warning  {warning}"))?;
        writeln!(f, "nothing was changed (--dry-run)")
    }
}
