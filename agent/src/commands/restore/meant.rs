//! What of a backup's census a restore is to bring.

use std::borrow::Cow;

use ::archive::{Census, TableCensus};

use crate::commands::restore::tables::Chosen;

/// What the restored tables are to hold.
pub(crate) struct Meant<'a> {
    chosen: &'a Chosen,
    census: Cow<'a, Census>,
}

impl<'a> Meant<'a> {
    /// What these tables of a census come to.
    pub(crate) fn of(chosen: &'a Chosen, census: &'a Census) -> Self {
        let census = if chosen.is_without_rows() { Cow::Owned(without_rows(census)) } else { Cow::Borrowed(census) };
        Self { chosen, census }
    }

    /// Every table with the rows that it is to hold.
    pub(crate) fn census(&self) -> &Census {
        &self.census
    }

    /// Whether this table is to hold them.
    pub(crate) fn has(&self, schema: &str, name: &str) -> bool {
        self.chosen.is_without_rows() || self.chosen.has(schema, name)
    }
}

/// Every table, empty.
fn without_rows(census: &Census) -> Census {
    let empty = |table: &TableCensus| TableCensus { rows: Some(0), ..table.clone() };
    Census { tables: census.tables.iter().map(empty).collect(), ..Census::default() }
}
