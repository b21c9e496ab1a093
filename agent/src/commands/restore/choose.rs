//! Which backup is restored. Good ones first; what nobody has verified only with a warning; never a damaged one.
//!
//! Each copy is judged by its own verdict. Where directory and bucket both have the same good backup, the directory's is
//! read: its bytes are checked against the manifest all the same, and nothing has to be downloaded.

use std::path::Path;

use catalog::manifest::Manifest;
use catalog::verdict::{Outcome, Verdict};
use catalog::{BackupId, Catalog, Entry, InvalidName, Object, Part, State, catalogs};
use jiff::Timestamp;
use repository::{BucketSettings, Repository, Scope};

use crate::answers::failure::{Exit, Failure};
use crate::cli::{RestoreArgs, Which};
use crate::keys::Source;
use crate::settings::Settings;

/// A backup that may be restored.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    /// As a person calls it: its name, or the file's path.
    pub(crate) name: String,
    /// Where its archive lies: `s3://bucket/key`, or a path.
    pub(crate) place: String,
    pub(crate) size: u64,
    /// When it was made, as far as can be trusted.
    pub(crate) instant: Timestamp,
    pub(crate) standing: Standing,
    pub(crate) manifest: Option<Manifest>,
    bytes: Bytes,
}

/// What is known of a backup's bytes before they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A verdict says that they are whole.
    Good,
    /// Nobody has read them back yet.
    Unverified,
    /// Made by another tool, and not judged.
    Guest,
}

/// Where the bytes come from.
#[derive(Clone, Debug)]
enum Bytes {
    Object(Repository, Object),
    File(std::path::PathBuf),
}

/// A backup somewhere in a repository.
#[derive(Clone)]
struct Candidate {
    repository: Repository,
    entry: Entry,
    /// The last good one beside it, for hints.
    newest_good: Option<String>,
}

/// Finds the backup that the command line names, of `database` where it names none.
///
/// # Errors
/// Exit 5 when there is none, exit 4 when it is damaged, exit 2 when it can't be meant.
pub(crate) async fn choose(
    args: &RestoreArgs,
    settings: &Settings,
    database: &str,
    now: Timestamp,
) -> Result<Chosen, Failure> {
    if let Some(path) = &args.backup_file {
        return file(path).await;
    }
    if let Some(url) = &args.from_s3 {
        return at_url(url, settings).await;
    }
    let repositories = repositories(args, settings).await?;
    // Beside a bucket, a directory that was never written to is only one with no backups.
    if let [only] = repositories.as_slice() {
        only.check_exists().await?;
    }
    let candidate = match args.id.as_deref().filter(|id| *id != "latest") {
        Some(name) => {
            let id: BackupId = name.parse().map_err(|e: InvalidName| {
                Failure::new(Exit::NotFound, e.to_string())
                    .hint("lastgood list shows the names; --backup-file restores any file")
            })?;
            named(&repositories, &id.stem.database(), name).await?
        }
        None => latest(&repositories, database, now).await?,
    };
    candidate.chosen().await
}

/// Those that are asked, the directory first.
///
/// # Errors
/// Exit 2 when the one that is asked for isn't set.
pub(crate) async fn repositories(args: &RestoreArgs, settings: &Settings) -> Result<Vec<Repository>, Failure> {
    let which = if args.from_s3_latest || args.list_s3 { Some(Which::Bucket) } else { args.repository };
    let mut repositories = Vec::new();
    if let Some(folder) = settings.directory.as_ref().filter(|_| which != Some(Which::Bucket)) {
        repositories.push(Repository::directory(folder));
    }
    if let Some(bucket) = settings.bucket.as_ref().filter(|_| which != Some(Which::Directory)) {
        repositories.push(Repository::bucket(bucket.clone()).await?);
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
        catalogs.push((repository, repository.recent(database, now).await?));
    }
    let candidate = |(repository, catalog): &(&Repository, Catalog), entry: &Entry| Candidate {
        repository: (*repository).clone(),
        entry: entry.clone(),
        newest_good: catalog.newest_good().map(Entry::name),
    };
    // The first of equal ones: the directory's.
    let newest = |candidates: Vec<Candidate>| {
        candidates.into_iter().reduce(|a, b| if b.entry.instant > a.entry.instant { b } else { a })
    };
    let good = catalogs.iter().filter_map(|found| Some(candidate(found, found.1.newest_good()?))).collect();
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
    let others =
        catalogs.iter().filter_map(|found| Some(candidate(found, found.1.entries.iter().find(restorable)?))).collect();
    newest(others).ok_or_else(|| {
        let places: Vec<String> = repositories.iter().map(Repository::display_name).collect();
        Failure::new(
            Exit::NotFound,
            format!("no backups of {database} that could be restored found in {}", places.join(" and ")),
        )
        .hint("check bucket and prefix; `lastgood list` shows what there is, `lastgood backup` makes the first one")
    })
}

async fn named(repositories: &[Repository], database: &str, name: &str) -> Result<Candidate, Failure> {
    let mut found: Option<Candidate> = None;
    let mut missing = None;
    for repository in repositories {
        let mut catalog = repository.catalog(database).await?;
        repository.resolve(&mut catalog).await?;
        match catalog.find(name) {
            // A copy that is good wins over one that isn't; the directory's, being first, over an equal one.
            Ok(entry) if found.as_ref().is_none_or(|f| f.entry.state != State::Good && entry.state == State::Good) => {
                let newest_good = catalog.newest_good().map(Entry::name);
                found = Some(Candidate { repository: repository.clone(), entry: entry.clone(), newest_good });
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
async fn at_url(url: &str, settings: &Settings) -> Result<Chosen, Failure> {
    let wrong = || {
        Failure::new(Exit::Usage, format!("`{url}` is not s3://BUCKET/KEY"))
            .hint("lastgood restore --list-s3 shows the URLs")
    };
    let (bucket, key) = url.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
    if bucket.is_empty() || key.is_empty() {
        return Err(wrong());
    }
    let mut bucket_settings = settings.bucket.clone().unwrap_or_else(|| BucketSettings::new(bucket, ""));
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
        if let Some(candidate) = at_key(&repository, catalogs, key).await? {
            return candidate.chosen().await;
        }
    }
    let head = repository.head(key).await?.ok_or_else(|| {
        Failure::new(Exit::NotFound, format!("{url} does not exist")).hint("lastgood restore --list-s3 shows the URLs")
    })?;
    Ok(guest(url, url, head.object.size, head.object.last_modified, Bytes::Object(repository, head.object)))
}

async fn file(path: &Path) -> Result<Chosen, Failure> {
    let shown = path.display().to_string();
    let unreadable = |e: std::io::Error| {
        let exit = if e.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Failed };
        Failure::new(exit, format!("{shown}: {e}")).hint("--backup-file names a file on this machine")
    };
    let path = std::fs::canonicalize(path).map_err(unreadable)?;
    let metadata = std::fs::metadata(&path).map_err(unreadable)?;
    if let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) {
        let repository = Repository::directory(folder);
        if let Part::Archive { .. } = repository.layout().parse(name) {
            let catalogs = repository.catalogs().await?;
            if let Some(candidate) = at_key(&repository, catalogs, name).await? {
                let chosen = candidate.chosen().await?;
                return Ok(Chosen { name: shown, ..chosen });
            }
        }
    }
    let written = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok()).unwrap_or_default();
    Ok(guest(&shown, &shown, metadata.len(), written, Bytes::File(path)))
}

/// The backup whose archive this is, when it has records beside it.
async fn at_key(repository: &Repository, catalogs: Vec<Catalog>, key: &str) -> Result<Option<Candidate>, Failure> {
    for mut catalog in catalogs {
        repository.resolve(&mut catalog).await?;
        let is_it = |entry: &&Entry| entry.archive.as_ref().is_some_and(|archive| archive.key == key);
        if let Some(entry) = catalog.entries.iter().find(is_it) {
            let newest_good = catalog.newest_good().map(Entry::name);
            return Ok(Some(Candidate { repository: repository.clone(), entry: entry.clone(), newest_good }));
        }
    }
    Ok(None)
}

fn guest(name: &str, place: &str, size: u64, instant: Timestamp, bytes: Bytes) -> Chosen {
    let (name, place) = (name.to_owned(), place.to_owned());
    Chosen { name, place, size, instant, standing: Standing::Guest, manifest: None, bytes }
}

impl Candidate {
    /// Refuses what must not be restored, and reads the manifest.
    async fn chosen(self) -> Result<Chosen, Failure> {
        let Self { repository, entry, newest_good } = self;
        let name = entry.name();
        let Some(archive) = entry.archive.clone().filter(|_| entry.state != State::Missing) else {
            let error = format!("the archive of {name} is gone from {}", repository.display_name());
            return Err(Failure::new(Exit::NotFound, error).hint(last_good(newest_good)));
        };
        let verdict = verdict(&repository, &entry, &archive).await?;
        if let Some(verdict) = verdict.as_ref().filter(|verdict| !verdict.is_intact()) {
            let how = verdict.findings.first().map_or("it was read back and is not whole", |finding| &finding.text);
            let error = format!("{name} in {} is damaged: {how}", repository.display_name());
            return Err(Failure::new(Exit::Damaged, error).hint(last_good(newest_good.filter(|good| *good != name))));
        }
        let place = repository.object_name(&archive.key);
        if !archive.readable {
            return Err(repository::Error::Archived { object: place }.into());
        }
        let manifest = match &entry.manifest {
            None => None,
            Some(object) => Some(repository.manifest(object).await?),
        };
        let standing = match (entry.state, &verdict) {
            (_, Some(_)) => Standing::Good,
            (State::Guest | State::Alone, None) => Standing::Guest,
            _ => Standing::Unverified,
        };
        let object = pinned(archive, manifest.as_ref(), verdict.as_ref());
        let (size, instant) = (object.size, entry.instant);
        Ok(Chosen { name, place, size, instant, standing, manifest, bytes: Bytes::Object(repository, object) })
    }
}

/// The verdict that counts, if there is one on the archive's present bytes. Files that were copied may have lost the order of
/// their times: a damaged verdict that says itself that it is the later one counts as well.
async fn verdict(repository: &Repository, entry: &Entry, archive: &Object) -> Result<Option<Verdict>, Failure> {
    let damaged = async || verdict_in(repository, entry.damaged.as_ref(), archive).await;
    match entry.judged() {
        None => Ok(None),
        Some(Outcome::Damaged) => damaged().await,
        Some(Outcome::Intact) => {
            let intact = verdict_in(repository, entry.intact.as_ref(), archive).await?;
            let said = intact.as_ref().map(|intact| intact.verified);
            let later = damaged().await?.filter(|damaged| said.is_none_or(|intact| damaged.verified >= intact));
            Ok(later.or(intact))
        }
    }
}

async fn verdict_in(
    repository: &Repository,
    record: Option<&Object>,
    archive: &Object,
) -> Result<Option<Verdict>, Failure> {
    let Some(record) = record else { return Ok(None) };
    let verdict = repository.verdict(record).await?;
    Ok(Some(verdict).filter(|verdict| verdict.is_about(archive)))
}

/// The version that verdict or manifest are about, where its bytes are still those that were listed.
fn pinned(mut archive: Object, manifest: Option<&Manifest>, verdict: Option<&Verdict>) -> Object {
    let judged = verdict.map(|verdict| (verdict.identity.etag.as_deref(), &verdict.identity.version_id));
    let promised = manifest.map(|manifest| (manifest.archive.etag.as_deref(), &manifest.archive.version_id));
    let of_these = |(etag, _): &(Option<&str>, &Option<String>)| *etag == archive.bare_etag();
    if archive.version_id.is_none()
        && let Some((_, version)) = judged.or(promised).filter(of_these)
    {
        archive.version_id.clone_from(version);
    }
    archive
}

fn last_good(newest_good: Option<String>) -> String {
    match newest_good {
        Some(name) => format!("the last good backup is {name}: lastgood restore {name}"),
        None => "lastgood list shows what there is".to_owned(),
    }
}

impl Chosen {
    /// Its stored bytes from the first on. For a thread that may block, inside the runtime.
    ///
    /// # Errors
    /// When they can't be opened.
    pub(crate) fn open(&self) -> Result<Source, Failure> {
        match &self.bytes {
            Bytes::File(path) => {
                let file = std::fs::File::open(path);
                let file = file.map_err(|e| Failure::new(Exit::Failed, format!("{}: {e}", self.place)))?;
                Ok(Box::new(file))
            }
            Bytes::Object(repository, object) => {
                let handle = tokio::runtime::Handle::current();
                let reader = handle.block_on(async { repository.download(object).await.map(|d| d.into_reader()) })?;
                Ok(Box::new(reader))
            }
        }
    }
}

#[cfg(test)]
mod tests;
