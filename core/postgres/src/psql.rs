//! Questions to the database, asked through `psql`.
//!
//! Every row comes back as one line of JSON, so that a name with a newline or a quote in it arrives as it is.

mod attempt;
mod kept;

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::programs::program::{BadEnd, Ended, Manner, PATIENCE, Program, ProgramError, Stderr};
use crate::programs::stop::Stop;
pub use crate::psql::attempt::Refusal;
use crate::psql::kept::{Kept, Talk, Unanswered};
use crate::said::in_one_line;
use crate::{Connection, Secret};

/// Seconds, where the user says none: libpq itself would wait for a silent network as long as the kernel does.
pub(crate) const CONNECT_TIMEOUT: &str = "15";
/// The state that a session of ours is in, whatever role, database and server set: no time-out but those of the network, no
/// notices, names of the system's alone, writing allowed, and rows and definitions read as pg_dump writes them. Said in SQL: a pooler refuses `options` when a connection starts. A server tells
/// which of the time-outs it knows.
pub(crate) const STATE: &str =
    "SELECT pg_catalog.set_config(n, v, false) FROM (VALUES ('client_min_messages', 'warning'),
    ('search_path', 'pg_catalog'), ('statement_timeout', '0'), ('lock_timeout', '0'), ('idle_session_timeout', '0'),
    ('idle_in_transaction_session_timeout', '0'), ('transaction_timeout', '0'),
    ('default_transaction_read_only', 'off'), ('array_nulls', 'on'), ('transform_null_equals', 'off')) AS s(n, v)
    WHERE pg_catalog.current_setting(n, true) IS NOT NULL \\g /dev/null\n";
/// How much longer than the run a statement may take whose end has to be known. A network that is stuck never tells it.
const GRACE: Duration = Duration::from_secs(8);
/// How psql says that it has no connection.
const UNCONNECTED: BadEnd = BadEnd::Exited(2);
/// Bytes that every pipe has room for while nothing is read from it.
const PIPE_ROOM: usize = 4096;

/// One database, ready to be asked.
#[derive(Clone, Debug)]
pub struct Psql {
    program: PathBuf,
    connection: Connection,
    stop: Stop,
    /// What is done before each question, and taken back after it.
    as_if: Option<Secret>,
    /// The psql that is asked for rows, where it stays for the next question.
    kept: Option<Kept>,
}

/// A question that got no answer.
#[derive(Debug, thiserror::Error)]
pub enum PsqlError {
    /// The program could not be run.
    #[error("cannot run {program}: {cause}")]
    Run {
        /// Its path.
        program: String,
        /// What the system said.
        cause: String,
    },
    /// psql, or the server through it, refused. The text is its own.
    #[error("{0}")]
    Refused(String),
    /// psql got no connection, or lost it. The text is its own, or the server's.
    #[error("{0}")]
    Unconnected(String),
    /// An answer that isn't what was asked for.
    #[error("cannot read psql's answer: {0}")]
    Answer(#[from] serde_json::Error),
    /// The run was told to stop, by the signal of this name.
    #[error("stopped by {0}")]
    Interrupted(&'static str),
}

impl Psql {
    /// Asks over `connection` until `stop` is set; a question under way then ends unanswered.
    pub fn new(program: impl Into<PathBuf>, connection: Connection, stop: &Stop) -> Self {
        Self { program: program.into(), connection, stop: stop.clone(), as_if: None, kept: None }
    }

    /// The same server, another database.
    #[must_use]
    pub fn to(&self, database: &str) -> Self {
        Self { connection: self.connection.to(database), kept: None, ..self.clone() }
    }

    /// The same database, asked to the end when the run is stopped, but for seconds only: for statements whose effect the server
    /// would keep, and for what has to be known or undone after a stop.
    #[must_use]
    pub fn unstopped(&self) -> Self {
        Self { stop: self.stop.after(GRACE), kept: None, ..self.clone() }
    }

    /// The same program, with other values of libpq's variables.
    pub(crate) fn with(&self, variables: &[(&'static str, Secret)]) -> Self {
        Self { connection: self.connection.with(variables), kept: None, ..self.clone() }
    }

    /// The same database, through another psql.
    pub fn by(&self, program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), kept: None, ..self.clone() }
    }

    /// The same database, whose rows are asked for as if these statements had been made: in a transaction that is taken back.
    #[must_use]
    pub fn as_if(&self, statements: Secret) -> Self {
        Self { as_if: Some(statements), ..self.clone() }
    }

    /// The same database, asked for rows by one psql, which stays connected until what is returned, and every clone of it, is dropped.
    #[must_use]
    pub fn kept(&self) -> Self {
        Self { kept: Some(Kept::default()), ..self.clone() }
    }

    /// The same database, asked by a psql for each question.
    #[must_use]
    pub fn released(&self) -> Self {
        Self { kept: None, ..self.clone() }
    }

    /// The program itself.
    #[must_use]
    pub fn program(&self) -> &std::path::Path {
        &self.program
    }

    /// The connection that questions go over.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What ends a question before it is answered.
    #[must_use]
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// The rows that `select` answers with. `select` is one SELECT without a semicolon; its column names are `T`'s fields.
    ///
    /// # Errors
    /// [`PsqlError`] when psql can't be run, the server refuses, or a row isn't a `T`.
    pub fn rows<T: DeserializeOwned>(&self, select: &str) -> Result<Vec<T>, PsqlError> {
        let select = format!("SELECT row_to_json(answer) FROM ({select}) AS answer;\n");
        let select = match &self.as_if {
            None => select,
            Some(before) => format!("BEGIN;\n{}{select}ROLLBACK;\n", before.expose()),
        };
        let answer = self.statement(&select)?;
        answer.lines().filter(|line| !line.is_empty()).map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// The first row that `select` answers with, if there is one.
    ///
    /// # Errors
    /// As [`Psql::rows`].
    pub fn row<T: DeserializeOwned>(&self, select: &str) -> Result<Option<T>, PsqlError> {
        Ok(self.rows(select)?.into_iter().next())
    }

    /// Runs SQL that leaves no setting behind, in the psql that stays, where one does.
    ///
    /// # Errors
    /// As [`Psql::rows`].
    pub fn statement(&self, sql: &str) -> Result<String, PsqlError> {
        let Some(kept) = &self.kept else { return self.script(sql) };
        let asked = kept.ask(sql, || {
            let manner = Manner { patience: PATIENCE, stderr: Stderr::Kept };
            let (program, mut pipes) = Program::start_as(manner, "psql", &mut self.command(), &self.stop)?;
            // One that has ended already says why at the question.
            let _ = pipes.stdin.as_mut().map(|stdin| stdin.write_all(STATE.as_bytes()));
            Talk::new(program, pipes.stdin, pipes.stdout)
                .ok_or(ProgramError::Run { name: "psql", cause: "its pipes are missing".to_owned() })
        });
        asked.map_err(|unanswered| match unanswered {
            Unanswered::Start(error) => self.failed(error),
            Unanswered::Ended(ended) => self.refused(&ended).unwrap_or_else(|| self.unrunnable("it ended".to_owned())),
            Unanswered::Lost(cause) => self.unrunnable(cause),
        })
    }

    /// Runs SQL statements, stopping at the first that fails, and returns what they print.
    ///
    /// # Errors
    /// As [`Psql::rows`].
    pub fn script(&self, sql: &str) -> Result<String, PsqlError> {
        let (answer, ended) = self.run(format!("{STATE}{sql}").as_bytes())?;
        match self.refused(&ended) {
            None => answer.map_err(|e| self.unrunnable(e.to_string())),
            Some(error) => Err(error),
        }
    }

    /// Runs a psql to its end: what it printed, and how it ended.
    fn run(&self, script: &[u8]) -> Result<(io::Result<String>, Ended), PsqlError> {
        let manner = Manner { patience: PATIENCE, stderr: Stderr::Kept };
        let started = Program::start_as(manner, "psql", &mut self.command(), &self.stop);
        let (program, pipes) = started.map_err(|e| self.failed(e))?;
        let answer = exchange(pipes.stdin, pipes.stdout, script);
        let ended = program.finish().map_err(|e| self.failed(e))?;
        Ok((answer, ended))
    }

    /// Why a psql that has ended didn't do its work, if it didn't.
    fn refused(&self, Ended { failure, lines }: &Ended) -> Option<PsqlError> {
        let end = failure.as_ref()?;
        if let Some(signal) = self.stop.signal() {
            return Some(PsqlError::Interrupted(signal));
        }
        let words = in_one_line(&lines.join("\n"));
        Some(if *end == UNCONNECTED { PsqlError::Unconnected(words) } else { PsqlError::Refused(words) })
    }

    /// Runs SQL statements, stopping at the first that fails, and hands on what they print, byte by byte as it comes: rows of COPY may be
    /// in any character set, and as many as a table has. Nothing that psql says is shown.
    ///
    /// # Errors
    /// As [`Psql::rows`]; what was handed on then isn't all.
    pub fn pour(&self, sql: &str, mut take: impl FnMut(&[u8])) -> Result<(), PsqlError> {
        let manner = Manner { patience: PATIENCE, stderr: Stderr::Kept };
        let started = Program::start_as(manner, "psql", &mut self.command(), &self.stop);
        let (program, pipes) = started.map_err(|e| self.failed(e))?;
        let read = std::thread::scope(|scope| {
            let script = format!("{STATE}{sql}");
            scope.spawn(move || drop(pipes.stdin.map(|mut pipe| pipe.write_all(script.as_bytes()))));
            let mut block = vec![0; 1 << 18];
            let Some(mut pipe) = pipes.stdout else { return Ok(()) };
            loop {
                match pipe.read(&mut block) {
                    Ok(0) => return Ok(()),
                    Ok(length) => take(block.get(..length).unwrap_or_default()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        });
        let Ended { failure, lines } = program.finish().map_err(|e| self.failed(e))?;
        match (failure, self.stop.signal()) {
            (None, _) => read.map_err(|e| self.unrunnable(e.to_string())),
            (Some(_), Some(signal)) => Err(PsqlError::Interrupted(signal)),
            (Some(_), None) => Err(PsqlError::Refused(in_one_line(&lines.join("\n")))),
        }
    }

    /// The words with which a connection is refused, if it is.
    pub(crate) fn refusal(&self) -> Option<String> {
        match self.script("SELECT 1;\n") {
            Err(PsqlError::Unconnected(words)) => Some(words),
            _ => None,
        }
    }

    fn command(&self) -> Command {
        let mut command = self.connection.command(&self.program);
        command
            .env("PGCLIENTENCODING", "UTF8")
            // What psql itself says is read by us, and not by its user.
            .env("LC_ALL", "C")
            .env("PGCONNECT_TIMEOUT", self.connection.get("PGCONNECT_TIMEOUT").unwrap_or(CONNECT_TIMEOUT))
            .args(["-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if self.stop.is_lenient() {
            // Nor does Ctrl-C at a terminal end it then.
            command.process_group(0);
        }
        command
    }

    fn failed(&self, error: ProgramError) -> PsqlError {
        match error {
            ProgramError::Interrupted(signal) => PsqlError::Interrupted(signal),
            ProgramError::Run { cause, .. } => self.unrunnable(cause),
            error @ ProgramError::Failed { .. } => PsqlError::Refused(error.to_string()),
        }
    }

    fn unrunnable(&self, cause: String) -> PsqlError {
        PsqlError::Run { program: self.program.display().to_string(), cause }
    }
}

/// Hands psql the script, and reads what it prints.
fn exchange(stdin: Option<ChildStdin>, stdout: Option<ChildStdout>, script: &[u8]) -> io::Result<String> {
    // A psql that ends before it has read all of it says why in its exit status.
    let write = move || drop(stdin.map(|mut pipe| pipe.write_all(script)));
    let read = || {
        let mut answer = Vec::new();
        stdout.map(|mut pipe| pipe.read_to_end(&mut answer)).transpose()?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    if script.len() <= PIPE_ROOM {
        write();
        return read();
    }
    // On a thread of its own: psql may answer more than a pipe holds before it has read it all.
    std::thread::scope(|scope| {
        scope.spawn(write);
        read()
    })
}
