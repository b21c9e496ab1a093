//! A saved place: where one invocation stopped and the next goes on. It is stored beside the backup, and its arrival
//! wakes the next invocation.

use archive::SavedInspection;
use catalog::{BackupId, Object};
use jiff::Timestamp;
use repository::Repository;
use serde::{Deserialize, Serialize};

use crate::Failure;

/// The version of this form; a place of any other version is ignored, and reading starts from the beginning.
const VERSION: u32 = 1;

/// Where to go on reading. Its size depends on the number of tables, not on the archive's length.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    version: u32,
    bytes: Identity,
    /// When the first invocation began to read.
    pub(super) begun: Timestamp,
    /// How many invocations have worked on it.
    pub(super) rounds: u32,
    /// Whether a sweep goes on when this backup is done.
    pub(super) sweeping: bool,
    /// What reading has found so far; `None` when it has not begun and waits for an invocation that has all its time.
    pub(super) inspection: Option<SavedInspection>,
}

/// The object that was read: a place in another one is useless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identity {
    pub(super) key: String,
    version_id: Option<String>,
    etag: Option<String>,
    size: u64,
}

impl Place {
    /// A place in this object, which no sweep waits for.
    pub(super) fn new(object: &Object, begun: Timestamp, rounds: u32, inspection: Option<SavedInspection>) -> Self {
        Self { version: VERSION, bytes: Identity::of(object), begun, rounds, sweeping: false, inspection }
    }

    /// The same place, with or without a sweep that goes on from it.
    pub(super) fn sweeping(self, sweeping: bool) -> Self {
        Self { sweeping, ..self }
    }

    /// Reads a place; `None` for anything but a place of this version.
    pub(super) fn from_json(json: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Self>(json).ok().filter(|place| place.version == VERSION)
    }

    /// Whether it is a place in this very object.
    pub(super) fn is_in(&self, object: &Object) -> bool {
        self.bytes == Identity::of(object)
    }

    /// Stores it beside the backup; its arrival wakes the next invocation.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn put(&self, repository: &Repository, id: &BackupId) -> Result<(), Failure> {
        let json = serde_json::to_vec(self).map_err(|error| Failure::Place { cause: error.to_string() })?;
        repository.put_over(&repository.layout().verifying(id), json).await?;
        Ok(())
    }

    /// Stored bytes read so far.
    pub(super) fn position(&self) -> u64 {
        self.inspection.as_ref().map_or(0, SavedInspection::position)
    }
}

impl Identity {
    pub(super) fn of(object: &Object) -> Self {
        Self {
            key: object.key.clone(),
            version_id: object.pinned_version().map(str::to_owned),
            etag: object.bare_etag().map(str::to_owned),
            size: object.size,
        }
    }
}
