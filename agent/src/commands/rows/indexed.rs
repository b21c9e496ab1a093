//! An archive with an index: only the frames are read that hold what is wanted, each proved by its own checksum.

use std::io::{self, Cursor, Read};
use std::ops::{ControlFlow, Range};

use ::archive::index::Index;
use ::archive::{Compression, Digest, Digester, Expander};
use catalog::manifest::{Manifest, StoredIndex};
use catalog::{Object, Part};
use repository::Repository;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::archive::Archive;
use crate::commands::restore::backup::{Backup, StoredBytes};
use crate::commands::restore::failure;
use crate::commands::restore::reading::{ReadingError, locked, reading};
use crate::commands::rows::sealed::Sealed;
use crate::interrupt;
use crate::keys::Source;

/// More than an index ever takes, in bytes of JSON.
const LONGEST: u64 = 256 << 20;
/// A shorter range is expanded on this thread alone.
const SHORT: u64 = 4 << 20;

/// Takes the dump's next bytes, until it wants no more.
pub(super) type Take<'t, E> = dyn FnMut(&[u8]) -> Result<ControlFlow<()>, E> + 't;

/// An archive, and where it has what.
pub(super) struct Indexed<'a> {
    pub(super) index: Index,
    archive: &'a Archive,
    repository: Repository,
    object: Object,
    compression: Compression,
    sealed: Option<Sealed>,
}

impl<'a> Indexed<'a> {
    /// The index beside the archive, if it has one. One that can't be read is said, and done without.
    ///
    /// # Errors
    /// When no key opens the archive.
    pub(super) fn open(backup: &Backup, stored: &StoredBytes, archive: &'a Archive) -> Result<Option<Self>, Failure> {
        let (StoredBytes::Object(repository, object), Some(manifest)) = (stored, &backup.manifest) else {
            return Ok(None);
        };
        let Some(named) = &manifest.index else { return Ok(None) };
        is_as_long(&archive.place, object.size, manifest.archive.digest.size)?;
        let sealed = match manifest.archive.encryption {
            Some(_) => Some(
                Sealed::open(repository, object, &archive.keys)
                    .map_err(|error| failure::reading(&archive.place, locked(error, 0)))?,
            ),
            None => None,
        };
        let index = match read(named, manifest, (repository, object), archive) {
            Ok(index) => index,
            Err(why) => {
                tracing::warn!(
                    "the index of {} can't be used, so its archive is read from the front: {why}",
                    backup.name
                );
                return Ok(None);
            }
        };
        Ok(Some(Self {
            index,
            archive,
            repository: repository.clone(),
            object: object.clone(),
            compression: manifest.archive.compression,
            sealed,
        }))
    }

    /// Whether what is read is proved by something of its own: a frame's checksum, or the tag of what is encrypted.
    pub(super) fn proves_parts(&self) -> bool {
        self.compression != Compression::None || self.sealed.is_some()
    }

    /// Hands on these bytes of the dump, until `take` wants no more.
    ///
    /// # Errors
    /// [`ReadingError`], or what `take` says.
    pub(super) fn read<E: From<ReadingError>>(&mut self, dump: &Range<u64>, take: &mut Take<'_, E>) -> Result<(), E> {
        let outside = || ReadingError::Read(io::Error::other("the index names bytes that the archive doesn't have"));
        let (stored, begins) = self.index.frames.place(dump).ok_or_else(outside)?;
        let offset = stored.start;
        let failed = |error| match reading(error) {
            ReadingError::Damaged(damage) => ReadingError::Damaged(damage.behind(offset)),
            error => error,
        };
        let threads = if stored.end - stored.start < SHORT {
            1
        } else {
            std::thread::available_parallelism().map_or(1, usize::from)
        };
        let mut bytes: Box<dyn Read + '_> = match &mut self.sealed {
            Some(sealed) => Box::new(sealed.range(&stored).map_err(failed)?),
            None => {
                let asking = self.repository.download_range(&self.object, stored);
                let opened = tokio::runtime::Handle::current()
                    .block_on(async { asking.await.map(repository::Download::into_reader) });
                Box::new(opened.map_err(|error| ReadingError::Read(io::Error::other(error)))?)
            }
        };
        if self.compression != Compression::None {
            bytes = Box::new(Expander::new(bytes, threads).map_err(failed)?);
        }
        let (mut buffer, mut position) = (vec![0; 256 << 10], begins);
        while position < dump.end {
            if let Some(signal) = self.archive.interrupt.seen() {
                return Err(ReadingError::Interrupted(signal).into());
            }
            let length = bytes.read(&mut buffer).map_err(failed)?;
            if length == 0 {
                return Err(outside().into());
            }
            let end = position + length as u64;
            let skipped = usize::try_from(dump.start.saturating_sub(position)).unwrap_or(usize::MAX).min(length);
            let kept = length - usize::try_from(end.saturating_sub(dump.end)).unwrap_or(usize::MAX).min(length);
            if take(buffer.get(skipped..kept).unwrap_or_default())?.is_break() {
                return Ok(());
            }
            position = end;
        }
        Ok(())
    }
}

/// What is cut off, or longer than it was, isn't what was stored.
fn is_as_long(place: &str, size: u64, promised: u64) -> Result<(), Failure> {
    if size == promised {
        return Ok(());
    }
    let error = format!("{place} is damaged: {size} bytes are stored, and its manifest says {promised}");
    Err(Failure::new(Exit::Damaged, error).hint("read another backup: lastgood list"))
}

/// Reads the index that the manifest names, where it is now: a repository may have been moved.
fn read(
    named: &StoredIndex,
    manifest: &Manifest,
    (repository, object): (&Repository, &Object),
    archive: &Archive,
) -> Result<Index, String> {
    let Part::Archive { id, .. } = repository.layout().parse(&object.key) else {
        return Err("its archive has another name than a backup's".to_owned());
    };
    let key = repository.layout().index(&id, named.key.ends_with(".age"));
    let read = interrupted(archive, repository.read_key(&key));
    let stored = read?.ok_or_else(|| format!("{} is not there", repository.object_name(&key)))?;
    let mut digester = Digester::new();
    digester.update(&stored);
    let Digest { size, md5, .. } = digester.finish();
    if (size, md5) != (named.digest.size, named.digest.md5) {
        return Err("it is not what the backup's manifest says".to_owned());
    }
    let stored: Source = Box::new(Cursor::new(stored));
    let plain = match manifest.archive.encryption.is_some() || key.ends_with(".age") {
        true => archive.keys.open(stored).map_err(|e| e.to_string())?,
        false => stored,
    };
    let mut json = Vec::new();
    let expander = Expander::new(plain, 1).map_err(|e| e.to_string())?;
    expander.take(LONGEST).read_to_end(&mut json).map_err(|e| e.to_string())?;
    let index = catalog::index::Index::from_json(&json).map_err(|e| e.to_string())?;
    if index.stem != manifest.stem {
        return Err(format!("it is about {}", index.stem));
    }
    Ok(index.of)
}

fn interrupted<T>(archive: &Archive, asked: impl Future<Output = Result<T, repository::Error>>) -> Result<T, String> {
    let answer = tokio::runtime::Handle::current().block_on(asked);
    answer.map_err(|error| {
        archive.interrupt.seen().map_or(error.to_string(), |signal| interrupt::stopped_by(signal).error)
    })
}
