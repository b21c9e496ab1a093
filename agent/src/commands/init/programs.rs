//! Other programs, and this one as another user: with nothing of this environment, as cron and systemd start them.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use postgres::programs::program::{Manner, PATIENCE, Program, ProgramError, Stderr};
use postgres::{Connection, Stop};

use super::machine::User;

/// Where cron and systemd look for programs, together.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program to run.
pub(super) struct Call {
    name: &'static str,
    command: Command,
}

/// What a program did.
pub(super) struct Answer {
    /// Whether it ended with status 0.
    pub(super) is_done: bool,
    pub(super) stdout: String,
    /// What it said on stderr.
    pub(super) said: String,
}

impl Call {
    /// A program that gets nothing of this process's environment but where programs are.
    pub(super) fn new(name: &'static str, program: &Path) -> Self {
        let mut command = Connection::default().command(program);
        command.env_clear().env("PATH", PATH).env("LC_ALL", "C.UTF-8").current_dir("/");
        Self { name, command }
    }

    /// One that is looked for, as in a shell.
    pub(super) fn found(name: &'static str, folders: &[std::path::PathBuf]) -> Option<Self> {
        let program = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file())?;
        Some(Self::new(name, &program))
    }

    /// As this user, which only root can.
    pub(super) fn by(mut self, user: &User) -> Self {
        self.command.env("HOME", &user.home).env("USER", &user.name).env("LOGNAME", &user.name);
        if rustix::process::geteuid().as_raw() != user.user {
            self.command.uid(user.user).gid(user.group);
        }
        self
    }

    pub(super) fn arguments<S: AsRef<std::ffi::OsStr>>(mut self, arguments: &[S]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Runs it to its end, with this file as its stdin.
    ///
    /// # Errors
    /// When it cannot be run, or the run is told to stop.
    pub(super) fn reading(mut self, input: Stdio, stop: &Stop) -> Result<Answer, ProgramError> {
        self.command.stdin(input);
        self.end("", stop)
    }

    /// Runs it to its end, with this text on its stdin.
    ///
    /// # Errors
    /// When it cannot be run, or the run is told to stop.
    pub(super) fn given(mut self, input: &str, stop: &Stop) -> Result<Answer, ProgramError> {
        self.command.stdin(Stdio::piped());
        self.end(input, stop)
    }

    fn end(mut self, input: &str, stop: &Stop) -> Result<Answer, ProgramError> {
        let manner = Manner { patience: PATIENCE, stderr: Stderr::Kept };
        let (program, pipes) = Program::start_as(manner, self.name, self.command.stdout(Stdio::piped()), stop)?;
        let mut stdout = Vec::new();
        std::thread::scope(|scope| {
            // A program that ends before it has read all of it says why in its exit status.
            scope.spawn(move || drop(pipes.stdin.map(|mut pipe| pipe.write_all(input.as_bytes()))));
            pipes.stdout.map(|mut pipe| pipe.read_to_end(&mut stdout))
        });
        let ended = program.finish()?;
        if let Some(signal) = stop.signal() {
            return Err(ProgramError::Interrupted(signal));
        }
        Ok(Answer {
            is_done: ended.failure.is_none(),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            said: ended.lines.join("\n"),
        })
    }
}
