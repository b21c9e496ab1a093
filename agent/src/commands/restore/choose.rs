//! Which backup is restored. Good ones first; one that has not been verified only with a warning; never a damaged one.
//!
//! Each copy is judged by its own verdict. Where directory and bucket both have the same good backup, the directory's is
//! read: its bytes are checked against the manifest all the same, and nothing has to be downloaded.

mod candidate;

use std::path::Path;

use catalog::verdict::Outcome;
use catalog::{BackupId, Catalog, Entry, Part, State, catalogs, going_back};
use jiff::Timestamp;
use repository::{BucketSettings, Repository, Scope};

use crate::answers::failure::{Exit, Failure};
use crate::cli::{RestoreArgs, Which};
use crate::commands::restore::backup::{Assurance, Backup, StoredBytes};
use crate::commands::restore::choose::candidate::Candidate;
use crate::folder;
use crate::places;
use crate::settings::Settings;

/// Finds the backup that the command line names, of `database` where it names none.
///
/// # Errors
/// Exit 5 when there is none, exit 4 when it is damaged, exit 2 when a repository that is asked for isn't set.
pub(crate) async fn choose(
    args: &RestoreArgs,
    settings: &Settings,
    database: &str,
    now: Timestamp,
) -> Result<(Backup, StoredBytes), Failure> {
    if let Some(path) = &args.backup_file {
        return file(path, now).await;
    }
    if let Some(url) = &args.from_s3 {
        return at_url(url, settings, now).await;
    }
    let repositories = repositories(args, settings).await?;
    let candidate = match args.id.as_deref().filter(|id| *id != "latest") {
        Some(name) => {
            let (from, _) = going_back(name);
            let id = match (from.parse::<BackupId>(), BackupId::of_tag(from, database)) {
                _ if from == "latest" => {
                    let name = before_latest(&repositories, database, name, now).await?;
                    return named(&repositories, database, &name, now).await?.chosen().await;
                }
                (Ok(id), _) | (Err(_), Some(id)) => id,
                (Err(error), None) => {
                    return Err(Failure::new(Exit::NotFound, error.to_string())
                        .hint("lastgood list shows the names; --backup-file restores any file"));
                }
            };
            named(&repositories, &id.stem.database(), name, now).await?
        }
        None => latest(&repositories, database, now).await?,
    };
    candidate.chosen().await
}

/// Those that are asked, the directory first.
///
/// # Errors
/// Exit 2 when the one that is asked for isn't set; exit 5 when a directory alone is asked, and does not exist.
pub(crate) async fn repositories(args: &RestoreArgs, settings: &Settings) -> Result<Vec<Repository>, Failure> {
    let bucket = Which::Bucket;
    let which = if args.from_s3_latest || args.list_s3 { Some(&bucket) } else { args.repository.as_ref() };
    let repositories = places::repositories(which, settings).await?;
    // Beside a bucket, a directory that was never written to is only one with no backups.
    if let [only] = repositories.as_slice() {
        places::there(only).await?;
    }
    match (repositories.is_empty(), which) {
        (false, _) => Ok(repositories),
        (true, Some(Which::Directory)) => Err(Failure::new(Exit::Usage, "no directory is set").hint("set BACKUP_DIR")),
        (true, _) => {
            Err(Failure::new(Exit::Usage, "S3 not configured").hint("set BACKUP_S3_BUCKET to the bucket's name"))
        }
    }
}

async fn latest(repositories: &[Repository], database: &str, now: Timestamp) -> Result<Candidate, Failure> {
    let mut catalogs = Vec::new();
    for repository in repositories {
        // And the one before it, in case that it is damaged.
        catalogs.push((repository, repository.recent_good(database, now, 2).await?));
    }
    let candidate = |(repository, catalog): &(&Repository, Catalog), entry: &Entry| {
        let candidate = Candidate::new(repository, catalog, entry, now);
        Candidate { notes: places::passed_over(catalog, entry, now), ..candidate }
    };
    let rank = |entry: &Entry| (!entry.is_in_the_future(now), entry.instant);
    // The first of equal ones: the directory's.
    let newest = |candidates: Vec<Candidate>| {
        candidates.into_iter().reduce(|a, b| if rank(&b.entry) > rank(&a.entry) { b } else { a })
    };
    let good = catalogs.iter().filter_map(|found| Some(candidate(found, found.1.newest_good(now)?))).collect();
    if let Some(candidate) = newest(good) {
        return Ok(candidate);
    }
    for (repository, catalog) in &mut catalogs {
        repository.resolve(catalog).await?;
    }
    let restorable = |entry: &&Entry| {
        matches!(entry.state, State::Uploaded | State::Guest | State::Alone)
            && entry.judged() != Some(Outcome::Damaged)
            && !entry.is_safety()
    };
    let others = catalogs.iter().filter_map(|found| {
        let all = found.1.entries.iter().filter(restorable);
        Some(candidate(found, all.reduce(|a, b| if rank(b) > rank(a) { b } else { a })?))
    });
    let others = others.collect();
    newest(others).ok_or_else(|| {
        let places: Vec<String> = repositories.iter().map(Repository::display_name).collect();
        Failure::new(
            Exit::NotFound,
            format!("no backup of {database} that can be restored was found in {}", places.join(" and ")),
        )
        .hint("check bucket and prefix; lastgood list shows what there is, lastgood backup makes the first one")
    })
}

/// The backup that `latest~2` and the like mean where several repositories have copies of the same backups.
async fn before_latest(
    repositories: &[Repository],
    database: &str,
    name: &str,
    now: Timestamp,
) -> Result<String, Failure> {
    let mut all = places::empty(database);
    for repository in repositories {
        let good = going_back(name).1.saturating_add(1);
        let catalog = repository.recent_good(database, now, good).await?;
        let is_new = |entry: &Entry| !all.entries.iter().any(|known| known.id.stem == entry.id.stem);
        let new: Vec<Entry> = catalog.good().filter(|entry| is_new(entry)).cloned().collect();
        all = all.joined(new);
    }
    let found = all.find(name, now).map_err(|error| Failure::new(Exit::NotFound, error.to_string()).hint(error.hint()));
    found.map(Entry::name)
}

async fn named(repositories: &[Repository], database: &str, name: &str, now: Timestamp) -> Result<Candidate, Failure> {
    let mut found: Option<Candidate> = None;
    let mut missing = None;
    for repository in repositories {
        let mut catalog = repository.catalog(database).await?;
        repository.resolve(&mut catalog).await?;
        match catalog.find(name, now) {
            // A copy that is good wins over one that isn't; the directory's, being first, over an equal one.
            Ok(entry) if found.as_ref().is_none_or(|f| f.entry.state != State::Good && entry.state == State::Good) => {
                found = Some(Candidate::new(repository, &catalog, entry, now));
            }
            Ok(_) => {}
            Err(error) => missing = Some(error),
        }
    }
    found.ok_or_else(|| match missing {
        Some(error) => Failure::new(Exit::NotFound, error.to_string()).hint(error.hint()),
        None => Failure::new(Exit::NotFound, format!("there is no backup {name}"))
            .hint("lastgood list shows those there are"),
    })
}

/// `s3://bucket/key`: any bucket, and anybody's archive.
async fn at_url(url: &str, settings: &Settings, now: Timestamp) -> Result<(Backup, StoredBytes), Failure> {
    let wrong = || {
        Failure::new(Exit::Usage, format!("`{url}` is not s3://BUCKET/KEY"))
            .hint("lastgood restore --list-s3 shows the URLs")
    };
    let (bucket, key) = url.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
    if bucket.is_empty() || key.is_empty() {
        return Err(wrong());
    }
    // Without a bucket that is set, only the run's end bounds what is waited for here: nothing is left half done.
    let is_its = |set: &&BucketSettings| set.bucket == bucket;
    let set = settings.buckets.iter().find(is_its).or(settings.buckets.first());
    let mut bucket_settings = set.cloned().unwrap_or_else(|| BucketSettings::new(bucket, ""));
    bucket.clone_into(&mut bucket_settings.bucket);
    // Two folders up from the archive: above its date folder is where its repository begins.
    let mut folders: Vec<&str> = key.split('/').collect();
    folders.truncate(folders.len().saturating_sub(2));
    bucket_settings.prefix = folders.join("/");
    let repository = Repository::bucket(bucket_settings).await?;
    if let Part::Archive { id, .. } = repository.layout().parse(key)
        && let Some(day) = id.day
    {
        let catalogs = catalogs(repository.layout(), repository.objects(Scope::Day(day)).await?);
        if let Some(candidate) = at_key(&repository, catalogs, key, now).await? {
            return candidate.chosen().await;
        }
    }
    let head = repository.head(key).await?.ok_or_else(|| {
        Failure::new(Exit::NotFound, format!("{url} does not exist")).hint("lastgood restore --list-s3 shows the URLs")
    })?;
    let backup = guest(url, head.object.size, head.object.last_modified);
    Ok((backup, StoredBytes::Object(repository, head.object)))
}

async fn file(path: &Path, now: Timestamp) -> Result<(Backup, StoredBytes), Failure> {
    let shown = path.display().to_string();
    let unreadable = |e: std::io::Error| {
        let exit = if e.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Failed };
        Failure::new(exit, format!("{shown}: {e}")).hint("--backup-file names a file on this machine")
    };
    let path = std::fs::canonicalize(path).map_err(unreadable)?;
    let metadata = std::fs::metadata(&path).map_err(unreadable)?;
    if metadata.is_dir() {
        if !folder::is_one(&path) {
            return Err(Failure::new(Exit::NotFound, format!("{shown} is a folder without a toc.dat"))
                .hint("--backup-file names a file, or a folder that pg_dump --format=directory made"));
        }
        let written = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok()).unwrap_or_default();
        return Ok((guest(&shown, folder::size(&path), written), StoredBytes::Folder(path)));
    }
    if let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) {
        let repository = Repository::directory(folder);
        if let Part::Archive { .. } = repository.layout().parse(name) {
            let catalogs = repository.catalogs().await?;
            if let Some(candidate) = at_key(&repository, catalogs, name, now).await? {
                let (backup, bytes) = candidate.chosen().await?;
                return Ok((Backup { name: shown, ..backup }, bytes));
            }
        }
    }
    let written = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok()).unwrap_or_default();
    Ok((guest(&shown, metadata.len(), written), StoredBytes::File(path)))
}

/// The backup whose archive this is, when it has records beside it. It is asked for by its file: of what is beside it, only
/// what can be read counts.
async fn at_key(
    repository: &Repository,
    catalogs: Vec<Catalog>,
    key: &str,
    now: Timestamp,
) -> Result<Option<Candidate>, Failure> {
    for mut catalog in catalogs {
        repository.resolve(&mut catalog).await?;
        let is_it = |entry: &&Entry| entry.archive.as_ref().is_some_and(|archive| archive.key == key);
        if let Some(entry) = catalog.entries.iter().find(is_it) {
            return Ok(Some(Candidate { by_file: true, ..Candidate::new(repository, &catalog, entry, now) }));
        }
    }
    Ok(None)
}

/// A file or object with no records beside it, by its name.
fn guest(name: &str, size: u64, instant: Timestamp) -> Backup {
    let (name, place) = (name.to_owned(), name.to_owned());
    let (assurance, notes) = (Assurance::Guest, Vec::new());
    Backup { name, place, size, instant, assurance, manifest: None, notes, other: None, is_judged: false }
}

#[cfg(test)]
mod tests;
