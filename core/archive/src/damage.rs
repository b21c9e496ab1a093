//! What can be wrong with an archive. Damage is a finding, not a failure: the bytes were read, and this is what they say.
//! Where the reader's own limits end the reading, the bytes have said nothing.
//!
//! Each variant has a stable `kind` in JSON (`{"kind": "truncated", …}`), which verdicts keep for years: add variants, never
//! rename one.

use serde::{Deserialize, Serialize};

use crate::sniff::Kind;

/// The first thing found wrong with an archive. Offsets count bytes from its start: of the dump as pg_dump wrote it, or of
/// the stored, compressed bytes where the variant says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Damage {
    /// The bytes are something else altogether.
    #[error("not a pg_dump archive but {found}")]
    NotAnArchive {
        /// What they look like.
        found: Kind,
    },
    /// A version of the format that this reader doesn't know.
    #[error("archive version {major}.{minor} is not supported: expected 1.12 to 1.16 (PostgreSQL 9.0 to 18)")]
    UnsupportedVersion {
        /// First part of the version; 1 so far.
        major: u8,
        /// Second part of the version; 12 to 16 so far.
        minor: u8,
    },
    /// A gzip member or zstd frame that doesn't decompress to what it promises.
    #[error("compressed frame is broken at stored byte {offset}: {reason}")]
    BadFrame {
        /// Where in the stored bytes.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// What decrypts doesn't prove to be what was encrypted.
    #[error("encryption is broken at or before stored byte {offset}: {reason}")]
    BadEncryption {
        /// Stored bytes read when it was found.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The header can't be what pg_dump wrote.
    #[error("archive header is broken at byte {offset}: {reason}")]
    BadHeader {
        /// Where in the dump.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The table of contents can't be what pg_dump wrote.
    #[error("table of contents is broken at byte {offset}: {reason}")]
    BadContents {
        /// Where in the dump.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A data block can't be what pg_dump wrote.
    #[error("{object} is broken at byte {offset}: {reason}")]
    BadBlock {
        /// Where in the dump.
        offset: u64,
        /// The table or object that the data is of, in words.
        object: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A data block is where another's belongs: one is missing, or the order is not pg_dump's, which a restore through
    /// a pipe depends on.
    #[error("{object} is at byte {offset}, where {expected} belongs")]
    MisplacedBlock {
        /// Where in the dump.
        offset: u64,
        /// The table or object that the data is of, in words.
        object: String,
        /// The table or object whose data belongs there, in words.
        expected: String,
    },
    /// A data block that the table of contents doesn't promise.
    #[error("a data block at byte {offset} belongs to entry {dump_id}, which the table of contents doesn't have")]
    UnknownBlock {
        /// Where in the dump.
        offset: u64,
        /// The entry it names.
        dump_id: i64,
    },
    /// An entry's data occurs a second time.
    #[error("{object} occurs a second time, at byte {offset}")]
    DuplicateBlock {
        /// Where in the dump.
        offset: u64,
        /// The table or object that the data is of, in words.
        object: String,
    },
    /// The archive ends cleanly, but before everything that its table of contents promises.
    #[error("{object} is missing ({missing} of {promised} data blocks are); the archive ends at byte {offset}")]
    MissingBlocks {
        /// Where the archive ends.
        offset: u64,
        /// The first table or object whose data is missing, in words.
        object: String,
        /// How many data blocks are missing.
        missing: u64,
        /// How many the table of contents promises.
        promised: u64,
    },
    /// The archive ends in the middle of something.
    #[error("cut off at byte {offset}, within {within}")]
    Truncated {
        /// Where the bytes end: of the dump; of the stored bytes when `within` names a gzip member or zstd frame.
        offset: u64,
        /// What they were in the middle of, in words.
        within: String,
    },
    /// It may be whole, but this reader can't follow it that far: see [`Damage::is_limit`].
    #[error("{reason}")]
    BeyondLimits {
        /// Where it stops: in the stored bytes for a frame, else in the dump.
        offset: u64,
        /// Which limit it is.
        reason: String,
    },
    /// A folder lacks a file that its contents name.
    #[error("the file {file} is missing")]
    MissingFile {
        /// Without a suffix of compression.
        file: String,
    },
    /// A script that may be whole, and that nothing but psql restores.
    #[error("{reason}")]
    ForPsql {
        /// Where in the script it shows.
        offset: u64,
        /// What it has.
        reason: String,
        /// It is of a whole server, and makes what an empty one has already.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        server: bool,
        /// What is around it, from the outside in, as far as it was told.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        layers: Vec<Kind>,
    },
    /// A dump may be within, and has to be taken out first.
    #[error("it is {found}{}, and has to be unwrapped first", around(layers))]
    Wrapped {
        /// What it looks like.
        found: Kind,
        /// What is around that, from the outside in, as far as it was told.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        layers: Vec<Kind>,
    },
    /// A script is whole, and something follows it that belongs to another one, or to none.
    #[error("its dump is whole and ends at byte {offset}, and {} follows", if *another { "another dump" } else { "text that is not part of it" })]
    Followed {
        /// Where in the script its dump ends.
        offset: u64,
        /// A dump follows.
        another: bool,
        /// What is around the script, from the outside in, as far as it was told.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        layers: Vec<Kind>,
    },
    /// A tar that was made of a folder: it may be whole, and can't be read forward only.
    #[error(
        "{file} is not where pg_dump --format=tar puts it: the tar was made of a folder, and has to be unpacked first"
    )]
    Packed {
        /// Where in the tar.
        offset: u64,
        /// The first file that is out of order.
        file: String,
    },
    /// The archive is complete, and more bytes follow.
    #[error("bytes follow the archive's end at byte {offset}")]
    TrailingBytes {
        /// Where the archive ended.
        offset: u64,
    },
}

impl Damage {
    /// Whether this is a limit of the reader and says nothing against the bytes: a format of a later PostgreSQL, or more memory
    /// than it takes.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        matches!(
            self,
            Self::UnsupportedVersion { .. }
                | Self::BeyondLimits { .. }
                | Self::ForPsql { .. }
                | Self::Packed { .. }
                | Self::Wrapped { .. }
                | Self::Followed { .. }
        )
    }

    /// What is found where an archive should be.
    pub(crate) fn of_other(found: Kind) -> Self {
        if found.is_wrapper() { Self::Wrapped { found, layers: Vec::new() } } else { Self::NotAnArchive { found } }
    }

    /// The same, of stored bytes of which the first `begin` were left out: where in all of them it is.
    #[must_use]
    pub fn behind(mut self, begin: u64) -> Self {
        if let Self::BadFrame { offset, .. } | Self::Truncated { offset, .. } | Self::BeyondLimits { offset, .. } =
            &mut self
        {
            *offset = offset.saturating_add(begin);
        }
        self
    }

    /// The same, of content that is inside of these: what has to be taken off first, from the outside in.
    #[must_use]
    pub fn inside(mut self, outer: &[Kind]) -> Self {
        if let Self::ForPsql { layers, .. } | Self::Wrapped { layers, .. } | Self::Followed { layers, .. } = &mut self {
            *layers = outer.to_vec();
        }
        self
    }
}

/// ` in gzip`, and what is around that.
fn around(layers: &[Kind]) -> String {
    layers.iter().rev().map(|layer| format!(" in {layer}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_of_a_part_is_said_by_its_place_in_the_whole() {
        let frame = Damage::BadFrame { offset: 5, reason: "its checksum is wrong".into() };
        assert!(frame.behind(1_000).to_string().contains("stored byte 1005"));
        assert_eq!(Damage::TrailingBytes { offset: 5 }.behind(1_000), Damage::TrailingBytes { offset: 5 });
    }
}
