//! `lastgood adopt`: takes over guests. Each is read back to its last byte; one that is found intact gets a manifest with its
//! census beside it, and its verdict. Its own bytes and name stay as they are. From then on it counts: for `latest`, `check`
//! and retention. An identity that may not write verdicts leaves them to the verify function, which the manifest's arrival
//! wakes.

mod answer;
mod candidate;
mod guests;
mod portion;

use std::collections::BTreeMap;

use archive::{Content, Format, Kind};
use catalog::manifest::{self, Manifest, Purpose};
use catalog::{Entry, Unknown};
use jiff::Timestamp;
use repository::{Error, PutOutcome, Repository};

use crate::answers::failure::{Exit, Failure};
use crate::beyond_limits;
use crate::cli::AdoptArgs;
use crate::commands::adopt::answer::AdoptAnswer;
use crate::commands::adopt::candidate::{Candidate, Fate, Unjudged};
use crate::host;
use crate::logging;
use crate::marks;
use crate::places;
use crate::read_back::{self, ReadBack, Reader, Unrecorded};
use crate::settings::Settings;

/// Adopts the guests that are named, or all.
///
/// # Errors
/// Exit 5 when one that is named does not exist; when the repository cannot be listed, or the only one cannot be read.
pub(crate) async fn run(args: &AdoptArgs, settings: &Settings) -> Result<Exit, Failure> {
    let repository = places::repository(&args.place, settings).await?;
    places::there(&repository).await?;
    let reader = Reader::new(settings)?;
    let entries = guests::find(args, &repository, settings).await?;
    let mut candidates = Vec::new();
    let since = oldest(&entries);
    for entry in &entries {
        let since = since.get(&*entry.id.stem.database()).copied().unwrap_or(entry.instant);
        let fate = fate(&reader, &repository, (entry, since), args.dry_run).await.unwrap_or_else(Fate::Failed);
        candidates.push(Candidate { name: entry.name(), size: entry.size(), fate });
    }
    if let [Candidate { fate: Fate::Failed(failure), .. }] = candidates.as_slice() {
        return Err(failure.clone());
    }
    let answer = AdoptAnswer::new(&repository, &candidates);
    logging::done(&answer);
    settings.report.answer(&answer.document(), &answer)?;
    answer.failures().for_each(|failure| settings.report.say(failure));
    Ok(answer.exit())
}

/// When the oldest of each database was made.
fn oldest(entries: &[Entry]) -> BTreeMap<String, Timestamp> {
    let mut oldest: BTreeMap<String, Timestamp> = BTreeMap::new();
    for entry in entries {
        let since = oldest.entry(entry.id.stem.database().into_owned()).or_insert(entry.instant);
        *since = entry.instant.min(*since);
    }
    oldest
}

/// `since`: when the oldest of its database was made.
async fn fate(
    reader: &Reader,
    repository: &Repository,
    (entry, since): (&Entry, Timestamp),
    dry_run: bool,
) -> Result<Fate, Failure> {
    let Some(archive) = guests::archive(repository, entry).await? else {
        return Ok(Fate::Skipped(guests::why_not(entry.state).to_owned()));
    };
    if !archive.readable {
        return Err(repository::Error::Archived { object: repository.object_name(&archive.key) }.into());
    }
    if dry_run {
        return Ok(Fate::Would(entry.judged()));
    }
    let read = reader.read_back(repository, archive, None).await?;
    if !read.verdict.is_intact() {
        let unjudged = record(repository, entry, &read).await?;
        return Ok(Fate::Damaged { verdict: Box::new(read.verdict), unjudged });
    }
    let manifest = Box::new(describe(entry, archive.last_modified, &read)?);
    // Before it counts: whoever is stopped between the two leaves no database that nobody expects.
    let database = &manifest.database.name;
    if let Err(error) = marks::expect(repository, database, manifest.started.min(since)).await {
        marks::warn(repository, database, &error);
    }
    put(repository, entry, &manifest).await?;
    // With its manifest it is adopted, whatever becomes of the verdict: it counts, and backups of its database are expected.
    let (unjudged, failed) = match record(repository, entry, &read).await {
        Ok(unjudged) => (unjudged, None),
        Err(failure) => (None, Some(unrecorded(entry, failure))),
    };
    Ok(Fate::Adopted { manifest, unjudged, failed })
}

/// An adopted backup without a verdict is not good yet, and no guest any more.
fn unrecorded(entry: &Entry, failure: Failure) -> Failure {
    let name = entry.name();
    let error = format!("{name} is adopted, and its verdict was not stored: {}", failure.error);
    Failure { error, ..failure }.hint(format!("lastgood verify {name} reads it again and stores its verdict"))
}

/// Stores the verdict, or says why this identity may not.
async fn record(repository: &Repository, entry: &Entry, read: &ReadBack) -> Result<Unjudged, Failure> {
    match read_back::record(repository, &entry.id, &read.verdict).await {
        Ok(()) => Ok(None),
        Err(Unrecorded::Repository(error @ Error::AccessDenied { .. })) => Ok(Some(error.into())),
        Err(error) => Err(error.into()),
    }
}

/// What the manifest says, as far as reading the archive tells.
fn describe(entry: &Entry, written: Timestamp, read: &ReadBack) -> Result<Manifest, Failure> {
    if let Content::Damaged(limit) = &read.inspected.content {
        return Err(beyond_limits::failure(&entry.name(), limit));
    }
    let (Content::Walked(walked), Some(digest)) = (&read.inspected.content, &read.verdict.digest) else {
        return Err(Failure::new(
            Exit::Failed,
            format!("cannot read {}: it is encrypted, and no matching age key is set", entry.name()),
        )
        .hint("set BACKUP_AGE_IDENTITY_FILE to its age key: adopt has to read what it describes"));
    };
    let (header, identity) = (&walked.header, &read.verdict.identity);
    portion::refuse(&entry.name(), walked)?;
    let (name, dumped) = (entry.id.stem.database().into_owned(), &header.database);
    let warning = (!dumped.is_empty() && *dumped != name)
        .then(|| format!("the archive says that it was dumped from the database {dumped}"));
    let kinds = &read.inspected.kinds;
    Ok(Manifest {
        stem: entry.id.stem.clone(),
        purpose: Purpose::Adopted,
        database: manifest::Database {
            name,
            encoding: None,
            server_version: Some(header.server_version.clone()).filter(|version| !version.is_empty()),
            size: None,
            session: std::collections::BTreeMap::new(),
        },
        archive: manifest::Archive {
            key: identity.key.clone(),
            version_id: identity.version_id.clone(),
            etag: identity.etag.clone(),
            digest: digest.clone(),
            compression: compression(kinds),
            frame_size: None,
            // The file does not tell for whom.
            encryption: kinds.contains(&Kind::Age).then(|| manifest::Encryption { recipients: Vec::new() }),
            pg_dump_version: Some(header.pg_dump_version.clone()).filter(|version| !version.is_empty()),
            format_version: Some(match header.format {
                Format::Plain | Format::Cluster => "plain".to_owned(),
                Format::Tar => format!("tar {}", header.version),
                Format::Custom => header.version.to_string(),
            }),
            dump_options: None,
        },
        census: walked.census.clone(),
        globals: None,
        shrunk: None,
        index: None,
        erased: None,
        agent: manifest::Agent { version: env!("CARGO_PKG_VERSION").to_owned(), host: host::name() },
        started: written,
        finished: written,
        duration: std::time::Duration::ZERO,
        warnings: warning.into_iter().collect(),
        unknown: Unknown::default(),
    })
}

/// The compression to undo before `pg_restore` can read the archive, whatever its name says.
fn compression(kinds: &[Kind]) -> archive::Compression {
    match kinds.iter().find(|kind| **kind != Kind::Age) {
        Some(Kind::Gzip) => archive::Compression::Gzip,
        Some(Kind::Zstd) => archive::Compression::Zstd,
        _ => archive::Compression::None,
    }
}

async fn put(repository: &Repository, entry: &Entry, manifest: &Manifest) -> Result<(), Failure> {
    let key = repository.layout().manifest(&entry.id);
    let json = manifest.to_json().map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
    match repository.put_new(&key, json).await? {
        PutOutcome::Stored(_) => Ok(()),
        PutOutcome::Exists => Err(Failure::new(
            Exit::Failed,
            format!("another run has stored {} in the meantime", repository.object_name(&key)),
        )
        .hint("see what became of it: lastgood list")),
    }
}
