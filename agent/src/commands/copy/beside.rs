//! What lies beside an archive and belongs to its backup: roles and tablespaces, the index, what it has lost since the one before it. They
//! are read and held to their digests before anything shows at the other place. Links are proved by whoever reads by them, and a copy without
//! them is whole.

use archive::{Digest, Digester};
use bytes::Bytes;
use catalog::manifest::{self, Manifest, StoredIndex};
use catalog::{BackupId, Entry, Object, Record};
use repository::{PutOutcome, Repository, Stored};

use crate::answers::failure::{Exit, Failure};
use crate::commands::backup::beside::taken as taken_in_words;

/// The small objects of a backup, as they are stored.
pub(super) struct Beside {
    globals: Option<(Bytes, bool)>,
    index: Option<(Bytes, bool)>,
    shrunk: Option<Bytes>,
    links: Option<Bytes>,
    /// What the manifest names and isn't there.
    pub(super) lost: Vec<String>,
}

impl Beside {
    /// # Errors
    /// Exit 4 when one isn't what the manifest says; when one can't be read.
    pub(super) async fn read(from: &Repository, entry: &Entry, manifest: &Manifest) -> Result<Self, Failure> {
        let mut lost = Vec::new();
        let globals = manifest.globals.as_ref().map(|named| (&named.digest, "its roles and tablespaces"));
        let globals = checked(from, entry.globals.as_ref(), globals, &mut lost).await?;
        let index = manifest.index.as_ref().map(|named| (&named.digest, "its index"));
        let index = checked(from, entry.index.as_ref(), index, &mut lost).await?;
        let shrunk = match &entry.shrunk {
            Some(object) => Some(from.read_record(object).await?),
            None => None,
        };
        let links = match &entry.links {
            Some(object) => from.read_record(object).await.inspect_err(|error| without_links(error)).ok(),
            None => None,
        };
        Ok(Self { globals, index, shrunk, links, lost })
    }

    /// Stores them. What the manifest is to name comes back, and what was stored.
    ///
    /// # Errors
    /// When the place refuses one, or has another in its place.
    pub(super) async fn put(
        &self,
        to: &Repository,
        (id, entry): (&BackupId, &Entry),
        manifest: &mut Manifest,
        stored: &mut Vec<Stored>,
    ) -> Result<(), Failure> {
        let named = manifest.globals.take();
        if let (Some((bytes, sealed)), Some(named)) = (&self.globals, named) {
            let key = to.layout().globals(id, *sealed);
            let put = put(to, &key, bytes).await?;
            manifest.globals =
                Some(manifest::Globals { key, version_id: put.version_id.clone(), etag: put.etag.clone(), ..named });
            stored.push(put);
        }
        let named = manifest.index.take();
        if let (Some((bytes, sealed)), Some(named)) = (&self.index, named) {
            let key = to.layout().index(id, *sealed);
            let put = put(to, &key, bytes).await?;
            manifest.index =
                Some(StoredIndex { key, version_id: put.version_id.clone(), etag: put.etag.clone(), ..named });
            stored.push(put);
        }
        if let (Some(bytes), Some(object)) = (&self.shrunk, &entry.shrunk) {
            let key = to.layout().record(id, Record::Shrunk);
            match to.put_new(&key, bytes.clone()).await? {
                PutOutcome::Stored(put) => {
                    to.backdate(&put, object.last_modified).await?;
                    stored.push(put);
                }
                PutOutcome::Exists => return Err(taken(to, &key)),
            }
        }
        if let Some(bytes) = self.links.as_ref().filter(|_| to.is_bucket()) {
            match to.put_beside(&to.layout().record(id, Record::Links), bytes.clone()).await {
                Ok(PutOutcome::Stored(put)) => stored.push(put),
                Ok(PutOutcome::Exists) => without_links(&"others are there already"),
                Err(error) => without_links(&error),
            }
        }
        Ok(())
    }
}

fn without_links(error: &dyn std::fmt::Display) {
    tracing::warn!("the links were not copied with this backup, so the copy is verified in one piece: {error}");
}

/// Its bytes, and whether they are encrypted; `None` where there is none, or nothing names it.
async fn checked(
    from: &Repository,
    object: Option<&Object>,
    named: Option<(&Digest, &str)>,
    lost: &mut Vec<String>,
) -> Result<Option<(Bytes, bool)>, Failure> {
    let Some((digest, what)) = named else { return Ok(None) };
    let Some(object) = object else {
        lost.push(format!("the source lacks {what}, and so does the copy"));
        return Ok(None);
    };
    let bytes = from.read_record(object).await?;
    let mut digester = Digester::new();
    digester.update(&bytes);
    if digester.finish() != *digest {
        let error = format!("{} is not what the manifest says", from.object_name(&object.key));
        return Err(Failure::new(Exit::Damaged, error)
            .hint("nothing was copied; copy the backup from another place, or back up again"));
    }
    Ok(Some((bytes, object.key.ends_with(".age"))))
}

async fn put(to: &Repository, key: &str, bytes: &Bytes) -> Result<Stored, Failure> {
    match to.put_beside(key, bytes.clone()).await? {
        PutOutcome::Stored(stored) => Ok(stored),
        PutOutcome::Exists => Err(taken(to, key)),
    }
}

/// The failure of a key that something else has.
pub(super) fn taken(to: &Repository, key: &str) -> Failure {
    Failure::new(Exit::Failed, taken_in_words(to, key))
        .hint("nothing was overwritten; look at what is there: lastgood list")
}
