//! The table: rows by stores, for a terminal and for docs/install.md.

use super::results::Record;
use super::row::Row;
use super::store::Store;
use super::verdict::Verdict;

/// What stands under a table, numbered in the order of its first mention.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn number(&mut self, note: &str) -> usize {
        let at = self.0.iter().position(|known| known == note);
        at.unwrap_or_else(|| {
            self.0.push(note.to_owned());
            self.0.len() - 1
        }) + 1
    }
}

/// Rows of cells, the first of them the head.
fn cells(rows: &[Row], stores: &[Store], records: &[Record], notes: &mut Notes) -> Vec<Vec<String>> {
    let head = std::iter::once(String::new()).chain(stores.iter().map(|store| store.title())).collect();
    let mut cells = vec![head];
    for row in rows {
        let of = |store: &Store| records.iter().find(|record| record.store == *store && record.row == row.name);
        let columns = stores.iter().map(|store| cell(of(store), notes));
        cells.push(std::iter::once(row.title.to_owned()).chain(columns).collect());
    }
    cells
}

fn cell(record: Option<&Record>, notes: &mut Notes) -> String {
    let noted = |word: &str, note: &str, notes: &mut Notes| format!("{word} {}", superscript(notes.number(note)));
    match record.map(|record| &record.verdict) {
        None => String::new(),
        Some(Verdict::Good) => "✔".to_owned(),
        Some(Verdict::Bad(_)) => "✘".to_owned(),
        Some(Verdict::Lacks(what)) => noted("–", what, notes),
        Some(Verdict::Refused(error)) => noted("refused", error, notes),
    }
}

fn superscript(number: usize) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    number.to_string().bytes().map(|digit| DIGITS[usize::from(digit - b'0')]).collect()
}

/// For a terminal.
pub fn table(rows: &[Row], stores: &[Store], records: &[Record]) -> String {
    let mut notes = Notes::default();
    let cells = cells(rows, stores, records, &mut notes);
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..=stores.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let notes = notes.0.iter().enumerate().map(|(at, note)| format!("{} {note}\n", superscript(at + 1)));
    cells.iter().map(line).chain(std::iter::once("\n".to_owned())).chain(notes).collect()
}

/// For docs/install.md: the settings of each store, and the table.
pub fn markdown(rows: &[Row], stores: &[Store], records: &[Record]) -> String {
    let mut notes = Notes::default();
    let cells = cells(rows, stores, records, &mut notes);
    let notes = notes.0.iter().enumerate().map(|(at, note)| format!("{} {note}\n", superscript(at + 1)));
    format!("{}\n{}\n{}", lines(&settings(stores)), lines(&cells), notes.collect::<Vec<_>>().join("<br>"))
}

fn settings(stores: &[Store]) -> Vec<Vec<String>> {
    let mut cells = vec![vec!["store".to_owned(), "settings".to_owned()]];
    for store in stores {
        let one = |setting: &super::store::Setting| format!("`{}={}`: {}", setting.name, setting.value, setting.why);
        let settings: Vec<_> = store.settings().iter().map(one).collect();
        let settings = if settings.is_empty() { "nothing else".to_owned() } else { settings.join("<br>") };
        cells.push(vec![store.title(), settings]);
    }
    cells
}

fn lines(cells: &[Vec<String>]) -> String {
    let line = |row: &Vec<String>| format!("| {} |\n", row.join(" | "));
    let (head, rest) = cells.split_first().expect("a head");
    line(head) + &format!("|{}\n", "---|".repeat(head.len())) + &rest.iter().map(line).collect::<String>()
}

/// What is bad, a paragraph each.
pub fn failures(records: &[Record]) -> String {
    let describe = |record: &Record| {
        let Verdict::Bad(why) = &record.verdict else { return None };
        Some(format!("{} · {}\n    {}\n", record.store.name(), record.row, why.trim().replace('\n', "\n    ")))
    };
    records.iter().filter_map(describe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stores::ROWS;

    #[test]
    fn a_note_is_numbered_once_and_stands_under_the_table() {
        let record = |store, row: &str, verdict| Record { store, row: row.to_owned(), verdict, seconds: 1.0 };
        let lacks = || Verdict::Lacks("it takes any key".to_owned());
        let records = [
            record(Store::Ministack, "dry-run", Verdict::Good),
            record(Store::Seaweedfs, "dry-run", Verdict::Bad("broken".to_owned())),
            record(Store::Ministack, "put", lacks()),
            record(Store::Seaweedfs, "put", Verdict::Refused("`no`".to_owned())),
            record(Store::Seaweedfs, "multipart", lacks()),
        ];
        let text = markdown(&ROWS[..3], &[Store::Ministack, Store::Seaweedfs], &records);
        let table = text.split("|---|---|---|\n").nth(1).unwrap();
        let endings: Vec<_> =
            table.lines().take(3).map(|line| line.split(" | ").skip(1).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(endings, ["✔ ✘ |", "– ¹ refused ² |", " – ¹ |"]);
        assert!(text.ends_with("¹ it takes any key\n<br>² `no`\n"), "{text}");
        assert_eq!(failures(&records), "seaweedfs · dry-run\n    broken\n");
    }
}
