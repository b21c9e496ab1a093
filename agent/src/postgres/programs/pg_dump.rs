//! One run of `pg_dump`, whose bytes are read as they come.
//!
//! The exit status decides, never the end of the bytes alone: a pg_dump that dies closes its pipe just as one that is done.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStderr, ChildStdout, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal};

use crate::postgres::Connection;
use crate::postgres::Tool;
use crate::postgres::programs::pipe::Roomy;

/// Lines of stderr that are kept for the error's text and the manifest's warnings; every line reaches the user as it comes.
const KEPT_LINES: usize = 50;
/// How long pg_dump may take to end. It asks the server to cancel its query first, and a network that stands still never
/// answers.
const PATIENCE: Duration = Duration::from_secs(3);
/// How to dump, besides where from.
#[derive(Clone, Debug, Default)]
pub(crate) struct DumpOptions {
    /// How long pg_dump may wait for a table's lock before it gives up, so that it never stands in a production system's way.
    pub(crate) lock_timeout: Duration,
    /// The user's own flags, such as `--exclude-table-data=logs`.
    pub(crate) extra: Vec<String>,
}

/// A pg_dump that runs.
pub(crate) struct Dump {
    child: Child,
    stdout: Roomy<ChildStdout>,
    stderr: JoinHandle<Vec<String>>,
    stopper: Stopper,
}

/// Ends a running pg_dump from elsewhere: at an interrupt, or when nobody wants its bytes any more.
#[derive(Clone, Debug)]
pub(crate) struct Stopper(Arc<Mutex<Option<Pid>>>);

/// Why a dump isn't whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DumpError {
    #[error("pg_dump could not be run: {0}")]
    Run(std::io::Error),
    #[error("pg_dump was killed by signal {signal}{}", said(.lines))]
    Killed { signal: i32, lines: Vec<String> },
    #[error("pg_dump failed with exit status {code}{}", said(.lines))]
    Exited { code: i32, lines: Vec<String> },
}

impl DumpError {
    /// What pg_dump said on stderr, its last lines.
    pub(crate) fn lines(&self) -> &[String] {
        match self {
            Self::Run(_) => &[],
            Self::Killed { lines, .. } | Self::Exited { lines, .. } => lines,
        }
    }
}

fn said(lines: &[String]) -> String {
    let error = lines.iter().find(|line| line.contains("error:")).or_else(|| lines.last());
    error.map_or(String::new(), |line| {
        format!(": {}", line.trim_start_matches("pg_dump: ").trim_start_matches("error: "))
    })
}

impl Dump {
    /// Starts `pg_dump -Fc -Z0`: the custom format, uncompressed, because we compress on all cores.
    ///
    /// # Errors
    /// [`DumpError::Run`].
    pub(crate) fn start(tool: &Tool, connection: &Connection, options: &DumpOptions) -> Result<Self, DumpError> {
        let mut command = connection.command(&tool.path);
        command.args(["--format=custom", "--compress=0", "--no-password"]);
        if !options.lock_timeout.is_zero() {
            command.arg(format!("--lock-wait-timeout={}", options.lock_timeout.as_millis()));
        }
        command.args(&options.extra).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(DumpError::Run)?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(DumpError::Run(std::io::Error::other("its pipes are missing")));
        };
        let stdout = Roomy::new(stdout);
        let stderr = std::thread::spawn(move || pass_on(stderr));
        let stopper = Stopper(Arc::new(Mutex::new(Pid::from_raw(child.id().cast_signed()))));
        Ok(Self { child, stdout, stderr, stopper })
    }

    pub(crate) fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Fills `block` up to `size` bytes. It stays shorter only at the end of the dump.
    ///
    /// # Errors
    /// Of the pipe.
    pub(crate) fn fill(&mut self, block: &mut Vec<u8>, size: usize) -> std::io::Result<()> {
        self.stdout.fill(block, size)
    }

    /// Waits for the end after the last byte has been read, and answers with what pg_dump said on stderr: its warnings.
    ///
    /// # Errors
    /// [`DumpError`] for every end but exit status 0.
    pub(crate) fn finish(self) -> Result<Vec<String>, DumpError> {
        let Self { mut child, stdout, stderr, stopper, .. } = self;
        // Closed first: a pg_dump that still writes must see that nobody reads, or the wait would last for ever.
        drop(stdout);
        let status = child.wait().map_err(DumpError::Run)?;
        stopper.forget();
        let lines = stderr.join().unwrap_or_default();
        judge(status, lines)
    }
}

impl Stopper {
    /// Ends pg_dump, if it still runs. It cancels its query on SIGTERM and leaves nothing behind; where it doesn't end, it
    /// is killed.
    pub(crate) fn stop(&self) {
        self.signal(Signal::TERM);
        let late = self.clone();
        let kill = move || {
            std::thread::sleep(PATIENCE);
            late.signal(Signal::KILL);
        };
        if std::thread::Builder::new().spawn(kill).is_err() {
            self.signal(Signal::KILL);
        }
    }

    fn signal(&self, signal: Signal) {
        if let Ok(guard) = self.0.lock()
            && let Some(pid) = *guard
        {
            // It may have ended in this very moment, which is what was wanted.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    fn forget(&self) {
        if let Ok(mut guard) = self.0.lock() {
            *guard = None;
        }
    }
}

fn judge(status: ExitStatus, lines: Vec<String>) -> Result<Vec<String>, DumpError> {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(lines),
        (Some(code), _) => Err(DumpError::Exited { code, lines }),
        (None, signal) => Err(DumpError::Killed { signal: signal.unwrap_or_default(), lines }),
    }
}

/// Shows every line as it comes, and keeps the last ones.
pub(crate) fn pass_on(stderr: ChildStderr) -> Vec<String> {
    let mut kept = std::collections::VecDeque::with_capacity(KEPT_LINES);
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        tracing::warn!("{line}");
        if kept.len() == KEPT_LINES {
            kept.pop_front();
        }
        kept.push_back(line);
    }
    kept.into()
}
