//! What is to be verified.

use std::path::{Path, PathBuf};

use catalog::glacier::{Cold, Thaw};
use catalog::words;
use catalog::{BackupId, Catalog, Entry, Object, Rereading, State, rereading};
use jiff::{SignedDuration, Timestamp};
use repository::Repository;

use crate::answers::failure::{Exit, Failure};
use crate::cli::VerifyArgs;
use crate::folder;
use crate::places::{self, Catalogs};
use crate::settings::Settings;

#[derive(Debug)]
pub(super) enum Targets {
    Backups {
        repository: Repository,
        targets: Vec<Target>,
        waiting: Waiting,
    },
    /// A file outside a repository.
    File(PathBuf),
}

/// What is due to be read again, and isn't this time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waiting {
    /// Left to later runs.
    pub(super) left: usize,
    /// It cannot be read.
    pub(super) in_glacier: usize,
    /// Archives of ours that never got a manifest.
    pub(super) unfinished: usize,
    /// Everything that there is, read or not.
    pub(super) all: usize,
}

/// One backup to verify.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) entry: Entry,
    /// Why it cannot be read now.
    pub(super) skipped: Option<&'static str>,
}

/// Finds what the command line asks for.
///
/// # Errors
/// Exit 5 when there is no such backup or file, exit 1 when it is in Glacier; otherwise when the repository cannot be listed.
pub(super) async fn find(args: &VerifyArgs, settings: &Settings) -> Result<Targets, Failure> {
    let name = args.id.as_deref().unwrap_or("latest");
    if !args.all && Path::new(name).is_file() {
        return file(Path::new(name), settings).await;
    }
    if !args.all && folder::is_one(Path::new(name)) {
        return Ok(Targets::File(PathBuf::from(name)));
    }
    let is_name = |name: &str| name.parse::<BackupId>().is_ok() || BackupId::of_tag(name, "any").is_some();
    if !args.all && name != "latest" && !is_name(name) {
        return Err(Failure::new(Exit::NotFound, format!("`{name}` is neither a file nor the name of a backup"))
            .hint("see the names: lastgood list"));
    }
    let repository = places::repository(&args.place, settings).await?;
    places::there(&repository).await?;
    let mut waiting = Waiting::default();
    let targets = match name {
        _ if args.all => all(&repository, settings, args.force, &mut waiting).await?,
        "latest" => vec![latest(&repository, settings).await?],
        name => vec![Target::of(places::find(&repository, settings, name).await?)],
    };
    let targets = match targets.as_slice() {
        [Target { entry, skipped: Some(_) }] if !args.all => vec![thawed(&repository, entry).await?],
        _ => targets,
    };
    Ok(Targets::Backups { repository, targets, waiting })
}

/// A file in the directory of local copies is a backup there; any other is only a file.
async fn file(path: &Path, settings: &Settings) -> Result<Targets, Failure> {
    let whole = |path: &Path| std::fs::canonicalize(path).ok();
    let (file, directory) = (whole(path), settings.directory.as_ref().and_then(|directory| whole(directory)));
    if let (Some(file), Some(directory)) = (&file, directory)
        && file.parent() == Some(&directory)
    {
        let repository = Repository::directory(directory);
        let entries = repository.catalogs().await?.into_iter().flat_map(|catalog| catalog.entries);
        let is_it = |entry: &Entry| {
            entry.archive.as_ref().is_some_and(|archive| file.file_name() == Some(archive.key.as_ref()))
        };
        if let Some(entry) = entries.into_iter().find(is_it) {
            let (targets, waiting) = (vec![Target::of(entry)], Waiting::default());
            return Ok(Targets::Backups { repository, targets, waiting });
        }
    }
    Ok(Targets::File(path.to_owned()))
}

/// The newest backup, good or not; only `restore` and `show` take the newest good one.
async fn latest(repository: &Repository, settings: &Settings) -> Result<Target, Failure> {
    let catalog = places::recent(repository, settings, 1).await?;
    let newest = catalog.newest_uploaded(Timestamp::now()).cloned().map(Target::of);
    newest.ok_or_else(|| {
        let (database, place) = (&catalog.database, repository.display_name());
        Failure::new(Exit::NotFound, format!("database `{database}` has no backup in {place}"))
            .hint("see what there is: lastgood list; read back other tools' backups too: lastgood verify --all")
    })
}

/// Every backup without a verdict, and some whose verdict is old; with `force`, every backup. Our own archives without a manifest
/// are not backups.
async fn all(
    repository: &Repository,
    settings: &Settings,
    force: bool,
    waiting: &mut Waiting,
) -> Result<Vec<Target>, Failure> {
    let chosen: Vec<Catalog> = Catalogs::choose(repository.catalogs().await?, settings)
        .chosen
        .into_iter()
        .map(|(_, catalog)| catalog)
        .collect();
    let again = if force { Vec::new() } else { again(&chosen, settings, waiting) };
    let mut targets = Vec::new();
    for mut catalog in chosen {
        waiting.all += catalog.entries.len();
        catalog.entries.retain(|entry| force || is_unverified(entry));
        repository.resolve(&mut catalog).await?;
        let Catalog { entries, .. } = catalog;
        let (unfinished, others): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| entry.state == State::Unfinished);
        waiting.unfinished += unfinished.len();
        targets.extend(others.into_iter().map(Target::of));
    }
    targets.extend(again);
    Ok(targets)
}

/// What was read long ago, and is read again by this run.
fn again(chosen: &[Catalog], settings: &Settings, waiting: &mut Waiting) -> Vec<Target> {
    let Some(days) = settings.reverify_days else { return Vec::new() };
    let entries = chosen.iter().flat_map(|catalog| &catalog.entries).filter(|entry| !is_unverified(entry));
    let after = SignedDuration::from_hours(i64::from(days) * 24);
    let Rereading { due, left, in_glacier } = rereading(entries, Timestamp::now(), after);
    *waiting = Waiting { left, in_glacier, ..*waiting };
    due.into_iter().cloned().map(Target::of).collect()
}

fn is_unverified(entry: &Entry) -> bool {
    let is_older = |manifest: &Object| entry.found_intact().is_some_and(|read| read < manifest.last_modified);
    match entry.archive {
        // A manifest that came after the verdict has never been looked at.
        Some(_) => entry.judged().is_none() || entry.manifest.as_ref().is_some_and(is_older),
        // An archive that vanished is damaged once for all.
        None => entry.manifest.is_some() && entry.damaged.is_none(),
    }
}

impl Target {
    fn of(entry: Entry) -> Self {
        let is_frozen = entry.archive.as_ref().is_some_and(|archive| !archive.readable);
        Self { entry, skipped: is_frozen.then_some("it is in Glacier") }
    }
}

/// A backup that was listed in Glacier: its archive may have been brought back.
async fn thawed(repository: &Repository, entry: &Entry) -> Result<Target, Failure> {
    let Some(archive) = &entry.archive else { return Ok(Target { entry: entry.clone(), skipped: None }) };
    let object = repository.object_name(&archive.key);
    let head = repository.head_of(archive).await?;
    match head.and_then(|head| head.cold) {
        Some(Cold { thaw: Thaw::Thawed { .. }, .. }) => Ok(Target { entry: entry.clone(), skipped: None }),
        Some(Cold { thaw: Thaw::Thawing, class }) => {
            let hours = words::span(class.longest());
            let error = format!("{object} is being brought back from Glacier, and cannot be read yet");
            Err(Failure::new(Exit::Failed, error)
                .hint(format!("verify it later; it takes up to {hours} since it was asked for")))
        }
        _ => Err(repository::Error::Archived { object }.into()),
    }
}
