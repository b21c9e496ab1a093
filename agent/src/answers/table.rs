//! Text in aligned columns, for answers to people.

use std::fmt;

use unicode_width::UnicodeWidthStr as _;

use crate::answers::report::printable;

/// The gap between two columns.
const GAP: &str = "  ";

/// Rows under a header. Every column is as wide as its widest cell.
#[derive(Clone, Debug)]
pub(crate) struct Table<const COLUMNS: usize> {
    header: [Column; COLUMNS],
    rows: Vec<[String; COLUMNS]>,
}

/// A column's title, and how its cells are aligned.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    /// Words are aligned on the left.
    Left(&'static str),
    /// Numbers are aligned on the right.
    Right(&'static str),
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    pub(crate) fn new(header: [Column; COLUMNS]) -> Self {
        Self { header, rows: Vec::new() }
    }

    /// Adds a row. A name may contain anything: a line's end in one stays within its row.
    pub(crate) fn row(&mut self, cells: [String; COLUMNS]) {
        self.rows.push(cells.map(|cell| printable(&cell).into_owned()));
    }
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Left(title) | Self::Right(title) => title,
        }
    }
}

impl<const COLUMNS: usize> fmt::Display for Table<COLUMNS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = self.header.map(|column| column.title().width());
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let titles = self.header.map(|column| column.title().to_owned());
        for row in std::iter::once(&titles).chain(&self.rows) {
            let cells = row.iter().zip(widths).zip(self.header).map(|((cell, width), column)| {
                // `{cell:<width$}` counts characters, of which some take two columns of a terminal.
                let gap = " ".repeat(width.saturating_sub(cell.width()));
                match column {
                    Column::Left(_) => format!("{cell}{gap}"),
                    Column::Right(_) => format!("{gap}{cell}"),
                }
            });
            let line = cells.collect::<Vec<_>>().join(GAP);
            writeln!(f, "  {}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_numbers_right_and_lines_end_where_they_end() {
        let mut table = Table::new([Column::Left("BACKUP"), Column::Right("SIZE"), Column::Left("WHY")]);
        table.row(["é".into(), "1.0 KiB".into(), "be\ncause".into()]);
        table.row(["longer name".into(), "-".into(), String::new()]);
        let expected = "  BACKUP          SIZE  WHY\n  é            1.0 KiB  be\\ncause\n  longer name        -\n";
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    fn names_of_wide_and_of_combining_characters_keep_the_columns_aligned() {
        let mut table = Table::new([Column::Left("BACKUP"), Column::Right("行数")]);
        table.row(["注文データ".into(), "1".into()]);
        table.row(["cafe\u{301}".into(), "1,204".into()]);
        let expected = "  BACKUP       行数\n  注文データ      1\n  cafe\u{301}        1,204\n";
        assert_eq!(table.to_string(), expected);
    }
}
