//! What drills left behind that were killed: servers that still run, and their folders.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::place::{LOCK, PREFIX, Place};

/// How long a server may take to end.
const PATIENCE: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(50);

/// Ends the private servers below `base` whose drills are dead, removes their folders, and answers with those.
#[must_use]
pub fn remove_dead(base: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(base) else { return Vec::new() };
    let is_lock = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(LOCK))
    };
    let locks = entries.flatten().map(|entry| entry.path()).filter(is_lock);
    let dead = locks.filter_map(|lock| Place::of_dead(&lock));
    let removed = dead.map(|place| {
        end_server(&place.data());
        place.remove();
        place.folder.clone()
    });
    removed.collect()
}

/// Ends the server of this cluster. The number in its file may be another process's by now: a server works in its cluster's folder.
fn end_server(data: &Path) {
    let Some(number) = number(data) else { return };
    let Some(pid) = Pid::from_raw(number) else { return };
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    // Looked at after it was opened: what is told to end is what was looked at.
    if !works_in(number, data) {
        return;
    }
    for signal in [Signal::QUIT, Signal::KILL] {
        let _ = pidfd_send_signal(&process, signal);
        let until = Instant::now() + PATIENCE;
        while works_in(number, data) {
            if Instant::now() > until {
                break;
            }
            std::thread::sleep(TICK);
        }
    }
}

fn number(data: &Path) -> Option<i32> {
    let file = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    file.lines().next()?.trim().parse().ok().filter(|number| *number > 1)
}

fn works_in(number: i32, data: &Path) -> bool {
    std::fs::read_link(format!("/proc/{number}/cwd")).is_ok_and(|folder| folder == data)
}
