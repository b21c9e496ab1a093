//! One pg_restore after the other: definitions, rows as they are read, and what follows them. In between, functions get a
//! search_path.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use ::archive::Walk;
use postgres::Psql;
use postgres::programs::pg_restore::{self, Choice, Part};
use postgres::programs::program::Program;

use crate::answers::failure::Failure;
use crate::commands::restore::failure;
use crate::commands::restore::fill::feed::Feed;
use crate::commands::restore::fill::paths::Paths;
use crate::commands::restore::fill::splitter::{HEAD, Splitter};
use crate::commands::restore::fill::spool;
use crate::commands::restore::indexing::while_indexing;
use crate::commands::restore::job::Job;
use crate::commands::restore::reading::{self, ReadingError, Through, filled};
use crate::commands::restore::tables;

/// Entries that make large objects, and have no block.
pub(super) const LARGE_OBJECTS: &str = "BLOB METADATA";

/// An entry that fills a materialized view.
pub(super) const REFRESH: &str = "MATERIALIZED VIEW DATA";

/// Fills an empty database.
///
/// # Errors
/// As [`Job::read_through`], and when a pg_restore fails.
pub(super) fn fill(job: &Job, psql: &Psql) -> Result<Through, Failure> {
    let (head, paths) = (head(job)?, Paths::default());
    let head = spool::path_of(&head);
    define(job, psql, &head)?;
    paths.give(job, psql)?;
    let through = load(job, psql)?;
    finish(job, psql, &head, (1, &BTreeSet::new()))?;
    paths.take_away(psql)?;
    Ok(through)
}

/// Rows and large objects, as the archive is read.
///
/// # Errors
/// As [`Job::read_through`], and when the pg_restore fails.
pub(super) fn load(job: &Job, psql: &Psql) -> Result<Through, Failure> {
    let (choice, _list) = job.choice_before_last(&BTreeSet::new())?;
    let tool = &job.facts.head.pg_restore;
    let mut command = pg_restore::into_database(tool, psql.connection(), &choice, &Part::Data);
    Feed::start(&mut command, &job.interrupt)?.0.read_in(job)
}

/// Makes what must be there before the rows, out of a file with the archive's `head`. An owner may have lost the right to write
/// into a table, so privileges wait for the rows.
///
/// # Errors
/// When a pg_restore fails.
pub(super) fn define(job: &Job, psql: &Psql, head: &Path) -> Result<(), Failure> {
    let (choice, _list) = job.choice()?;
    run(job, psql, &Choice { without_privileges: true, ..choice }, &Part::Definitions(head))
}

/// All definitions, before and after the rows, and no privileges.
///
/// # Errors
/// When a pg_restore fails.
pub(super) fn define_all(job: &Job, psql: &Psql, head: &Path) -> Result<(), Failure> {
    define(job, psql, head)?;
    let (choice, _list) = job.choice_before_last(&BTreeSet::new())?;
    let choice = Choice { without_privileges: true, ..choice };
    run(job, psql, &choice, &Part::Finish { archive: head, jobs: 1 })?;
    finish_last(job, psql, head)
}

/// What follows the rows: privileges, indexes and constraints, with so many `jobs`, without those entries that were `made` already.
///
/// # Errors
/// When a pg_restore fails.
pub(super) fn finish(
    job: &Job,
    psql: &Psql,
    head: &Path,
    (jobs, made): (usize, &BTreeSet<i32>),
) -> Result<(), Failure> {
    let refreshes: BTreeSet<i32> = refreshes(job).collect();
    let (choice, _list) = job.choice_before_last(&made.union(&refreshes).copied().collect())?;
    // Privileges of what is made here can only follow it, and what owners lost they need for it.
    let definitions = Choice { without_privileges: true, ..choice.clone() };
    while_indexing(job, psql, || run(job, psql, &definitions, &Part::Finish { archive: head, jobs }))?;
    grant(job, psql, head, &choice)?;
    if !refreshes.is_empty() {
        let list = tables::list_of(refreshes.into_iter())?;
        let choice = Choice { list: Some(list.path().to_owned()), ..definitions };
        run(job, psql, &choice, &Part::Finish { archive: head, jobs })?;
    }
    make(job, psql, head, tables::about(&job.facts.head.contents, made))
}

/// What fills materialized views: as their owners, who may read by what is granted to them. pg_restore has the same order.
pub(super) fn refreshes(job: &Job) -> impl Iterator<Item = i32> {
    let are_wanted = !job.plan.chosen.is_without_rows();
    job.facts.head.entries(REFRESH).filter(move |_| are_wanted).map(|entry| entry.dump_id)
}

/// Gives the privileges.
///
/// # Errors
/// When the pg_restore fails.
pub(super) fn grant(job: &Job, psql: &Psql, head: &Path, choice: &Choice) -> Result<(), Failure> {
    if privileges(job).next().is_none() {
        return Ok(());
    }
    let privileges = tables::list_of(privileges(job))?;
    let list = Some(privileges.path().to_owned());
    run(job, psql, &Choice { list, ..choice.clone() }, &Part::Listed(head))
}

/// Makes large objects that pg_dump 17 and later counts among the data, without what is in them: several sessions then fill them.
///
/// # Errors
/// When a pg_restore fails.
pub(super) fn make_large_objects(job: &Job, psql: &Psql, head: &Path) -> Result<(), Failure> {
    make(job, psql, head, job.facts.head.entries(LARGE_OBJECTS).map(|entry| entry.dump_id).collect())
}

/// What comes last.
///
/// # Errors
/// When a pg_restore fails.
pub(super) fn finish_last(job: &Job, psql: &Psql, head: &Path) -> Result<(), Failure> {
    let last = job.last();
    let about = tables::about(&job.facts.head.contents, &last);
    make(job, psql, head, last.union(&about).copied().collect())
}

/// These entries, without privileges, where there are any.
///
/// # Errors
/// When the pg_restore fails.
pub(super) fn make(job: &Job, psql: &Psql, head: &Path, ids: BTreeSet<i32>) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    let (list, (choice, _)) = (tables::list_of(ids.into_iter())?, job.choice()?);
    let choice = Choice { list: Some(list.path().to_owned()), without_privileges: true, ..choice };
    run(job, psql, &choice, &Part::Listed(head))
}

/// The entries of privileges, and of those that will be given by default. Those about large objects are told apart from comments by nobody, and do no harm twice.
pub(super) fn privileges(job: &Job) -> impl Iterator<Item = i32> {
    let head = &job.facts.head;
    let about_large_objects = head.large_objects.iter().filter(|entry| entry.oid.is_none() && job.plan.chosen.is_all());
    let of_what_is_there = head.entries("ACL").chain(head.entries("DEFAULT ACL")).map(|entry| entry.dump_id);
    of_what_is_there.chain(about_large_objects.map(|entry| entry.dump_id))
}

fn run(job: &Job, psql: &Psql, choice: &Choice, part: &Part<'_>) -> Result<(), Failure> {
    let mut command = pg_restore::into_database(&job.facts.head.pg_restore, psql.connection(), choice, part);
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
    let mut expander = reading::open(archive.open()?, archive).map_err(unreadable)?;
    let (mut walk, mut splitter) = (Walk::new(), Splitter::default());
    let mut editor = job.plan.edits.begin();
    let mut block = vec![0; 256 << 10];
    while splitter.block() == HEAD {
        let length = expander.read(&mut block).map_err(|e| unreadable(reading::reading(e)))?;
        let bytes = filled(&block, length).map_err(|e| unreadable(ReadingError::Read(e)))?;
        if bytes.is_empty() {
            break;
        }
        walk.feed(bytes).map_err(|damage| unreadable(ReadingError::Damaged(damage)))?;
        for (_, part) in splitter.split(bytes, &walk).iter().filter(|(block, _)| *block == HEAD) {
            head.write_all(&editor.pass(part)).map_err(|e| spool::unwritable(&e, folder))?;
        }
    }
    Ok(head)
}
