//! What an erasure asks of a repository besides what every command does: all that was ever stored under a backup's names, and what keeps
//! it there.

use std::collections::BTreeSet;

use catalog::erasure::{Certificate, Lock};
use catalog::{Entry, Object, Part};
use jiff::Timestamp;

use crate::stored::Extent;
use crate::{Error, Removal, Repository, Stored};

/// A version of an archive that a listing doesn't show, because it was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// The version.
    pub object: Object,
    /// When it was deleted.
    pub since: Timestamp,
}

impl Repository {
    /// Every version of a backup's archive and records, those too that a later delete or put hides. Stores that keep no versions have
    /// what a listing shows. Further archives of the same name, under another suffix, aren't its.
    ///
    /// # Errors
    /// As [`Repository::versions`].
    pub async fn every_version(&self, entry: &Entry) -> Result<Vec<Object>, Error> {
        let bucket = match self {
            Self::Bucket(bucket) => bucket,
            Self::Directory(_) => return Ok(entry.removal().cloned().collect()),
        };
        let listed = bucket.every_version(&self.layout().common_prefix(&entry.id)).await?;
        let strays: BTreeSet<&str> = entry.strays.iter().map(|stray| stray.key.as_str()).collect();
        let is_its = |object: &Object| match self.layout().parse(&object.key) {
            Part::Archive { id, .. } => id == entry.id && !strays.contains(object.key.as_str()),
            Part::Record { id, .. } | Part::Elsewhere { id } => id == entry.id,
            _ => false,
        };
        Ok(listed.into_iter().filter(is_its).collect())
    }

    /// Removes parts of backups as [`Repository::remove`] does whole ones, whatever else there is of these.
    ///
    /// # Errors
    /// As there.
    pub async fn remove_parts(&self, objects: &[Object]) -> Result<Removal, Error> {
        self.remove_to(Extent::Parts, objects).await
    }

    pub(crate) async fn remove_to(&self, extent: Extent, objects: &[Object]) -> Result<Removal, Error> {
        match self {
            Self::Bucket(bucket) => bucket.remove(objects, extent).await,
            Self::Directory(directory) => directory.remove(objects, extent).await,
        }
    }

    /// Whether locks are possible here at all: otherwise nobody needs to be asked about each object.
    pub async fn knows_locks(&self) -> bool {
        match self {
            Self::Bucket(bucket) => bucket.knows_locks().await,
            Self::Directory(_) => false,
        }
    }

    /// What keeps these objects from being removed: the lock that lasts longest. Who may not ask, or a store that knows no locks, sees
    /// none; a removal tells then.
    pub async fn lock(&self, objects: &[Object]) -> Option<Lock> {
        let Self::Bucket(bucket) = self else { return None };
        let mut longest: Option<Lock> = None;
        for object in objects {
            let lock = bucket.lock_of(object).await;
            longest = match (longest, lock) {
                (Some(known), Some(lock)) => Some(later(known, lock)),
                (known, lock) => known.or(lock),
            };
        }
        longest
    }

    /// The certificates of erasures that are stored here, each with its key: the newest that began, `most` of them. What isn't one is left out.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn certificates(&self, most: usize) -> Result<Vec<(String, Certificate)>, Error> {
        let prefix = self.layout().erasures_prefix();
        let mut keys = match self {
            Self::Bucket(bucket) => bucket.list(&prefix).await?.into_iter().map(|object| object.key).collect(),
            Self::Directory(directory) => directory.files_below(prefix).await?,
        };
        keys.retain(|key| key.ends_with(".json"));
        keys.sort_unstable_by(|a, b| b.cmp(a));
        let mut found = Vec::new();
        for key in keys.into_iter().take(most) {
            let read = self.read_key(&key).await?;
            found
                .extend(read.and_then(|json| Certificate::from_json(&json).ok()).map(|certificate| (key, certificate)));
        }
        Ok(found)
    }

    /// After how many days the bucket's lifecycle removes a version that was deleted or replaced; `None` where it says nothing, or may
    /// not be asked.
    pub async fn noncurrent_days(&self) -> Option<u32> {
        let Self::Bucket(bucket) = self else { return None };
        bucket.noncurrent_days().await
    }

    /// Versions of this database's archives that were deleted and are still there.
    ///
    /// # Errors
    /// As [`Repository::versions`].
    pub async fn hidden(&self, database: &str) -> Result<Vec<Hidden>, Error> {
        let Self::Bucket(bucket) = self else { return Ok(Vec::new()) };
        let is_its = |hidden: &Hidden| match self.layout().parse(&hidden.object.key) {
            Part::Archive { id, .. } => id.stem.database() == database,
            _ => false,
        };
        Ok(bucket.hidden(self.layout().prefix()).await?.into_iter().filter(is_its).collect())
    }

    /// Gives a stored archive the time of what it takes the place of: in a directory that is the file's own, and all that says when a
    /// backup with a label was made. A bucket's times are the store's.
    ///
    /// # Errors
    /// When the file can't be changed.
    pub async fn backdate(&self, stored: &Stored, at: Timestamp) -> Result<(), Error> {
        match self {
            Self::Bucket(_) => Ok(()),
            Self::Directory(directory) => directory.backdate(&stored.key, at).await,
        }
    }
}

/// A hold has no end that is known.
fn later(a: Lock, b: Lock) -> Lock {
    match (a.until, b.until) {
        (None, _) => a,
        (_, None) => b,
        (Some(first), Some(second)) => {
            Lock { compliance: a.compliance || b.compliance, ..if first >= second { a } else { b } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_that_lasts_longest_counts() {
        let lock = |day: i64, compliance| Lock { until: Timestamp::from_second(day).ok(), compliance };
        let hold = Lock { until: None, compliance: false };
        assert_eq!(later(lock(1, true), lock(2, false)), lock(2, true));
        assert_eq!(later(lock(3, false), lock(2, false)), lock(3, false));
        assert_eq!((later(hold, lock(2, true)), later(lock(2, true), hold)), (hold, hold));
    }
}
