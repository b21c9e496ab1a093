//! What a run came to: cases by ways.

use std::collections::BTreeMap;

use super::case::{Case, Way};
use super::judge::Verdict;
use super::results::Record;

/// How many of each.
#[derive(Clone, Copy, Default)]
struct Count {
    ok: usize,
    refused: usize,
    bad: usize,
}

impl Count {
    fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Ok => self.ok += 1,
            Verdict::Refused(_) => self.refused += 1,
            Verdict::Bad(_) => self.bad += 1,
        }
    }

    fn words(self) -> String {
        let parts = [(self.ok, "ok"), (self.refused, "refused"), (self.bad, "bad")];
        let words: Vec<_> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        if words.is_empty() { "–".to_owned() } else { words.join(", ") }
    }
}

/// Rows of cells, the first of them the head, the last the totals.
fn cells(records: &[Record]) -> Vec<Vec<String>> {
    let mut counts: BTreeMap<&str, BTreeMap<Way, Count>> = BTreeMap::new();
    let mut totals: BTreeMap<Way, Count> = BTreeMap::new();
    for record in records {
        counts.entry(&record.case).or_default().entry(record.way).or_default().add(&record.verdict);
        totals.entry(record.way).or_default().add(&record.verdict);
    }
    let row = |name: &str, by_way: &BTreeMap<Way, Count>| {
        let ways = Way::ALL.iter().map(|way| by_way.get(way).copied().unwrap_or_default().words());
        std::iter::once(name.to_owned()).chain(ways).collect::<Vec<_>>()
    };
    let head = std::iter::once("case".to_owned()).chain(Way::ALL.iter().map(|way| way.name().to_owned())).collect();
    let mut rows = vec![head];
    rows.extend(counts.iter().map(|(name, by_way)| row(name, by_way)));
    rows.push(row("total", &totals));
    rows
}

/// For a terminal.
pub fn table(records: &[Record]) -> String {
    let rows = cells(records);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..=Way::ALL.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// For `docs/restore.md`.
pub fn markdown(records: &[Record]) -> String {
    let rows = cells(records);
    let line = |row: &Vec<String>| format!("| {} |\n", row.join(" | "));
    let (head, rest) = rows.split_first().expect("a head");
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    line(head) + &rule + &rest.iter().map(line).collect::<String>()
}

/// The cases that are marked as known to be bad, and no longer are: the marks can go.
pub fn mended(cases: &[Case], records: &[Record]) -> String {
    let is_bad =
        |case: &Case| records.iter().any(|one| one.case == case.name && matches!(one.verdict, Verdict::Bad(_)));
    let mended = cases.iter().filter(|case| case.is_known_bad() && !is_bad(case));
    mended.map(|case| format!("{}: nothing is bad, its known_bad can go\n", case.name)).collect()
}

/// What is bad, one paragraph each.
pub fn failures(records: &[Record]) -> String {
    let mut bad: Vec<_> = records.iter().filter_map(describe).collect();
    bad.sort();
    bad.concat()
}

fn describe(record: &Record) -> Option<String> {
    let Verdict::Bad(why) = &record.verdict else { return None };
    let Record { case, way, role, version, .. } = record;
    Some(format!("{case} · {} · {} · {version}\n    {}\n", way.name(), role.name(), why.replace('\n', "\n    ")))
}
