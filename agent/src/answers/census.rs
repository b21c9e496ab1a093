//! A census for people: how much there is, and the largest tables.

use std::cmp::Reverse;

use archive::{Census, TableCensus};

use catalog::words;

use crate::answers::table::{Column, Table};

/// How many tables are shown.
const SHOWN: usize = 20;

/// `1,204,511 rows`, or that they could not be counted.
pub(crate) fn rows(counted: Option<u64>) -> String {
    counted.map_or_else(|| "rows not counted".to_owned(), |rows| words::count(rows, "row"))
}

/// `42 tables, 1,204,511 rows, 480.2 MiB, 12 large objects`.
pub(crate) fn summary(census: &Census) -> String {
    let (tables, bytes) = (census.tables.len() as u64, census.bytes());
    let objects = match census.large_objects.count {
        0 => String::new(),
        count => format!(", {}", words::count(count, "large object")),
    };
    let rows = rows(census.counted_rows());
    format!("{}, {rows}, {}{objects}", words::count(tables, "table"), words::size(bytes))
}

/// A table of the largest tables of a census.
pub(crate) fn largest(census: &Census) -> Table<3> {
    let mut tables: Vec<&TableCensus> = census.tables.iter().collect();
    tables.sort_by_key(|table| (Reverse(table.bytes), table.names()));
    let mut shown = Table::new([Column::Left("TABLE"), Column::Right("ROWS"), Column::Right("BYTES")]);
    for table in tables.into_iter().take(SHOWN) {
        let rows = table.rows.map_or_else(|| "-".to_owned(), words::grouped);
        let (schema, name) = table.names();
        shown.row([format!("{schema}.{name}"), rows, words::size(table.bytes)]);
    }
    shown
}

/// `… and 22 smaller ones`, where not all are shown.
pub(crate) fn more(census: &Census) -> Option<String> {
    let hidden = census.tables.len().saturating_sub(SHOWN);
    (hidden > 0).then(|| format!("… and {} smaller", words::grouped(hidden as u64)))
}
