//! The name of a backup, and the check that no backup has it yet.

use std::time::Duration;

use catalog::manifest::Purpose;
use catalog::{BackupId, Stem, Tag};
use jiff::{SignedDuration, Timestamp};
use repository::Repository;

use crate::answers::failure::{Exit, Failure};
use crate::settings::Settings;
use crate::together::{self, One};

/// How many seconds are tried for one whose name is free. A killed run, or one before the clock was set back, may have left it
/// taken; and the way back from a restore may begin in the same second.
const TRIES: i64 = 60;

/// How long a bucket is asked whether a time is free: if it can't be reached, the upload waits for it, and not this.
const ASKING: Duration = Duration::from_secs(5);

/// The label that was asked for, otherwise the time.
pub(super) fn tag(settings: &Settings, purpose: Purpose, now: Timestamp) -> Tag {
    match (purpose, &settings.name) {
        (Purpose::Safety, _) => Tag::Safety(now),
        (_, Some(label)) => Tag::Label(label.clone()),
        (_, None) => Tag::At(now),
    }
}

/// The name that comes to mind first, whether or not it is taken.
///
/// # Errors
/// Exit 2 when no valid key can be made of it.
pub(super) fn any(database: &str, tag: &Tag) -> Result<Stem, Failure> {
    Stem::new(database, tag).map_err(|e| Failure::new(Exit::Usage, e.to_string()))
}

/// A name that no backup has yet: of a time the next second that is free, whatever the clock does meanwhile.
///
/// # Errors
/// Exit 2 when no valid key can be made of it, exit 1 where a label was used before.
pub(super) async fn free(
    repositories: &[Repository],
    database: &str,
    tag: Tag,
    now: Timestamp,
) -> Result<Stem, Failure> {
    let name = |tag: &Tag| any(database, tag);
    let later = |by: i64| match &tag {
        Tag::At(at) => Some(Tag::At(*at + SignedDuration::from_secs(by))),
        Tag::Safety(at) => Some(Tag::Safety(*at + SignedDuration::from_secs(by))),
        Tag::Label(_) => None,
    };
    for seconds in 0..TRIES {
        let Some(tag) = later(seconds) else { break };
        let stem = name(&tag)?;
        if taken(repositories, &stem, now).await.is_none() {
            return Ok(stem);
        }
    }
    let stem = name(&tag)?;
    refuse_taken(repositories, &stem, now).await.map(|()| stem)
}

/// Refuses a name that was used before: better before hours of dumping than after. The other backup's compression does not
/// matter. Nothing is overwritten in any case.
///
/// # Errors
/// Exit 1 where a backup has this name.
async fn refuse_taken(repositories: &[Repository], stem: &Stem, now: Timestamp) -> Result<(), Failure> {
    let Some((id, repository)) = taken(repositories, stem, now).await else { return Ok(()) };
    Err(Failure::new(Exit::Failed, format!("a backup named {id} already exists in {repository}"))
        .hint("choose another --name, or remove that backup first; nothing was overwritten"))
}

/// The backup that has this name already, and the repository that it is in.
async fn taken(repositories: &[Repository], stem: &Stem, now: Timestamp) -> Option<(BackupId, String)> {
    let ask = |repository: &Repository| -> One<'static, Option<(BackupId, String)>> {
        let (repository, id) = (repository.clone(), repository.layout().place(stem.clone(), now));
        // A repository that cannot be listed will say so when it is written to, and must not fail the others here.
        Box::pin(async move {
            let asked = tokio::time::timeout(ASKING, repository.entry(&id)).await;
            asked.ok()?.unwrap_or_default().map(|_| (id, repository.display_name()))
        })
    };
    together::all(repositories.iter().map(ask).collect()).await.into_iter().flatten().next()
}
