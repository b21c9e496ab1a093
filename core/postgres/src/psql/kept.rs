//! A psql that stays, so that many small questions take one start and one login: those two take longer than most answers.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::programs::program::{Ended, Program};

/// The line that ends an answer. No JSON document looks like it.
const END: &str = "lastgood: end of the answer";

/// A psql that is started when it is first asked, and ends with the last clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept(Arc<Mutex<Option<Talk>>>);

/// A psql that runs.
#[derive(Debug)]
pub(super) struct Talk {
    program: Option<Program>,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// How long a psql may take to leave whose input has ended, before it is told to.
const LEAVING: Duration = Duration::from_millis(200);

/// Why there is no answer.
pub(super) enum Unanswered<E> {
    /// It couldn't be started.
    Start(E),
    /// It ended.
    Ended(Ended),
    /// Nothing more is known.
    Lost(String),
}

impl Kept {
    /// Runs SQL, in a psql that `start` starts where there is none, and answers with what it prints.
    pub(super) fn ask<E>(&self, sql: &str, start: impl FnOnce() -> Result<Talk, E>) -> Result<String, Unanswered<E>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut talk = match kept.take() {
            Some(talk) => talk,
            None => start().map_err(Unanswered::Start)?,
        };
        if let Some(answer) = talk.ask(sql) {
            *kept = Some(talk);
            return Ok(answer);
        }
        talk.stdin = None;
        let Some(program) = talk.program.take() else { return Err(Unanswered::Lost("it is gone".to_owned())) };
        Err(program.finish().map_or_else(|e| Unanswered::Lost(e.to_string()), Unanswered::Ended))
    }
}

impl Talk {
    /// With its pipes, of which none may be missing.
    pub(super) fn new(program: Program, stdin: Option<ChildStdin>, stdout: Option<ChildStdout>) -> Option<Self> {
        Some(Self { program: Some(program), stdin: Some(stdin?), stdout: BufReader::new(stdout?) })
    }

    /// `None`: psql has ended, which says why in its own way.
    fn ask(&mut self, sql: &str) -> Option<String> {
        // psql reads a question to its end before it answers.
        self.stdin.as_mut()?.write_all(format!("{sql}\\echo '{END}'\n").as_bytes()).ok()?;
        let mut answer = Vec::new();
        loop {
            let begin = answer.len();
            if self.stdout.read_until(b'\n', &mut answer).ok()? == 0 {
                return None;
            }
            let line = answer.get(begin..).unwrap_or_default();
            if line.strip_suffix(b"\n") == Some(END.as_bytes()) {
                answer.truncate(begin);
                return Some(String::from_utf8_lossy(&answer).into_owned());
            }
        }
    }
}

impl Drop for Talk {
    /// It says goodbye to the server: the next one may need its connection.
    fn drop(&mut self) {
        self.stdin = None;
        if let Some(program) = self.program.take() {
            program.ends_within(LEAVING);
        }
    }
}
