//! A search_path for functions while the database is filled: `--search-path-fix`.

use std::sync::OnceLock;

use catalog::words;
use postgres::Psql;
use postgres::database::paths::{self, Of, Routine};
use postgres::words::origin;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::job::Job;

/// How many functions a warning spells out.
const NAMED: usize = 5;

/// The functions that were given one.
#[derive(Debug, Default)]
pub(super) struct Paths {
    given: OnceLock<Vec<Routine>>,
}

impl Paths {
    /// Gives every function of a new database a search_path, where that is wished. Its definitions are all there.
    ///
    /// # Errors
    /// Exit 1 when the server refuses.
    pub(super) fn give(&self, job: &Job, psql: &Psql) -> Result<(), Failure> {
        if !job.wish.search_path_fix {
            return Ok(());
        }
        self.give_by(job, Of::Database, |script| psql.script(script).map_err(|e| refused(&e.to_string())))
    }

    /// The same for those that `of` means, by whoever runs scripts and answers with what they print.
    ///
    /// # Errors
    /// Exit 1 when an answer can't be read; whatever `run` fails with.
    pub(super) fn give_by<E: From<Failure>>(
        &self,
        job: &Job,
        of: Of,
        mut run: impl FnMut(&str) -> Result<String, E>,
    ) -> Result<(), E> {
        let answer = run(&paths::question(of))?;
        let routines = paths::read(&answer).map_err(|e| refused(&e.to_string()))?;
        let others: Vec<String> = routines.iter().filter(|r| !r.is_ours).map(|r| r.name.clone()).collect();
        if !others.is_empty() {
            let others = words::first_of(&others, NAMED, ", ");
            tracing::warn!("functions of other roles get no search_path: {others}");
        }
        let archived = origin::search_path(job.facts.head.definition("DATABASE PROPERTIES").unwrap_or_default());
        let script = paths::give(&routines, archived.as_deref());
        let count = routines.len().saturating_sub(others.len()) as u64;
        tracing::info!("a search_path for {}, until all is restored", words::count(count, "function"));
        let _ = self.given.set(routines);
        run(&script).map(drop)
    }

    /// Takes it away again from exactly those that were given one.
    ///
    /// # Errors
    /// Exit 1 when the server refuses.
    pub(super) fn take_away(&self, psql: &Psql) -> Result<(), Failure> {
        let Some(script) = self.removal() else { return Ok(()) };
        psql.script(&script).map(drop).map_err(|e| refused(&e.to_string()))
    }

    /// The script that takes it away; `None`: none was given.
    pub(super) fn removal(&self) -> Option<String> {
        self.given.get().map(|routines| paths::take_away(routines))
    }
}

fn refused(why: &str) -> Failure {
    Failure::new(Exit::Failed, format!("cannot change the search_path of functions: {why}"))
}
