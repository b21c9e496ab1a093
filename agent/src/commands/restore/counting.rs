//! How many rows a restored table has: by what the server added up while they went in, or counted where that proves nothing.

use std::collections::BTreeSet;

use ::archive::Census;
use catalog::words;
use postgres::Psql;
use postgres::database::counts::{self, Counted, Within};
use postgres::database::tallies::{self, Proven, Tallies, When};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::job::Job;
use crate::commands::restore::meant::Meant;

/// What the tables hold once all rows are in. Constraints and indexes are still being made.
pub(crate) struct Counting {
    /// The sums, where the server's prove something, and what they prove.
    proven: Option<(Tallies, Proven)>,
    counted: Vec<Counted>,
}

impl Counting {
    /// Finds out what is in every table of a database whose rows are in. Nothing else but what changes no rows goes on there.
    ///
    /// # Errors
    /// Exit 1 when it cannot be asked.
    pub(crate) fn begin(job: &Job, psql: &Psql, census: &Census) -> Result<Self, Failure> {
        Self::ask(job, psql, census, When::Meanwhile)
    }

    fn ask(job: &Job, psql: &Psql, census: &Census, when: When) -> Result<Self, Failure> {
        if !tallies::are_complete(job.facts.target.role.version_number()) {
            return Ok(Self { proven: None, counted: count_all(job, psql)? });
        }
        let sums = sums(job, psql, when)?;
        if when == When::Afterwards && !sums.are_whole() {
            return Ok(Self { proven: None, counted: count_all(job, psql)? });
        }
        let meant = Meant::of(&job.plan.chosen, census);
        let proven = sums.prove(meant.census(), |schema, name| meant.has(schema, name));
        let known = words::count(proven.tables.len() as u64, "table");
        tracing::info!("counting every table's rows: the server has added up those of {known}");
        let counted = count(job, psql, &proven.open)?;
        Ok(Self { proven: Some((sums, proven)), counted })
    }

    /// The same at the end: what has changed since is counted again.
    ///
    /// # Errors
    /// As [`Counting::begin`].
    pub(crate) fn end(mut self, job: &Job, psql: &Psql) -> Result<Vec<Counted>, Failure> {
        let Some((first, mut proven)) = self.proven.take() else { return Ok(self.counted) };
        let last = sums(job, psql, When::Afterwards)?;
        let undone = first.undone(&proven, &last);
        let mut counted = count(job, psql, &undone)?;
        proven.tables.retain(|oid, _| !undone.contains(oid));
        counted.extend(self.counted);
        counted.extend(proven.tables.into_values());
        counted.retain(|counted| matches!(counted, Counted::Table { .. }));
        counted.push(last.large_objects());
        Ok(counted)
    }
}

/// Finds out what is in every table of a database in which everything has been made.
///
/// # Errors
/// As [`Counting::begin`].
pub(crate) fn at_the_end(job: &Job, psql: &Psql, census: &Census) -> Result<Vec<Counted>, Failure> {
    let Counting { proven, mut counted } = Counting::ask(job, psql, census, When::Afterwards)?;
    let Some((sums, proven)) = proven else { return Ok(counted) };
    counted.retain(|counted| matches!(counted, Counted::Table { .. }));
    counted.extend(proven.tables.into_values());
    counted.push(sums.large_objects());
    Ok(counted)
}

fn sums(job: &Job, psql: &Psql, when: When) -> Result<Tallies, Failure> {
    let answer =
        psql.script(&tallies::questions(job.facts.head.encoding(), when)).map_err(|e| failed(&e.to_string()))?;
    tallies::read(&answer).map_err(|e| failed(&e.to_string()))
}

fn count(job: &Job, psql: &Psql, tables: &BTreeSet<u64>) -> Result<Vec<Counted>, Failure> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    tracing::info!("counting the rows of {}", words::count(tables.len() as u64, "table"));
    read(psql, &counts::questions_of(job.facts.head.encoding(), tables))
}

fn count_all(job: &Job, psql: &Psql) -> Result<Vec<Counted>, Failure> {
    tracing::info!("counting every table's rows");
    read(psql, &counts::questions(job.facts.head.encoding(), Within::Nothing))
}

fn read(psql: &Psql, questions: &str) -> Result<Vec<Counted>, Failure> {
    let answer = psql.script(questions).map_err(|e| failed(&e.to_string()))?;
    counts::read(&answer).map_err(|e| failed(&e.to_string()))
}

fn failed(why: &str) -> Failure {
    Failure::new(Exit::Failed, format!("cannot count the restored rows: {why}"))
}
