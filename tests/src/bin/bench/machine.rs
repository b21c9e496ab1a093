//! The machine that was measured on, in words: a number without it says nothing.

use std::process::Command;
use std::time::{Duration, Instant};

use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    memory_gigabytes: u64,
    kernel: String,
    postgresql: String,
    /// Runnable processes over the last minute when measuring began.
    load: f64,
}

/// From here on somebody else is at work.
const QUIET: f64 = 0.5;

/// How long a machine is waited for that has just built what is measured.
const PATIENCE: Duration = Duration::from_secs(300);

/// Waits until what was built before is forgotten, and says so when the machine doesn't become quiet.
fn load_of_a_quiet_machine() -> f64 {
    let begun = Instant::now();
    while load() > QUIET && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_secs(1));
    }
    let load = load();
    if load > QUIET {
        println!("warning: somebody else is at work on this machine (load {load}): its times say little\n");
    }
    load
}

fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").ok();
    text.and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(f64::NAN)
}

impl Machine {
    pub(crate) fn this() -> Machine {
        Machine {
            processor: after("/proc/cpuinfo", "model name\t: ").unwrap_or_else(|| "unknown processor".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gigabytes: after("/proc/meminfo", "MemTotal:").map_or(0, |kilobytes| {
                kilobytes.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1_000_000
            }),
            kernel: said_by(Command::new("uname").arg("-sr")),
            postgresql: said_by(e2e::postgres::Installation::debian().program("pg_dump").arg("--version")),
            load: load_of_a_quiet_machine(),
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Machine { processor, cores, memory_gigabytes, kernel, postgresql, load } = self;
        write!(f, "{processor}, {cores} cores, {memory_gigabytes} GB, {kernel}, {postgresql}, load {load} at the start")
    }
}

fn after(file: &str, label: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    Some(text.lines().find_map(|line| line.strip_prefix(label))?.to_owned())
}

fn said_by(command: &mut Command) -> String {
    String::from_utf8_lossy(&e2e::process::output(command).stdout).trim().to_owned()
}
