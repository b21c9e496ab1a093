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
    /// `None`: known when the server has been started.
    scratch_database: Option<String>,
    /// Bytes; `None` where that can't be known.
    needed_bytes: Option<u64>,
    free_bytes: Option<u64>,
    warnings: Vec<String>,
}

impl Rehearsal {
    pub(super) fn new(
        backup: &Backup,
        server: ServerKind,
        place: String,
        planned: Option<(&Job, Option<Room>)>,
    ) -> Self {
        let room = planned.and_then(|(_, room)| room);
        let job = planned.map(|(job, _)| job);
        Self {
            backup: backup.name.clone(),
            server,
            place,
            scratch_database: job.map(|job| job.facts.target.name.clone()),
            needed_bytes: room.map(|room| room.needed),
            free_bytes: room.map(|room| room.free),
            warnings: job.map(|job| job.plan.warnings.clone()).unwrap_or_default(),
        }
    }
}

impl fmt::Display for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scratch = self.scratch_database.as_ref().map_or_else(String::new, |name| format!(" as {name}"));
        writeln!(f, "would restore {} on {}{scratch}, compare it and drop it", self.backup, self.place)?;
        if let (Some(needed), Some(free)) = (self.needed_bytes, self.free_bytes) {
            writeln!(f, "room     {} needed, {} free", words::size(needed), words::size(free))?;
        }
        self.warnings.iter().try_for_each(|warning| writeln!(f, "warning  {warning}"))?;
        writeln!(f, "nothing was changed (--dry-run)")
    }
}
