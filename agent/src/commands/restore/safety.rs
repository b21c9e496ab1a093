//! The safety backup: a real backup of what a restore in place is about to replace.

use catalog::manifest::Purpose;

use crate::answers::failure::{Exit, Failure};
use crate::commands::backup;
use crate::commands::restore::job::Job;
use crate::settings::{DatabaseSettings, Settings};

/// Makes it, and answers with its name.
///
/// # Errors
/// When no repository has it, or it was found damaged: nothing may be restored then.
pub(super) fn back_up(job: &Job, settings: &Settings, database: &DatabaseSettings) -> Result<String, Failure> {
    let name = &job.facts.target.name;
    tracing::info!("making a safety backup of {name}");
    // With `--into` another database is replaced than the one that is set.
    let connection = database.connection.to(name);
    let target = DatabaseSettings { name: Some(name.clone()), connection, ..database.clone() };
    let backing_up = backup::back_up(settings, &target, Purpose::Safety, &job.interrupt);
    let outcome = tokio::runtime::Handle::current().block_on(backing_up).map_err(refused)?;
    match outcome.failure() {
        Some(failure) if failure.exit == Exit::Damaged => return Err(refused(failure)),
        Some(failure) => tracing::warn!("the safety backup: {failure}"),
        None => {}
    }
    let kept = outcome.kept.first().map(|kept| kept.id.to_string());
    kept.ok_or_else(|| refused(Failure::new(Exit::Failed, "no repository has it")))
}

fn refused(failure: Failure) -> Failure {
    let error = format!("no safety backup could be made, so nothing was restored: {}", failure.error);
    let hint = failure.hint.unwrap_or_else(|| "--skip-backup restores without one".to_owned());
    let exit = if failure.exit == Exit::Locked { Exit::Locked } else { Exit::Failed };
    Failure::new(exit, error).hint(hint)
}
