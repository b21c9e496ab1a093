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

/// Fills an empty database. `checks_last`: CHECK constraints are put back when the rows are in.
///
/// # Errors
/// As [`Job::read_through`], and where definitions or rows are refused.
pub(super) fn fill(job: &Job, psql: &Psql, checks_last: bool) -> Result<Through, Unfilled> {
    job.left_out.clear();
    let (head, paths) = (in_parts::head(job)?, Paths::default());
    let head = spool::path_of(&head);
    in_parts::define(job, psql, &head)?;
    paths.give(job, psql)?;
    let aside = if checks_last { set_aside::take_away(psql).map_err(unasked)? } else { Vec::new() };
    let through = in_parts::load(job, psql).map_err(refused)?;
    aside.iter().try_for_each(|check| put_back(job, psql, check))?;
    while_indexing(job, psql, || finish(job, psql, &head))?;
    paths.take_away(psql)?;
    Ok(through)
}

/// Rows that pg_restore couldn't hand over may be taken when nothing looks at them.
fn refused(failure: Failure) -> Unfilled {
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

/// What follows the rows.
fn finish(job: &Job, psql: &Psql, head: &Path) -> Result<(), Failure> {
    let (choice, _list) = job.choice_before_last(&BTreeSet::new())?;
    in_parts::grant(job, psql, head, &choice)?;
    let ids = listed(job, psql, head, &choice)?;
    let maker = Maker { job, psql, head, choice };
    let entries: Vec<&Entry> = job.facts.head.contents.iter().filter(|entry| ids.contains(&entry.dump_id)).collect();
    for batch in entries.chunks(TOGETHER) {
        if maker.make(batch)?.is_some() {
            batch.iter().try_for_each(|entry| maker.make_alone(entry))?;
        }
        job.go_on()?;
    }
    Ok(())
}

/// The entries that follow the rows, but for comments and the like, which come with what they are about.
fn listed(job: &Job, psql: &Psql, head: &Path, choice: &Choice) -> Result<BTreeSet<i32>, Failure> {
    let tool = &job.facts.head.pg_restore;
    let list = printed(job, &mut pg_restore::list_of_finish(tool, psql.connection(), choice, head))?;
    let about = ["COMMENT", "SECURITY LABEL", "ACL"];
    let kinds = job.facts.head.contents.iter().filter(|entry| about.contains(&entry.kind.as_str()));
    let others: BTreeSet<i32> = kinds.map(|entry| entry.dump_id).collect();
    let ids = list.lines().filter_map(|line| line.split_once(';')?.0.parse().ok());
    Ok(ids.filter(|id| !others.contains(id)).collect())
}

/// What a pg_restore prints.
fn printed(job: &Job, command: &mut Command) -> Result<String, Failure> {
    let started = Program::start("pg_restore", command, job.interrupt.stop());
    let (program, pipes) = started.map_err(|e| failure::program(&e))?;
    let mut printed = Vec::new();
    let read = pipes.stdout.map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut printed));
    program.end().map_err(|e| failure::program(&e))?;
    read.map_err(|e| Failure::new(Exit::Failed, format!("cannot read what pg_restore prints: {e}")))?;
    Ok(String::from_utf8_lossy(&printed).into_owned())
}

/// Why the server couldn't be asked.
fn unasked(error: PsqlError) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}

/// What makes entries.
struct Maker<'a> {
    job: &'a Job,
    psql: &'a Psql,
    head: &'a Path,
    choice: Choice,
}

impl Maker<'_> {
    /// An entry by itself, noted where it can't be made as it was.
    fn make_alone(&self, entry: &Entry) -> Result<(), Failure> {
        self.job.go_on()?;
        let Some(why) = self.make(&[entry])? else { return Ok(()) };
        let became = if entry.kind == "FK CONSTRAINT" && self.make_unchecked(entry)? {
            Became::NotValid
        } else {
            Became::Missing
        };
        tracing::warn!("{entry}: {why}");
        self.job.left_out.add(entry, became, why);
        Ok(())
    }

    /// Entries and what is about them, all or none. Returns why they couldn't be made.
    fn make(&self, entries: &[&Entry]) -> Result<Option<String>, Failure> {
        let (_list, choice) = self.choice_of(entries, true)?;
        let tool = &self.job.facts.head.pg_restore;
        let mut command =
            pg_restore::into_database(tool, self.psql.connection(), &choice, &Part::FinishAtOnce(self.head));
        let manner = Manner { patience: PATIENCE, stderr: Stderr::Kept };
        let started = Program::start_as(manner, "pg_restore", &mut command, self.job.interrupt.stop());
        let ended = started.and_then(|(program, _)| program.finish()).map_err(|e| failure::program(&e))?;
        let Some(why) = ended.refusal() else { return Ok(None) };
        self.job.go_on()?;
        // A server that is gone refuses nothing.
        self.psql.script("SELECT 1;\n").map_err(unasked)?;
        Ok(Some(why))
    }

    /// A foreign key that checks new rows alone. False: the server doesn't make that either.
    fn make_unchecked(&self, entry: &Entry) -> Result<bool, Failure> {
        let (_list, choice) = self.choice_of(&[entry], false)?;
        let tool = &self.job.facts.head.pg_restore;
        let mut command = pg_restore::script_of_finish(tool, self.psql.connection(), &choice, self.head);
        let script = printed(self.job, &mut command)?;
        let Some((statement, rest)) = script.rsplit_once(';') else { return Ok(false) };
        match psql_beside(self.psql, &tool.path).script(&format!("{statement} NOT VALID;{rest}")) {
            Ok(_) => {
                let about = tables::about(&self.job.facts.head.contents, &[entry.dump_id].into());
                in_parts::make(self.job, self.psql, self.head, about).map(|()| true)
            }
            Err(PsqlError::Refused(_)) => Ok(false),
            Err(error) => Err(unasked(error)),
        }
    }

    /// These entries alone, and with what is about them. The list exists as long as what is returned first.
    fn choice_of(&self, entries: &[&Entry], with_comments: bool) -> Result<(NamedTempFile, Choice), Failure> {
        let ids: BTreeSet<i32> = entries.iter().map(|entry| entry.dump_id).collect();
        let contents = &self.job.facts.head.contents;
        let about = if with_comments { tables::about(contents, &ids) } else { BTreeSet::new() };
        let ordered = contents.iter().map(|entry| entry.dump_id).filter(|id| ids.contains(id) || about.contains(id));
        let list = tables::list_of(ordered)?;
        let choice = Choice { list: Some(list.path().to_owned()), ..self.choice.clone() };
        Ok((list, choice))
    }
}
