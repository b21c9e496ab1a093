//! Ctrl-C, SIGTERM, and a terminal that goes away: a run that is told to stop ends what it began, and leaves nothing half done.

use std::sync::Mutex;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::answers::failure::{Exit, Failure};

/// Tells whether the run was told to stop. Clones see the same.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(watch::Receiver<Option<&'static str>>);

impl Interrupt {
    /// Listens from now on. The first signal is an invitation; at a second one the process only does what [`at_end`] was told,
    /// and ends; at a third it ends at once. A signal that was ignored
    /// when the process began, as `nohup` does with SIGHUP, stays ignored.
    ///
    /// # Errors
    /// Exit 1 when the system refuses to install the handlers.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let refused = |e| Failure::new(Exit::Failed, format!("cannot listen for signals: {e}"));
        let ignored = ignored();
        let heed = |kind: SignalKind| if is_ignored(ignored, kind) { Ok(None) } else { signal(kind).map(Some) };
        let mut terminate = heed(SignalKind::terminate()).map_err(refused)?;
        let mut interrupt = heed(SignalKind::interrupt()).map_err(refused)?;
        let mut hangup = heed(SignalKind::hangup()).map_err(refused)?;
        let (say, told) = watch::channel(None);
        tokio::spawn(async move {
            loop {
                let name = tokio::select! {
                    () = next(&mut terminate) => "SIGTERM",
                    () = next(&mut interrupt) => "SIGINT",
                    () = next(&mut hangup) => "SIGHUP",
                };
                if say.send_replace(Some(name)).is_none() {
                    tracing::warn!("{name}: stopping and cleaning up; send it again to quit at once");
                    continue;
                }
                match AT_END.lock().ok().and_then(|mut last| last.take()) {
                    // On a thread of its own: a third signal need not wait for it.
                    Some(last) => drop(std::thread::spawn(|| {
                        last();
                        end();
                    })),
                    None => end(),
                }
            }
        });
        Ok(Self(told))
    }

    /// Waits until the run is told to stop, and returns the signal's name.
    pub(crate) async fn wait(&mut self) -> &'static str {
        loop {
            if let Some(name) = *self.0.borrow_and_update() {
                return name;
            }
            if self.0.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// The signal that told the run to stop, if one did.
    pub(crate) fn seen(&self) -> Option<&'static str> {
        *self.0.borrow()
    }
}

/// What even a process that ends at once must still do.
pub(crate) type AtEnd = Box<dyn FnOnce() + Send>;

static AT_END: Mutex<Option<AtEnd>> = Mutex::new(None);

/// Sets what the process does last when it has to end at once, in place of what was set before.
pub(crate) fn at_end(last: Option<AtEnd>) {
    if let Ok(mut at_end) = AT_END.lock() {
        *at_end = last;
    }
}

fn end() {
    std::process::exit(i32::from(Exit::Failed.code()));
}

/// Waits for the next signal of this kind; forever, where it is ignored.
async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// The signals that this process ignores, the lowest bit for signal 1; none where the system does not tell.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

fn is_ignored(mask: u64, kind: SignalKind) -> bool {
    let bit = u32::try_from(kind.as_raw_value()).ok().and_then(|number| number.checked_sub(1));
    bit.and_then(|bit| mask.checked_shr(bit)).is_some_and(|rest| rest & 1 == 1)
}
