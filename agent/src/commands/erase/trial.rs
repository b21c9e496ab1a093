//! Before anything is stored the SQL is tried on the newest backup: its mistakes, and how many rows it takes, are known before the
//! question.

use catalog::erasure::{ErasedTable, Fate, Row};
use catalog::words;
use serde::Serialize;

use crate::answers::failure::Failure;
use crate::commands::erase::asked::Request;
use crate::commands::erase::facts::Ground;
use crate::commands::erase::outcome::{One, Trial};
use crate::interrupt::Interrupt;
use crate::settings::Settings;

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
            (left, came) => format!("{table}: {left} of {rows}, and {came} come"),
        }
    }
}

/// Tries it on the newest that can be restored; `None` where none is to be.
///
/// # Errors
/// When it can't be restored, or the server refuses the SQL.
pub(super) async fn on_the_newest(
    ground: &Ground,
    rows: &[Row<'_>],
    request: &Request,
    settings: &Settings,
    interrupt: &Interrupt,
) -> Result<Option<Tried>, Failure> {
    let Some(newest) = rows.iter().find(|row| row.fate == Fate::Erase) else { return Ok(None) };
    tracing::info!("trying the SQL on {}", newest.entry.id);
    let trial = One { ground, request, settings, interrupt }.try_out(newest.entry).await?;
    let (has_table, tables) = match &trial {
        Trial::Found(tables) => (true, tables.as_slice()),
        Trial::NoRows => (true, &[][..]),
        Trial::NoTable => (false, &[][..]),
    };
    Ok(Some(Tried {
        backup: newest.entry.id.to_string(),
        has_table,
        tables: tables.iter().map(Counted::from).collect(),
    }))
}
