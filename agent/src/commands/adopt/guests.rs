//! Which backups to adopt, and which of them are guests.

use catalog::{Entry, Object, State};
use repository::Repository;

use crate::answers::failure::{Exit, Failure};
use crate::cli::AdoptArgs;
use crate::folder;
use crate::places::{self, Catalogs};
use crate::settings::Settings;

/// The entries that are named, or every guest of the chosen databases.
///
/// # Errors
/// Exit 5 when one that is named does not exist.
pub(super) async fn find(
    args: &AdoptArgs,
    repository: &Repository,
    settings: &Settings,
) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    if !args.all {
        for id in &args.ids {
            entries.push(match places::find(repository, settings, id).await {
                Err(missing) if missing.exit == Exit::NotFound => {
                    return Err(a_folder(repository, id).await.unwrap_or(missing));
                }
                found => found?,
            });
        }
        return Ok(entries);
    }
    for (_, mut catalog) in Catalogs::choose(repository.catalogs().await?, settings).chosen {
        catalog.entries.retain(|entry| entry.state == State::Alone);
        repository.resolve(&mut catalog).await?;
        entries.extend(catalog.entries.into_iter().filter(|entry| entry.state != State::Unfinished));
    }
    Ok(entries)
}

/// A folder of this name, which is no backup before it is one file.
async fn a_folder(repository: &Repository, name: &str) -> Option<Failure> {
    let (_, folders) = repository.survey().await.ok()?;
    let is_it = |folder: &&String| folder.rsplit('/').next() == Some(name.trim_end_matches('/'));
    let folder = repository.object_name(folders.iter().find(is_it)?);
    let error = format!("{folder} is a folder of pg_dump --format=directory: it can be restored, but not adopted");
    Some(Failure::new(Exit::Failed, error).hint(folder::INTO_A_FILE))
}

/// The archive to adopt; `None` where the entry is not a guest.
///
/// # Errors
/// When there is no archive, or this identity may not look whether it is a guest.
pub(super) async fn archive<'a>(repository: &Repository, entry: &'a Entry) -> Result<Option<&'a Object>, Failure> {
    let Some(archive) = &entry.archive else {
        return Err(Failure::new(Exit::NotFound, format!("the archive of {} is missing", entry.name()))
            .hint("see what there is: lastgood list"));
    };
    if entry.state == State::Alone {
        // It was asked before, and the refusal left out; here it is the answer.
        repository.head(&archive.key).await?;
        return Ok(None);
    }
    Ok(Some(archive).filter(|_| entry.state == State::Guest))
}

/// Why a backup in this state needs no adoption, for people.
pub(super) fn why_not(state: State) -> &'static str {
    match state {
        State::Good | State::Damaged | State::Uploaded => "it needs no adoption: it has a manifest already",
        State::Unfinished => "it is an unfinished backup of a lastgood run that was cut off",
        State::Alone | State::Guest | State::Missing => "it has changed since it was listed",
    }
}
