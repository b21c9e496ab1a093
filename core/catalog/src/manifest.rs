//! The manifest: what a backup's archive is, to the byte, and what it holds. Written last, once, beside the archive; its
//! presence makes the backup exist.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use archive::{Census, Compression, Digest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::backup::Stem;
use crate::document::{DocumentError, Kind, Unknown};
use crate::erased::Erased;
use crate::shrink::Shrink;

/// What [`Database::session`] has the form of INSERTs under: pg_dump's options, such as `--rows-per-insert=100`.
pub const INSERTS: &str = "inserts";

const KIND: Kind = Kind { what: "manifest", version: 1 };

/// Manifest version 1.
///
/// In JSON, `null` is what isn't known; sizes are bytes, durations seconds, and times RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The backup's name.
    pub stem: Stem,
    /// What it was made for.
    pub purpose: Purpose,
    /// What was dumped.
    pub database: Database,
    /// The stored bytes.
    pub archive: Archive,
    /// What reading the dump counted: `census`, a list of tables, and `largeObjects`.
    #[serde(flatten, with = "census_fields")]
    pub census: Census,
    /// The server's roles and tablespaces, stored beside the archive; none where they weren't read or stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub globals: Option<Globals>,
    /// What it has lost since the backup before it; none where that is little, or nothing was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shrunk: Option<Shrink>,
    /// Where the archive has what, stored beside it; none where it wasn't made or stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<StoredIndex>,
    /// What was erased, and from which backup; none where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<Erased>,
    /// Who made it.
    pub agent: Agent,
    /// When the dump began; of an adopted guest when its archive was written.
    pub started: Timestamp,
    /// When the archive was stored.
    pub finished: Timestamp,
    /// Seconds from the one to the other, to the millisecond, by a clock that cannot be set.
    #[serde(with = "seconds")]
    pub duration: Duration,
    /// What `pg_dump` said that didn't fail it, a line each.
    pub warnings: Vec<String>,
    /// Fields of a later version, kept when the manifest is written again.
    #[serde(skip)]
    pub unknown: Unknown,
}

/// Why a backup was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// To be restored one day.
    Backup,
    /// To undo the restore that followed it.
    Safety,
    /// It was a guest: another program's dump, verified by `lastgood adopt`.
    Adopted,
    /// To take the place of a backup without some of its rows: made of it by `lastgood erase`.
    Erased,
}

/// The database that was dumped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// Its PostgreSQL name.
    pub name: String,
    /// Its encoding, as PostgreSQL spells it: `UTF8`.
    pub encoding: Option<String>,
    /// The server's version, as the server tells it: `15.14 (Debian 15.14-0+deb12u1)`.
    pub server_version: Option<String>,
    /// Bytes on the server, by `pg_database_size`.
    pub size: Option<u64>,
    /// Settings of the session that dumped it by which values and definitions are written, such as `TimeZone`; none where they aren't
    /// known. Under [`INSERTS`] the form of the statements, where rows are written as such.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub session: BTreeMap<String, String>,
}

/// The stored archive. Which bytes it is about: key, version, `ETag` and digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Archive {
    /// Its whole key when it was stored; a repository that was copied elsewhere has others.
    pub key: String,
    /// The version S3 gave it, where there is one.
    pub version_id: Option<String>,
    /// Its `ETag`, without quotes, where there is one.
    pub etag: Option<String>,
    /// `size`, `md5` and `crc64nvme` of the stored bytes.
    #[serde(flatten)]
    pub digest: Digest,
    /// How the dump is compressed in it.
    pub compression: Compression,
    /// The most bytes of the dump in one frame; null for archives without our frames.
    pub frame_size: Option<u64>,
    /// How it is encrypted; null when it isn't.
    pub encryption: Option<Encryption>,
    /// Version of the `pg_dump` that wrote it: `15.14`.
    pub pg_dump_version: Option<String>,
    /// Version of the archive format: `1.15-0`.
    pub format_version: Option<String>,
    /// The user's own options with which it was dumped; none where they aren't known.
    #[serde(rename = "pgDumpOptions", default, skip_serializing_if = "Option::is_none")]
    pub dump_options: Option<Vec<String>>,
}

/// What the whole server has and no archive holds: roles, memberships, settings of roles and tablespaces, as `pg_dumpall
/// --globals-only` writes them, in gzip, and encrypted where the archive is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Globals {
    /// Its whole key when it was stored.
    pub key: String,
    /// The version S3 gave it, where there is one.
    pub version_id: Option<String>,
    /// Its `ETag`, without quotes, where there is one.
    pub etag: Option<String>,
    /// `size`, `md5` and `crc64nvme` of the stored bytes.
    #[serde(flatten)]
    pub digest: Digest,
    /// Whether it holds the roles' passwords, as the server stores them.
    pub passwords: bool,
}

/// The index beside the archive: JSON in gzip, and encrypted where the archive is, for it holds keys of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredIndex {
    /// Its whole key when it was stored.
    pub key: String,
    /// The version S3 gave it, where there is one.
    pub version_id: Option<String>,
    /// Its `ETag`, without quotes, where there is one.
    pub etag: Option<String>,
    /// `size`, `md5` and `crc64nvme` of the stored bytes.
    #[serde(flatten)]
    pub digest: Digest,
}

/// For whom an archive is encrypted, in the age format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// The public keys whose owners can read it. No secrets here.
    pub recipients: Vec<String>,
}

/// The program that made a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Lastgood's version.
    pub version: String,
    /// The name of the machine it ran on.
    pub host: String,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// When it is of a newer version, or isn't a manifest.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        let (manifest, unknown) = KIND.read::<Self>(json)?;
        Ok(Self { unknown, ..manifest })
    }

    /// The manifest as it is stored.
    ///
    /// # Errors
    /// Only when a value can't be put into JSON, which none of these can.
    pub fn to_json(&self) -> Result<Vec<u8>, DocumentError> {
        KIND.write(self, &self.unknown)
    }
}

/// The census as two fields of the manifest.
mod census_fields {
    use std::borrow::Cow;

    use archive::{Census, LargeObjectCensus, TableCensus};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Fields<'a> {
        census: Cow<'a, [TableCensus]>,
        large_objects: Cow<'a, LargeObjectCensus>,
    }

    pub(super) fn serialize<S: Serializer>(census: &Census, serializer: S) -> Result<S::Ok, S::Error> {
        let census_of =
            Fields { census: Cow::Borrowed(&census.tables), large_objects: Cow::Borrowed(&census.large_objects) };
        census_of.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Census, D::Error> {
        let Fields { census, large_objects } = Fields::deserialize(deserializer)?;
        Ok(Census { tables: census.into_owned(), large_objects: large_objects.into_owned() })
    }
}

/// A duration as a number of seconds.
pub(crate) mod seconds {
    use std::time::Duration;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        ((duration.as_secs_f64() * 1000.0).round() / 1000.0).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
