//! What a store can't refuse by itself, and what its answer doesn't prove.
//!
//! AWS refuses to put what is there already (`If-None-Match: *`), and says the checksum of what it stored. Other stores ignore the
//! condition (Garage, rclone; Ceph RGW in versioned buckets), answer that they don't know it (Swift before 2.36), or answer 200 and
//! keep nothing. So at any other store it is looked for what is there before a put and after it. Two machines that put under the
//! same name between each other's two looks are not seen: the later one's bytes stay, and don't fit the manifest of the other.

use bytes::Bytes;
use catalog::Object;

use super::Bucket;
use super::object::{Body, Condition};
use super::stored::Ours;
use crate::{Error, Stored};

/// What lies under a key after a put that was answered with success.
enum Found {
    Ours {
        version_id: Option<String>,
        etag: Option<String>,
    },
    /// Of the same size, with another upload's id.
    Others,
    /// Nothing, or so many bytes.
    Broken(String),
}

impl Bucket {
    /// The store isn't AWS, and what it promises isn't known.
    pub(crate) fn is_another_store(&self) -> bool {
        self.endpoint.is_some()
    }

    /// Puts what must not be there yet.
    pub(crate) async fn put_absent(&self, body: &Body<'_>) -> Result<Stored, Error> {
        self.refuse_present(body.key).await?;
        match self.put(body).await {
            Err(error) if error.lacks_conditions() => {
                self.put(&Body { condition: Condition::Anything, ..body.clone() }).await
            }
            outcome => outcome,
        }
    }

    /// # Errors
    /// [`Error::Exists`] where something has the key at a store that may not say so itself.
    pub(crate) async fn refuse_present(&self, key: &str) -> Result<(), Error> {
        if self.is_another_store() && self.listed(key).await?.is_some() {
            return Err(Error::Exists { object: self.url(key) });
        }
        Ok(())
    }

    /// What a listing shows under a key; nothing to who may not list.
    pub(crate) async fn listed(&self, key: &str) -> Result<Option<Object>, Error> {
        match self.find_listed(key).await {
            Err(Error::AccessDenied { .. }) => Ok(None),
            found => found,
        }
    }

    /// Looks at an archive that was stored: at another store than AWS a success proves nothing.
    ///
    /// # Errors
    /// [`Error::Exists`] when another upload took the key meanwhile, [`Error::Checksum`] when the store doesn't have what it took.
    pub(crate) async fn prove(&self, ours: &Ours<'_>, stored: Stored) -> Result<Stored, Error> {
        if !self.is_another_store() {
            return Ok(stored);
        }
        match self.find_stored(ours).await? {
            Found::Ours { version_id, etag } => {
                Ok(Stored { version_id: stored.version_id.or(version_id), etag: stored.etag.or(etag), ..stored })
            }
            Found::Others => Err(Error::Exists { object: self.url(ours.key) }),
            Found::Broken(cause) => Err(Error::Checksum { object: self.url(ours.key), cause }),
        }
    }

    /// Looks at a record that was stored: who may not read it trusts the answer.
    pub(crate) async fn is_still(&self, key: &str, bytes: &Bytes) -> Result<bool, Error> {
        if !self.is_another_store() {
            return Ok(true);
        }
        match self.read(key, None).await {
            Ok((there, _)) => Ok(there == *bytes),
            Err(Error::AccessDenied { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    async fn find_stored(&self, ours: &Ours<'_>) -> Result<Found, Error> {
        let (object, id) = match self.head_object(ours.key).await {
            Ok(head) => {
                let id = head.as_ref().and_then(|head| head.lastgood_id()).map(str::to_owned);
                (head.map(|head| head.object), id)
            }
            // Who may neither read nor list trusts the answer.
            Err(Error::AccessDenied { .. }) => match self.find_listed(ours.key).await {
                Ok(object) => (object, None),
                Err(Error::AccessDenied { .. }) => return Ok(Found::Ours { version_id: None, etag: None }),
                Err(error) => return Err(error),
            },
            Err(error) => return Err(error),
        };
        let size = ours.digest.size;
        Ok(match object {
            None => Found::Broken(format!("the store answered that it has the {size} bytes, and has nothing there")),
            Some(object) if object.size != size => {
                Found::Broken(format!("the store answered that it has the {size} bytes, and has {}", object.size))
            }
            Some(_) if ours.lastgood_id.is_some() && id.is_some() && id.as_deref() != ours.lastgood_id => Found::Others,
            Some(object) => Found::Ours { version_id: object.version_id, etag: object.etag },
        })
    }
}
