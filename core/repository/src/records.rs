//! Records: the small JSON documents beside the archives, read and stored whole. A record that is broken, or newer than
//! this program, is an error that names it.

use bytes::Bytes;
use catalog::drill::{Drill, DrillStatus, LastDrill};
use catalog::freshness::Drills;
use catalog::retention::Removals;
use catalog::shrink::{Acceptance, ShrinkRecord};
use catalog::status::{Health, Run};
use catalog::{BackupId, DatabaseEntry, DocumentError, Manifest, Object, StatusRecord, Verdict};

use crate::{Error, PutOutcome, Repository, Stored, Version};

impl Repository {
    /// The manifest that a listing shows.
    ///
    /// # Errors
    /// [`Error::Document`] when it is not a manifest that this version can read, and those of [`Self::read_record`].
    pub async fn manifest(&self, object: &Object) -> Result<Manifest, Error> {
        self.document(&object.key, Manifest::from_json(&self.read_record(object).await?))
    }

    /// The manifest of a backup whose place is known, without a listing; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Document`] when it is not a manifest that this version can read, and those of [`Self::read_key`].
    pub async fn manifest_of(&self, id: &BackupId) -> Result<Option<Manifest>, Error> {
        let key = self.layout().manifest(id);
        let Some(json) = self.read_key(&key).await? else { return Ok(None) };
        self.document(&key, Manifest::from_json(&json)).map(Some)
    }

    /// The verdict that a listing shows.
    ///
    /// # Errors
    /// [`Error::Document`] when it is not a verdict that this version can read, and those of [`Self::read_record`].
    pub async fn verdict(&self, object: &Object) -> Result<Verdict, Error> {
        self.document(&object.key, Verdict::from_json(&self.read_record(object).await?))
    }

    /// The mark that a listing shows: backups of its database are expected here.
    ///
    /// # Errors
    /// [`Error::Document`] when it is not a database entry that this version can read, and those of [`Self::read_record`].
    pub async fn database_entry(&self, object: &Object) -> Result<DatabaseEntry, Error> {
        self.document(&object.key, DatabaseEntry::from_json(&self.read_record(object).await?))
    }

    /// The mark that backups of this database are expected here; `None` when it was never marked.
    ///
    /// # Errors
    /// [`Error::Document`] when it is not a database entry that this version can read, and those of [`Self::read_key`].
    pub async fn database_entry_of(&self, database: &str) -> Result<Option<DatabaseEntry>, Error> {
        let key = self.layout().database_entry(database);
        let Some(json) = self.read_key(&key).await? else { return Ok(None) };
        self.document(&key, DatabaseEntry::from_json(&json)).map(Some)
    }

    /// The drill that a listing shows beside its backup.
    ///
    /// # Errors
    /// [`Error::Document`] when it is not a drill that this version can read, and those of [`Self::read_record`].
    pub async fn drill(&self, object: &Object) -> Result<Drill, Error> {
        self.document(&object.key, Drill::from_json(&self.read_record(object).await?))
    }

    /// What a backup has lost, which a listing shows beside it.
    ///
    /// # Errors
    /// [`Error::Document`] when it is not a record that this version can read, and those of [`Self::read_record`].
    pub async fn shrink(&self, object: &Object) -> Result<ShrinkRecord, Error> {
        self.document(&object.key, ShrinkRecord::from_json(&self.read_record(object).await?))
    }

    /// When a person said that what is in a backup is right.
    ///
    /// # Errors
    /// [`Error::Document`] when it is not a record that this version can read, and those of [`Self::read_record`].
    pub async fn acceptance(&self, object: &Object) -> Result<Acceptance, Error> {
        self.document(&object.key, Acceptance::from_json(&self.read_record(object).await?))
    }

    /// The last drill of a database, and when one last passed; `None` when there never was one.
    ///
    /// # Errors
    /// [`Error::Document`] when it is not a status that this version can read, and those of [`Self::read_key`].
    pub async fn drill_status(&self, database: &str) -> Result<Option<DrillStatus>, Error> {
        let key = self.layout().drill_status(database);
        let Some(json) = self.read_key(&key).await? else { return Ok(None) };
        self.document(&key, DrillStatus::from_json(&json)).map(Some)
    }

    /// What the record of a database's drills says that a listing shows. It counts from when it was stored, if it says a later time:
    /// whoever drilled may have a clock that is ahead.
    ///
    /// # Errors
    /// Those of [`Self::read_record`]. A record that this version can't read is none.
    pub async fn last_drill(&self, object: &Object) -> Result<Drills, Error> {
        let status = DrillStatus::from_json(&self.read_record(object).await?);
        Ok(Drills::of(status.map(|status| {
            let last = status.last();
            Some(LastDrill { last_passed: last.last_passed.map(|passed| passed.min(object.last_modified)), ..last })
        })))
    }

    /// When the sweep or retention last looked at everything; `None` when it never did.
    ///
    /// # Errors
    /// [`Error::Document`] when it is not a status that this version can read, and those of [`Self::read_key`].
    pub async fn last_run(&self, record: StatusRecord) -> Result<Option<Run>, Error> {
        let key = self.layout().status(record);
        let Some(json) = self.read_key(&key).await? else { return Ok(None) };
        self.document(&key, Run::from_json(&json)).map(Some)
    }

    /// What freshness found when it last measured; `None` where no stack has measured yet.
    ///
    /// # Errors
    /// [`Error::Document`] when it is not a status that this version can read, and those of [`Self::read_key`].
    pub async fn health(&self) -> Result<Option<Health>, Error> {
        let key = self.layout().status(StatusRecord::Freshness);
        let Some(json) = self.read_key(&key).await? else { return Ok(None) };
        self.document(&key, Health::from_json(&json)).map(Some)
    }

    /// What retention has removed today, or on the day when it last removed something, `None` when it never did; and what to put
    /// the next one in the place of.
    ///
    /// # Errors
    /// [`Error::Document`] when it is not a record that this version can read, and those of [`Self::read_key`].
    pub async fn removals(&self) -> Result<(Option<Removals>, Version), Error> {
        let key = self.layout().status(StatusRecord::Removals);
        let Some((json, version)) = self.read_version(&key).await? else { return Ok((None, Version::Absent)) };
        Ok((Some(self.document(&key, Removals::from_json(&json))?), version))
    }

    pub(crate) fn document<T>(&self, key: &str, read: Result<T, DocumentError>) -> Result<T, Error> {
        read.map_err(|source| Error::Document { object: self.object_name(key), source })
    }

    /// Stores a record that must not be there yet. Storing the same bytes again is a success.
    ///
    /// # Errors
    /// Those of the store. That something else is there is an outcome.
    pub async fn put_new(&self, key: &str, json: impl Into<Bytes>) -> Result<PutOutcome, Error> {
        match self {
            Self::Bucket(bucket) => bucket.put_new(key, json.into()).await,
            Self::Directory(directory) => directory.put_new(key, json.into()).await,
        }
    }

    /// Stores what lies beside an archive and isn't JSON, such as the globals, and must not be there yet. Who stores it may not be
    /// allowed to read it.
    ///
    /// # Errors
    /// Those of the store. That something else is there is an outcome.
    pub async fn put_beside(&self, key: &str, bytes: impl Into<Bytes>) -> Result<PutOutcome, Error> {
        match self {
            Self::Bucket(bucket) => bucket.put_beside(key, bytes.into()).await,
            Self::Directory(directory) => directory.put_new(key, bytes.into()).await,
        }
    }

    /// Stores a record, whatever was there: verdicts, saved places, the marks of retired databases.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn put_over(&self, key: &str, json: impl Into<Bytes>) -> Result<Stored, Error> {
        match self {
            Self::Bucket(bucket) => bucket.put_over(key, json.into()).await,
            Self::Directory(directory) => directory.put_over(key, json.into()).await,
        }
    }

    /// Stores a record in the place of what was read, and of nothing else: of several who read and then put, one does. The same
    /// bytes again are a success. A store that knows no such condition lets all of them.
    ///
    /// # Errors
    /// Those of the store. That something else is there by now is an outcome.
    pub async fn put_after(&self, key: &str, known: &Version, json: impl Into<Bytes>) -> Result<PutOutcome, Error> {
        match (self, known) {
            (_, Version::Absent) => self.put_new(key, json).await,
            (Self::Bucket(bucket), Version::Etag(etag)) => bucket.put_in_place_of(key, etag, json.into()).await,
            _ => self.put_over(key, json).await.map(PutOutcome::Stored),
        }
    }

    /// Reads a record of at most 64 MiB; the version that the object names, where it names one.
    ///
    /// # Errors
    /// [`Error::TooLarge`], and those of the store.
    pub async fn read_record(&self, object: &Object) -> Result<Bytes, Error> {
        match self {
            Self::Bucket(bucket) => bucket.read(&object.key, object.pinned_version()).await.map(|(bytes, _)| bytes),
            Self::Directory(directory) => directory.read(&object.key).await,
        }
    }

    /// Reads a record of at most 64 MiB by its key alone, its newest version; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::TooLarge`], and those of the store.
    pub async fn read_key(&self, key: &str) -> Result<Option<Bytes>, Error> {
        Ok(self.read_version(key).await?.map(|(bytes, _)| bytes))
    }

    /// What lies under a key, and what to put the next one in the place of.
    pub(crate) async fn read_for_change(&self, key: &str) -> Result<(Option<Bytes>, Version), Error> {
        let read = self.read_version(key).await?;
        Ok(read.map_or((None, Version::Absent), |(bytes, version)| (Some(bytes), version)))
    }

    async fn read_version(&self, key: &str) -> Result<Option<(Bytes, Version)>, Error> {
        let read = match self {
            Self::Bucket(bucket) => bucket.read(key, None).await.map(|(bytes, stored)| (bytes, stored.etag)),
            Self::Directory(directory) => directory.read(key).await.map(|bytes| (bytes, None)),
        };
        match read {
            Ok((bytes, etag)) => Ok(Some((bytes, etag.map_or(Version::Unmarked, Version::Etag)))),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error @ Error::AccessDenied { .. }) => self.unless_absent(key, error).await,
            Err(error) => Err(error),
        }
    }

    /// S3 answers whoever may list only by prefix, as most identities may, that what isn't there is denied to them. A listing tells.
    async fn unless_absent<T>(&self, key: &str, denied: Error) -> Result<Option<T>, Error> {
        let Self::Bucket(bucket) = self else { return Err(denied) };
        match bucket.find_listed(key).await {
            Ok(None) => Ok(None),
            _ => Err(denied),
        }
    }
}
