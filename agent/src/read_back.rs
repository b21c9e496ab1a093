//! Reading back what a repository stores, to the last byte, and judging it, for `verify`, `adopt`, and `backup` where no
//! function of the AWS stack does.

use std::io::{self, Read};
use std::sync::Arc;

use archive::Inspected;
use catalog::manifest::Manifest;
use catalog::verdict::{self, Evidence, Expected, Verdict, Verifier, judge};
use catalog::{BackupId, DocumentError, Object, Part};
use jiff::Timestamp;
use repository::{Head, Repository};

use crate::answers::failure::{Exit, Failure};
use crate::answers::progress::Progress;
use crate::answers::report::Report;
use crate::beyond_limits;
use crate::host;
use crate::keys::{Keys, Source};
use crate::settings::{Settings, Verify};

/// Reads archives back, with the age keys of the settings.
#[derive(Clone)]
pub(crate) struct Reader {
    keys: Arc<Keys>,
    report: Report,
}

/// An archive that was read to its end, and its verdict.
#[derive(Debug)]
pub(crate) struct ReadBack {
    pub(crate) verdict: Verdict,
    pub(crate) inspected: Inspected,
    may_be_misread: bool,
}

impl Reader {
    /// # Errors
    /// When the key file that is set cannot be read.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Failure> {
        let keys = Keys::read(settings.identity_file.as_deref())?;
        Ok(Self { keys: Arc::new(keys), report: settings.report })
    }

    /// Makes sure that a key that is set opens what will be encrypted: otherwise that it does not would come out only in a
    /// restore.
    ///
    /// # Errors
    /// Exit 2 when it does not.
    pub(crate) fn refuse_foreign(&self, recipients: &[age::x25519::Recipient]) -> Result<(), Failure> {
        if self.keys.is_empty() || recipients.is_empty() || self.keys.fit(recipients) {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Usage,
            "the key in BACKUP_AGE_IDENTITY_FILE cannot decrypt what is encrypted for BACKUP_AGE_RECIPIENTS",
        )
        .hint("add its public key to the recipients (age-keygen -y FILE shows it), or unset BACKUP_AGE_IDENTITY_FILE on machines that need not read backups"))
    }

    /// Reads `object` to its last byte and judges it: against its manifest, and what the store says of it. Damage that the reading
    /// itself may have made is believed only when a second reading finds it, too.
    ///
    /// # Errors
    /// Only when it cannot be read. Damage is a verdict.
    pub(crate) async fn read_back(
        &self,
        repository: &Repository,
        object: &Object,
        manifest: Option<&Manifest>,
    ) -> Result<ReadBack, Failure> {
        let first = self.read_once(repository, object, manifest).await?;
        let Some(finding) = first.verdict.findings.first() else { return Ok(first) };
        let now = manifest_again(repository, object, manifest).await?;
        if !first.may_be_misread && now.as_ref() == manifest {
            return Ok(first);
        }
        let name = repository.object_name(&object.key);
        tracing::info!("{name}: {finding}; reading all of it a second time");
        let second = self.read_once(repository, object, now.as_ref()).await?;
        if second.verdict.is_intact() {
            tracing::warn!("{}: test this machine's memory, disk and network", misread(&name));
        }
        Ok(second)
    }

    /// Reads back what this run has just stored, where the settings say so, and stores the verdict. A bucket has a verifier of its own.
    ///
    /// # Errors
    /// As [`Reader::read_back`], and when the verdict is not stored.
    pub(crate) async fn judge_stored(
        &self,
        verify: Verify,
        repository: &Repository,
        id: &BackupId,
        manifest: &Manifest,
    ) -> Result<Option<Verdict>, Failure> {
        match (verify, repository) {
            (Verify::None, _) | (Verify::Auto, Repository::Bucket(_)) => return Ok(None),
            (Verify::ReadBack, _) | (Verify::Auto, Repository::Directory(_)) => {}
        }
        let verdict = match head_twice(repository, &manifest.archive.key).await? {
            Some(head) => self.read_back(repository, &head.object, Some(manifest)).await?.verdict,
            None => Verdict::missing(manifest, Timestamp::now(), verifier()),
        };
        record(repository, id, &verdict).await?;
        Ok(Some(verdict))
    }

    /// The same by one reading.
    ///
    /// # Errors
    /// As [`Reader::read_back`].
    pub(crate) async fn read_once(
        &self,
        repository: &Repository,
        object: &Object,
        manifest: Option<&Manifest>,
    ) -> Result<ReadBack, Failure> {
        let head = repository.head(&object.key).await?;
        let expected = head.as_ref().map_or_else(Expected::default, Head::expected);
        // A listing names no version; the verdict is to be about the one that is read.
        let object = match &head {
            Some(Head { object: seen, .. }) if seen.size == object.size && seen.bare_etag() == object.bare_etag() => {
                seen
            }
            _ => object,
        };
        let download = repository.download(object).await?.into_reader();
        let name = repository.object_name(&object.key);
        let inspected = self.inspect(download, &name, object.size).await?;
        // It was read after it was written, whatever the clock says.
        let verified = Timestamp::now().max(object.last_modified);
        let evidence = Evidence { object, expected: &expected, inspected: &inspected };
        if let Some(limit) = verdict::beyond_limits(manifest, evidence) {
            return Err(beyond_limits::failure(&name, limit));
        }
        let verdict = judge(manifest, evidence, verified, verifier());
        let may_be_misread = !verdict.is_intact() && verdict::may_be_misread(manifest, evidence);
        Ok(ReadBack { verdict, inspected, may_be_misread })
    }

    /// Reads stored bytes from any source, on all cores. `name` is what messages call them.
    ///
    /// # Errors
    /// As [`Reader::read_back`].
    pub(crate) async fn inspect(
        &self,
        stored: impl Read + Send + 'static,
        name: &str,
        size: u64,
    ) -> Result<Inspected, Failure> {
        let keys = Arc::clone(&self.keys);
        let progress = Progress::of(self.report, "reading back", size);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let inspecting = tokio::task::spawn_blocking(move || {
            archive::inspect_with(Counted { stored, progress }, threads, |sealed| decrypt(&keys, sealed))
        });
        let inspected = inspecting.await.unwrap_or_else(|e| Err(io::Error::other(e)));
        inspected.map_err(|error| unreadable(name, error))
    }
}

/// What the store says of an object that has to be there: asked twice before it is missing.
///
/// # Errors
/// Those of the store.
pub(crate) async fn head_twice(repository: &Repository, key: &str) -> Result<Option<Head>, repository::Error> {
    match repository.head(key).await? {
        Some(head) => Ok(Some(head)),
        None => repository.head(key).await,
    }
}

/// The manifest of an archive, read anew: what it was held to may have been spoilt on its way as well. What was known, where there is
/// none or it cannot be read as one.
///
/// # Errors
/// When the repository cannot be read.
pub(crate) async fn manifest_again(
    repository: &Repository,
    object: &Object,
    known: Option<&Manifest>,
) -> Result<Option<Manifest>, Failure> {
    let (Some(known), Part::Archive { id, .. }) = (known, repository.layout().parse(&object.key)) else {
        return Ok(known.cloned());
    };
    match repository.manifest_of(&id).await {
        Ok(now) => Ok(Some(now.unwrap_or_else(|| known.clone()))),
        Err(repository::Error::Document { .. }) => Ok(Some(known.clone())),
        Err(error) => Err(error.into()),
    }
}

/// Stores a verdict beside what it is about.
///
/// # Errors
/// When the repository does not store it. [`Unrecorded::Repository`] tells a missing permission from other causes.
pub(crate) async fn record(repository: &Repository, id: &BackupId, verdict: &Verdict) -> Result<(), Unrecorded> {
    let key = repository.layout().record(id, verdict.record());
    // What another verifier has compared stays true of the same bytes.
    let known = repository.read_key(&key).await.ok().flatten().and_then(|json| Verdict::from_json(&json).ok());
    let known = known.filter(|known| known.identity == verdict.identity).and_then(|known| known.extent);
    let verdict = Verdict { extent: verdict.extent.or(known), ..verdict.clone() };
    repository.put_over(&key, verdict.to_json()?).await?;
    Ok(())
}

/// Why a verdict was not stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unrecorded {
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Repository(#[from] repository::Error),
}

impl From<Unrecorded> for Failure {
    fn from(error: Unrecorded) -> Self {
        match error {
            Unrecorded::Document(error) => Self::new(Exit::Failed, error.to_string()),
            Unrecorded::Repository(error) => error.into(),
        }
    }
}

/// This program as the author of a verdict.
pub(crate) fn verifier() -> Verifier {
    Verifier { name: "agent".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), host: host::name() }
}

/// Two readings of the same bytes differed.
pub(crate) fn misread(name: &str) -> String {
    format!("{name} was damaged when it was read, and whole when it was read again")
}

/// Without a fitting key only the stored bytes are checked, and their content stays unread.
fn decrypt(keys: &Keys, sealed: Source) -> io::Result<Option<Source>> {
    if keys.is_empty() {
        return Ok(None);
    }
    match keys.open(sealed) {
        Ok(opened) => Ok(Some(opened)),
        Err(age::DecryptError::NoMatchingKeys) => {
            tracing::warn!("the key in BACKUP_AGE_IDENTITY_FILE cannot decrypt it: only its stored bytes are checked");
            Ok(None)
        }
        Err(age::DecryptError::Io(error)) => Err(error),
        Err(broken) => Err(io::Error::new(io::ErrorKind::InvalidData, broken.to_string())),
    }
}

fn unreadable(name: &str, error: io::Error) -> Failure {
    match error.downcast::<repository::Error>() {
        Ok(error) => error.into(),
        Err(error) => Failure::new(Exit::Failed, format!("cannot read {name} to its end: {error}"))
            .hint("try again: whether it is good or damaged is unknown until it was read"),
    }
}

/// Moves the progress bar while it reads.
struct Counted<R> {
    stored: R,
    progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stored.read(buffer)?;
        self.progress.read(length as u64);
        Ok(length)
    }
}
