//! The repository: one enum over bucket and directory, so that every caller asks both the same way.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use archive::Digest;
use catalog::glacier::{ColdClass, Retrieval};
use catalog::{BackupId, Catalog, Entry, Object, Origin, catalogs};
use jiff::Timestamp;

use crate::stored::Extent;
use crate::{
    Bucket, BucketSettings, Directory, Download, Error, Head, Removal, Resumed, Scope, Stored, Upload, UploadMetadata,
};

/// A place that holds backups.
#[derive(Clone, Debug)]
pub enum Repository {
    /// A bucket of S3, or of a store that speaks its language.
    Bucket(Bucket),
    /// A directory of this machine.
    Directory(Directory),
}

impl Repository {
    /// Makes ready to talk to a bucket; nothing is sent yet.
    ///
    /// # Errors
    /// Settings that the SDK refuses.
    pub async fn bucket(settings: BucketSettings) -> Result<Self, Error> {
        Bucket::connect(settings).await.map(Self::Bucket)
    }

    /// A directory; it is made, with mode 0700, when the first thing is stored in it.
    pub fn directory(path: impl Into<PathBuf>) -> Self {
        Self::Directory(Directory::new(path))
    }

    /// Asks for one row of the listing, or for the right to write files: whether the settings lead anywhere.
    ///
    /// # Errors
    /// What a run with these settings would fail of.
    pub async fn check_access(&self) -> Result<(), Error> {
        match self {
            Self::Bucket(bucket) => bucket.check_access().await,
            Self::Directory(directory) => directory.check_access().await,
        }
    }

    /// Tries, without storing anything, whether an archive would be taken: in a bucket the right to put, and the condition that
    /// nothing is overwritten.
    ///
    /// # Errors
    /// What a backup would fail of.
    pub async fn try_storing(&self) -> Result<(), Error> {
        match self {
            Self::Bucket(bucket) => bucket.try_putting().await,
            Self::Directory(_) => Ok(()),
        }
    }

    /// Tells a directory that isn't there from one that is empty: its disk may not be mounted, and then nothing is known
    /// of its backups. A bucket that isn't there says so in every listing.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such directory, and others when it can't be read.
    pub async fn check_exists(&self) -> Result<(), Error> {
        match self {
            Self::Bucket(_) => Ok(()),
            Self::Directory(directory) => directory.check_exists().await,
        }
    }

    /// Lists objects, to the end. A directory that doesn't exist is an empty one: nothing was stored in it yet.
    ///
    /// # Errors
    /// Also when a part of the listing can't be read: what comes back is complete.
    pub async fn objects(&self, scope: Scope) -> Result<Vec<Object>, Error> {
        match self {
            Self::Bucket(bucket) => bucket.list(&self.prefix(scope)).await,
            Self::Directory(directory) => directory.list(scope).await,
        }
    }

    /// Lists objects with every version of each that isn't deleted: what retention plans with. It needs
    /// `s3:ListBucketVersions`; stores that keep no versions give what [`Self::objects`] gives.
    ///
    /// # Errors
    /// As [`Self::objects`].
    pub async fn versions(&self, scope: Scope) -> Result<Vec<Object>, Error> {
        match self {
            Self::Bucket(bucket) => bucket.live_versions(&self.prefix(scope)).await,
            Self::Directory(directory) => directory.list(scope).await,
        }
    }

    fn prefix(&self, scope: Scope) -> String {
        match scope {
            Scope::All => self.layout().prefix().to_owned(),
            Scope::Day(day) => self.layout().day_prefix(day),
            Scope::Databases => self.layout().databases_prefix(),
        }
    }

    /// All databases' catalogs, from one whole listing.
    ///
    /// # Errors
    /// As [`Self::objects`].
    pub async fn catalogs(&self) -> Result<Vec<Catalog>, Error> {
        Ok(catalogs(self.layout(), self.objects(Scope::All).await?))
    }

    /// All databases' catalogs, and the folders of `pg_dump --format=directory` beside them, which no catalog has: their keys without a slash
    /// behind them. From one whole listing.
    ///
    /// # Errors
    /// As [`Self::objects`].
    pub async fn survey(&self) -> Result<(Vec<Catalog>, Vec<String>), Error> {
        let objects = self.objects(Scope::All).await?;
        let folders = match self {
            Self::Bucket(_) => {
                let folders = objects.iter().filter_map(|object| object.key.strip_suffix("/toc.dat"));
                folders.map(str::to_owned).collect()
            }
            Self::Directory(directory) => directory.dump_folders().await?,
        };
        Ok((catalogs(self.layout(), objects), folders))
    }

    /// One database's catalog, from a whole listing; empty when there is nothing of it.
    ///
    /// # Errors
    /// As [`Self::objects`].
    pub async fn catalog(&self, database: &str) -> Result<Catalog, Error> {
        let found = self.catalogs().await?.into_iter().find(|catalog| catalog.database == database);
        Ok(found.unwrap_or_else(|| Catalog { database: database.to_owned(), entries: Vec::new(), expected: None }))
    }

    /// What there is of one backup, at the cost of one small listing; `None` when there is nothing.
    ///
    /// # Errors
    /// As [`Self::objects`].
    pub async fn entry(&self, id: &BackupId) -> Result<Option<Entry>, Error> {
        let objects = match self {
            Self::Bucket(bucket) => bucket.list(&self.layout().common_prefix(id)).await?,
            Self::Directory(directory) => directory.list(Scope::All).await?,
        };
        let entries = catalogs(self.layout(), objects).into_iter().flat_map(|catalog| catalog.entries);
        Ok(entries.into_iter().find(|entry| entry.id == *id))
    }

    /// What was stored for all databases in the last so many days, with the marks of all databases and the functions' status: in
    /// a bucket one listing that begins at the first of these days, so that older ones cost nothing.
    ///
    /// # Errors
    /// As [`Self::objects`].
    pub async fn last_days(&self, now: Timestamp, days: i32) -> Result<Vec<Object>, Error> {
        match self {
            Self::Bucket(bucket) => bucket.last_days(now, days).await,
            Self::Directory(directory) => directory.list(Scope::All).await,
        }
    }

    /// Whether a listing of the last `days` days of `now` shows all that can be newer than a backup of this instant.
    #[must_use]
    pub fn is_settled(&self, instant: Timestamp, now: Timestamp, days: i32) -> bool {
        match self {
            Self::Bucket(bucket) => bucket.is_settled_within(instant, now, days),
            Self::Directory(_) => true,
        }
    }

    /// The newest entries of one database, down to its newest good backup that does not lie in the future of `now` and maybe some
    /// older; all of them where none is good. In a bucket it costs at most one request for each day down to that backup, however many older ones there
    /// are, and usually one in all.
    ///
    /// # Errors
    /// As [`Self::objects`].
    pub async fn recent(&self, database: &str, now: Timestamp) -> Result<Catalog, Error> {
        self.recent_good(database, now, 1).await
    }

    /// The newest entries of one database, down to its newest `good` good backups that do not lie in the future, at least one; all
    /// entries where there are fewer.
    ///
    /// # Errors
    /// As [`Self::objects`].
    pub async fn recent_good(&self, database: &str, now: Timestamp, good: usize) -> Result<Catalog, Error> {
        match self {
            Self::Bucket(bucket) => bucket.recent(database, now, good.max(1)).await,
            Self::Directory(_) => self.catalog(database).await,
        }
    }

    /// Some of the oldest entries of one database; in a bucket at the cost of two requests at most, however many there are.
    ///
    /// # Errors
    /// As [`Self::objects`].
    pub async fn oldest(&self, database: &str) -> Result<Catalog, Error> {
        match self {
            Self::Bucket(bucket) => bucket.oldest(database).await,
            Self::Directory(_) => self.catalog(database).await,
        }
    }

    /// What `latest` means, at the cost of [`Self::recent`].
    ///
    /// # Errors
    /// As [`Self::objects`].
    pub async fn newest_good(&self, database: &str, now: Timestamp) -> Result<Option<Entry>, Error> {
        Ok(self.recent(database, now).await?.newest_good(now).cloned())
    }

    /// Asks who made the archives without a manifest, with one HEAD each. Those that this identity may not ask about stay
    /// [`catalog::State::Alone`].
    ///
    /// # Errors
    /// Of a HEAD, other than a refusal.
    pub async fn resolve(&self, catalog: &mut Catalog) -> Result<(), Error> {
        let mut origins = BTreeMap::new();
        let keys: Vec<String> = catalog.alone().filter_map(|entry| Some(entry.archive.as_ref()?.key.clone())).collect();
        for key in keys {
            match self.head(&key).await {
                Ok(None) | Err(Error::AccessDenied { .. }) => {}
                Ok(Some(head)) => {
                    let origin = if head.lastgood_id().is_some() { Origin::Ours } else { Origin::Guest };
                    origins.insert(key, origin);
                }
                Err(error) => return Err(error),
            }
        }
        catalog.resolve(|entry| origins.get(&entry.archive.as_ref()?.key).copied());
        Ok(())
    }

    /// Begins to store an archive; it is visible only after [`Upload::complete`].
    ///
    /// # Errors
    /// In a directory, when the file exists or can't be made. In a bucket nothing is sent yet.
    pub async fn start_upload(&self, key: &str, metadata: &UploadMetadata) -> Result<Upload, Error> {
        match self {
            Self::Bucket(bucket) => Ok(Upload::to_bucket(bucket.clone(), key, metadata)),
            Self::Directory(directory) => directory.start_upload(key, metadata).await.map(Upload::to_directory),
        }
    }

    /// Has a store copy an archive from one of its buckets to this one by itself, held to `digest` by its own checksums; `None` where
    /// that can't be: other stores, other identities, a store that says no checksums. Nothing is left of it then.
    ///
    /// # Errors
    /// [`Error::Checksum`] when it isn't what `digest` was taken of; [`Error::Exists`]; those of the store.
    pub async fn copy_from(
        &self,
        (from, object): (&Self, &Object),
        key: &str,
        metadata: &UploadMetadata,
        digest: &Digest,
    ) -> Result<Option<Stored>, Error> {
        match (self, from) {
            (Self::Bucket(to), Self::Bucket(from)) => to.copy_within((from, object), key, metadata, digest).await,
            _ => Ok(None),
        }
    }

    /// Begins to store an archive whose bytes are known and may have been sent in part before: a bucket is asked for parts of an upload
    /// under the same key, and those that turn out to be the same are not sent again. Who breaks off calls [`Upload::leave`].
    ///
    /// # Errors
    /// As [`Self::start_upload`], and those of the store.
    pub async fn resume_upload(&self, key: &str, metadata: &UploadMetadata) -> Result<(Upload, Resumed), Error> {
        let mut upload = self.start_upload(key, metadata).await?;
        let resumed = upload.resume().await?;
        Ok((upload, resumed))
    }

    /// What the store says of an object; `None` when there is none. On S3 it needs the right to read the object.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn head(&self, key: &str) -> Result<Option<Head>, Error> {
        match self {
            Self::Bucket(bucket) => bucket.head_object(key).await,
            Self::Directory(directory) => directory.head(key).await,
        }
    }

    /// What the store says of just this object: of its version, where one is known. `None` when there is none, or another in its
    /// place.
    ///
    /// # Errors
    /// As [`Self::head`].
    pub async fn head_of(&self, object: &Object) -> Result<Option<Head>, Error> {
        let head = match self {
            Self::Bucket(bucket) => bucket.head_version(&object.key, object.pinned_version()).await?,
            Self::Directory(directory) => directory.head(&object.key).await?,
        };
        let is_it = |head: &Head| object.etag.is_none() || head.object.bare_etag() == object.bare_etag();
        Ok(head.filter(is_it))
    }

    /// Asks S3 to bring an object back from its archive storage class: a copy for so many days, or, from Intelligent-Tiering, the
    /// object itself. Safe to repeat: what was asked for already is a success, and nothing is billed twice. A directory has no
    /// such classes.
    ///
    /// # Errors
    /// Of the store; [`Error::NoExpedited`] where it has no room for haste just now.
    pub async fn thaw(&self, object: &Object, class: ColdClass, retrieval: Retrieval, days: u16) -> Result<(), Error> {
        match self {
            Self::Bucket(bucket) => bucket.thaw(object, class, retrieval, days).await,
            Self::Directory(_) => Ok(()),
        }
    }

    /// Begins to read an object as it was listed: the same version, ETag and size, or an error.
    ///
    /// # Errors
    /// In a directory, when the file can't be opened or has changed. A bucket says it at the first bytes.
    pub async fn download(&self, object: &Object) -> Result<Download, Error> {
        self.download_from(object, 0).await
    }

    /// Begins to read an object as it was listed from byte `from` on: for a reader that saved its place.
    ///
    /// # Errors
    /// As [`Self::download`].
    pub async fn download_from(&self, object: &Object, from: u64) -> Result<Download, Error> {
        self.download_range(object, from..object.size).await
    }

    /// Begins to read these bytes of an object as it was listed, and no others.
    ///
    /// # Errors
    /// As [`Self::download`].
    pub async fn download_range(&self, object: &Object, wanted: Range<u64>) -> Result<Download, Error> {
        match self {
            Self::Bucket(bucket) => Ok(Download::from_bucket(bucket.clone(), object.clone(), &wanted)),
            Self::Directory(directory) => directory.download(object, wanted).await.map(Download::from_file),
        }
    }

    /// Takes back an archive whose manifest found no place: in a directory it would take the room that the next backup needs. In
    /// a bucket, where the agent may not delete, it stays unfinished.
    ///
    /// # Errors
    /// When the file can't be removed.
    pub async fn take_back(&self, stored: &Stored) -> Result<(), Error> {
        match self {
            Self::Bucket(_) => Ok(()),
            Self::Directory(directory) => directory.take_back(stored).await,
        }
    }

    /// Removes backups as they were listed: verdicts before manifests before archives, whatever the order given, by
    /// version, and never one that has changed since, or of which there is more than these objects. What can't go is told in the answer.
    ///
    /// # Errors
    /// When the store can't be asked; a part may be gone then. Doing it again goes on.
    pub async fn remove(&self, objects: &[Object]) -> Result<Removal, Error> {
        self.remove_to(Extent::Backups, objects).await
    }
}
