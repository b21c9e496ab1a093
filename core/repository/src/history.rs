//! What people look at later: each database's history, the page, and a link to it that ends.

use std::time::Duration;

use bytes::Bytes;
use catalog::history::History;
use catalog::{DocumentError, StatusRecord};
use jiff::Timestamp;

use crate::{Error, PutOutcome, Repository, Stored};

/// How often a history is read again because another one has written it since.
const TRIES: usize = 5;

impl Repository {
    /// How a database's backups were on each day; `None` where nobody has noted anything.
    ///
    /// # Errors
    /// [`Error::Document`] when it is not a history that this version can read, and those of [`Self::read_key`].
    pub async fn history(&self, database: &str) -> Result<Option<History>, Error> {
        let key = self.layout().history(database);
        let Some(json) = self.read_key(&key).await? else { return Ok(None) };
        self.document(&key, History::from_json(&json)).map(Some)
    }

    /// Adds to a database's history what is known at `now`; false where it says so already, and nothing is written. What others note
    /// at the same time stays.
    ///
    /// # Errors
    /// Those of the store; [`Error::Conflict`] where others keep writing it; [`Error::Document`] where what is there can't be read:
    /// it stays as it is.
    pub async fn note_history(&self, noted: &History, now: Timestamp) -> Result<bool, Error> {
        let key = self.layout().history(&noted.database);
        if let Self::Directory(directory) = self {
            let (this, noted, known) = (self.clone(), noted.clone(), key.clone());
            let change = move |there: Option<Bytes>| this.noted(&known, there.as_deref(), noted, now);
            return directory.change(&key, change).await;
        }
        for _ in 0..TRIES {
            let (there, version) = self.read_for_change(&key).await?;
            let Some(json) = self.noted(&key, there.as_deref(), noted.clone(), now)? else { return Ok(false) };
            if let PutOutcome::Stored(_) = self.put_after(&key, &version, json).await? {
                return Ok(true);
            }
        }
        Err(Error::Conflict { object: self.object_name(&key) })
    }

    /// The document with what is noted; `None` where it has that already.
    fn noted(&self, key: &str, there: Option<&[u8]>, noted: History, now: Timestamp) -> Result<Option<Vec<u8>>, Error> {
        let failed = |source: DocumentError| Error::Document { object: self.object_name(key), source };
        let known = match there {
            Some(json) => History::from_json(json).map_err(failed)?,
            None => History::new(&noted.database),
        };
        let noted = noted.until(now);
        if there.is_some() && known.covers(&noted) {
            return Ok(None);
        }
        known.until(now).merge(noted).to_json().map(Some).map_err(failed)
    }

    /// Stores the page for people over the one that may be there.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn put_page(&self, html: impl Into<Bytes>) -> Result<Stored, Error> {
        let key = self.layout().status(StatusRecord::Page);
        match self {
            Self::Bucket(bucket) => bucket.put_page(&key, html.into()).await,
            Self::Directory(directory) => directory.put_over(&key, html.into()).await,
        }
    }

    /// An address by which anybody can read this object for so long, or until the credentials end that it was made with. Nothing is
    /// asked of the store. `None` in a directory, which has no addresses.
    ///
    /// # Errors
    /// Where no credentials are found, or it is longer than S3's seven days.
    pub async fn link(&self, key: &str, lasts: Duration) -> Result<Option<String>, Error> {
        match self {
            Self::Bucket(bucket) => bucket.link(key, lasts).await.map(Some),
            Self::Directory(_) => Ok(None),
        }
    }
}
