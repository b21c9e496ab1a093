//! One run of `pg_dump`, whose bytes are read as they come.
//!
//! The exit status decides, never the end of the bytes alone: a pg_dump that dies closes its pipe just as one that is done.

use std::io::{self, Cursor, Read as _};
use std::process::{ChildStdout, Stdio};
use std::time::Duration;

use crate::programs::pipe::WidePipe;
use crate::programs::program::{BadEnd, Ended, Manner, Program, ProgramError, Stderr, Stopper};
use crate::programs::stop::Stop;
use crate::{Connection, Tool};

/// How long pg_dump may take to end. It asks the server to cancel its query first, and a network that is stuck never
/// answers.
const PATIENCE: Duration = Duration::from_secs(3);

/// What it says when it is told to end.
const ENDED: [&str; 2] = ["terminated by user", "canceling statement due to user request"];

/// How to dump, besides where from.
#[derive(Clone, Debug, Default)]
pub struct DumpOptions {
    /// How long pg_dump may wait for a table's lock before it gives up, so that it never blocks a production system.
    pub lock_timeout: Duration,
    /// The user's own flags, such as `--exclude-table-data=logs`.
    pub extra: Vec<String>,
}

/// A pg_dump that runs. Dropped before its end, it is told to end.
#[derive(Debug)]
pub struct Dump {
    // Closed first: a pg_dump that still writes must see that its reader is gone, or the wait for its end would never end.
    stdout: WidePipe<ChildStdout>,
    program: Program,
    stop: Stop,
    /// Bytes that were read before, and are to be read once more.
    unread: Cursor<Vec<u8>>,
}

/// Why a dump isn't whole.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// pg_dump never ran.
    #[error(transparent)]
    Run(ProgramError),
    /// pg_dump failed, or was ended.
    #[error("pg_dump {end}{}", said(.lines))]
    Failed {
        /// How it ended.
        end: BadEnd,
        /// The last lines of its stderr.
        lines: Vec<String>,
    },
    /// A session that reads rows beside it failed.
    #[error("a session that reads rows failed: {}", first(.lines))]
    Session {
        /// The last lines of what was said.
        lines: Vec<String>,
    },
    /// The run was told to stop, by the signal of this name.
    #[error("stopped by {0}")]
    Interrupted(&'static str),
}

impl DumpError {
    /// What pg_dump said on stderr, its last lines.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        match self {
            Self::Run(_) | Self::Interrupted(_) => &[],
            Self::Failed { lines, .. } | Self::Session { lines } => lines,
        }
    }

    /// Whether a signal ended pg_dump.
    #[must_use]
    pub fn was_killed(&self) -> bool {
        matches!(self, Self::Failed { end: BadEnd::Killed(_), .. })
    }
}

impl From<ProgramError> for DumpError {
    fn from(error: ProgramError) -> Self {
        match error {
            ProgramError::Interrupted(signal) => Self::Interrupted(signal),
            error => Self::Run(error),
        }
    }
}

/// The line that says most.
fn first(lines: &[String]) -> &str {
    let is_error = |line: &&String| ["error:", "ERROR:", "FATAL:"].iter().any(|word| line.contains(word));
    // A server may say it in another language; what follows an error in a transaction is only that it has failed.
    let line = lines.iter().find(is_error).or_else(|| lines.iter().find(|line| line.starts_with("psql:")));
    line.or_else(|| lines.last()).map_or("it ended without a word", String::as_str)
}

fn said(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    format!(": {}", first(lines).trim_start_matches("pg_dump: ").trim_start_matches("error: "))
}

impl Dump {
    /// Starts `pg_dump -Fc -Z0`: the custom format, uncompressed, because we compress on all cores.
    ///
    /// # Errors
    /// [`DumpError::Run`]; [`DumpError::Interrupted`] when the run was told to stop before.
    pub fn start(tool: &Tool, connection: &Connection, options: &DumpOptions, stop: &Stop) -> Result<Self, DumpError> {
        Self::start_as(Stderr::Shown, tool, connection, (options, stop))
    }

    /// The same, but what it says on stderr is only kept.
    pub(crate) fn start_quietly(
        tool: &Tool,
        connection: &Connection,
        options: &DumpOptions,
        stop: &Stop,
    ) -> Result<Self, DumpError> {
        Self::start_as(Stderr::Kept, tool, connection, (options, stop))
    }

    fn start_as(
        stderr: Stderr,
        tool: &Tool,
        connection: &Connection,
        (options, stop): (&DumpOptions, &Stop),
    ) -> Result<Self, DumpError> {
        let mut command = connection.command(&tool.path);
        command.args(["--format=custom", "--compress=0", "--no-password"]);
        if !options.lock_timeout.is_zero() {
            command.arg(format!("--lock-wait-timeout={}", options.lock_timeout.as_millis()));
        }
        command.args(&options.extra).stdin(Stdio::null()).stdout(Stdio::piped());
        let manner = Manner { patience: PATIENCE, stderr };
        let (program, pipes) = Program::start_as(manner, "pg_dump", &mut command, stop)?;
        let missing = || ProgramError::Run { name: "pg_dump", cause: "its stdout is missing".to_owned() };
        let stdout = WidePipe::new(pipes.stdout.ok_or_else(missing)?);
        Ok(Self { stdout, program, stop: stop.clone(), unread: Cursor::default() })
    }

    /// What can end pg_dump from another thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.program.stopper()
    }

    /// Fills `block` up to `size` bytes. It stays shorter only at the end of the dump.
    ///
    /// # Errors
    /// When the pipe can't be read.
    pub fn fill(&mut self, block: &mut Vec<u8>, size: usize) -> io::Result<()> {
        self.read_again(block, size)?;
        self.stdout.fill(block, size)
    }

    /// Reads what is there into `block`, up to `size` bytes in all, and waits only for the first. Nothing at the end of the dump.
    pub(crate) fn read_some(&mut self, block: &mut Vec<u8>, size: usize) -> io::Result<()> {
        self.read_again(block, size)?;
        if block.is_empty() { self.stdout.read_some(block, size).map(drop) } else { Ok(()) }
    }

    /// Puts back what was read of it from its beginning.
    pub(crate) fn unread(&mut self, bytes: Vec<u8>) {
        self.unread = Cursor::new(bytes);
    }

    fn read_again(&mut self, block: &mut Vec<u8>, size: usize) -> io::Result<()> {
        let missing = size.saturating_sub(block.len()) as u64;
        (&mut self.unread).take(missing).read_to_end(block).map(drop)
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&self) -> bool {
        self.program.has_ended()
    }

    /// Ends it, because its work is done, and answers with what it said until then.
    pub(crate) fn end(self) -> Vec<String> {
        let Self { stdout, program, .. } = self;
        program.stopper().stop();
        drop(stdout);
        let lines = program.finish().map(|ended| ended.lines).unwrap_or_default();
        lines.into_iter().filter(|line| !ENDED.iter().any(|words| line.contains(words))).collect()
    }

    /// Waits for the end after the last byte has been read, and answers with what pg_dump said on stderr: its warnings.
    ///
    /// # Errors
    /// [`DumpError`] for every end but exit status 0.
    pub fn finish(self) -> Result<Vec<String>, DumpError> {
        let Self { stdout, program, stop, .. } = self;
        drop(stdout);
        let Ended { failure, lines } = program.finish()?;
        match (failure, stop.signal()) {
            (None, _) => Ok(lines),
            (Some(_), Some(signal)) => Err(DumpError::Interrupted(signal)),
            (Some(end), None) => Err(DumpError::Failed { end, lines }),
        }
    }
}
