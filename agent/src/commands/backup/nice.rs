//! Stepping back for others who want the processor.

use rustix::process::{Pid, setpriority_process};

use crate::settings::Settings;

/// Makes this process nicer, as `nice` does: every thread of it, and what these start from now on, programs included. Priorities
/// are each thread's own on Linux.
pub(super) fn step_back(settings: &Settings) {
    let Ok(nice) = i32::try_from(settings.nice) else { return };
    if nice == 0 {
        return;
    }
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let numbers = threads.filter_map(|thread| thread.file_name().to_str()?.parse().ok());
    for thread in numbers.filter_map(Pid::from_raw) {
        if let Err(error) = setpriority_process(Some(thread), nice) {
            tracing::info!("BACKUP_NICE={nice} has no effect: {error}");
        }
    }
}
