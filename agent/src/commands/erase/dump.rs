//! The changed database is dumped by the road of a backup, and compared on its way: what arrives in the repository shows only once the
//! comparison is done.

use std::sync::{Arc, Mutex, PoisonError};

use ::archive::Comparison;
use postgres::programs::pg_dump::DumpOptions;
use postgres::{Dump, Psql};

use crate::answers::failure::{Exit, Failure};
use crate::answers::progress::Progress;
use crate::commands::backup::carry::{Carried, CarryError, Onlooker, Road};
use crate::commands::backup::lanes::Lanes;
use crate::commands::drill::dump::{self, Dumped, Looker};
use crate::commands::restore::job::Job;
use crate::settings::DatabaseSettings;

/// Dumps into `lanes`; answers with what was carried, and what was seen of it.
///
/// # Errors
/// When pg_dump fails, or no repository takes its bytes. Nothing is visible in either case.
pub(super) fn carry(
    job: &Job,
    (psql, database): (&Psql, &DatabaseSettings),
    comparison: Comparison,
    (mut road, lanes): (Road, &mut Lanes),
) -> Result<(Carried, Dumped), Failure> {
    let tool = dump::tool(job)?;
    tracing::info!("dumping what is left with pg_dump {}", tool.version);
    let options = DumpOptions { lock_timeout: database.lock_timeout, extra: options(job, database) };
    let (connection, _) = dump::connection(job, psql)?;
    let dump = Dump::start(&tool, &connection, &options, psql.stop());
    let dump = dump.map_err(|e| failed(job, &e.to_string()))?;
    let looker = Arc::new(Mutex::new(Some(Looker::new(job, comparison))));
    let seeing = Arc::clone(&looker);
    let see = move |block: &[u8]| {
        let mut looker = seeing.lock().unwrap_or_else(PoisonError::into_inner);
        looker.as_mut().map_or(Ok(()), |looker| looker.see(block))
    };
    let onlooker: Onlooker = Arc::new(Mutex::new(see));
    road.onlooker = Some(onlooker);
    let carried = road.carry(dump, lanes).map_err(|error| match error {
        CarryError::Stored(failure) => job.interrupted_or(failure),
        error => failed(job, &error.to_string()),
    })?;
    let looker = looker.lock().unwrap_or_else(PoisonError::into_inner).take();
    let dumped = looker.map(Looker::end).transpose().map_err(|e| failed(job, &e.to_string()))?;
    dumped.map(|dumped| (carried, dumped)).ok_or_else(|| failed(job, "nobody has looked at it"))
}

/// The progress of a dump of this backup.
pub(super) fn progress(job: &Job) -> Progress {
    Progress::open_end(job.report, "storing")
}

/// Statistics tell the most frequent values of each column: they would bring back what has just been erased.
pub(super) fn options(job: &Job, database: &DatabaseSettings) -> Vec<String> {
    let is_wanted = |word: &String| !["--statistics", "--with-statistics"].contains(&word.as_str());
    dump::options(job, database).into_iter().filter(is_wanted).collect()
}

fn failed(job: &Job, why: &str) -> Failure {
    job.interrupted_or(
        Failure::new(Exit::Failed, format!("the changed database cannot be dumped: {why}"))
            .hint("erase again; the original is untouched"),
    )
}
