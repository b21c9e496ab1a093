//! What lies beside an archive: globals, index and links. A backup without them is a backup all the same, so what refuses them is words
//! for a warning.

use bytes::Bytes;
use repository::{PutOutcome, Repository, Stored};

/// Stores one of them beside the archive, which is there already.
///
/// # Errors
/// Why it isn't there, in words.
pub(super) async fn put(repository: &Repository, key: &str, bytes: &Bytes) -> Result<Stored, String> {
    match repository.put_beside(key, bytes.clone()).await {
        Ok(PutOutcome::Stored(stored)) => Ok(stored),
        Ok(PutOutcome::Exists) => Err(taken(repository, key)),
        Err(error) => Err(error.to_string()),
    }
}

/// That something else has this key, in words.
pub(crate) fn taken(repository: &Repository, key: &str) -> String {
    format!("{} is there already, with other content", repository.object_name(key))
}
