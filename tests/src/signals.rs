//! Programs that tests start begin with default signals, even where the tests themselves were told to ignore some.

use std::sync::Once;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// What shells and wrappers ignore for those whom they start.
const OFTEN_IGNORED: [Signal; 4] = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM];

/// A shell that starts the tests by `&` in a script has them ignore SIGINT and SIGQUIT, `nohup` SIGHUP, and every program
/// inherits what its parent ignores. What its parent handles it gets at its default: so each ignored signal is given a
/// handler here, which does nothing. This process stays as deaf as it was told to be.
pub fn begin_afresh() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        // A thread of its own: whoever calls may be in a runtime, which suffers no second one.
        std::thread::spawn(handle_ignored).join().unwrap();
    });
}

fn handle_ignored() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _inside = runtime.enter();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    for ignored in OFTEN_IGNORED.into_iter().filter(|signal| is_ignored(&status, *signal)) {
        // The handler outlives both the listener and the runtime.
        drop(signal(SignalKind::from_raw(ignored.as_raw())).unwrap());
    }
}

/// Whether a process ignores a signal, by its `status` in `/proc`.
pub fn is_ignored(status: &str, signal: Signal) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap().trim();
    u64::from_str_radix(mask, 16).unwrap() & (1 << (signal.as_raw() - 1)) != 0
}
