//! A child process: `psql`, `pg_dump` or `pg_restore`.
//!
//! Its exit status decides, its stderr reaches the user, and a [`Stop`] ends it, also while a thread blocks on
//! its pipes.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::programs::handle::{First, Handle};
use crate::programs::stop::Stop;

/// How long a program may usually take to end after it was told to, before it is killed.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Lines of stderr that are kept for an error's text and a manifest's warnings.
const KEPT_LINES: usize = 50;

/// A program that runs. Dropped before its end, it is told to end, and killed when it doesn't.
#[derive(Debug)]
pub struct Program {
    name: &'static str,
    child: Child,
    handle: Handle,
    patience: Duration,
    stop: Stop,
    /// Ends the program when the run is told to stop.
    watcher: Option<JoinHandle<()>>,
    /// Reads stderr.
    listener: Option<JoinHandle<Vec<String>>>,
}

/// How a program is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// How long it may take to end after it was told to, before it is killed.
    pub patience: Duration,
    /// What becomes of its stderr.
    pub stderr: Stderr,
}

/// What becomes of the lines that a program writes to stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stderr {
    /// Each is shown as it comes, and the last ones are kept.
    Shown,
    /// The last ones are kept, for the error.
    Kept,
}

/// A program's pipes, those that were asked for.
#[derive(Debug)]
pub struct Pipes {
    /// What it reads.
    pub stdin: Option<ChildStdin>,
    /// What it writes.
    pub stdout: Option<ChildStdout>,
}

/// A program that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// `None`: it did its work.
    pub failure: Option<BadEnd>,
    /// The last lines of its stderr.
    pub lines: Vec<String>,
}

/// How a program ended that didn't do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadEnd {
    /// It said so itself, by this exit status.
    Exited(i32),
    /// This signal ended it.
    Killed(i32),
}

/// Why a program didn't do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
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
    pub fn start(name: &'static str, command: &mut Command, stop: &Stop) -> Result<(Self, Pipes), ProgramError> {
        Self::start_as(Manner::default(), name, command, stop)
    }

    /// Starts `command`, with stdin and stdout as the caller set them.
    ///
    /// # Errors
    /// [`ProgramError::Run`]; [`ProgramError::Interrupted`] when the run was told to stop before.
    pub fn start_as(
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
        let handle = match Handle::of(&child) {
            Ok(handle) => handle,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
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
        let (handle, stop, patience) = (self.handle.clone(), self.stop.clone(), self.patience);
        let watch = move || {
            let Some(event) = stop.event() else { return };
            if handle.first_of(event) == First::Event && !handle.ends_within(stop.left()) {
                handle.end_within(patience);
            }
        };
        thread(self.name, watch).map(Some)
    }

    /// What can end the program from another thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper { handle: self.handle.clone(), patience: self.patience }
    }

    /// Waits for its end. The caller has dropped the pipes that it holds.
    ///
    /// # Errors
    /// [`ProgramError`] for every end but exit status 0.
    pub fn end(self) -> Result<(), ProgramError> {
        let (name, stop) = (self.name, self.stop.clone());
        let Ended { failure, lines } = self.finish()?;
        let Some(end) = failure else { return Ok(()) };
        if let Some(signal) = stop.signal() {
            return Err(ProgramError::Interrupted(signal));
        }
        let said = lines.iter().find(|line| line.contains("error:") || line.contains("ERROR:")).or(lines.last());
        let said = said.map(|line| crate::said::in_one_line(line));
        Err(ProgramError::Failed { name, end, said })
    }

    /// Waits for its end, whichever it is. The caller has dropped the pipes that it holds.
    ///
    /// # Errors
    /// [`ProgramError::Run`] when the system lost it.
    pub fn finish(mut self) -> Result<Ended, ProgramError> {
        let lost = |e: io::Error| ProgramError::Run { name: self.name, cause: e.to_string() };
        let status = self.child.wait().map_err(lost)?;
        Ok(Ended { failure: BadEnd::of(status), lines: self.join() })
    }

    /// Whether it has ended by itself.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ends_within(Duration::ZERO)
    }

    /// Waits for it to end by itself, but no longer than `patience`; whether it has.
    pub(crate) fn ends_within(&self, patience: Duration) -> bool {
        self.handle.ends_within(patience)
    }

    /// Tells a server to end at once, without bringing anything to its end.
    pub fn quit(self) {
        self.handle.quit_within(self.patience);
    }

    /// Kills it, because its work is of no use any more.
    pub fn stop(self) {
        self.handle.kill();
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
            self.handle.end_within(self.patience);
            let _ = self.child.wait();
        }
        self.join();
    }
}

/// Ends a running program from another thread, when nothing wants its work any more.
#[derive(Clone, Debug)]
pub struct Stopper {
    handle: Handle,
    patience: Duration,
}

impl Stopper {
    /// Tells the program to end, and kills it when it doesn't. Returns at once.
    pub fn stop(&self) {
        let Self { handle, patience } = self.clone();
        if thread("stopper", move || handle.end_within(patience)).is_err() {
            self.handle.kill();
        }
    }
}

impl BadEnd {
    /// `None` where it did its work.
    pub(crate) fn of(status: ExitStatus) -> Option<Self> {
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

#[cfg(test)]
mod tests;
