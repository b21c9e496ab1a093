//! One pg_restore after the other, where each that fails is named and left out, and no row is: `--keep-going`.
//!
//! What follows the rows is made in batches, each in one transaction; where one fails, its entries are made one by one. So what is left out is known
//! by its number in the archive, in whatever language server and programs speak.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use ::archive::Entry;
use postgres::database::set_aside::{self, Back, Check};
use postgres::programs::pg_restore::{self, Choice, Part};
use postgres::programs::program::{Manner, PATIENCE, Program, Stderr};
use postgres::{Psql, PsqlError};
use serde::Deserialize;
use tempfile::NamedTempFile;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::failure;
use crate::commands::restore::fill::paths::Paths;
use crate::commands::restore::fill::replay::psql_beside;
use crate::commands::restore::fill::stopped::is_hopeless;
use crate::commands::restore::fill::unfilled::Unfilled;
use crate::commands::restore::fill::{in_parts, spool};
use crate::commands::restore::indexing::while_indexing;
use crate::commands::restore::job::Job;
use crate::commands::restore::left_out::Became;
use crate::commands::restore::reading::Through;
use crate::commands::restore::tables;

/// Entries that are made in one transaction, unless one of them fails.
const TOGETHER: usize = 50;
/// What may be left out. What hides rows, changes them or is looked into by what comes later may not: it would not be the same database.
const DISPENSABLE: [&str; 8] = [
    "CONSTRAINT",
    "FK CONSTRAINT",
    "CHECK CONSTRAINT",
    "INDEX",
    "INDEX ATTACH",
    in_parts::REFRESH,
    "STATISTICS",
    "STATISTICS DATA",
];
/// Indexes of partitioned tables that lack one of a partition.
const INVALID: &str =
    "SELECT n.nspname::text AS schema, c.relname::text AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid AND n.nspname !~ '^pg_' ORDER BY 1, 2";

/// Fills an empty database. `refused`: by what the rows were refused, so that CHECK constraints are put back when they are in.
///
/// # Errors
/// As [`Job::read_through`], and where definitions or rows are refused.
pub(super) fn fill(job: &Job, psql: &Psql, refused: Option<&str>) -> Result<Through, Unfilled> {
    job.left_out.clear();
    let (head, paths) = (in_parts::head(job)?, Paths::default());
    let head = spool::path_of(&head);
    in_parts::define(job, psql, &head)?;
    paths.give(job, psql)?;
    let aside = refused.map_or(Ok(Vec::new()), |why| set_aside::take_away(psql, why).map_err(unasked))?;
    let through = in_parts::load(job, psql).map_err(refused_rows)?;
    aside.iter().try_for_each(|check| put_back(job, psql, check))?;
    while_indexing(job, psql, || finish(job, psql, &head))?;
    paths.take_away(psql)?;
    Ok(through)
}

/// Rows that pg_restore couldn't hand over may be taken when nothing looks at them.
fn refused_rows(failure: Failure) -> Unfilled {
    let is_of_rows = failure.exit == Exit::Failed && failure.error.starts_with("pg_restore ");
    if is_of_rows && !is_hopeless(&failure) { Unfilled::Refused(failure) } else { Unfilled::Failed(failure) }
}

fn put_back(job: &Job, psql: &Psql, check: &Check) -> Result<(), Failure> {
    match check.put_back(psql).map_err(unasked)? {
        Back::Whole => {}
        Back::NotValid(why) => job.left_out.add(check, Became::NotValid, why),
        Back::Missing(why) => job.left_out.add(check, Became::Missing, why),
    }
    job.go_on()
}

/// What follows the rows: definitions, privileges, and what is filled by whoever may read then.
fn finish(job: &Job, psql: &Psql, head: &Path) -> Result<(), Failure> {
    let (choice, _list) = job.choice_before_last(&BTreeSet::new())?;
    let ids = listed(job, psql, head, &choice)?;
    let contents = job.facts.head.contents.iter().filter(|entry| ids.contains(&entry.dump_id));
    let (refreshes, definitions): (Vec<&Entry>, Vec<&Entry>) =
        contents.partition(|entry| entry.kind == in_parts::REFRESH);
    let maker = Maker { job, psql: &psql_beside(psql, &job.facts.head.pg_restore.path), head, choice: &choice };
    maker.make_all(&definitions)?;
    in_parts::grant(job, psql, head, &choice)?;
    maker.make_all(&refreshes)?;
    name_invalid_indexes(job, psql);
    Ok(())
}

fn name_invalid_indexes(job: &Job, psql: &Psql) {
    #[derive(Deserialize)]
    struct Index {
        schema: String,
        name: String,
    }
    // A name that is no text in its character set can't be told.
    for Index { schema, name } in psql.rows(INVALID).unwrap_or_default() {
        job.left_out.add(format!("INDEX {schema}.{name}"), Became::NotValid, "it lacks the index of a partition");
    }
}

/// The entries that follow the rows, but for privileges, and for comments and the like, which come with what they are about.
fn listed(job: &Job, psql: &Psql, head: &Path, choice: &Choice) -> Result<BTreeSet<i32>, Failure> {
    let tool = &job.facts.head.pg_restore;
    let list = printed(job, &mut pg_restore::list_of_finish(tool, psql.connection(), choice, head))?;
    let about = ["COMMENT", "SECURITY LABEL", "ACL", "DEFAULT ACL"];
    let kinds = job.facts.head.contents.iter().filter(|entry| about.contains(&entry.kind.as_str()));
    let others: BTreeSet<i32> = kinds.map(|entry| entry.dump_id).collect();
    let list = String::from_utf8_lossy(&list);
    let ids = list.lines().filter_map(|line| line.split_once(';')?.0.parse().ok());
    Ok(ids.filter(|id| !others.contains(id)).collect())
}

/// What a pg_restore prints: names and texts in the archive's character set.
fn printed(job: &Job, command: &mut Command) -> Result<Vec<u8>, Failure> {
    let started = Program::start("pg_restore", command, job.interrupt.stop());
    let (program, pipes) = started.map_err(|e| failure::program(&e))?;
    let mut printed = Vec::new();
    let read = pipes.stdout.map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut printed));
    program.end().map_err(|e| failure::program(&e))?;
    read.map_err(|e| Failure::new(Exit::Failed, format!("cannot read what pg_restore prints: {e}")))?;
    Ok(printed)
}

/// Why the server couldn't be asked, or refused by what has nothing to do with the rows.
fn unasked(error: PsqlError) -> Failure {
    Failure::new(Exit::Failed, format!("cannot make what follows the rows: {error}")).hint(failure::unexplained())
}

/// What makes entries.
struct Maker<'a> {
    job: &'a Job,
    psql: &'a Psql,
    head: &'a Path,
    choice: &'a Choice,
}

impl Maker<'_> {
    fn make_all(&self, entries: &[&Entry]) -> Result<(), Failure> {
        for batch in entries.chunks(TOGETHER) {
            self.job.go_on()?;
            if !self.make_together(batch)? {
                batch.iter().try_for_each(|entry| self.make_alone(entry))?;
            }
        }
        Ok(())
    }

    /// Entries and what is about them, all or none. False: none.
    fn make_together(&self, entries: &[&Entry]) -> Result<bool, Failure> {
        let (_list, choice) = self.choice_of(entries, true)?;
        let tool = &self.job.facts.head.pg_restore;
        let mut command =
            pg_restore::into_database(tool, self.psql.connection(), &choice, &Part::FinishAtOnce(self.head));
        let manner = Manner { patience: PATIENCE, stderr: Stderr::Kept };
        let started = Program::start_as(manner, "pg_restore", &mut command, self.job.interrupt.stop());
        let ended = started.and_then(|(program, _)| program.finish()).map_err(|e| failure::program(&e))?;
        Ok(ended.failure.is_none())
    }

    /// An entry by itself, noted where the rows don't let it be made as it was.
    fn make_alone(&self, entry: &Entry) -> Result<(), Failure> {
        self.job.go_on()?;
        let script = self.script_of(entry, true)?;
        let whole = [b"BEGIN;\n", script.as_slice(), b"\nCOMMIT;\n"].concat();
        let Some(why) = self.psql.attempt(&whole).map_err(unasked)? else { return Ok(()) };
        let (schema, name) = entry.names();
        let what = format!("{} {schema}{}{name}", entry.kind, if schema.is_empty() { "" } else { "." });
        if !why.is_of_content() || !DISPENSABLE.contains(&entry.kind.as_str()) {
            return Err(unasked(PsqlError::Refused(format!("{what}: {}", why.words))));
        }
        let is_unchecked = entry.kind == "FK CONSTRAINT" && self.make_unchecked(entry)?;
        let became = if is_unchecked { Became::NotValid } else { Became::Missing };
        self.job.left_out.add(what, became, why.words);
        Ok(())
    }

    /// A foreign key that checks new rows alone. False: the server doesn't make that either.
    fn make_unchecked(&self, entry: &Entry) -> Result<bool, Failure> {
        let mut script = self.script_of(entry, false)?;
        // Its statement is the last one.
        let Some(end) = script.iter().rposition(|byte| *byte == b';') else { return Ok(false) };
        script.splice(end..end, *b" NOT VALID");
        match self.psql.attempt(&script).map_err(unasked)? {
            None => {
                let about = tables::about(&self.job.facts.head.contents, &[entry.dump_id].into());
                in_parts::make(self.job, self.psql, self.head, about).map(|()| true)
            }
            Some(why) if why.is_of_content() => Ok(false),
            Some(why) => Err(unasked(PsqlError::Refused(why.words))),
        }
    }

    fn script_of(&self, entry: &Entry, with_comments: bool) -> Result<Vec<u8>, Failure> {
        let (_list, choice) = self.choice_of(&[entry], with_comments)?;
        let tool = &self.job.facts.head.pg_restore;
        printed(self.job, &mut pg_restore::script_of_finish(tool, self.psql.connection(), &choice, self.head))
    }

    /// These entries alone, and with what is about them. The list exists as long as what is returned first.
    fn choice_of(&self, entries: &[&Entry], with_comments: bool) -> Result<(NamedTempFile, Choice), Failure> {
        let ids: BTreeSet<i32> = entries.iter().map(|entry| entry.dump_id).collect();
        let contents = &self.job.facts.head.contents;
        let about = if with_comments { tables::about(contents, &ids) } else { BTreeSet::new() };
        let ordered = contents.iter().map(|entry| entry.dump_id).filter(|id| ids.contains(id) || about.contains(id));
        let list = tables::list_of(ordered)?;
        let choice = Choice { list: Some(list.path().to_owned()), without_privileges: true, ..self.choice.clone() };
        Ok((list, choice))
    }
}
