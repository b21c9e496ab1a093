//! What runs leave that no listing shows: hidden files of a directory, open multipart uploads of a bucket. They may hold all that an archive
//! holds.

use std::time::Duration;

use catalog::BackupId;
use jiff::Timestamp;

use crate::{Error, Repository};

/// A hidden file, or an open upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Where it is, as people name it: a path, or the URL of what it was to be.
    pub name: String,
    /// The backup that it was to be, or to lie beside.
    pub id: BackupId,
    /// When it was last written; of an upload, when it began.
    pub since: Timestamp,
}

/// Which of them are nobody's.
#[derive(Clone, Copy, Debug)]
pub struct Dead {
    /// Where nothing else tells whether a run still writes it: those that are so old.
    pub older_than: Duration,
    /// Also the uploads of an erasure, whatever their age: the caller holds its lock.
    pub erasures: bool,
}

/// What became of what was found of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// It was nobody's, and is gone.
    pub gone: Vec<Leftover>,
    /// A run may still write it.
    pub stays: Vec<Leftover>,
    /// Files that say something of archives which are gone.
    pub marks: usize,
}

impl Repository {
    /// Removes what dead runs left of this database's uploads: hidden files, open multipart uploads. The caller holds the
    /// database's lock; `older_than` protects the runs of other machines. Returns how many were removed.
    ///
    /// # Errors
    /// When they can't be listed; in a bucket it needs `s3:ListBucketMultipartUploads`.
    pub async fn sweep(&self, database: &str, now: Timestamp, older_than: Duration) -> Result<usize, Error> {
        let swept = self.sweep_dead(database, now, Dead { older_than, erasures: false }).await?;
        Ok(swept.gone.len() + swept.marks)
    }

    /// The same, and says what it was, and what stays.
    ///
    /// # Errors
    /// As [`Repository::sweep`].
    pub async fn sweep_dead(&self, database: &str, now: Timestamp, dead: Dead) -> Result<Swept, Error> {
        match self {
            Self::Bucket(bucket) => bucket.sweep_uploads(database, now, dead).await,
            Self::Directory(directory) => directory.sweep_partials(database, now, dead.older_than).await,
        }
    }

    /// All that there is of them; nothing is removed.
    ///
    /// # Errors
    /// As [`Repository::sweep`].
    pub async fn leftovers(&self, database: &str) -> Result<Vec<Leftover>, Error> {
        match self {
            Self::Bucket(bucket) => bucket.leftovers(database).await,
            Self::Directory(directory) => directory.leftovers(database).await,
        }
    }
}
