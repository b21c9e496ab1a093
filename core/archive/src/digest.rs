//! The digest of stored bytes: their length and MD5, on which S3's ETag and everybody's `md5sum` agree, and beside
//! them CRC64NVME, S3's checksum of a whole object. A digester's state can be saved in the middle of a stream.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crc_fast::CrcAlgorithm::Crc64Nvme;
use md5::Digest as _;
use md5::digest::common::hazmat::{SerializableState as _, SerializedState};
use serde::{Deserialize, Serialize};

mod reader;

pub use reader::DigestReader;

/// What identifies stored bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Length in bytes.
    pub size: u64,
    /// MD5, hexadecimal in text.
    pub md5: Md5,
    /// CRC64NVME, in text as S3 writes it.
    pub crc64nvme: Crc64,
}

/// An MD5 sum. Its text is the 32 lower-case hexadecimal digits of `md5sum`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Md5(pub [u8; 16]);

/// A CRC64NVME. Its text is the base64 of its 8 big-endian bytes, as in S3's `x-amz-checksum-crc64nvme`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Crc64(pub u64);

/// Takes a [`Digest`] of bytes as they go by. Serializes as its state in the middle of the stream.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "SavedDigester", into = "SavedDigester")]
pub struct Digester {
    size: u64,
    md5: md5::Md5,
    crc64nvme: crc_fast::Digest,
}

/// A text that is no such digest, or a saved state that can't be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDigest {
    /// Not 32 hexadecimal digits.
    #[error("`{0}` is not an MD5 of 32 hexadecimal digits")]
    Md5(String),
    /// Not the base64 of 8 bytes.
    #[error("`{0}` is not a CRC64NVME: base64 of 8 bytes")]
    Crc64(String),
    /// A saved digester whose MD5 state doesn't decode.
    #[error("the saved state of a digest is not one")]
    State,
}

impl Digester {
    /// A digester that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self { size: 0, md5: md5::Md5::new(), crc64nvme: crc_fast::Digest::new(Crc64Nvme) }
    }

    /// Takes the next bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.md5.update(bytes);
        self.crc64nvme.update(bytes);
    }

    /// Bytes taken in so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest of all bytes taken in.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest { size: self.size, md5: Md5(self.md5.finalize().into()), crc64nvme: Crc64(self.crc64nvme.finalize()) }
    }
}

impl Default for Digester {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digester").field("size", &self.size).finish_non_exhaustive()
    }
}

/// A digester's state as JSON holds it.
#[derive(Serialize, Deserialize)]
struct SavedDigester {
    size: u64,
    /// The md-5 crate's state, hexadecimal.
    md5: String,
    crc64nvme: Crc64,
}

impl From<Digester> for SavedDigester {
    fn from(digester: Digester) -> Self {
        Self {
            size: digester.size,
            md5: hex::encode(digester.md5.serialize()),
            crc64nvme: Crc64(digester.crc64nvme.get_state()),
        }
    }
}

impl TryFrom<SavedDigester> for Digester {
    type Error = BadDigest;

    fn try_from(saved: SavedDigester) -> Result<Self, Self::Error> {
        let mut state = SerializedState::<md5::Md5>::default();
        hex::decode_to_slice(&saved.md5, &mut state).map_err(|_| BadDigest::State)?;
        Ok(Self {
            size: saved.size,
            md5: md5::Md5::deserialize(&state).map_err(|_| BadDigest::State)?,
            crc64nvme: crc_fast::Digest::new_with_init_state(Crc64Nvme, saved.crc64nvme.0),
        })
    }
}

impl fmt::Display for Md5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Display for Crc64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(self.0.to_be_bytes()))
    }
}

impl fmt::Debug for Md5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Md5({self})")
    }
}

impl fmt::Debug for Crc64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crc64({self})")
    }
}

impl FromStr for Md5 {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut sum = [0; 16];
        hex::decode_to_slice(text, &mut sum).map_err(|_| BadDigest::Md5(text.to_owned()))?;
        Ok(Self(sum))
    }
}

impl FromStr for Crc64 {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadDigest::Crc64(text.to_owned());
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| bad())?;
        Ok(Self(u64::from_be_bytes(bytes.try_into().map_err(|_| bad())?)))
    }
}

impl TryFrom<String> for Md5 {
    type Error = BadDigest;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl TryFrom<String> for Crc64 {
    type Error = BadDigest;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Md5> for String {
    fn from(md5: Md5) -> Self {
        md5.to_string()
    }
}

impl From<Crc64> for String {
    fn from(crc: Crc64) -> Self {
        crc.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn digest(bytes: &[u8]) -> Digest {
        let mut digester = Digester::new();
        digester.update(bytes);
        digester.finish()
    }

    /// `md5sum` of the check string, and the check value of CRC-64/NVME in the catalogue of parametrised CRCs.
    #[test]
    fn the_known_sums_of_the_check_string() {
        let digest = digest(b"123456789");
        assert_eq!(digest.size, 9);
        assert_eq!(digest.md5.to_string(), "25f9e794323b453885f5181f1b624d0b");
        assert_eq!(digest.crc64nvme, Crc64(0xae8b_1486_0a79_9888));
        assert_eq!(digest.crc64nvme.to_string(), "rosUhgp5mIg=");
    }

    #[test]
    fn json_holds_hex_and_base64() {
        let json = serde_json::to_string(&digest(b"123456789")).unwrap();
        assert_eq!(json, r#"{"size":9,"md5":"25f9e794323b453885f5181f1b624d0b","crc64nvme":"rosUhgp5mIg="}"#);
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest(b"123456789"));
    }

    #[test]
    fn texts_that_are_no_digest_are_refused() {
        for text in ["", "25f9", "25f9e794323b453885f5181f1b624d0g", "rosUhgp5mIg", "rosUhgp5mIg=="] {
            assert!(text.parse::<Md5>().is_err(), "{text}");
            assert!(text.parse::<Crc64>().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Digester>(r#"{"size":9,"md5":"00","crc64nvme":"rosUhgp5mIg="}"#).is_err());
    }

    proptest! {
        #[test]
        fn a_digester_saved_anywhere_goes_on_as_if_never_stopped(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            cut in any::<prop::sample::Index>(),
        ) {
            let (before, after) = bytes.split_at(cut.index(bytes.len() + 1));
            let mut digester = Digester::new();
            digester.update(before);
            let saved = serde_json::to_string(&digester).unwrap();
            let mut digester: Digester = serde_json::from_str(&saved).unwrap();
            digester.update(after);
            prop_assert_eq!(digester.finish(), digest(&bytes));
        }
    }
}
