//! A run of `lastgood` while it works: to be watched, typed at, or killed.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Outcome;
use crate::bounds::{self, LIMIT, MOMENT};
use crate::process::Process;

/// A process that leads a group of its own, its children in it. Dropped, all of them are killed.
pub struct Running {
    run: String,
    process: Process,
    peaks: Arc<Peaks>,
}

/// The most memory that a process has had, in bytes.
#[derive(Default)]
struct Peaks {
    /// With the pages of its program.
    resident: AtomicU64,
    /// Its own, as it is looked at every 20 ms.
    private: AtomicU64,
}

impl Running {
    pub(super) fn start(run: String, command: &mut Command) -> Running {
        let process = Process::start(run.clone(), command);
        let peaks = watch_memory(process.child().id());
        Running { run, process, peaks }
    }

    /// Waits until it has written `text` to either stream; fails if it ends first, or takes over a minute.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |running| running.process.said(text));
    }

    /// Waits until `happened` says so; fails if the run ends first, or after a minute.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, mut happened: impl FnMut(&Running) -> bool) {
        let deadline = Instant::now() + MOMENT;
        while !happened(self) {
            let ended = self.process.ended();
            assert!(ended.is_none(), "{} ended before {what}: {ended:?}\n{}", self.run, self.process.errors());
            assert!(Instant::now() < deadline, "{} kept us waiting for {what}\n{}", self.run, self.process.errors());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it has written `text` to either stream or has ended; fails after a minute.
    #[track_caller]
    pub fn wait_for_or_end(&mut self, text: &str) {
        bounds::wait_until(&format!("{} says {text}, or ends", self.run), || {
            self.process.said(text) || self.process.ended().is_some()
        });
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.child().id()
    }

    /// Sends it a signal, its children not.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.process.child()), signal).unwrap();
    }

    /// The most memory that it has had resident, in bytes. Its children's is not in it.
    pub fn peak_memory(&self) -> u64 {
        self.peaks.resident.load(Ordering::Relaxed)
    }

    /// Waits for its end, and says what it came to and [`Running::peak_memory`].
    pub fn wait_with_peak_memory(self) -> (u64, Outcome) {
        let peaks = Arc::clone(&self.peaks);
        let outcome = self.wait();
        (peaks.resident.load(Ordering::Relaxed), outcome)
    }

    /// The same without the pages of its program, which are many where it isn't built for release.
    pub fn wait_with_peak_of_private_memory(self) -> (u64, Outcome) {
        let peaks = Arc::clone(&self.peaks);
        let outcome = self.wait();
        (peaks.private.load(Ordering::Relaxed), outcome)
    }

    /// Waits for its end; fails with what it wrote when that takes longer than [`LIMIT`].
    #[track_caller]
    pub fn wait(self) -> Outcome {
        let output = self.process.end(LIMIT).unwrap_or_else(|late| panic!("{late}"));
        Outcome::new(self.run, output)
    }
}

/// Looks until the process is gone. The kernel's high-water mark only grows, so the last reading is the peak, but for what the last
/// 20 ms added.
fn watch_memory(pid: u32) -> Arc<Peaks> {
    let peaks = Arc::new(Peaks::default());
    let reading = Arc::clone(&peaks);
    std::thread::spawn(move || {
        while let Some((resident, private)) = memory(pid) {
            reading.resident.store(resident, Ordering::Relaxed);
            reading.private.fetch_max(private, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    peaks
}

/// The most that was resident, and what is the process's own now, in bytes.
fn memory(pid: u32) -> Option<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
    };
    Some((bytes("VmHWM:")?, bytes("RssAnon:")?))
}
