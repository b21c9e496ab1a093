//! What drills left behind that were killed: servers that still run or were being made, and their folders.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::place::{LOCK, PREFIX, Place};

/// How long a server may take to end.
const PATIENCE: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(50);
/// How often it is looked for what was started meanwhile.
const ROUNDS: usize = 5;
/// What works in a private server's folder: the drill's own name is a child's that hasn't become one of the others yet.
const PROGRAMS: [&str; 3] = ["postgres", "initdb", "lastgood"];

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
        for _ in 0..ROUNDS {
            end_programs(&place.folder);
            place.remove();
            // What was being started makes the folder once more when it comes to it.
            if programs(&place.folder).is_empty() {
                break;
            }
        }
        place.folder.clone()
    });
    removed.collect()
}

/// Ends the server of this folder, or initdb and what it has started.
fn end_programs(folder: &Path) {
    for signal in [Signal::QUIT, Signal::KILL] {
        let until = Instant::now() + PATIENCE;
        let mut told = Vec::new();
        loop {
            let left = programs(folder);
            if left.is_empty() {
                return;
            }
            for number in left {
                if !told.contains(&number) {
                    tell(number, folder, signal);
                    told.push(number);
                }
            }
            if Instant::now() > until {
                break;
            }
            std::thread::sleep(TICK);
        }
    }
}

fn tell(number: i32, folder: &Path, signal: Signal) {
    let Some(pid) = Pid::from_raw(number) else { return };
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    // Looked at after it was opened: what is told to end is what was looked at.
    if works_in(number, folder) {
        let _ = pidfd_send_signal(&process, signal);
    }
}

/// The processes of ours that work below this folder, be it removed or not.
fn programs(folder: &Path) -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|number| works_in(*number, folder)).collect()
}

/// Somebody's shell may work there as well.
fn works_in(number: i32, folder: &Path) -> bool {
    let Ok(cwd) = std::fs::read_link(format!("/proc/{number}/cwd")) else { return false };
    let name = std::fs::read_to_string(format!("/proc/{number}/comm")).unwrap_or_default();
    below(&cwd, folder) && PROGRAMS.contains(&name.trim())
}

/// A folder that was removed has ` (deleted)` behind its name there.
fn below(cwd: &Path, folder: &Path) -> bool {
    let removed = cwd.as_os_str().to_str().and_then(|name| name.strip_suffix(" (deleted)"));
    removed.map_or(cwd, Path::new).starts_with(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_known_by_the_folder_that_it_works_in_also_when_that_is_gone() {
        let folder = Path::new("/tmp/lastgood-drill-7-a");
        for cwd in ["/tmp/lastgood-drill-7-a", "/tmp/lastgood-drill-7-a/data", "/tmp/lastgood-drill-7-a (deleted)"] {
            assert!(below(Path::new(cwd), folder), "{cwd}");
        }
        for cwd in ["/tmp", "/tmp/lastgood-drill-7-ab", "/tmp/lastgood-drill-7-ab (deleted)"] {
            assert!(!below(Path::new(cwd), folder), "{cwd}");
        }
    }
}
