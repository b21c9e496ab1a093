//! The tables of two censuses.

use ::archive::{Census, TableCensus, pairs};
use serde::Serialize;

use crate::commands::diff::heads::Name;
use crate::commands::diff::side::Side;

/// What two censuses came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    pub(super) differing: Vec<Table>,
    /// Those that are equal.
    pub(super) equal: Vec<Table>,
    /// Large objects of both, where they differ.
    pub(super) large_objects: Option<(Amount, Amount)>,
    /// Whether there are two censuses.
    pub(super) is_compared: bool,
}

/// A table that differs.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Table {
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) change: Change,
    /// Null where the backup hasn't the table.
    pub(super) before: Option<Amount>,
    pub(super) after: Option<Amount>,
}

/// How a table differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Change {
    Appeared,
    Vanished,
    Grew,
    Shrank,
    /// It has as many rows, and other ones; or the same in another order.
    Changed,
}

/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Amount {
    /// Rows, or large objects; null where rows were dumped as INSERTs.
    pub(super) rows: Option<u64>,
    pub(super) bytes: u64,
}

impl Tables {
    /// Compares the censuses.
    pub(super) fn compare(first: &Side, second: &Side) -> Self {
        match (&first.census, &second.census) {
            (Some(first), Some(second)) => Self::of(first, second),
            _ => Self::default(),
        }
    }

    /// Counts equal ones of these among those that differ.
    pub(super) fn differ(&mut self, names: &[Name]) {
        let is_named =
            |table: &Table| names.iter().any(|(schema, name)| (schema, name) == (&table.schema, &table.name));
        let has_rows = |table: &Table| table.before.is_none_or(|before| before.rows != Some(0));
        let (moved, equal) =
            std::mem::take(&mut self.equal).into_iter().partition(|table| is_named(table) && has_rows(table));
        self.equal = equal;
        self.differing.extend::<Vec<Table>>(moved);
        self.sort();
    }

    fn sort(&mut self) {
        self.differing.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
    }

    fn of(first: &Census, second: &Census) -> Self {
        let (first, second) = &Census::alike(first, second);
        let pairs = pairs(&first.tables, &second.tables, |table| table);
        let mut tables = Self { is_compared: true, ..Self::default() };
        for (before, after) in pairs.first {
            let list = if after == Some(before) { &mut tables.equal } else { &mut tables.differing };
            list.push(Table::new(before, Some(before), after));
        }
        tables.differing.extend(pairs.only_second.into_iter().map(|after| Table::new(after, None, Some(after))));
        tables.sort();
        let [before, after] = [first, second].map(|census| census.large_objects.clone());
        let amount =
            |objects: &::archive::LargeObjectCensus| Amount { rows: Some(objects.count), bytes: objects.bytes };
        tables.large_objects = (before != after).then(|| (amount(&before), amount(&after)));
        tables
    }
}

impl Table {
    fn new(named: &TableCensus, before: Option<&TableCensus>, after: Option<&TableCensus>) -> Self {
        let [before, after] = [before, after].map(|table| table.map(Amount::of));
        let change = match (before, after) {
            (None, _) => Change::Appeared,
            (_, None) => Change::Vanished,
            (Some(before), Some(after)) => match before.rows.zip(after.rows) {
                Some((before, after)) if after > before => Change::Grew,
                Some((before, after)) if after < before => Change::Shrank,
                Some(_) => Change::Changed,
                None if after.bytes > before.bytes => Change::Grew,
                None if after.bytes < before.bytes => Change::Shrank,
                None => Change::Changed,
            },
        };
        Self { schema: named.schema.clone(), name: named.name.clone(), change, before, after }
    }

    /// Its name, as a person says it.
    pub(super) fn shown(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }
}

impl Amount {
    fn of(table: &TableCensus) -> Self {
        Self { rows: table.rows, bytes: table.bytes }
    }
}

impl Change {
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Appeared => "appeared",
            Self::Vanished => "vanished",
            Self::Grew => "grew",
            Self::Shrank => "shrank",
            Self::Changed => "changed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, rows: Option<u64>, bytes: u64, digest: u8) -> TableCensus {
        TableCensus {
            schema: "public".into(),
            name: name.into(),
            rows,
            bytes,
            sha256: ::archive::Sha256Hex([digest; 32]),
            called: None,
        }
    }

    #[test]
    fn every_way_in_which_a_table_differs_has_its_word() {
        let census = |tables: Vec<TableCensus>| Census { tables, ..Census::default() };
        let first = census(vec![
            table("same", Some(1), 1, 1),
            table("gone", Some(2), 1, 1),
            table("more", Some(1), 1, 1),
            table("less", Some(5), 1, 1),
            table("other", Some(5), 9, 1),
            table("inserts", None, 5, 1),
        ]);
        let second = census(vec![
            table("other", Some(5), 9, 2),
            table("same", Some(1), 1, 1),
            table("new", Some(0), 0, 1),
            table("more", Some(2), 1, 1),
            table("less", Some(4), 8, 1),
            table("inserts", None, 4, 1),
        ]);
        let tables = Tables::of(&first, &second);
        let said: Vec<_> =
            tables.differing.iter().map(|table| (table.name.as_str(), table.change.in_words())).collect();
        assert_eq!(
            said,
            [
                ("gone", "vanished"),
                ("inserts", "shrank"),
                ("less", "shrank"),
                ("more", "grew"),
                ("new", "appeared"),
                ("other", "changed")
            ]
        );
        assert_eq!((tables.equal.len(), tables.large_objects), (1, None));
        let mut tables = tables;
        tables.differ(&[("public".to_owned(), "same".to_owned())]);
        assert_eq!((tables.equal.len(), tables.differing.len()), (0, 7));
    }
}
