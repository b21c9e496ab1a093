//! `make torture`: what Lastgood survives, tried and counted.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use e2e::page::Part;
use e2e::torture::{
    Case, Effort, Family, Record, Verdict, cases, failures, known, markdown, run, save, sayings, table,
};

/// Breaks what Lastgood stands on, and says what was silent, lost or left.
#[derive(Parser)]
struct Arguments {
    /// Only this family, or the one case of this name; repeat it for several.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Of every 31 cases so many (of the smaller families more): 31 are all of them, and hours.
    #[arg(long, default_value_t = 1)]
    scale: usize,
    /// Kill each command so often.
    #[arg(long, default_value_t = 5)]
    kills: u32,
    /// So many cases at once.
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// Write the table between the two markers of docs/reliability.md; run nothing.
    #[arg(long)]
    docs: bool,
}

/// Where the table is.
const PART: Part = Part {
    page: "docs/reliability.md",
    begin: "<!-- torture: written by `make torture-docs` -->\n",
    end: "<!-- torture: end -->",
};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.docs {
        return write_docs();
    }
    e2e::agent::binary();
    // Told at the end, all at once.
    std::panic::set_hook(Box::new(|_| {}));
    let began = Instant::now();
    let mut records = Vec::new();
    for family in Family::ALL.into_iter().filter(|family| concerns(&arguments.only, *family)) {
        let (chosen, is_whole) = chosen(&arguments, family);
        eprintln!("{}: {} cases", family.title(), chosen.len());
        let of_family = run(&chosen, arguments.jobs, say);
        if is_whole {
            save(family, &of_family);
        }
        records.extend(of_family);
    }
    println!("\nwhat was said\n{}\n{}\n{}", sayings(&records), failures(&records), table(&records));
    println!("{} s", began.elapsed().as_secs());
    let is_bad = records.iter().any(|record| record.verdict.wrong().is_some());
    if is_bad || records.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn concerns(only: &[String], family: Family) -> bool {
    only.is_empty() || only.iter().any(|text| text.split('/').next() == Some(family.name()))
}

/// The cases of a family, and whether they are the family's own choice: what is named more closely is taken from all of them.
fn chosen(arguments: &Arguments, family: Family) -> (Vec<Case>, bool) {
    let closer: Vec<_> = arguments.only.iter().filter(|text| text.contains('/')).collect();
    let kills = arguments.kills;
    if closer.is_empty() {
        return (cases(family, Effort { scale: arguments.scale, kills }), true);
    }
    let all = cases(family, Effort { scale: Effort::ALL, kills });
    let is_meant = |case: &Case| closer.iter().any(|text| case.name.starts_with(text.as_str()));
    (all.into_iter().filter(is_meant).collect(), false)
}

fn say(record: &Record) {
    let word = match &record.verdict {
        Verdict::Done => "done",
        Verdict::Failed => "failed",
        Verdict::Killed => "killed",
        Verdict::Missed => "missed",
        Verdict::Silent(_) => "SILENT",
        Verdict::Lost(_) => "LOST",
        Verdict::Bad(_) => "BAD",
    };
    eprintln!("{word:8}{:5.1} s  {}", record.seconds, record.case);
}

fn write_docs() -> ExitCode {
    let missing: Vec<_> = Family::ALL.into_iter().filter(|family| known(*family).is_none()).map(Family::name).collect();
    if !missing.is_empty() {
        eprintln!("error: there is no result of {}\nhint: make torture", missing.join(", "));
        return ExitCode::FAILURE;
    }
    let records: Vec<Record> = Family::ALL.into_iter().filter_map(known).flatten().collect();
    PART.write(&markdown(&records))
}
