//! One psql session that runs a script of any length, is asked questions in between, and ends with COMMIT only when it is
//! told to. Its end without COMMIT, however it comes, rolls everything back.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::Psql;
use crate::programs::program::{Manner, PATIENCE, Program, ProgramError, Stderr};
use crate::psql::STATE;

/// The line that ends the answer to a question. No JSON document looks like it.
const END: &str = "lastgood: end of the answer";

/// A session with an open transaction.
pub struct Session {
    program: Program,
    stdin: ChildStdin,
    answers: Receiver<Vec<u8>>,
}

/// Why the session ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// psql failed.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// psql is gone; [`Session::why`] tells the reason.
    #[error("psql ended too early")]
    Ended,
}

impl Session {
    /// Connects. Nothing is begun yet.
    ///
    /// # Errors
    /// [`ProgramError::Run`].
    pub fn start(psql: &Psql) -> Result<Self, ProgramError> {
        Self::start_as(Manner::default(), psql)
    }

    /// Connects, and shows nothing of what psql and the server say: it may tell what is in somebody's row.
    ///
    /// # Errors
    /// [`ProgramError::Run`].
    pub fn start_silently(psql: &Psql) -> Result<Self, ProgramError> {
        Self::start_as(Manner { patience: PATIENCE, stderr: Stderr::Kept }, psql)
    }

    fn start_as(manner: Manner, psql: &Psql) -> Result<Self, ProgramError> {
        let mut command = psql.connection().command(psql.program());
        command.args(["-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-f", "-"]);
        // Ctrl-C at a terminal is ours to pass on.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let (program, pipes) = Program::start_as(manner, "psql", &mut command, psql.stop())?;
        let (Some(stdin), Some(stdout)) = (pipes.stdin, pipes.stdout) else {
            program.stop();
            return Err(ProgramError::Run { name: "psql", cause: "its pipes are missing".to_owned() });
        };
        let (say, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                if say.send(line).is_err() {
                    return;
                }
            }
        });
        let mut session = Self { program, stdin, answers };
        // What a script prints is of no interest, and may be a line for every large object. A psql that has ended already
        // says why at its end.
        let _ = session.send(format!("{STATE}\\o /dev/null\n").as_bytes());
        Ok(session)
    }

    /// Hands on a piece of script.
    ///
    /// # Errors
    /// When psql has ended: [`Session::why`] tells the reason.
    pub fn send(&mut self, script: &[u8]) -> io::Result<()> {
        self.stdin.write_all(script)
    }

    /// What a script prints.
    ///
    /// # Errors
    /// [`SessionError::Ended`], also when the script fails.
    pub fn ask(&mut self, script: &str) -> Result<String, SessionError> {
        let ended = |_| SessionError::Ended;
        self.send(format!("\\o\n{script}\\echo '{END}'\n\\o /dev/null\n").as_bytes()).map_err(ended)?;
        let mut answer = Vec::new();
        loop {
            let line = self.answers.recv().map_err(|_| SessionError::Ended)?;
            if line == END.as_bytes() {
                return Ok(String::from_utf8_lossy(&answer).into_owned());
            }
            answer.extend_from_slice(&line);
            answer.push(b'\n');
        }
    }

    /// Commits and ends.
    ///
    /// # Errors
    /// [`ProgramError`]; where the connection broke, whether it was committed has to be asked of the server.
    pub fn commit(mut self) -> Result<(), ProgramError> {
        // A pipe that is closed shows in the exit status.
        let _ = self.send(b"COMMIT;\n");
        self.why()
    }

    /// How it ended: why, when it failed.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub fn why(self) -> Result<(), ProgramError> {
        let Self { program, stdin, .. } = self;
        drop(stdin);
        program.end()
    }

    /// Ends it without COMMIT.
    pub fn abandon(self) {
        let Self { program, stdin, .. } = self;
        program.stop();
        drop(stdin);
    }
}
