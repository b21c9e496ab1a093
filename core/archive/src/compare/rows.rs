//! Rows of two censuses, table by table: the same ones, in whatever order, or not.

use std::collections::BTreeMap;

use crate::census::{Census, Sha256Hex, TableCensus};
use crate::pairs::pairs;
use crate::walk::{CopiedRows, InAnyOrder};

/// A table's rows as they were counted, and what they come to in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, its rows and their digest in the archive's order.
    pub census: TableCensus,
    /// As [`Walk::in_any_order`](crate::Walk::in_any_order) tells it.
    pub in_any_order: Option<InAnyOrder>,
}

/// What the rows of two archives came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Tables whose rows are equal.
    pub tables: u64,
    /// Their rows.
    pub rows: u64,
    /// Bytes of their text.
    pub bytes: u64,
    /// What differs, a sentence each.
    pub differences: Vec<String>,
    /// Tables that hold the same rows in another order.
    pub reordered: Vec<String>,
    /// Partitioned tables whose rows are in other partitions than they were.
    pub moved: Vec<String>,
    /// Tables without rows in the original, which have none in the copy either.
    pub without_rows: Vec<String>,
}

impl Table {
    /// Those of a census, whose tables stand in the order of `in_any_order`.
    #[must_use]
    pub fn all(census: &Census, in_any_order: &[Option<InAnyOrder>]) -> Vec<Self> {
        let sums = in_any_order.iter().copied().chain(std::iter::repeat(None));
        let tables = census.tables.iter().cloned().zip(sums);
        tables.map(|(census, in_any_order)| Self { census, in_any_order }).collect()
    }

    /// What is to be found of it once some rows have left it and others have come. `None` where that can't be told: it was dumped as
    /// INSERTs, or has fewer rows than left it. Its digest in the archive's order stays as it was, and is nothing to compare with.
    #[must_use]
    pub fn after(&self, left: &CopiedRows, came: &CopiedRows) -> Option<Self> {
        let mut in_any_order = self.in_any_order?;
        in_any_order.sum.subtract(left.in_any_order);
        in_any_order.sum.add(came.in_any_order);
        let count = |before: u64, left: u64, came: u64| before.checked_add(came)?.checked_sub(left);
        in_any_order.rows = count(in_any_order.rows, left.rows, came.rows)?;
        let census = TableCensus {
            rows: Some(count(self.census.rows?, left.rows, came.rows)?),
            bytes: count(self.census.bytes, left.bytes, came.bytes)?,
            ..self.census.clone()
        };
        Some(Self { census, in_any_order: Some(in_any_order) })
    }

    fn name(&self) -> String {
        format!("{}.{}", self.census.schema, self.census.name)
    }

    /// How many rows it has, those of INSERT statements as well.
    fn rows(&self) -> Option<u64> {
        self.census.rows.or(self.in_any_order.map(|rows| rows.rows))
    }

    fn is_empty(&self) -> bool {
        self.census.rows == Some(0) || self.census.bytes == 0
    }
}

/// Compares the tables of an original with those of its copy. `hashed_below` names the table that a partition belongs to, where a hash
/// decides which partition holds a row: that of an enum's value is another one wherever the value was made.
#[must_use]
pub fn compare_rows(original: &[Table], copy: &[Table], hashed_below: impl Fn(&TableCensus) -> Option<String>) -> Rows {
    let mut compared = Rows::default();
    let pairs = pairs(original, copy, |table| &table.census);
    let mut moved: BTreeMap<String, Sides<'_>> = BTreeMap::new();
    for (table, found) in pairs.first {
        if found.is_some_and(|found| compared.are_equal(table, found)) {
            compared.count(table);
        } else if let Some(root) = hashed_below(&table.census) {
            let sides = moved.entry(root).or_default();
            sides.original.push(table);
            sides.copy.extend(found);
        } else {
            compared.differences.push(difference(table, found));
        }
    }
    for left in pairs.only_second {
        match hashed_below(&left.census) {
            Some(root) => moved.entry(root).or_default().copy.push(left),
            None if left.is_empty() => compared.without_rows.push(left.name()),
            None => compared.differences.push(only_in_copy(left)),
        }
    }
    moved.into_iter().for_each(|(root, sides)| compared.judge(root, &sides));
    compared
}

/// The partitions of one table that differ.
#[derive(Default)]
struct Sides<'a> {
    original: Vec<&'a Table>,
    copy: Vec<&'a Table>,
}

impl Rows {
    fn are_equal(&mut self, original: &Table, copy: &Table) -> bool {
        let (a, b) = (&original.census, &copy.census);
        if (a.rows, a.bytes, a.sha256) == (b.rows, b.bytes, b.sha256) {
            return true;
        }
        let is_same = original.in_any_order.is_some() && original.in_any_order == copy.in_any_order;
        if is_same {
            self.reordered.push(original.name());
        }
        is_same
    }

    fn count(&mut self, table: &Table) {
        self.tables += 1;
        self.rows = self.rows.saturating_add(table.rows().unwrap_or(0));
        self.bytes = self.bytes.saturating_add(table.census.bytes);
    }

    /// The rows of all partitions together are the same, or each partition differs by itself.
    fn judge(&mut self, root: String, sides: &Sides<'_>) {
        let sums = (sum(&sides.original), sum(&sides.copy));
        if matches!(sums, (Some(original), Some(copy)) if original == copy) {
            sides.original.iter().for_each(|table| self.count(table));
            self.moved.push(root);
            return;
        }
        for table in &sides.original {
            let found = sides.copy.iter().find(|other| key(other) == key(table));
            self.differences.push(difference(table, found.copied()));
        }
        let is_new = |table: &&&Table| !sides.original.iter().any(|other| key(other) == key(table));
        self.differences.extend(sides.copy.iter().filter(is_new).map(|table| only_in_copy(table)));
    }
}

fn key(table: &Table) -> (&str, &str) {
    (&table.census.schema, &table.census.name)
}

fn sum(tables: &[&Table]) -> Option<(u64, Sha256Hex)> {
    tables.iter().try_fold((0_u64, Sha256Hex::default()), |(rows, mut sum), table| {
        let own = table.in_any_order?;
        sum.add(own.sum);
        Some((rows.saturating_add(own.rows), sum))
    })
}

fn difference(original: &Table, copy: Option<&Table>) -> String {
    let name = original.name();
    let (expected, found) = (original.rows(), copy.map(Table::rows));
    match (expected, found) {
        (_, None) => format!("table {name}: its rows are not in the restored database"),
        (Some(expected), Some(Some(found))) if expected != found => {
            format!("table {name}: {found} {} instead of {expected}", if found == 1 { "row" } else { "rows" })
        }
        (Some(1), _) => format!("table {name}: its row differs"),
        (Some(rows), _) => format!("table {name}: not all of its {rows} rows are the same"),
        _ => format!("table {name}: its rows are not the same"),
    }
}

fn only_in_copy(table: &Table) -> String {
    let rows = match table.rows() {
        Some(1) => "1 row".to_owned(),
        Some(rows) => format!("{rows} rows"),
        None => "rows".to_owned(),
    };
    format!("table {}: {rows} instead of none", table.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, rows: u64, in_order: u8, in_any_order: u8) -> Table {
        let census = TableCensus {
            schema: "public".into(),
            name: name.into(),
            rows: Some(rows),
            bytes: rows,
            sha256: Sha256Hex([in_order; 32]),
            called: None,
        };
        Table { census, in_any_order: Some(InAnyOrder { rows, sum: Sha256Hex([in_any_order; 32]), is_unnamed: false }) }
    }

    fn apart(_: &TableCensus) -> Option<String> {
        None
    }

    #[test]
    fn the_same_rows_in_another_order_are_equal_and_said() {
        let original = [table("a", 3, 1, 7), table("b", 2, 1, 8)];
        let compared = compare_rows(&original, &[table("b", 2, 1, 8), table("a", 3, 2, 7)], apart);
        assert_eq!((compared.tables, compared.rows, compared.differences.len()), (2, 5, 0));
        assert_eq!(compared.reordered, ["public.a"]);
    }

    #[test]
    fn every_way_to_differ_is_named() {
        let original = [table("a", 3, 1, 7), table("b", 2, 1, 8), table("gone", 1, 1, 1), table("one", 1, 1, 1)];
        let copy = [
            table("a", 1, 2, 7),
            table("b", 2, 2, 9),
            table("one", 1, 2, 2),
            table("new", 4, 1, 1),
            table("bare", 0, 1, 1),
        ];
        let compared = compare_rows(&original, &copy, apart);
        assert_eq!(
            compared.differences,
            [
                "table public.a: 1 row instead of 3",
                "table public.b: not all of its 2 rows are the same",
                "table public.gone: its rows are not in the restored database",
                "table public.one: its row differs",
                "table public.new: 4 rows instead of none",
            ]
        );
        assert_eq!((compared.tables, compared.without_rows), (0, vec!["public.bare".to_owned()]));
    }

    #[test]
    fn rows_that_only_moved_between_partitions_by_hash_are_equal_and_none_may_be_lost() {
        let below = |table: &TableCensus| table.name.starts_with("p_").then(|| "public.p".to_owned());
        let original = [table("p_0", 3, 1, 2), table("p_1", 1, 1, 4)];
        let compared = compare_rows(&original, &[table("p_0", 1, 9, 1), table("p_1", 3, 9, 5)], below);
        assert_eq!((compared.differences.len(), compared.tables, compared.moved.len()), (0, 2, 1));
        let compared = compare_rows(&original, &[table("p_0", 1, 9, 1), table("p_1", 3, 9, 6)], below);
        assert_eq!(compared.differences.len(), 2);
    }
}
