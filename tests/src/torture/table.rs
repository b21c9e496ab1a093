//! The counts, for a terminal and for docs/reliability.md.

use std::collections::BTreeSet;

use super::case::Family;
use super::results::Record;
use super::verdict::Verdict;

const HEAD: [&str; 9] =
    ["what breaks", "struck", "cases", "done all the same", "failed and said why", "killed", "silent", "lost", "other"];

/// A head, and a row for each subject of each family, and one for all.
fn cells(records: &[Record]) -> Vec<Vec<String>> {
    let mut cells = vec![HEAD.map(str::to_owned).to_vec()];
    for family in Family::ALL {
        let of_family: Vec<_> = records.iter().filter(|record| record.family() == family.name()).collect();
        let mut subjects = BTreeSet::new();
        let in_order = of_family.iter().map(|record| record.subject()).filter(|subject| subjects.insert(*subject));
        for subject in in_order.collect::<Vec<_>>() {
            let of_subject: Vec<_> = of_family.iter().copied().filter(|record| record.subject() == subject).collect();
            cells.push(row(family.title(), subject, &of_subject));
        }
    }
    cells.push(row("all", "", &records.iter().collect::<Vec<_>>()));
    cells
}

fn row(family: &str, subject: &str, records: &[&Record]) -> Vec<String> {
    let count = |is: fn(&Verdict) -> bool| records.iter().filter(|record| is(&record.verdict)).count();
    let struck = records.len() - count(|verdict| *verdict == Verdict::Missed);
    let counts = [
        struck,
        count(|verdict| *verdict == Verdict::Done),
        count(|verdict| *verdict == Verdict::Failed),
        count(|verdict| *verdict == Verdict::Killed),
        count(|verdict| matches!(verdict, Verdict::Silent(_))),
        count(|verdict| matches!(verdict, Verdict::Lost(_))),
        count(|verdict| matches!(verdict, Verdict::Bad(_))),
    ];
    [family, subject].map(str::to_owned).into_iter().chain(counts.map(|count| count.to_string())).collect()
}

/// For a terminal.
pub fn table(records: &[Record]) -> String {
    let cells = cells(records);
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..HEAD.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    cells.iter().map(line).collect()
}

/// For docs/reliability.md.
pub fn markdown(records: &[Record]) -> String {
    let line = |row: &Vec<String>| format!("| {} |\n", row.join(" | "));
    let cells = cells(records);
    let (head, rest) = cells.split_first().expect("a head");
    line(head) + &format!("|---|---|{}\n", "--:|".repeat(HEAD.len() - 2)) + &rest.iter().map(line).collect::<String>()
}

/// What is wrong, a paragraph each, with how to run it alone; and the cases that did not come about.
pub fn failures(records: &[Record]) -> String {
    let describe = |record: &Record| {
        let (word, why) = match (&record.verdict, record.verdict.wrong()) {
            (_, Some(wrong)) => wrong,
            (Verdict::Missed, _) => ("MISSED", "the fault did not come about"),
            _ => return None,
        };
        Some(format!("{word} {}\n    {}\n", record.command, why.trim().replace('\n', "\n    ")))
    };
    records.iter().filter_map(describe).collect()
}

/// What was said, each message once with the number of its cases: for a person who reads whether they name the fault.
pub fn sayings(records: &[Record]) -> String {
    let mut counts: Vec<(String, usize, &str)> = Vec::new();
    for record in records.iter().filter(|record| record.verdict == Verdict::Failed) {
        let said = without_names(&record.said);
        match counts.iter_mut().find(|(known, _, _)| *known == said) {
            Some((_, count, _)) => *count += 1,
            None => counts.push((said, 1, &record.case)),
        }
    }
    counts.iter().map(|(said, count, case)| format!("{count:5}  {said}\n       {case}\n")).collect()
}

/// A message without what differs from run to run.
fn without_names(said: &str) -> String {
    let words = said.split(' ').map(|word| {
        let is_name = word.contains("s3://") || word.starts_with('/') || word.contains("127.0.0.1");
        if is_name { "…".to_owned() } else { word.chars().filter(|c| !c.is_ascii_digit()).collect() }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_has_a_column_and_what_is_wrong_says_how_to_run_it_alone() {
        let record = |case: &str, verdict| Record {
            case: case.to_owned(),
            verdict,
            said: "error: no".to_owned(),
            seconds: 1.0,
            command: format!("make torture ONLY={case}"),
        };
        let records = [
            record("network/prune/a", Verdict::Done),
            record("network/prune/b", Verdict::Failed),
            record("network/backup/c", Verdict::Lost("it is gone".to_owned())),
            record("network/backup/d", Verdict::Missed),
        ];
        let text = markdown(&records);
        assert!(text.contains("| network to the store | prune | 2 | 1 | 1 | 0 | 0 | 0 | 0 |"), "{text}");
        assert!(text.ends_with("| all |  | 3 | 1 | 1 | 0 | 0 | 1 | 0 |\n"), "{text}");
        let wrong = failures(&records);
        assert!(wrong.starts_with("LOST make torture ONLY=network/backup/c\n    it is gone\nMISSED make "), "{wrong}");
        assert_eq!(sayings(&records), "    1  error: no\n       network/prune/b\n");
    }
}
