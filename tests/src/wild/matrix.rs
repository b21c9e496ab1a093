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

/// Where more is refused now than the matrix of `page` has: refusals may only become fewer. A case that it doesn't have yet may
/// have any number.
pub fn more_refused(records: &[Record], page: &str) -> Vec<String> {
    let count = |cell: &str| {
        let refused = cell.split(", ").find_map(|part| part.strip_suffix(" refused"));
        refused.map_or(0, |number| number.trim().parse::<u32>().unwrap())
    };
    let cells_of = |line: &str| line.trim_matches(['|', ' ']).split(" | ").map(str::to_owned).collect::<Vec<_>>();
    let written: Vec<_> = page.lines().filter(|line| line.starts_with("| ")).map(cells_of).collect();
    let mut more = Vec::new();
    for row in cells(records).iter().skip(1) {
        let Some(before) = written.iter().find(|cells| cells[0] == row[0] && cells[0] != "total") else { continue };
        for ((way, now), before) in Way::ALL.iter().zip(&row[1..]).zip(&before[1..]) {
            if count(now) > count(before) {
                more.push(format!("{} · {}: {now}, and it was {before}", row[0], way.name()));
            }
        }
    }
    more
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wild::case::Role;

    #[test]
    fn a_refusal_more_than_the_page_has_is_named() {
        let record = |way| Record::of("money", (way, Role::Owner, 15), Verdict::Refused(String::new()));
        let records = [record(Way::Swap), record(Way::Swap), record(Way::Gone)];
        let page = |swap: &str| {
            format!(
                "| case | swap | into | empty | in-place | gone | bare |\n|---|\n| money | {swap} | – | – | – | 1 ok, 1 refused | – |\n"
            )
        };
        assert_eq!(more_refused(&records, &page("2 refused")), Vec::<String>::new());
        assert_eq!(
            more_refused(&records, &page("1 ok, 1 refused")),
            ["money · swap: 2 refused, and it was 1 ok, 1 refused"]
        );
        assert_eq!(more_refused(&records, "| other | 1 ok |"), Vec::<String>::new(), "a new case");
    }
}
