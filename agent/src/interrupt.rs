//! Ctrl-C, SIGTERM, and a terminal that goes away: a run that is told to stop ends what it began, and leaves nothing half done.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use postgres::Stop;
use repository::{Cancellation, Told};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::answers::failure::{Exit, Failure};

/// Knows whether the run was told to stop, and ends the programs that it runs, and the requests that it waits for, when it is.
/// Clones see the same.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    told: watch::Receiver<Option<Told>>,
    stop: Stop,
    last: Last,
}

impl Interrupt {
    /// Listens from now on. The first signal is an invitation; at a second one the process only does what
    /// [`Interrupt::at_end`] was told, and ends; at a third it ends at once. A signal that was ignored when the process began,
    /// as `nohup` does with SIGHUP, stays ignored.
    ///
    /// # Errors
    /// Exit 1 when the system refuses to install the handlers.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let refused = |e| Failure::new(Exit::Failed, format!("cannot listen for signals: {e}"));
        let (say, told) = watch::channel(None);
        let this = Self { told, stop: Stop::new().map_err(refused)?, last: Last::default() };
        let (stop, last) = (this.stop.clone(), this.last.clone());
        let ignored = ignored();
        let heed = |kind: SignalKind| if is_ignored(ignored, kind) { Ok(None) } else { signal(kind).map(Some) };
        let mut terminate = heed(SignalKind::terminate()).map_err(refused)?;
        let mut interrupt = heed(SignalKind::interrupt()).map_err(refused)?;
        let mut hangup = heed(SignalKind::hangup()).map_err(refused)?;
        let mut quit = heed(SignalKind::quit()).map_err(refused)?;
        // Heard by nobody: a file that may not grow is an error to whoever writes it, and not the end of all that is done beside it.
        drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map_err(refused)?);
        tokio::spawn(async move {
            loop {
                let name = tokio::select! {
                    () = next(&mut terminate) => "SIGTERM",
                    () = next(&mut interrupt) => "SIGINT",
                    () = next(&mut hangup) => "SIGHUP",
                    () = next(&mut quit) => "SIGQUIT",
                };
                stop.set(name);
                if say.send_replace(Some(Told { signal: name, at: Instant::now() })).is_none() {
                    tracing::warn!("{name}: stopping and cleaning up; send it again to quit at once");
                    continue;
                }
                match last.take() {
                    // On a thread of its own: a third signal need not wait for it.
                    Some(last) => drop(std::thread::spawn(|| {
                        last();
                        end();
                    })),
                    None => end(),
                }
            }
        });
        Ok(this)
    }

    /// An interrupt that no signal reaches.
    #[cfg(test)]
    pub(crate) fn never() -> Self {
        Self { told: watch::channel(None).1, stop: Stop::never(), last: Last::default() }
    }

    /// Waits until the run is told to stop, and returns the signal's name.
    pub(crate) async fn wait(&mut self) -> &'static str {
        loop {
            if let Some(told) = *self.told.borrow_and_update() {
                return told.signal;
            }
            if self.told.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// The signal that told the run to stop, if one did.
    pub(crate) fn seen(&self) -> Option<&'static str> {
        self.stop.signal()
    }

    /// What ends the requests of this run when it is told to stop.
    pub(crate) fn cancellation(&self) -> Cancellation {
        Cancellation::new(self.told.clone())
    }

    /// What `command` comes to, or its end when the run is told to stop: for commands that leave nothing half done wherever they
    /// end.
    ///
    /// # Errors
    /// The command's own; exit 1 when it was told to stop.
    pub(crate) async fn or<T>(&self, command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let mut told = self.clone();
        // On the heap: a command is a future of many kilobytes.
        let command = Box::pin(command);
        tokio::select! {
            biased;
            done = command => done,
            signal = told.wait() => Err(stopped_by(signal)),
        }
    }

    /// What ends the programs of this run when it is told to stop.
    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Sets what must not be left undone even by a process that ends at once, in place of what was set before. It is forgotten
    /// when what is returned is dropped.
    pub(crate) fn at_end(&self, act: impl FnOnce() + Send + 'static) -> AtEnd {
        self.last.set(Some(Box::new(act)));
        AtEnd(self.last.clone())
    }
}

/// The failure of a command that was told to stop, and has nothing to say of what it leaves.
pub(crate) fn stopped_by(signal: &str) -> Failure {
    Failure::new(Exit::Failed, format!("stopped by {signal}")).hint("start it again")
}

/// What a process that ends at once still does, as long as this lives.
#[derive(Debug)]
#[must_use]
pub(crate) struct AtEnd(Last);

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// The one last act that an interrupt and its clones share.
#[derive(Clone, Default)]
struct Last(Arc<Mutex<Option<Act>>>);

type Act = Box<dyn FnOnce() + Send>;

impl Last {
    fn set(&self, act: Option<Act>) {
        if let Ok(mut last) = self.0.lock() {
            *last = act;
        }
    }

    fn take(&self) -> Option<Act> {
        self.0.lock().ok()?.take()
    }
}

impl fmt::Debug for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Last")
    }
}

#[expect(clippy::exit, reason = "the second signal: the run doesn't come to its end by itself")]
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
