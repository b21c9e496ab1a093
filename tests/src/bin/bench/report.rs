//! What a bench leaves: tables for people, `report.json` for programs, a picture for each contest.

use std::path::PathBuf;

use serde::Serialize;

use crate::effort::Effort;
use crate::machine::Machine;
use crate::race::{Contest, Standing};
use crate::{curve, picture};

#[derive(Serialize)]
pub(crate) struct Report {
    machine: Machine,
    megabytes: u32,
    rounds: usize,
    contests: Vec<Named>,
}

#[derive(Serialize)]
struct Named {
    name: String,
    #[serde(flatten)]
    contest: Contest,
}

impl Report {
    pub(crate) fn begin(effort: &Effort) -> Report {
        let machine = Machine::this();
        println!("{machine}\nmedians of {} rounds\n", effort.rounds);
        Report { machine, megabytes: effort.megabytes, rounds: effort.rounds, contests: Vec::new() }
    }

    /// Prints the contest's table, and keeps it.
    pub(crate) fn add(&mut self, name: &str, contest: Contest) {
        println!("{}", table(&contest));
        self.contests.push(Named { name: name.to_owned(), contest });
    }

    pub(crate) fn write(&self) {
        let folder = folder();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("report.json"), serde_json::to_vec_pretty(self).unwrap()).unwrap();
        for Named { name, contest } in &self.contests {
            let varies = contest.results.iter().all(|standing| standing.at.is_some());
            let picture = if varies { curve::curves } else { picture::bars };
            std::fs::write(folder.join(format!("{name}.svg")), picture(contest, &self.machine)).unwrap();
        }
        println!("written to {}", folder.display());
    }
}

fn folder() -> PathBuf {
    e2e::tools::root().join("target/bench")
}

/// In Markdown, as docs/performance.md has it.
fn table(contest: &Contest) -> String {
    let mut table = format!(
        "### {}\n\n| | × floor | goal | wall, s | processor s: client | PostgreSQL | S3 | peak, MB | stored, MB |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        contest.title
    );
    for standing in &contest.results {
        table += &row(standing);
    }
    table
}

fn row(standing: &Standing) -> String {
    let Standing { name, ratio, median, .. } = standing;
    let goal = match (standing.goal, standing.reached()) {
        (Some(goal), Some(true)) => format!("≤ {goal}"),
        (Some(goal), _) => format!("≤ {goal}, **missed**"),
        (None, _) => String::new(),
    };
    let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
    let stored = median.stored.map(megabytes).unwrap_or_default();
    let (wall, client, postgres, s3) = (median.wall, median.client, median.postgres, median.s3);
    let peak = if median.peak == 0 { String::new() } else { megabytes(median.peak) };
    let name = name.replace('|', "\\|");
    format!(
        "| {name} | {ratio:.2} | {goal} | {wall:.3} | {client:.2} | {postgres:.2} | {s3:.2} | {peak} | {stored} |\n"
    )
}
