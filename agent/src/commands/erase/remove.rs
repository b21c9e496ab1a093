//! The original goes: every version of all that lies under its names.

use std::collections::BTreeSet;

use catalog::erasure::Lock;
use catalog::{BackupId, Entry, Object, Part, Record, State};
use repository::{Removal, Repository};

use crate::answers::failure::{Exit, Failure};

/// What came of it.
pub(super) enum Removed {
    Gone,
    /// A lock came to light only now.
    Locked(Option<Lock>),
}

/// Removes a backup, once what stands for it is good.
///
/// # Errors
/// When what stands for it isn't good any more, or the store refuses.
pub(super) async fn original(repository: &Repository, entry: &Entry, by: &BackupId) -> Result<Removed, Failure> {
    let stands = repository.entry(by).await?.is_some_and(|entry| entry.state == State::Good);
    if !stands {
        return Err(Failure::new(Exit::Failed, format!("{by} is not good any more; {} stays", entry.id))
            .hint("see what happened to it: lastgood list; then erase again"));
    }
    everything(repository, entry).await
}

/// Removes what an earlier run has left half done. That was decided by a listing from before the trial and the question, and another
/// erasure or a copy may have completed it meanwhile: then it is a backup, and stays.
///
/// # Errors
/// When it isn't half done any more, or the store refuses.
pub(super) async fn remainder(repository: &Repository, entry: &Entry) -> Result<Removed, Failure> {
    let grown = || {
        Failure::new(Exit::Failed, format!("{} is no remainder any more: another run has completed it", entry.id))
            .hint("see what it is: lastgood list; then erase again")
    };
    if repository.entry(&entry.id).await?.is_some_and(|now| now.manifest.is_some()) {
        return Err(grown());
    }
    // By the keys of the plan, so that whatever has come since is seen as more than was planned.
    let planned: BTreeSet<&str> = entry.removal().map(|object| object.key.as_str()).collect();
    let mut versions = repository.every_version(entry).await?;
    versions.retain(|version| planned.contains(version.key.as_str()));
    take(repository, entry, &versions).await
}

/// Removes all that there is of a backup.
///
/// # Errors
/// When the store refuses.
pub(super) async fn everything(repository: &Repository, entry: &Entry) -> Result<Removed, Failure> {
    let versions = repository.every_version(entry).await?;
    take(repository, entry, &versions).await
}

async fn take(repository: &Repository, entry: &Entry, versions: &[Object]) -> Result<Removed, Failure> {
    let removal = repository.remove(versions).await?;
    if removal.is_complete() {
        return Ok(Removed::Gone);
    }
    if !removal.locked.is_empty() {
        return Ok(Removed::Locked(repository.lock(versions).await));
    }
    Err(refused(entry, &removal))
}

/// Removes index and links of a backup whose archive is gone: they hold keys and pieces of rows. True where there was one.
///
/// # Errors
/// When the store refuses.
pub(super) async fn index(repository: &Repository, entry: &Entry) -> Result<bool, Failure> {
    let mut versions = repository.every_version(entry).await?;
    versions.retain(|object| {
        let part = repository.layout().parse(&object.key);
        matches!(part, Part::Record { record: Record::Index | Record::SealedIndex | Record::Links, .. })
    });
    if versions.is_empty() {
        return Ok(false);
    }
    let removal = repository.remove_parts(&versions).await?;
    if removal.is_complete() { Ok(true) } else { Err(refused(entry, &removal)) }
}

/// The identity lacks the right, or something else lies there by now.
fn refused(entry: &Entry, removal: &Removal) -> Failure {
    let name = &entry.id;
    match removal.failed.first() {
        Some((key, reason)) => Failure::new(Exit::Failed, format!("{name} was not removed: {key}: {reason}")).hint(
            "run as an identity that may delete: with the AWS stack, one that EraserArns names; then erase again",
        ),
        None => Failure::new(Exit::Failed, format!("{name} was not removed: it has changed since it was listed"))
            .hint("erase again"),
    }
}
