//! What `prune` answers.

use std::fmt;

use catalog::retention::Row as Planned;
use catalog::words;
use catalog::{Entry, Plan, State};
use jiff::Timestamp;
use repository::{Removal, Repository};
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::answers::table::{Column, Table};

/// `lastgood prune --json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PruneAnswer {
    repository: String,
    pub(super) dry_run: bool,
    databases: Vec<Pruned>,
}

/// One database's plan, and what became of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pruned {
    database: String,
    /// Why nothing may be removed; null when the plan is accepted.
    refused: Option<Refused>,
    /// Number of backups removed; with a dry run, that would be removed.
    removed: usize,
    /// The bytes of the removed archives.
    removed_bytes: u64,
    kept: usize,
    plan: Vec<PlanLine>,
}

#[derive(Serialize)]
struct Refused {
    error: String,
    hint: String,
}

/// One backup, newest first.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlanLine {
    id: String,
    #[serde(skip)]
    name: String,
    state: State,
    #[serde(skip)]
    status: String,
    size: u64,
    age_seconds: i64,
    /// A clock was wrong, or is: nothing tells how old it is.
    in_the_future: bool,
    decision: Decision,
    reason: String,
    /// Why it was not removed although the plan said so; null otherwise.
    stayed: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Keep,
    Remove,
}

impl PruneAnswer {
    pub(super) fn new(repository: &Repository, dry_run: bool, databases: Vec<Pruned>) -> Self {
        Self { repository: repository.display_name(), dry_run, databases }
    }

    /// Whether no database was come to.
    pub(super) fn is_empty(&self) -> bool {
        self.databases.is_empty()
    }

    pub(super) fn exit(&self) -> Exit {
        if self.failures().next().is_some() { Exit::Failed } else { Exit::Done }
    }

    /// Plans that were refused, and backups that could not be removed.
    pub(super) fn failures(&self) -> impl Iterator<Item = Failure> {
        self.databases.iter().filter_map(Pruned::failure)
    }
}

impl Pruned {
    /// `removal`: what was done; `None`: nothing was to be done yet.
    pub(super) fn new(database: &str, plan: &Plan<'_>, removal: Option<&Removal>, now: Timestamp) -> Self {
        let rows: Vec<PlanLine> = plan.rows.iter().map(|row| PlanLine::new(row, plan, removal, now)).collect();
        let goes = |row: &&PlanLine| plan.refused.is_none() && row.decision == Decision::Remove && row.stayed.is_none();
        let removed = rows.iter().filter(goes).count();
        Self {
            database: database.to_owned(),
            refused: plan
                .refused
                .as_ref()
                .map(|refusal| Refused { error: refusal.to_string(), hint: refusal.hint().to_owned() }),
            removed,
            removed_bytes: rows.iter().filter(goes).map(|row| row.size).sum(),
            kept: rows.len() - removed,
            plan: rows,
        }
    }

    fn failure(&self) -> Option<Failure> {
        if let Some(Refused { error, hint }) = &self.refused {
            return Some(Failure::new(Exit::Failed, format!("{}: {error}", self.database)).hint(hint));
        }
        let name = self.plan.iter().find(|row| row.stayed.is_some()).map(|row| &row.name)?;
        let why = words::first_of(self.plan.iter().filter_map(|row| row.stayed.as_ref()), 1, ", ");
        Some(
            Failure::new(Exit::Failed, format!("{}: cannot remove {name}: {why}", self.database))
                .hint("fix the cause, then prune again; the others were removed as planned"),
        )
    }
}

impl PlanLine {
    fn new(row: &Planned<'_>, plan: &Plan<'_>, removal: Option<&Removal>, now: Timestamp) -> Self {
        let entry = row.entry;
        let was_to_go = row.is_removed() && plan.refused.is_none();
        Self {
            id: entry.id.to_string(),
            name: entry.name(),
            state: entry.state,
            status: entry.status(now),
            size: entry.size(),
            age_seconds: entry.age(now).as_secs(),
            in_the_future: entry.is_in_the_future(now),
            decision: if row.is_removed() { Decision::Remove } else { Decision::Keep },
            reason: row.reason(),
            stayed: removal.filter(|_| was_to_go).and_then(|removal| stayed(entry, removal)),
        }
    }
}

/// Why a backup was not removed, or only in part, although the plan said so.
fn stayed(entry: &Entry, removal: &Removal) -> Option<String> {
    let is_of = |key: &String| entry.removal().any(|object| object.key == *key);
    if removal.locked.iter().any(is_of) {
        Some("an object lock protects it until the lock ends".to_owned())
    } else if removal.changed.iter().any(is_of) {
        Some("it has changed since it was listed".to_owned())
    } else {
        let failed = removal.failed.iter().find(|(key, _)| is_of(key)).map(|(_, why)| why.clone());
        failed.or_else(|| {
            removal.held_back.iter().any(is_of).then(|| "another file of it could not be removed".to_owned())
        })
    }
}

impl fmt::Display for PruneAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.repository)?;
        if self.databases.iter().all(|database| database.plan.is_empty()) {
            return writeln!(f, "\nThere are no backups to choose from.");
        }
        for database in &self.databases {
            writeln!(f, "\n{}: {}", database.database, database.summary(self.dry_run))?;
            database.table().fmt(f)?;
        }
        Ok(())
    }
}

impl Pruned {
    fn summary(&self, dry_run: bool) -> String {
        let kept = words::count(self.kept as u64, "backup");
        let (removed, bytes) = (words::count(self.removed as u64, "backup"), words::size(self.removed_bytes));
        match (&self.refused, self.removed, dry_run) {
            (Some(refused), ..) => format!("NOTHING IS REMOVED: {}", refused.error),
            (None, 0, _) => format!("nothing to remove, {kept} kept"),
            (None, _, true) => format!("{removed} would be removed ({bytes}), {kept} kept"),
            (None, _, false) => format!("{removed} removed ({bytes}), {kept} kept"),
        }
    }

    fn table(&self) -> Table<6> {
        let mut table = Table::new([
            Column::Left(""),
            Column::Left("BACKUP"),
            Column::Left("STATE"),
            Column::Right("AGE"),
            Column::Right("SIZE"),
            Column::Left("WHY"),
        ]);
        for row in &self.plan {
            let decision = if row.decision == Decision::Remove { "remove" } else { "keep" };
            let age = words::short_age(jiff::SignedDuration::from_secs(row.age_seconds));
            let why = match &row.stayed {
                Some(stayed) => format!("STAYED: {stayed}; {}", row.reason),
                None => row.reason.clone(),
            };
            let (name, state, size) = (row.name.clone(), row.status.clone(), words::size(row.size));
            table.row([decision.to_owned(), name, state, age, size, why]);
        }
        table
    }
}
