//! What one run of a program took: time, processor time of its own and of the servers it kept busy, memory.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use crate::ground::Ground;

/// Linux counts a process's time in hundredths of a second, wherever a user program can see it.
pub(crate) const TICKS_PER_SECOND: f64 = 100.0;

/// The longest that a contestant may take: it is killed then.
const LIMIT: Duration = Duration::from_secs(3600);

/// One run.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Lap {
    /// Seconds from start to exit.
    pub(crate) wall: f64,
    /// Seconds of processor time of the program and its children.
    pub(crate) client: f64,
    /// The same of PostgreSQL's backends.
    pub(crate) postgres: f64,
    /// The same of the S3 server.
    pub(crate) s3: f64,
    /// Most resident memory of the program itself, in bytes; 0 of a shell, whose programs would count.
    pub(crate) peak: u64,
    /// What was stored, in bytes.
    pub(crate) stored: Option<u64>,
}

/// Runs `command`, which must succeed, and measures it.
pub(crate) fn time(ground: &Ground, mut command: Command) -> Lap {
    let before = Spent::now(ground);
    let start = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_child(&child);
    #[expect(clippy::disallowed_methods, reason = "whoever watches its memory ends it after LIMIT")]
    let (output, peak) = watching_memory(pid, || child.wait_with_output().unwrap());
    let wall = start.elapsed().as_secs_f64();
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    // The backends end after their client, and count once they have been waited for.
    std::thread::sleep(Duration::from_millis(50));
    let after = Spent::now(ground);
    Lap {
        wall,
        client: after.children - before.children,
        postgres: after.postgres - before.postgres,
        s3: after.s3 - before.s3,
        peak: if command.get_program() == "bash" { 0 } else { peak },
        stored: None,
    }
}

/// Processor time so far, in seconds.
struct Spent {
    children: f64,
    postgres: f64,
    s3: f64,
}

impl Spent {
    fn now(ground: &Ground) -> Spent {
        let [_, children] = times("self");
        let [_, postgres] = times(&ground.postgres.pid().to_string());
        let [s3, _] = times(&ground.seaweedfs.pid().to_string());
        Spent { children, postgres, s3 }
    }
}

/// Processor time of a process, and of its children that have ended and been waited for (proc_pid_stat(5)).
fn times(process: &str) -> [f64; 2] {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The second field is the program's name in parentheses, which may hold anything.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let fields: Vec<f64> = fields.split(' ').map(|field| field.trim().parse().unwrap_or(0.0)).collect();
    [fields[11] + fields[12], fields[13] + fields[14]].map(|ticks| ticks / TICKS_PER_SECOND)
}

/// Does `wait` while reading the kernel's high-water mark of a process, which only grows, and ends it after [`LIMIT`].
fn watching_memory<T>(pid: Pid, wait: impl FnOnce() -> T) -> (T, u64) {
    let (ended, peak, begun) = (AtomicBool::new(false), AtomicU64::new(0), Instant::now());
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                peak.fetch_max(high_water_mark(pid).unwrap_or(0), Ordering::Relaxed);
                if begun.elapsed() > LIMIT {
                    let _ = kill_process(pid, Signal::KILL);
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let done = wait();
        ended.store(true, Ordering::Relaxed);
        done
    });
    (done, peak.into_inner())
}

fn high_water_mark(pid: Pid) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}
