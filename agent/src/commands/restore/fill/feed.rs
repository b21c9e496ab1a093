//! A pg_restore that is fed with a dump while it is read.

use std::io;
use std::process::{ChildStdin, ChildStdout, Command};

use postgres::programs::pipe::WidePipe;
use postgres::programs::program::{Pipes, Program};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::failure;
use crate::commands::restore::job::Job;
use crate::commands::restore::reading::Through;
use crate::interrupt::Interrupt;

/// A dump on its way into a program's stdin. A program that has read enough may end before all of it has come.
pub(crate) struct Feed {
    running: Option<(Program, WidePipe<ChildStdin>)>,
}

impl Feed {
    /// Starts a pg_restore that reads its stdin; its stdout, where the command asks for it.
    ///
    /// # Errors
    /// Exit 1 when it can't be run.
    pub(crate) fn start(command: &mut Command, interrupt: &Interrupt) -> Result<(Self, Option<ChildStdout>), Failure> {
        let started = Program::start("pg_restore", command, interrupt.stop());
        let (program, Pipes { stdin, stdout }) = started.map_err(|e| failure::program(&e))?;
        let Some(stdin) = stdin else {
            program.stop();
            return Err(Failure::new(Exit::Failed, "pg_restore's stdin is missing"));
        };
        Ok((Self { running: Some((program, WidePipe::new(stdin))) }, stdout))
    }

    /// Reads the archive to its end into the program, and waits for it.
    ///
    /// # Errors
    /// As [`Job::read_through`], and when the program fails.
    pub(crate) fn read_in(self, job: &Job) -> Result<Through, Failure> {
        self.read_in_and(job, Self::end)
    }

    /// The same, where waiting for the program is left to `end`.
    ///
    /// # Errors
    /// As [`Feed::read_in`].
    pub(crate) fn read_in_and(
        mut self,
        job: &Job,
        end: impl FnOnce(&mut Self) -> Result<(), Failure>,
    ) -> Result<Through, Failure> {
        let mut editor = job.plan.edits.begin();
        match job.read_through::<Failure>(|_, bytes| self.write(&editor.pass(bytes))) {
            Ok(through) => end(&mut self).map(|()| through),
            Err(failure) => {
                self.stop();
                Err(failure)
            }
        }
    }

    /// Hands on the next bytes.
    ///
    /// # Errors
    /// Exit 1 when the program has failed, or its pipe breaks otherwise.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Some((_, stdin)) = &mut self.running else { return Ok(()) };
        match stdin.write_all(bytes) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.end(),
            Err(error) => Err(Failure::new(Exit::Failed, format!("cannot write to pg_restore: {error}"))),
        }
    }

    /// Closes the pipe and waits.
    ///
    /// # Errors
    /// Exit 1 when the program fails.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        let Some((program, stdin)) = self.running.take() else { return Ok(()) };
        drop(stdin);
        program.end().map_err(|e| failure::program(&e))
    }

    /// Ends the program, whose work is of no use any more.
    pub(crate) fn stop(mut self) {
        if let Some((program, stdin)) = self.running.take() {
            // Killed before its pipe closes: the end of its input must not look like the archive's.
            program.stop();
            drop(stdin);
        }
    }
}
