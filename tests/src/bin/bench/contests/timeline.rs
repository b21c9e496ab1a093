//! What a restore waits for: when it came to which stage, and how long cores had nothing to do until then. The agent tells its stages with
//! `--verbose`, the kernel how idle the machine was.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Instant;

use e2e::bucket::Bucket;
use e2e::postgres::Database;

use super::restore::{in_bucket_with_backup, into_new};
use super::start::limit;
use crate::effort::Effort;
use crate::ground::Ground;
use crate::race::{Contest, Contestant, race};
use crate::stopwatch::{Lap, TICKS_PER_SECOND};

/// Until when the first row should flow, in seconds.
const GOAL: f64 = 0.2;
/// The stage at which it does.
const FLOWS: &str = "the first rows flow";

/// A stage that was reached, in seconds from the start; how many seconds cores were idle until then, all together.
struct Stage {
    at: f64,
    idle: f64,
    words: String,
}

pub(super) fn hold(ground: &Ground, effort: &Effort) -> Contest {
    let database = ground.sized(effort.megabytes);
    in_bucket_with_backup(ground, database, |bucket| {
        let mut last = Vec::new();
        let flowing = || {
            into_new(ground, &mut |target| {
                last = stages(ground, database, bucket, target);
                let flows = last.iter().find(|stage| stage.words == FLOWS).expect("several jobs: 64 MB or more");
                Lap { wall: flows.at, ..Lap::default() }
            })
        };
        let ours = Contestant::new("lastgood restore from S3, until the first row flows", flowing).goal(1.0);
        let contest =
            race(format!("Start of a restore of {} MB", effort.megabytes), vec![limit(GOAL), ours], effort.rounds);
        show(&last);
        contest
    })
}

/// The stages of one restore.
fn stages(ground: &Ground, database: &Database<'_>, bucket: &Bucket, target: &str) -> Vec<Stage> {
    let agent = ground.agent(database).bucket(bucket.name(), bucket.access());
    let arguments = ["restore", "--from-s3-latest", "--into", target, "--confirm", "--skip-services", "--verbose"];
    let (begun, before) = (Instant::now(), idle());
    let mut child =
        agent.command(&arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stages = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok) {
        if let Some((_, words)) = line.strip_prefix("timeline: ").and_then(|rest| rest.split_once(" s: ")) {
            let at = begun.elapsed().as_secs_f64();
            stages.push(Stage { at, idle: idle() - before, words: words.to_owned() });
        }
    }
    e2e::bounds::wait_until("the restore ends", || child.try_wait().unwrap().is_some());
    let at = begun.elapsed().as_secs_f64();
    stages.push(Stage { at, idle: idle() - before, words: "it is over".to_owned() });
    stages
}

fn show(stages: &[Stage]) {
    println!("\n| s | idle cores, s | |\n|--:|--:|---|");
    let mut idle = 0.0;
    for stage in stages {
        println!("| {:.3} | {:.2} | {} |", stage.at, stage.idle - idle, stage.words);
        idle = stage.idle;
    }
    println!();
}

/// Seconds for which this machine's cores have had nothing to do, all together (proc_stat(5)).
fn idle() -> f64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap();
    let fields: Vec<f64> =
        stat.lines().next().unwrap().split_whitespace().skip(1).map(|field| field.parse().unwrap()).collect();
    (fields[3] + fields[4]) / TICKS_PER_SECOND
}
