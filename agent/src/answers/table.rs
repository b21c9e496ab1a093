//! Text in aligned columns, for answers to people.

use std::fmt;

use unicode_width::UnicodeWidthStr as _;

use crate::answers::fold::fold;
use crate::answers::report::{columns, printable};

/// The gap between two columns.
const GAP: &str = "  ";

/// How far words are indented that have a line of their own.
const BELOW: usize = 8;
/// The room that words of the last column need, to be broken there.
const ROOM: usize = 20;

/// Rows under a header. Every column is as wide as its widest cell. Where a terminal is narrower than the rows, the words of
/// the last column are broken.
#[derive(Clone, Debug)]
pub(crate) struct Table<const COLUMNS: usize> {
    header: [Column; COLUMNS],
    rows: Vec<[String; COLUMNS]>,
    hidden: [bool; COLUMNS],
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
        Self { header, rows: Vec::new(), hidden: [false; COLUMNS] }
    }

    /// Adds a row. A name may contain anything: a line's end in one stays within its row.
    pub(crate) fn row(&mut self, cells: [String; COLUMNS]) {
        self.rows.push(cells.map(|cell| printable(&cell).into_owned()));
    }

    /// Leaves out the column with this title.
    pub(crate) fn hide(&mut self, title: &str) {
        for (hidden, column) in self.hidden.iter_mut().zip(self.header) {
            *hidden |= column.title() == title;
        }
    }

    /// Leaves it out where it says the same in each row: this.
    pub(crate) fn hide_if_all(&mut self, title: &str, text: &str) {
        let at = self.header.iter().position(|column| column.title() == title);
        let says = |row: &[String; COLUMNS]| at.and_then(|at| row.get(at)).is_some_and(|cell| cell == text);
        if self.rows.iter().all(says) {
            self.hide(title);
        }
    }

    /// How wide it is.
    pub(crate) fn width(&self) -> usize {
        let shown = self.widths().into_iter().zip(self.hidden).filter(|(_, hidden)| !hidden);
        shown.map(|(width, _)| GAP.len() + width).sum()
    }

    fn widths(&self) -> [usize; COLUMNS] {
        let mut widths = self.header.map(|column| column.title().width());
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        widths
    }

    /// The lines of one row.
    fn lines(&self, row: &[String; COLUMNS], columns: Option<usize>) -> String {
        let mut shown: Vec<_> = row.iter().zip(self.widths()).zip(self.header).zip(self.hidden).collect();
        shown.retain(|(_, hidden)| !hidden);
        let (mut line, mut last) = (String::new(), String::new());
        let count = shown.len();
        for (at, (((cell, width), column), _)) in shown.into_iter().enumerate() {
            line.push_str(GAP);
            // `{cell:<width$}` counts characters, of which some take two columns of a terminal.
            let gap = " ".repeat(width.saturating_sub(cell.width()));
            match column {
                Column::Left(_) if at + 1 == count => last = broken(cell, line.width(), columns),
                Column::Left(_) => line.extend([cell.as_str(), &gap]),
                Column::Right(_) => line.extend([gap.as_str(), cell]),
            }
        }
        let line = if last.starts_with('\n') { line.trim_end() } else { &line };
        format!("{line}{last}").trim_end().to_owned()
    }
}

/// The words of a last column that begins at `indent`, broken where the terminal is too narrow: beside the other columns, or below
/// them where there is no room.
fn broken(cell: &str, indent: usize, columns: Option<usize>) -> String {
    let Some(columns) = columns.filter(|columns| indent + cell.width() > *columns && cell.contains(' ')) else {
        return cell.to_owned();
    };
    let (indent, first) = if columns.saturating_sub(indent) >= ROOM { (indent, "") } else { (BELOW, "\n") };
    let lines = fold(cell, columns - indent);
    let lines: Vec<&str> = lines.lines().map(str::trim).collect();
    let begin = if first.is_empty() { String::new() } else { " ".repeat(indent) };
    format!("{first}{begin}{}", lines.join(&format!("\n{}", " ".repeat(indent))))
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
        let titles = self.header.map(|column| column.title().to_owned());
        let columns = columns();
        let rows = std::iter::once(&titles).chain(&self.rows);
        rows.map(|row| self.lines(row, columns)).try_for_each(|line| writeln!(f, "{line}"))
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
    fn a_column_is_left_out_and_the_last_one_s_words_are_broken() {
        let mut table = Table::new([Column::Left("BACKUP"), Column::Left("KIND"), Column::Left("WHY")]);
        table.row(["a".into(), "backup".into(), "newest good backup, not older than 30 days".into()]);
        table.hide_if_all("KIND", "backup");
        assert_eq!((table.width(), table.to_string().lines().count()), (10 + 42, 2));
        let row = &table.rows[0];
        assert_eq!(table.lines(row, Some(35)), "  a       newest good backup, not\n          older than 30 days");
        assert_eq!(
            table.lines(row, Some(29)),
            "  a\n        newest good backup,\n        not older than 30\n        days"
        );
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
