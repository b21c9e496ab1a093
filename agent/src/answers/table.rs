//! Text in columns that stand under each other, for answers to people.

use std::fmt;

use crate::answers::report::printable;

/// Between two columns.
const GAP: &str = "  ";

/// Rows under a header. Every column is as wide as its widest cell, but the last one, which may be of any length.
#[derive(Clone, Debug)]
pub(crate) struct Table<const COLUMNS: usize> {
    header: [Column; COLUMNS],
    rows: Vec<[String; COLUMNS]>,
}

/// A column's title, and on which side its cells stand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    /// For words.
    Left(&'static str),
    /// For numbers.
    Right(&'static str),
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    pub(crate) fn new(header: [Column; COLUMNS]) -> Self {
        Self { header, rows: Vec::new() }
    }

    /// Names come from anywhere: a line's end in one stays within its row.
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
        let mut widths = self.header.map(|column| length(column.title()));
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = length(cell).max(*width);
            }
        }
        let titles = self.header.map(|column| column.title().to_owned());
        for row in std::iter::once(&titles).chain(&self.rows) {
            let cells = row.iter().zip(widths).zip(self.header).map(|((cell, width), column)| match column {
                Column::Left(_) => format!("{cell:<width$}"),
                Column::Right(_) => format!("{cell:>width$}"),
            });
            let line = cells.collect::<Vec<_>>().join(GAP);
            writeln!(f, "  {}", line.trim_end())?;
        }
        Ok(())
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
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
}
