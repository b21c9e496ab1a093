//! Before anything is stored the SQL is tried on the newest backup: its mistakes, and how many rows it takes, are known before the
//! question. One that can't be tried is named, and the next one is tried.

use std::collections::{BTreeMap, BTreeSet};

use catalog::BackupId;
use catalog::erasure::{ErasedTable, Fate, Row};
use catalog::words;
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::commands::erase::asked::Request;
use crate::commands::erase::outcome::{Done, One, Trial};

/// So many failures one after another say that the rest will fail as well: each costs a restore.
const MOST_FAILURES: usize = 3;

/// What would leave one backup.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tried {
    pub(super) backup: String,
    /// Whether it has the table at all.
    pub(super) has_table: bool,
    pub(super) tables: Vec<Counted>,
}

/// Rows of one table.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counted {
    pub(super) table: String,
    pub(super) before: u64,
    pub(super) left: u64,
    pub(super) came: u64,
}

/// What was found out about the newest backups.
#[derive(Clone, Debug, Default)]
pub(super) struct Trials {
    /// The newest in which the rows could be counted; `None` where there is none.
    pub(super) tried: Option<Tried>,
    /// Those in which nothing can be erased.
    pub(super) failed: BTreeMap<BackupId, Failure>,
    /// Those without such a table.
    lacking: BTreeSet<BackupId>,
    /// Too many failed: only what an earlier run has begun is finished.
    gave_up: bool,
}

impl From<&ErasedTable> for Counted {
    fn from(table: &ErasedTable) -> Self {
        let name = format!("{}.{}", table.schema, table.name);
        Self { table: name, before: table.before, left: table.left, came: table.came }
    }
}

impl Counted {
    /// `2 of 12 rows`, `1 of 12 rows changed`.
    pub(super) fn in_words(&self) -> String {
        let Self { table, before, left, came } = self;
        let rows = words::count(*before, "row");
        match (left, came) {
            (left, 0) => format!("{table}: {left} of {rows}"),
            (left, came) if left == came => format!("{table}: {left} of {rows} changed"),
            (0, came) => format!("{table}: {came} added to {rows}"),
            (left, came) => format!("{table}: {left} of {rows} removed or changed, {came} in their place"),
        }
    }
}

impl Trials {
    /// Tries the newest that is to be erased from, and where that can't be done the next ones.
    ///
    /// # Errors
    /// When none can be tried of three one after another, or of all, and an earlier run has left nothing to finish; exit 5 when none has
    /// the table.
    pub(super) async fn run(one: One<'_>, rows: &[Row<'_>]) -> Result<Self, Failure> {
        let has_more = rows.iter().any(|row| matches!(row.fate, Fate::Clear | Fate::Finish { .. }));
        let mut trials = Self::default();
        let mut in_a_row = 0;
        let is_open = |row: &&Row<'_>| row.fate == Fate::Erase && one.is_made_by_it(row.entry).is_none();
        for row in rows.iter().filter(is_open) {
            let id = &row.entry.id;
            tracing::info!("trying the SQL on {id}");
            match one.try_out(row.entry).await {
                Ok(Trial::NoTable) => {
                    trials.lacking.insert(id.clone());
                    continue;
                }
                Ok(Trial::Found(tables)) => trials.tried = Some(Tried::new(id, &tables)),
                Ok(Trial::NoRows) => trials.tried = Some(Tried::new(id, &[])),
                Err(failure) if one.interrupt.seen().is_some() => return Err(failure),
                Err(failure) => {
                    tracing::warn!("{id} cannot be erased from: {}", failure.error);
                    trials.failed.insert(id.clone(), failure);
                    in_a_row += 1;
                    if in_a_row < MOST_FAILURES {
                        continue;
                    }
                    trials.gave_up = true;
                    return if has_more { Ok(trials) } else { Err(trials.refused(rows)) };
                }
            }
            return Ok(trials);
        }
        match (trials.failed.is_empty(), trials.lacking.is_empty()) {
            (true, false) if !has_more => Err(nowhere(one.request)),
            (false, true) if !has_more => Err(trials.refused(rows)),
            (_, true) => Ok(trials),
            (_, false) => {
                trials.tried = trials.lacking.last().map(Tried::lacking);
                Ok(trials)
            }
        }
    }

    /// What is known by now of this one, without another look.
    pub(super) fn known(&self, id: &BackupId) -> Option<Result<Done, Failure>> {
        match self.failed.get(id) {
            Some(failure) => Some(Err(failure.clone())),
            None => self.lacking.contains(id).then_some(Ok(Done::Clean { has_table: false })),
        }
    }

    /// Why this one isn't tried any more.
    pub(super) fn not_tried(&self, one: One<'_>, row: &Row<'_>) -> Option<String> {
        let is_open = self.gave_up && row.fate == Fate::Erase && one.is_made_by_it(row.entry).is_none();
        is_open.then(|| format!("not tried, because {MOST_FAILURES} newer ones failed one after another"))
    }

    /// All of them, newest first, with the first one's exit status and hint.
    fn refused(&self, rows: &[Row<'_>]) -> Failure {
        let failed = || rows.iter().filter_map(|row| Some((&row.entry.id, self.failed.get(&row.entry.id)?)));
        let said: Vec<String> = failed().map(|(id, failure)| format!("{id}: {}", failure.error)).collect();
        let first = failed().next().map(|(_, failure)| failure.clone());
        let failure = Failure::new(first.as_ref().map_or(Exit::Failed, |first| first.exit), said.join("; "));
        let hint = first.and_then(|first| first.hint).unwrap_or_else(|| "erase again".to_owned());
        match said.len() {
            0 | 1 => failure.hint(hint),
            _ => failure.hint(format!("{hint}; to go on without these, name the other backups alone")),
        }
    }
}

impl Tried {
    fn new(id: &BackupId, tables: &[ErasedTable]) -> Self {
        Self { backup: id.to_string(), has_table: true, tables: tables.iter().map(Counted::from).collect() }
    }

    fn lacking(id: &BackupId) -> Self {
        Self { backup: id.to_string(), has_table: false, tables: Vec::new() }
    }
}

fn nowhere(request: &Request) -> Failure {
    let table = request.asked.table.as_deref().unwrap_or_default();
    Failure::new(Exit::NotFound, format!("none of these backups has a table {table}"))
        .hint("see the tables of one: lastgood show ID")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_as_what_became_of_them() {
        let said = |left, came| Counted { table: "public.t".to_owned(), before: 12, left, came }.in_words();
        assert_eq!(said(2, 0), "public.t: 2 of 12 rows");
        assert_eq!(said(1, 1), "public.t: 1 of 12 rows changed");
        assert_eq!(said(3, 2), "public.t: 3 of 12 rows removed or changed, 2 in their place");
        assert_eq!(said(0, 2), "public.t: 2 added to 12 rows");
    }
}
