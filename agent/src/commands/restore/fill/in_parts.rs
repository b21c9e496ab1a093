//! One pg_restore after the other: definitions, rows as they are read, and what follows them. In between, functions get a
//! search_path.

use std::fs::File;
use std::io::{Read as _, Write as _};

use ::archive::Walk;
use postgres::Psql;
use postgres::programs::pg_restore::{self, Part};
use postgres::programs::program::Program;

use crate::answers::failure::Failure;
use crate::commands::restore::failure;
use crate::commands::restore::fill::feed::Feed;
use crate::commands::restore::fill::paths::Paths;
use crate::commands::restore::fill::splitter::{HEAD, Splitter};
use crate::commands::restore::fill::spool;
use crate::commands::restore::job::Job;
use crate::commands::restore::reading::{self, ReadingError, Through, filled};

/// Fills an empty database.
///
/// # Errors
/// As [`Job::read_through`], and when a pg_restore fails.
pub(super) fn fill(job: &Job, psql: &Psql) -> Result<Through, Failure> {
    let (head, paths) = (head(job)?, Paths::default());
    let head = spool::path_of(&head);
    run(job, psql, &Part::Definitions(&head))?;
    paths.give(job, psql)?;
    let (choice, _list) = job.choice()?;
    let tool = &job.facts.head.pg_restore;
    let mut command = pg_restore::into_database(tool, psql.connection(), &choice, &Part::Data);
    let through = Feed::start(&mut command, &job.interrupt)?.0.read_in(job)?;
    run(job, psql, &Part::Finish { archive: &head, jobs: 1 })?;
    paths.take_away(psql)?;
    Ok(through)
}

/// Runs a pg_restore that reads a file with the archive's head by itself.
///
/// # Errors
/// When it fails.
pub(super) fn run(job: &Job, psql: &Psql, part: &Part<'_>) -> Result<(), Failure> {
    let (choice, _list) = job.choice()?;
    let mut command = pg_restore::into_database(&job.facts.head.pg_restore, psql.connection(), &choice, part);
    let started = Program::start("pg_restore", &mut command, job.interrupt.stop());
    let ended = started.and_then(|(program, _)| program.end());
    ended.map_err(|e| failure::program(&e))
}

/// The archive without its data blocks, which is all that definitions, indexes and constraints need.
///
/// # Errors
/// When it can't be read, or the folder for temporary files takes none.
pub(super) fn head(job: &Job) -> Result<File, Failure> {
    let (archive, folder) = (&job.archive, &job.facts.spool.path);
    let mut head = spool::create(folder)?;
    let unreadable = |error: ReadingError| failure::reading(&archive.place, error);
    let mut expander = reading::open(archive.open()?, &archive.keys).map_err(unreadable)?;
    let (mut walk, mut splitter) = (Walk::new(), Splitter::default());
    let mut block = vec![0; 256 << 10];
    while splitter.block() == HEAD {
        let length = expander.read(&mut block).map_err(|e| unreadable(reading::reading(e)))?;
        let bytes = filled(&block, length).map_err(|e| unreadable(ReadingError::Read(e)))?;
        if bytes.is_empty() {
            break;
        }
        walk.feed(bytes).map_err(|damage| unreadable(ReadingError::Damaged(damage)))?;
        for (_, part) in splitter.split(bytes, &walk).iter().filter(|(block, _)| *block == HEAD) {
            head.write_all(part).map_err(|e| spool::unwritable(&e, folder))?;
        }
    }
    Ok(head)
}
