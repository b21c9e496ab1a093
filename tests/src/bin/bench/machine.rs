//! The machine that was measured on, in words: a number without it says nothing.

use std::process::Command;

use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    memory_gigabytes: u64,
    kernel: String,
    postgresql: String,
    /// Runnable processes over the last minute when measuring began: above 0.5 somebody else was at work.
    load: f64,
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
            load: std::fs::read_to_string("/proc/loadavg")
                .ok()
                .and_then(|text| text.split(' ').next()?.parse().ok())
                .unwrap_or(f64::NAN),
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
