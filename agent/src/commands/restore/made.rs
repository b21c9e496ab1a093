//! The roles that a restore has made (`--create-roles`), for as long as it is not known whether it succeeds.

use postgres::PsqlError;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::job::Job;
use crate::commands::restore::roles::Births;

/// Roles that were made for a restore. Dropped with the value unless they were kept.
pub(super) struct Made<'a> {
    job: &'a Job,
    kept: bool,
}

impl Made<'_> {
    /// The restore is done.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        if !self.kept {
            let left = self.job.facts.births.new.take_back(&self.job.server.maintenance);
            left.iter().for_each(|left| tracing::error!("a role that was made for the restore stays: {left}"));
        }
    }
}

/// Makes them, all or none.
///
/// # Errors
/// Exit 1; none is there then.
pub(super) fn make(job: &Job) -> Result<Made<'_>, Failure> {
    let Births { new, .. } = &job.facts.births;
    if new.is_empty() {
        return Ok(Made { job, kept: true });
    }
    tracing::info!("creating the roles {}", job.facts.births.names().join(", "));
    // The server would go on.
    let refused = new.make(&job.server.maintenance.unstopped()).map_err(|error| {
        let failure = Failure::new(Exit::Failed, format!("cannot create the roles of the backup: {error}"));
        let failure = match error {
            PsqlError::Refused(_) => failure.hint("nothing was changed; restore again: the plan names what stands in the way"),
            _ => failure.hint(
                "the server could not be asked whether it has made them; restore again: the plan names those that are there",
            ),
        };
        job.interrupted_or(failure)
    })?;
    refused.iter().for_each(|refused| tracing::warn!("not carried over: {refused}"));
    Ok(Made { job, kept: false })
}
