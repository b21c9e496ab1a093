//! One restore: everything that was found out and decided, and what both ways of restoring share.

use std::io;
use std::process::{ChildStdin, ChildStdout, Command};

use archive::{Census, Digest, Walk};
use catalog::words;
use jiff::Timestamp;

use crate::answers::failure::{Exit, Failure};
use crate::answers::progress::Progress;
use crate::answers::report::Report;
use crate::commands::restore::choose::Chosen;
use crate::commands::restore::clients::Clients;
use crate::commands::restore::counts::{self, Counted, Difference};
use crate::commands::restore::head::Head;
use crate::commands::restore::ownership::Ownership;
use crate::commands::restore::pg_restore::Choice;
use crate::commands::restore::plan::Plan;
use crate::commands::restore::program::{Pipes, Program, ProgramError};
use crate::commands::restore::reading::{self, ReadingError, Through};
use crate::commands::restore::spool;
use crate::commands::restore::tables;
use crate::commands::restore::target::Target;
use crate::interrupt::Interrupt;
use crate::keys::Keys;
use crate::postgres::Psql;
use crate::postgres::pipe::Roomy;

/// A restore that was agreed to.
pub(crate) struct Job {
    pub(crate) chosen: Chosen,
    pub(crate) keys: Keys,
    pub(crate) head: Head,
    pub(crate) target: Target,
    pub(crate) plan: Plan,
    pub(crate) clients: Clients,
    pub(crate) tables: Vec<String>,
    /// How many jobs of pg_restore were asked for.
    pub(crate) jobs: Option<usize>,
    pub(crate) interrupt: Interrupt,
    pub(crate) report: Report,
    pub(crate) started: Timestamp,
}

/// What was restored.
#[derive(Debug)]
pub(crate) struct Restored {
    pub(crate) census: Census,
    pub(crate) dumped: u64,
    /// Why the clients didn't start again, if they didn't.
    pub(crate) clients: Option<Failure>,
}

impl Job {
    /// What `pg_restore` leaves out. The list, if there is one, lives as long as what is returned second.
    ///
    /// # Errors
    /// As [`tables::list`].
    pub(crate) fn choice(&self) -> Result<(Choice, Option<tempfile::NamedTempFile>), Failure> {
        let list = if self.tables.is_empty() { None } else { Some(tables::list(&self.head, &self.tables)?) };
        let choice = Choice {
            without_owners: self.plan.ownership != Ownership::Kept,
            list: list.as_ref().map(|file| file.path().to_owned()),
        };
        Ok((choice, list))
    }

    /// Reads the archive to its end, hands its dump to `take`, and compares what was read with the manifest.
    ///
    /// # Errors
    /// Exit 4 when it isn't what it should be; whatever `take` refused with; exit 1 when it can't be read.
    pub(crate) fn read_through(
        &self,
        take: &mut dyn FnMut(&Walk, &[u8]) -> io::Result<()>,
    ) -> Result<Through, Failure> {
        let progress = Progress::of(self.report, &self.chosen.name, self.chosen.size);
        let read = reading::read_through(self.chosen.open()?, &self.keys, &self.interrupt, &progress, take);
        let through = read.map_err(|error| self.explain(error))?;
        self.compare(&through)?;
        Ok(through)
    }

    /// A failure to read, in words that name the backup.
    pub(crate) fn explain(&self, error: ReadingError) -> Failure {
        explain(&self.chosen, error)
    }

    fn compare(&self, through: &Through) -> Result<(), Failure> {
        let Some(manifest) = &self.chosen.manifest else { return Ok(()) };
        let differs = |what: String| {
            Failure::new(Exit::Damaged, format!("{} is not what its manifest says: {what}", self.chosen.place))
                .hint("nothing was changed; restore another backup: lastgood list")
        };
        let (Digest { size, md5, .. }, expected) = (through.digest.clone(), &manifest.archive.digest);
        if (size, md5) != (expected.size, expected.md5) {
            return Err(differs(format!(
                "{size} bytes with MD5 {md5} were read, {} with {} were stored",
                expected.size, expected.md5
            )));
        }
        if through.walked.census != manifest.census {
            return Err(differs("its tables hold other rows than were counted when it was made".to_owned()));
        }
        Ok(())
    }

    /// Compares what was counted in the restored database. `alone`: nothing but the archive's content is in it.
    ///
    /// # Errors
    /// Exit 1, naming the first differences.
    pub(crate) fn check_counts(&self, census: &Census, counted: &[Counted], alone: bool) -> Result<(), Failure> {
        let mut differences =
            counts::compare(census, counted, |schema, name| tables::is_chosen(&self.tables, schema, name));
        if self.tables.is_empty() {
            differences.extend(counts::compare_large_objects(census, counted, alone));
        }
        if differences.is_empty() {
            return Ok(());
        }
        differences.iter().skip(1).for_each(|difference: &Difference| tracing::error!("{difference}"));
        let first = words::first_of(&differences, 1, ", ");
        Err(Failure::new(Exit::Failed, format!("what was restored is not what was backed up: {first}"))
            .hint("the living database is as it was; triggers or rules that change rows while they are loaded do this"))
    }

    /// Counts every table of a database.
    ///
    /// # Errors
    /// Exit 1 when it can't be asked.
    pub(crate) fn count(&self, psql: &Psql) -> Result<Vec<Counted>, Failure> {
        tracing::info!("counting every table's rows");
        let failed = |e: String| Failure::new(Exit::Failed, format!("the restored rows can't be counted: {e}"));
        let answer = psql.script(&counts::questions(self.head.encoding())).map_err(|e| failed(e.to_string()))?;
        counts::read(&answer).map_err(|e| failed(e.to_string()))
    }

    /// How many sessions may work in the restored database at a time.
    pub(crate) fn width(&self) -> usize {
        self.jobs.unwrap_or_else(spool::usual_jobs)
    }

    /// Ends the restore here when the run was told to stop.
    ///
    /// # Errors
    /// Exit 1.
    pub(crate) fn go_on(&self) -> Result<(), Failure> {
        self.interrupt.seen().map_or(Ok(()), |signal| Err(stopped_by(signal)))
    }

    /// Why a step failed: Ctrl-C at a terminal reaches the programs that it asks as well.
    pub(crate) fn interrupted_or(&self, failure: Failure) -> Failure {
        self.interrupt.seen().map_or(failure, stopped_by)
    }
}

pub(crate) fn stopped_by(signal: &str) -> Failure {
    Failure::new(Exit::Failed, format!("the restore was stopped by {signal}"))
        .hint("the living database is as it was; start it again")
}

/// A failure to read a backup, in words that name it.
pub(crate) fn explain(chosen: &Chosen, error: ReadingError) -> Failure {
    let place = &chosen.place;
    match error {
        ReadingError::Damaged(archive::Damage::NotAnArchive { found }) => not_an_archive(place, found),
        ReadingError::Damaged(damage) => Failure::new(Exit::Damaged, format!("{place} is damaged: {damage}"))
            .hint("the living database is as it was; restore another backup: lastgood list"),
        ReadingError::Locked(why) => Failure::new(Exit::Failed, format!("{place} {why}"))
            .hint("BACKUP_AGE_IDENTITY_FILE names the file with the key that it was encrypted for"),
        ReadingError::Read(error) => read_failure(place, error),
        ReadingError::Refused(error) => match error.downcast::<ProgramError>() {
            Ok(error) => program_failure(&error),
            Err(error) => Failure::new(Exit::Failed, format!("the restore failed: {error}")),
        },
        ReadingError::Interrupted(signal) => stopped_by(signal),
    }
}

/// A repository's own failure comes inside the I/O error, with its hint.
fn read_failure(place: &str, error: io::Error) -> Failure {
    match error.downcast::<repository::Error>() {
        Ok(error) => Failure::from(error),
        Err(error) => Failure::new(Exit::Failed, format!("{place} can't be read: {error}")),
    }
}

/// What the other things that people call backups are restored with.
fn not_an_archive(place: &str, found: archive::Kind) -> Failure {
    let hint = match found {
        archive::Kind::PlainSql => format!(
            "it is plain SQL: restore it with psql into an empty database: psql -v ON_ERROR_STOP=1 -1 -d NAME -f {place}"
        ),
        archive::Kind::Tar => format!("it is a tar archive: restore it with pg_restore -d NAME {place}"),
        _ => "make backups with lastgood backup, or pg_dump --format=custom".to_owned(),
    };
    Failure::new(Exit::Damaged, format!("{place} is not a pg_dump custom-format archive but {found}")).hint(hint)
}

/// A program that failed, and what to do about it.
pub(crate) fn program_failure(error: &ProgramError) -> Failure {
    if let ProgramError::Interrupted(signal) = error {
        return stopped_by(signal);
    }
    let text = error.to_string();
    let hint = if text.contains("out of shared memory") || text.contains("max_locks_per_transaction") {
        "raise max_locks_per_transaction on the server, or restore by swap, without --in-place"
    } else if text.contains("other objects depend on it") {
        "something that isn't in the backup depends on it: drop that first, or restore by swap, without --in-place"
    } else if text.contains("must be owner of") || text.contains("permission denied") {
        "restore as the owner of the database, or as a superuser"
    } else if text.contains("extension") && (text.contains("could not open") || text.contains("is not available")) {
        "install the extension's package on the server, and restore again"
    } else {
        "the living database is as it was"
    };
    Failure::new(Exit::Failed, text).hint(hint)
}

/// A dump on its way into a program's stdin. A program that has read enough may end before all of it has come.
pub(crate) struct Feed<'a> {
    running: Option<(Program, Roomy<ChildStdin>)>,
    interrupt: &'a Interrupt,
}

impl<'a> Feed<'a> {
    /// Starts a pg_restore that reads its stdin; its stdout, where the command asks for it.
    ///
    /// # Errors
    /// Exit 1 when it can't be run.
    pub(crate) fn start(
        command: &mut Command,
        interrupt: &'a Interrupt,
    ) -> Result<(Self, Option<ChildStdout>), Failure> {
        let started = Program::start("pg_restore", command, interrupt);
        let (program, Pipes { stdin, stdout }) = started.map_err(|e| program_failure(&e))?;
        let Some(stdin) = stdin else {
            program.stop();
            return Err(Failure::new(Exit::Failed, "pg_restore's stdin is missing"));
        };
        Ok((Self { running: Some((program, Roomy::new(stdin))), interrupt }, stdout))
    }

    /// Reads the archive to its end into the program, and waits for it.
    ///
    /// # Errors
    /// As [`Job::read_through`], and when the program fails.
    pub(crate) fn read_in(mut self, job: &Job) -> Result<Through, Failure> {
        match job.read_through(&mut |_, bytes| self.write(bytes)) {
            Ok(through) => self.end().map_err(|e| program_failure(&e)).map(|()| through),
            Err(failure) => {
                self.stop();
                Err(failure)
            }
        }
    }

    /// Hands on the next bytes.
    ///
    /// # Errors
    /// With a [`ProgramError`] inside, when the program has failed.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some((_, stdin)) = &mut self.running else { return Ok(()) };
        match stdin.write_all(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.end().map_err(io::Error::other),
            written => written,
        }
    }

    /// Closes the pipe and waits.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub(crate) fn end(&mut self) -> Result<(), ProgramError> {
        let Some((program, stdin)) = self.running.take() else { return Ok(()) };
        drop(stdin);
        program.end(self.interrupt)
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
