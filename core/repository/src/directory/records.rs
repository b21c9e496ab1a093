//! Whole files: put, read, head, remove.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use archive::Digester;
use bytes::Bytes;
use catalog::removal::{Outcome, Removal};
use catalog::{BackupId, Object, Part, Record};
use jiff::{SignedDuration, Timestamp};

use super::partial::{self, Partial};
use super::{Directory, object, off_runtime, sync_folder};
use crate::limits::RECORD_LIMIT;
use crate::stored::Extent;
use crate::{Error, Head, PutOutcome, Scope, Stored};

/// Far enough apart for file systems that keep whole microseconds.
const JUST_AFTER: SignedDuration = SignedDuration::from_millis(1);

impl Directory {
    pub(crate) async fn put_new(&self, key: &str, bytes: Bytes) -> Result<PutOutcome, Error> {
        let (directory, key) = (self.clone(), key.to_owned());
        off_runtime(move || {
            directory.sweep_same(&key);
            let outcome = match directory.stage_record(&key, &bytes)?.publish_new(&directory.path_of(&key)) {
                Ok(()) => PutOutcome::Stored(stored(&key, &bytes)),
                Err(Error::Exists { .. }) if directory.read_blocking(&key)? == bytes => {
                    PutOutcome::Stored(stored(&key, &bytes))
                }
                Err(Error::Exists { .. }) => return Ok(PutOutcome::Exists),
                Err(error) => return Err(error),
            };
            directory.drop_sidecars_of_manifest(&key);
            Ok(outcome)
        })
        .await
    }

    pub(crate) async fn put_over(&self, key: &str, bytes: Bytes) -> Result<Stored, Error> {
        let (directory, key) = (self.clone(), key.to_owned());
        off_runtime(move || {
            directory.sweep_same(&key);
            let staged = directory.stage_record(&key, &bytes)?;
            directory.date_verdict(&key, &staged)?;
            staged.publish_over(&directory.path_of(&key))?;
            Ok(stored(&key, &bytes))
        })
        .await
    }

    /// Verdicts count by the order of their times, which in a bucket are the store's own. Here a clock that was set back
    /// must not make the newest verdict look older than what it is about, or than the one it replaces.
    fn date_verdict(&self, key: &str, staged: &Partial) -> Result<(), Error> {
        let Part::Record { id, record: Record::Intact | Record::Damaged } = self.layout.parse(key) else {
            return Ok(());
        };
        let failed = |error| Error::io(&staged.path, error);
        let is_its = |object: &Object| match self.layout.parse(&object.key) {
            Part::Archive { id: other, .. } | Part::Record { id: other, record: Record::Intact | Record::Damaged } => {
                other == id
            }
            _ => false,
        };
        let newest =
            self.list_blocking(Scope::All)?.into_iter().filter(is_its).map(|object| object.last_modified).max();
        let written =
            Timestamp::try_from(staged.file.metadata().and_then(|metadata| metadata.modified()).map_err(failed)?);
        if let (Some(newest), Ok(written)) = (newest, written)
            && written <= newest
        {
            staged.file.set_modified((newest + JUST_AFTER).into()).map_err(failed)?;
        }
        Ok(())
    }

    /// What killed runs left of this very record. Who writes one needn't hold the database's lock.
    pub(super) fn sweep_same(&self, key: &str) {
        let Ok(partials) = self.partials() else { return };
        for partial in partials.iter().filter(|name| partial::intended_name(name) == Some(key)) {
            partial::sweep(&self.path.join(partial));
        }
    }

    pub(super) fn stage_record(&self, key: &str, bytes: &[u8]) -> Result<Partial, Error> {
        let folder = self.make_folder(key)?;
        let name = key.rsplit('/').next().unwrap_or(key);
        let mut partial = Partial::create(&folder, name)?;
        partial.file.write_all(bytes).map_err(|error| Error::io(&partial.path, error))?;
        Ok(partial)
    }

    pub(crate) async fn read(&self, key: &str) -> Result<Bytes, Error> {
        let (directory, key) = (self.clone(), key.to_owned());
        off_runtime(move || directory.read_blocking(&key)).await
    }

    pub(super) fn read_blocking(&self, key: &str) -> Result<Bytes, Error> {
        let path = self.path_of(key);
        let failed = |error| Error::io(&path, error);
        let mut bytes = Vec::new();
        File::open(&path).map_err(failed)?.take(RECORD_LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > RECORD_LIMIT {
            return Err(Error::TooLarge { object: path.display().to_string(), limit: RECORD_LIMIT });
        }
        Ok(bytes.into())
    }

    pub(crate) async fn head(&self, key: &str) -> Result<Option<Head>, Error> {
        let (directory, key) = (self.clone(), key.to_owned());
        off_runtime(move || {
            let Some(object) = directory.look(&key)? else { return Ok(None) };
            let metadata: BTreeMap<_, _> = directory.read_sidecar(&key)?;
            Ok(Some(Head {
                object,
                content_type: None,
                metadata,
                crc64nvme: None,
                with_customer_key: false,
                cold: None,
            }))
        })
        .await
    }

    /// What lies under a key now.
    pub(crate) fn look(&self, key: &str) -> Result<Option<Object>, Error> {
        let path = self.path_of(key);
        match fs::metadata(&path) {
            Ok(metadata) => object(key.to_owned(), &path, &metadata).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(path, error)),
        }
    }

    pub(crate) async fn remove(&self, objects: &[Object], extent: Extent) -> Result<Removal, Error> {
        let (directory, mut removal) = (self.clone(), Removal::new(&self.layout, objects));
        let archives =
            objects.iter().map(|object| &object.key).filter_map(|key| Some((self.backup_of(key)?, key.clone())));
        let archives: HashMap<BackupId, String> = archives.collect();
        off_runtime(move || {
            if extent == Extent::Backups {
                let names = directory.names()?;
                removal.compare(&directory.layout, names.iter().filter_map(|name| name.to_str()));
            }
            while let Some(step) = removal.next_step() {
                let mut outcomes = BTreeMap::new();
                for (key, seen) in &step.objects {
                    let unmade = match directory.layout.parse(key) {
                        Part::Record { id, record: Record::Manifest } => archives.get(&id),
                        _ => None,
                    };
                    outcomes.insert(key.clone(), directory.remove_one(key, seen, unmade)?);
                }
                // A later step must not reach the disk before this one.
                directory.sync_existing()?;
                removal.record(&step, outcomes);
            }
            Ok(removal)
        })
        .await
    }

    /// `archive`: where `key` is a manifest, the archive that goes after it.
    fn remove_one(&self, key: &str, seen: &[Object], archive: Option<&String>) -> Result<Outcome, Error> {
        let Some(present) = self.look(key)? else { return Ok(Outcome::Removed) };
        if !seen.contains(&present) {
            return Ok(Outcome::Changed);
        }
        let path = self.path_of(key);
        let removed = match archive {
            Some(archive) => self.unmake(key, archive),
            None => fs::remove_file(&path),
        };
        Ok(match removed {
            Ok(()) => {
                if self.backup_of(key).is_some() {
                    self.remove_sidecar(key);
                }
                Outcome::Removed
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Outcome::Removed,
            Err(error) => Outcome::Failed(Error::io(path, error).to_string()),
        })
    }

    /// Removes an archive that `stored` put here, and that got no manifest: without one it takes room for nothing. One that has its
    /// manifest after all stays: on a broken disk a manifest may show whose writer was told of a failure.
    pub(crate) async fn take_back(&self, stored: &Stored) -> Result<(), Error> {
        let (directory, key, size) = (self.clone(), stored.key.clone(), stored.size);
        off_runtime(move || match directory.look(&key)? {
            Some(present) if present.size == size && !directory.is_described(&key)? => {
                let path = directory.path_of(&key);
                fs::remove_file(&path).map_err(|error| Error::io(path, error))?;
                directory.remove_sidecar(&key);
                directory.sync_existing()
            }
            _ => Ok(()),
        })
        .await
    }

    /// Whether a manifest shows that names this file.
    fn is_described(&self, key: &str) -> Result<bool, Error> {
        let (Part::Archive { id, .. } | Part::Record { id, .. }) = self.layout.parse(key) else { return Ok(false) };
        let manifest = self.layout.manifest(&id);
        if self.look(&manifest)?.is_none() {
            return Ok(false);
        }
        let manifest = self.read_blocking(&manifest)?;
        Ok(String::from_utf8_lossy(&manifest).contains(&format!("\"{key}\"")))
    }

    /// Gives a file another time.
    pub(crate) async fn backdate(&self, key: &str, at: Timestamp) -> Result<(), Error> {
        let path = self.path_of(key);
        off_runtime(move || {
            let dated = File::options().write(true).open(&path).and_then(|file| {
                file.set_modified(at.into())?;
                file.sync_all()
            });
            dated.map_err(|error| Error::io(path, error))
        })
        .await
    }

    fn sync_existing(&self) -> Result<(), Error> {
        let exists = |path: &Path| path.is_dir();
        if exists(&self.path) { sync_folder(&self.path) } else { Ok(()) }
    }
}

fn stored(key: &str, bytes: &[u8]) -> Stored {
    let mut digester = Digester::new();
    digester.update(bytes);
    let digest = digester.finish();
    Stored { key: key.to_owned(), version_id: None, etag: None, size: digest.size, crc64nvme: Some(digest.crc64nvme) }
}
