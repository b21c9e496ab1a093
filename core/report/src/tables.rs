//! Which tables grow.

use std::collections::HashMap;

use archive::Census;
use catalog::Manifest;
use jiff::Timestamp;

use crate::data::Growing;

/// How many are named.
const NAMED: usize = 8;

/// Rows of each table, as one manifest counts them.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    made: Timestamp,
    rows: HashMap<(String, String), u64>,
}

impl Tables {
    pub(crate) fn of(manifest: &Manifest) -> Self {
        Self::counted(&manifest.census, manifest.started)
    }

    pub(crate) fn counted(census: &Census, made: Timestamp) -> Self {
        let counted = census.tables.iter().filter_map(|table| {
            let (schema, name) = table.names();
            Some(((schema.to_owned(), name.to_owned()), table.rows?))
        });
        Self { made, rows: counted.collect() }
    }
}

/// The tables that grew the most between two backups, by rows.
pub(crate) fn growing(before: &Tables, after: &Tables) -> Vec<Growing> {
    let since = before.made;
    let mut grown: Vec<Growing> = after
        .rows
        .iter()
        .map(|((schema, table), rows)| {
            let before = before.rows.get(&(schema.clone(), table.clone())).copied().unwrap_or(0);
            Growing { schema: schema.clone(), table: table.clone(), since, before, rows: *rows }
        })
        .filter(|table| table.rows > table.before)
        .collect();
    grown.sort_by(|a, b| {
        let by = |table: &Growing| table.rows - table.before;
        by(b).cmp(&by(a)).then_with(|| (&a.schema, &a.table).cmp(&(&b.schema, &b.table)))
    });
    grown.truncate(NAMED);
    grown
}
