//! `make wild`: the corpus of databases that people have, through every way to restore, role and version.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use e2e::page::Part;
use e2e::wild::{
    Case, Record, Results, Trial, Verdict, failures, markdown, mended, more_refused, pairs, product, run, table,
};

/// Restores every case of tests/wild and says what differs.
#[derive(Parser)]
struct Arguments {
    /// Every case by every way, role and version, not only every pair.
    #[arg(long)]
    full: bool,
    /// Only cases whose name holds this; repeat it for several.
    #[arg(long, value_name = "NAME")]
    case: Vec<String>,
    /// Only this way.
    #[arg(long)]
    way: Vec<String>,
    /// Only this role.
    #[arg(long)]
    role: Vec<String>,
    /// Only this version.
    #[arg(long)]
    version: Vec<u32>,
    /// So many trials at once. Default: as many as there are cores.
    #[arg(long)]
    jobs: Option<usize>,
    /// Try this binary. Default: the agent of this checkout, built first.
    #[arg(long, value_name = "FILE")]
    agent: Option<PathBuf>,
    /// Take trials again that have a result.
    #[arg(long)]
    again: bool,
    /// Write the matrix between the two markers of docs/restore.md; run nothing.
    #[arg(long)]
    docs: bool,
}

/// Where the matrix is.
const PART: Part =
    Part { page: "docs/restore.md", begin: "<!-- wild: written by `make wild-docs` -->\n", end: "<!-- wild: end -->" };

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(agent) = &arguments.agent {
        e2e::agent::use_release(Some(agent.canonicalize().expect("the agent to try")));
    }
    let cases: Vec<Case> = Case::all().into_iter().filter(|case| chosen(&arguments.case, &case.name)).collect();
    let trials = if arguments.full { product(&cases) } else { pairs(&cases) };
    let trials: Vec<_> = trials.into_iter().filter(|trial| wanted(&arguments, trial)).collect();
    let file = e2e::tools::root().join("target/wild/results.jsonl");
    if arguments.again {
        let _ = std::fs::remove_file(&file);
    }
    let results = Results::read(&file);
    if arguments.docs {
        return write_docs(&trials, &results);
    }
    let jobs = arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    eprintln!("{} trials of {} cases, {jobs} at once", trials.len(), cases.len());
    let records = run(&cases, &trials, &results, jobs, say);
    println!("\n{}\n{}", failures(&records), table(&records));
    if arguments.way.is_empty() && arguments.role.is_empty() && arguments.version.is_empty() {
        println!("{}", mended(&cases, &records));
    }
    let is_bad = records.iter().any(|record| matches!(record.verdict, Verdict::Bad(_)));
    // The page holds the pairs, which the whole product exceeds.
    let more = if arguments.full { Vec::new() } else { more_refused(&records, &PART.read()) };
    more.iter().for_each(|line| println!("more is refused than docs/restore.md says: {line}"));
    if is_bad || !more.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Whether any of the texts is in the name; none asks for all.
fn chosen(texts: &[String], name: &str) -> bool {
    texts.is_empty() || texts.iter().any(|text| name.contains(text))
}

fn wanted(arguments: &Arguments, trial: &Trial<'_>) -> bool {
    let is = |texts: &[String], name: &str| texts.is_empty() || texts.iter().any(|text| text == name);
    is(&arguments.way, trial.way.name())
        && is(&arguments.role, trial.role.name())
        && (arguments.version.is_empty() || arguments.version.contains(&trial.version))
}

fn say(record: &Record) {
    let word = match &record.verdict {
        Verdict::Ok => "ok",
        Verdict::Refused(_) => "refused",
        Verdict::Bad(_) => "BAD",
    };
    let Record { case, way, role, version, seconds, .. } = record;
    eprintln!("{word:8}{seconds:5.1} s  {case} · {} · {} · {version}", way.name(), role.name());
}

fn write_docs(trials: &[Trial<'_>], results: &Results) -> ExitCode {
    let records: Vec<_> = trials.iter().filter_map(|trial| results.of(trial)).collect();
    if records.len() < trials.len() {
        eprintln!("error: {} of {} trials have no result\nhint: make wild", trials.len() - records.len(), trials.len());
        return ExitCode::FAILURE;
    }
    PART.write(&markdown(&records))
}
