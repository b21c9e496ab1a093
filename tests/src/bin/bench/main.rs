//! `make bench`: how fast Lastgood is beside the tools people would use instead, on this machine, in one run.
//!
//! Every contest has a floor, what PostgreSQL alone takes. Contestants run in turn, round after round, so that whatever
//! else the machine does falls on all alike; a ratio is the median over the rounds of a run's time by the floor's of the same
//! round. Tables go to standard output, `report.json` and a picture of each contest to `target/bench`.

mod contests;
mod curve;
mod effort;
mod ground;
mod machine;
mod peers;
mod picture;
mod race;
mod report;
mod stopwatch;

use clap::Parser;

use crate::ground::Ground;
use crate::report::Report;

/// Measures Lastgood beside other tools.
#[derive(Parser)]
struct Arguments {
    /// Two minutes: a small database, three rounds, the quick contestants.
    #[arg(long)]
    quick: bool,
    /// Size of the database as an uncompressed archive. Default: 490, with --quick 100.
    #[arg(long, value_name = "MB")]
    megabytes: Option<u32>,
    /// Rounds of each contest. Default: 5, with --quick 3.
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// Only this contest; repeat it for several.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Measure this binary, such as an older one. Default: the agent as it is released, built first.
    #[arg(long, value_name = "FILE")]
    agent: Option<std::path::PathBuf>,
    /// Measure the functions in this folder. Default: as they are deployed, built first.
    #[arg(long, value_name = "FOLDER")]
    functions: Option<std::path::PathBuf>,
    /// Write an archive of so many bytes to standard output, in place of pg_dump.
    #[arg(long, value_name = "BYTES", hide = true)]
    generate: Option<u64>,
}

fn main() {
    let arguments = Arguments::parse();
    if let Some(bytes) = arguments.generate {
        return e2e::generator::write(bytes);
    }
    let (megabytes, rounds) = if arguments.quick { (100, 3) } else { (490, 5) };
    let effort = effort::Effort {
        quick: arguments.quick,
        megabytes: arguments.megabytes.unwrap_or(megabytes),
        rounds: arguments.rounds.unwrap_or(rounds),
    };
    e2e::agent::use_release(arguments.agent.map(|file| file.canonicalize().expect("the agent to measure")));
    e2e::functions::use_deployed(
        arguments.functions.map(|folder| folder.canonicalize().expect("the functions to measure")),
    );
    let ground = Ground::prepare();
    let mut report = Report::begin(&effort);
    for (name, contest) in contests::ALL {
        if arguments.only.is_empty() || arguments.only.iter().any(|only| only == name) {
            eprintln!("{name} …");
            report.add(name, contest(&ground, &effort));
        }
    }
    report.write();
}
