//! A child process: `psql`, `pg_dump` or `pg_restore`.
//!
//! Its exit status decides, its stderr reaches the user, and a [`Stop`] ends it, also while a thread blocks on its pipes. A pidfd
//! names the process, never a number: a signal can't reach another one that got the same number, and waiting needs no ticks.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead as _, BufReader};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::postgres::programs::stop::Stop;

/// How long a program may usually take to end after it was told to, before it is killed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Lines of stderr that are kept for an error's text and a manifest's warnings.
const KEPT_LINES: usize = 50;

/// A program that runs. Dropped before its end, it is told to end, and killed when it doesn't.
#[derive(Debug)]
pub(crate) struct Program {
    name: &'static str,
    child: Child,
    handle: Arc<OwnedFd>,
    patience: Duration,
    stop: Stop,
    /// Ends the program when the run is told to stop.
    watcher: Option<JoinHandle<()>>,
    /// Reads stderr.
    listener: Option<JoinHandle<Vec<String>>>,
}

/// How a program is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manner {
    /// How long it may take to end after it was told to, before it is killed.
    pub(crate) patience: Duration,
    /// What becomes of its stderr.
    pub(crate) stderr: Stderr,
}

/// What becomes of the lines that a program writes to stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stderr {
    /// Each is shown as it comes, and the last ones are kept.
    Shown,
    /// The last ones are kept, for the error.
    Kept,
}

/// A program's pipes, those that were asked for.
#[derive(Debug)]
pub(crate) struct Pipes {
    /// What it reads.
    pub(crate) stdin: Option<ChildStdin>,
    /// What it writes.
    pub(crate) stdout: Option<ChildStdout>,
}

/// A program that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// `None`: it did its work.
    pub(crate) failure: Option<BadEnd>,
    /// The last lines of its stderr.
    pub(crate) lines: Vec<String>,
}

/// How a program ended that didn't do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadEnd {
    /// It said so itself, by this exit status.
    Exited(i32),
    /// This signal ended it.
    Killed(i32),
}

/// Why a program didn't do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProgramError {
    /// It never ran, or the system lost it.
    #[error("cannot run {name}: {cause}")]
    Run {
        /// The program.
        name: &'static str,
        /// What the system said.
        cause: String,
    },
    /// It ran, and failed.
    #[error("{name} {end}{}", .said.as_ref().map_or(String::new(), |said| format!(": {said}")))]
    Failed {
        /// The program.
        name: &'static str,
        /// How it ended.
        end: BadEnd,
        /// Its own words.
        said: Option<String>,
    },
    /// The run was told to stop, by the signal of this name.
    #[error("stopped by {0}")]
    Interrupted(&'static str),
}

impl Default for Manner {
    fn default() -> Self {
        Self { patience: PATIENCE, stderr: Stderr::Shown }
    }
}

impl Program {
    /// Starts `command` in the usual manner, with stdin and stdout as the caller set them.
    ///
    /// # Errors
    /// [`ProgramError::Run`]; [`ProgramError::Interrupted`] when the run was told to stop before.
    pub(crate) fn start(name: &'static str, command: &mut Command, stop: &Stop) -> Result<(Self, Pipes), ProgramError> {
        Self::start_as(Manner::default(), name, command, stop)
    }

    /// Starts `command`, with stdin and stdout as the caller set them.
    ///
    /// # Errors
    /// [`ProgramError::Run`]; [`ProgramError::Interrupted`] when the run was told to stop before.
    pub(crate) fn start_as(
        manner: Manner,
        name: &'static str,
        command: &mut Command,
        stop: &Stop,
    ) -> Result<(Self, Pipes), ProgramError> {
        if let Some(signal) = stop.signal() {
            return Err(ProgramError::Interrupted(signal));
        }
        Self::spawn(manner, name, command, stop).map_err(|e| ProgramError::Run { name, cause: e.to_string() })
    }

    fn spawn(manner: Manner, name: &'static str, command: &mut Command, stop: &Stop) -> io::Result<(Self, Pipes)> {
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        let pipes = Pipes { stdin: child.stdin.take(), stdout: child.stdout.take() };
        // Its number is its own until it has been waited for.
        let handle = match pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
            Ok(handle) => Arc::new(handle),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error.into());
            }
        };
        let stderr = child.stderr.take();
        let (patience, stop) = (manner.patience, stop.clone());
        let mut program = Self { name, child, handle, patience, stop, watcher: None, listener: None };
        program.listener = stderr.map(|stderr| listen(name, stderr, manner.stderr)).transpose()?;
        program.watcher = program.watch()?;
        Ok((program, pipes))
    }

    /// A thread that blocks until the program has ended or the run is told to stop.
    fn watch(&self) -> io::Result<Option<JoinHandle<()>>> {
        if self.stop.is_never() {
            return Ok(None);
        }
        let (handle, stop, patience) = (Arc::clone(&self.handle), self.stop.clone(), self.patience);
        let watch = move || {
            let Some(event) = stop.event() else { return };
            if first_of(handle.as_fd(), event) == First::Event {
                end_within(handle.as_fd(), patience);
            }
        };
        thread(self.name, watch).map(Some)
    }

    /// What can end the program from another thread.
    pub(crate) fn stopper(&self) -> Stopper {
        Stopper { handle: Arc::clone(&self.handle), patience: self.patience }
    }

    /// Waits for its end. The caller has dropped the pipes that it holds.
    ///
    /// # Errors
    /// [`ProgramError`] for every end but exit status 0.
    pub(crate) fn end(self) -> Result<(), ProgramError> {
        let (name, stop) = (self.name, self.stop.clone());
        let Ended { failure, lines } = self.finish()?;
        let Some(end) = failure else { return Ok(()) };
        if let Some(signal) = stop.signal() {
            return Err(ProgramError::Interrupted(signal));
        }
        let said = lines.iter().find(|line| line.contains("error:") || line.contains("ERROR:")).or(lines.last());
        let said = said.map(|line| crate::postgres::psql::in_one_line(line));
        Err(ProgramError::Failed { name, end, said })
    }

    /// Waits for its end, whichever it is. The caller has dropped the pipes that it holds.
    ///
    /// # Errors
    /// [`ProgramError::Run`] when the system lost it.
    pub(crate) fn finish(mut self) -> Result<Ended, ProgramError> {
        let lost = |e: io::Error| ProgramError::Run { name: self.name, cause: e.to_string() };
        let status = self.child.wait().map_err(lost)?;
        Ok(Ended { failure: BadEnd::of(status), lines: self.join() })
    }

    /// Kills it, because its work is of no use any more.
    pub(crate) fn stop(self) {
        signal(self.handle.as_fd(), Signal::KILL);
    }

    /// Both threads leave once the program has ended.
    fn join(&mut self) -> Vec<String> {
        self.watcher.take().map(JoinHandle::join);
        self.listener.take().and_then(|listener| listener.join().ok()).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            end_within(self.handle.as_fd(), self.patience);
            let _ = self.child.wait();
        }
        self.join();
    }
}

/// Ends a running program from another thread, when nothing wants its work any more.
#[derive(Clone, Debug)]
pub(crate) struct Stopper {
    handle: Arc<OwnedFd>,
    patience: Duration,
}

impl Stopper {
    /// Tells the program to end, and kills it when it doesn't. Returns at once.
    pub(crate) fn stop(&self) {
        let Self { handle, patience } = self.clone();
        if thread("stopper", move || end_within(handle.as_fd(), patience)).is_err() {
            signal(self.handle.as_fd(), Signal::KILL);
        }
    }
}

impl BadEnd {
    fn of(status: ExitStatus) -> Option<Self> {
        match (status.code(), status.signal()) {
            (Some(0), _) => None,
            (Some(code), _) => Some(Self::Exited(code)),
            (None, signal) => Some(Self::Killed(signal.unwrap_or_default())),
        }
    }
}

impl fmt::Display for BadEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "failed with exit status {code}"),
            Self::Killed(signal) => write!(f, "was killed by signal {signal}"),
        }
    }
}

/// A thread that reads every line as it comes, and keeps the last ones.
fn listen(name: &str, stderr: ChildStderr, fate: Stderr) -> io::Result<JoinHandle<Vec<String>>> {
    let read = move || {
        let mut kept = VecDeque::new();
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            if fate == Stderr::Shown {
                tracing::warn!("{line}");
            }
            if kept.len() == KEPT_LINES {
                kept.pop_front();
            }
            kept.push_back(line);
        }
        kept.into()
    };
    thread(name, read)
}

/// A thread that the system shows under the program's name.
fn thread<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> io::Result<JoinHandle<T>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

#[derive(PartialEq, Eq)]
enum First {
    Ended,
    Event,
}

/// Blocks until the program has ended or the event has come.
fn first_of(handle: BorrowedFd<'_>, event: BorrowedFd<'_>) -> First {
    let mut both = [PollFd::from_borrowed_fd(handle, PollFlags::IN), PollFd::from_borrowed_fd(event, PollFlags::IN)];
    while poll(&mut both, None) == Err(Errno::INTR) {}
    let [ended, told] = both;
    if ended.revents().is_empty() && !told.revents().is_empty() { First::Event } else { First::Ended }
}

/// PostgreSQL's programs cancel their queries on SIGTERM and leave nothing behind; a network that stands still may never let
/// them end.
fn end_within(handle: BorrowedFd<'_>, patience: Duration) {
    signal(handle, Signal::TERM);
    if !ends_within(handle, patience) {
        signal(handle, Signal::KILL);
    }
}

fn ends_within(handle: BorrowedFd<'_>, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    let mut ended = [PollFd::from_borrowed_fd(handle, PollFlags::IN)];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut ended, Some(&left)) {
            Err(Errno::INTR) => {}
            found => return found.is_ok_and(|count| count > 0),
        }
    }
}

fn signal(handle: BorrowedFd<'_>, signal: Signal) {
    // It may have ended in this very moment, which is what was wanted.
    let _ = pidfd_send_signal(handle, signal);
}

#[cfg(test)]
mod tests;
