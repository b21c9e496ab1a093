//! What a store says of its objects: which to list, what one is, what became of one that was put.

use std::collections::BTreeMap;

use archive::Crc64;
use catalog::glacier::Cold;
use catalog::{Expected, Object};
use jiff::civil::Date;

use crate::metadata::LASTGOOD_ID;

/// What a listing shall show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything under the prefix.
    All,
    /// One date folder; in a directory, which has none, everything.
    Day(Date),
    /// The marks of the databases whose backups are expected.
    Databases,
}

/// What a removal is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All that there is of some backups: one of which there is more stays.
    Backups,
    /// Just these objects, whatever else there is of their backups.
    Parts,
}

/// What a store says of an object without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// As a listing would show it, with the version where there is one.
    pub object: Object,
    /// MIME type; none in a directory.
    pub content_type: Option<String>,
    /// User metadata, names in lower case.
    pub metadata: BTreeMap<String, String>,
    /// The whole object's CRC64NVME, where the store keeps it.
    pub crc64nvme: Option<Crc64>,
    /// Encrypted with a key of the customer's (SSE-KMS, SSE-C): its ETag is not a digest.
    pub with_customer_key: bool,
    /// Where it lies, if that is an archive storage class, and how far it is on its way back.
    pub cold: Option<Cold>,
}

impl Head {
    /// What the store says of the bytes, for a verdict to hold them to.
    pub fn expected(&self) -> Expected {
        let text = self.crc64nvme.map(|crc| crc.to_string());
        let md5 = self.metadata.get("md5_checksum").map(String::as_str);
        Expected::new(md5, self.object.etag.as_deref(), self.with_customer_key, text.as_deref())
    }

    /// Set on archives of ours when their upload starts.
    pub fn lastgood_id(&self) -> Option<&str> {
        self.metadata.get(LASTGOOD_ID).map(String::as_str)
    }
}

/// An object that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The key it is stored under.
    pub key: String,
    /// The version it got, where the bucket keeps versions.
    pub version_id: Option<String>,
    /// The ETag it got, without quotes; none in a directory.
    pub etag: Option<String>,
    /// Its length in bytes.
    pub size: u64,
    /// The whole object's CRC64NVME, where the store keeps or has checked it.
    pub crc64nvme: Option<Crc64>,
}

/// What lay under a key when it was read: by it a put takes the place of that and of nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// Nothing.
    Absent,
    /// An object with this `ETag`.
    Etag(String),
    /// Something that the store gives no mark of.
    Unmarked,
}

/// What became of a record that must not be there yet, or takes the place of a known one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// It is there now; also when an earlier try had stored the same bytes.
    Stored(Stored),
    /// Something else was there, or is there now, and still is.
    Exists,
}
