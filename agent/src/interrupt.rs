//! Ctrl-C, SIGTERM, and a terminal that goes away: a run that is told to stop ends what it began, and leaves nothing half done.

use std::sync::Mutex;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::failure::{Exit, Failure};

/// Tells whoever asks that the run was told to stop. Clones see the same.
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
        let refused = |e| Failure::new(Exit::Failed, format!("can't listen for signals: {e}"));
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
                    tracing::warn!("{name}: stopping; once more ends at once");
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

    /// Ends when the run is told to stop, with the signal's name; else never.
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

/// What must not be left undone even by a process that ends at once.
pub(crate) type AtEnd = Box<dyn FnOnce() + Send>;

static AT_END: Mutex<Option<AtEnd>> = Mutex::new(None);

/// Sets it, in place of what was set before.
pub(crate) fn at_end(last: Option<AtEnd>) {
    if let Ok(mut at_end) = AT_END.lock() {
        *at_end = last;
    }
}

#[expect(clippy::exit, reason = "the second signal: the run doesn't come to its end by itself")]
fn end() {
    std::process::exit(i32::from(Exit::Failed.code()));
}

/// Ends at the next one; never, where it isn't heeded.
async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// The signals that this process ignores, the lowest bit for signal 1; none where the system doesn't tell.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

fn is_ignored(mask: u64, kind: SignalKind) -> bool {
    let bit = u32::try_from(kind.as_raw_value()).ok().and_then(|number| number.checked_sub(1));
    bit.and_then(|bit| mask.checked_shr(bit)).is_some_and(|rest| rest & 1 == 1)
}
