//! The name of a backup, and the check that no backup has it yet.

use catalog::manifest::Purpose;
use catalog::{BackupId, Part, Stem, Tag};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use repository::{Repository, Scope};

use crate::answers::failure::{Exit, Failure};
use crate::commands::backup::source::Source;
use crate::settings::Settings;

/// The label that was asked for, otherwise the time.
///
/// # Errors
/// Exit 2 when no valid key can be made of it.
pub(super) fn choose(settings: &Settings, source: &Source, purpose: Purpose, now: Timestamp) -> Result<Stem, Failure> {
    let tag = match (purpose, &settings.name) {
        (Purpose::Safety, _) => Tag::Safety(now),
        (_, Some(label)) => Tag::Label(label.clone()),
        (_, None) => Tag::At(now),
    };
    Stem::new(&source.server.database, &tag).map_err(|e| Failure::new(Exit::Usage, e.to_string()))
}

/// Refuses a label that was used before: better before hours of dumping than after. The other backup's compression does not
/// matter. Nothing is overwritten in any case.
///
/// # Errors
/// Exit 1 where a backup has this name.
pub(super) async fn refuse_taken(repositories: &[Repository], stem: &Stem, now: Timestamp) -> Result<(), Failure> {
    if !matches!(stem.tag(), Tag::Label(_)) {
        return Ok(());
    }
    let Some((id, repository)) = taken(repositories, stem, now).await else { return Ok(()) };
    Err(Failure::new(Exit::Failed, format!("a backup named {id} already exists in {repository}"))
        .hint("choose another --name, or remove that backup first; nothing was overwritten"))
}

/// The backup that has this name already, and the repository that it is in.
pub(super) async fn taken(repositories: &[Repository], stem: &Stem, now: Timestamp) -> Option<(BackupId, String)> {
    let day = now.to_zoned(TimeZone::UTC).date();
    for repository in repositories {
        let id = repository.layout().place(stem.clone(), now);
        // A repository that cannot be listed will say so when it is written to, and must not fail the others here.
        let objects = repository.objects(Scope::Day(day)).await.unwrap_or_default();
        let is_taken = objects.iter().any(|object| match repository.layout().parse(&object.key) {
            Part::Archive { id: other, .. } | Part::Record { id: other, .. } => other == id,
            _ => false,
        });
        if is_taken {
            return Some((id, repository.display_name()));
        }
    }
    None
}
