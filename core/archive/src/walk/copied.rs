//! Rows as COPY writes them, counted and digested by themselves: what left a table, to be held against its dumps before and after.

use super::contents::Content;
use super::tally::Tally;
use crate::census::Sha256Hex;

/// Rows, and the sum of their digests, which no order changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopiedRows {
    /// How many.
    pub rows: u64,
    /// Bytes of their text.
    pub bytes: u64,
    /// As [`Walk::in_any_order`](super::Walk::in_any_order) tells it of a table.
    pub in_any_order: Sha256Hex,
}

/// Counts them as their text comes.
#[derive(Debug)]
pub struct CopyReader(Tally);

impl CopyReader {
    /// `columns`: where a walk digests the table's fields by their columns' names, these names in the order of the fields. See
    /// [`Walk::comparing`](super::Walk::comparing): those of tables with parents.
    #[must_use]
    pub fn new(columns: Option<&[String]>) -> Self {
        Self(Tally::of(Content::Rows, true, columns))
    }

    /// Takes the next bytes of `COPY … TO STDOUT`.
    ///
    /// # Errors
    /// When they can't be rows, in words.
    pub fn add(&mut self, text: &[u8]) -> Result<(), &'static str> {
        self.0.add(text)
    }

    /// What it came to.
    ///
    /// # Errors
    /// When the last row has no end, in words.
    pub fn finish(mut self) -> Result<CopiedRows, &'static str> {
        self.0.add(b"\\.\n")?;
        let counted = self.0.finish()?;
        Ok(CopiedRows {
            rows: counted.rows.unwrap_or_default(),
            bytes: counted.bytes,
            in_any_order: counted.any_order.unwrap_or_default().sum,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InAnyOrder, Table, TableCensus};

    fn rows(text: &[u8]) -> CopiedRows {
        let mut reader = CopyReader::new(None);
        text.chunks(3).for_each(|piece| reader.add(piece).unwrap());
        reader.finish().unwrap()
    }

    #[test]
    fn a_table_without_what_left_it_is_what_stayed() {
        let table = |rows: CopiedRows| Table {
            census: TableCensus { rows: Some(rows.rows), bytes: rows.bytes, ..TableCensus::default() },
            in_any_order: Some(InAnyOrder { rows: rows.rows, sum: rows.in_any_order, is_unnamed: false }),
        };
        let (all, left) = (rows(b"1\ta\n2\tb\n\\\\.\n3\tc\n"), rows(b"2\tb\n\\\\.\n"));
        let came = rows(b"4\td\n");
        assert_eq!((left.rows, left.bytes), (2, 8));
        assert_eq!(table(all).after(&left, &came), Some(table(rows(b"3\tc\n4\td\n1\ta\n"))));
        assert_eq!(table(left).after(&all, &came), None, "more than there were");
        assert_eq!(rows(b""), CopiedRows::default());
        assert!(
            CopyReader::new(None).finish().is_ok() && {
                let mut cut = CopyReader::new(None);
                cut.add(b"1\ta").unwrap();
                cut.finish().is_err()
            }
        );
    }
}
