//! A saved place: where one invocation stopped and the next goes on. It lies beside the backup, and its arrival wakes the
//! next invocation.

use archive::SavedInspection;
use catalog::Object;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Counts changes of what is saved; a place of any other version is no place, and the reading begins anew.
const VERSION: u32 = 1;

/// Where to go on. It grows with the number of tables, not with the archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    version: u32,
    bytes: Identity,
    /// When the first invocation began to read.
    pub(super) begun: Timestamp,
    /// How many invocations have worked on it.
    pub(super) rounds: u32,
    /// A sweep goes on when this backup is done.
    pub(super) sweeping: bool,
    /// How far it was read; none: nothing yet, it waits for an invocation that has all its time.
    pub(super) inspection: Option<SavedInspection>,
}

/// Which bytes were read: a place in others is worth nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    key: String,
    version_id: Option<String>,
    etag: Option<String>,
    size: u64,
}

impl Place {
    pub(super) fn new(object: &Object, begun: Timestamp, rounds: u32, inspection: Option<SavedInspection>) -> Self {
        Self { version: VERSION, bytes: Identity::of(object), begun, rounds, sweeping: false, inspection }
    }

    pub(super) fn sweeping(self, sweeping: bool) -> Self {
        Self { sweeping, ..self }
    }

    /// None for anything that isn't a place of this version.
    pub(super) fn from_json(json: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Self>(json).ok().filter(|place| place.version == VERSION)
    }

    pub(super) fn is_in(&self, object: &Object) -> bool {
        self.bytes == Identity::of(object)
    }

    /// Stored bytes read so far.
    pub(super) fn position(&self) -> u64 {
        self.inspection.as_ref().map_or(0, SavedInspection::position)
    }
}

impl Identity {
    fn of(object: &Object) -> Self {
        Self {
            key: object.key.clone(),
            version_id: object.pinned_version().map(str::to_owned),
            etag: object.bare_etag().map(str::to_owned),
            size: object.size,
        }
    }
}
