//! What became of a drill, written down: beside its backup, and for its database, whose freshness it tells.

use catalog::drill::{Drill, DrillStatus};
use catalog::{Part, Record};
use repository::Repository;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::backup::StoredBytes;

/// Stores it into the repository that the backup came from. A drill that can't be written down has happened all the same.
pub(super) async fn store(stored: &StoredBytes, drill: &Drill) {
    let StoredBytes::Object(repository, object) = stored else { return };
    // A record without its backup would be a stray, and a failure that nobody can look into.
    if matches!(repository.head(&object.key).await, Ok(None)) {
        tracing::warn!("the backup was removed during the drill, so the drill is not written down");
        return;
    }
    for written in [beside(repository, &object.key, drill).await, status(repository, drill).await] {
        if let Err(failure) = written {
            let hint = failure.hint.map_or_else(String::new, |hint| format!(" ({hint})"));
            tracing::warn!(
                "the drill is not written down in {}, so check and the alarms do not know of it: {}{hint}",
                repository.display_name(),
                failure.error
            );
            return;
        }
    }
}

async fn beside(repository: &Repository, key: &str, drill: &Drill) -> Result<(), Failure> {
    let Part::Archive { id, .. } = repository.layout().parse(key) else { return Ok(()) };
    let json = drill.to_json().map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
    repository.put_over(&repository.layout().record(&id, Record::Drill), json).await?;
    Ok(())
}

async fn status(repository: &Repository, drill: &Drill) -> Result<(), Failure> {
    let before = match repository.drill_status(&drill.database).await {
        // One that is broken is written anew; one of a later version stays.
        Err(repository::Error::Document { source, .. }) if source.is_broken() => None,
        known => known?,
    };
    let status = DrillStatus::after(before, drill.clone());
    let json = status.to_json().map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
    repository.put_over(&repository.layout().drill_status(&drill.database), json).await?;
    Ok(())
}
