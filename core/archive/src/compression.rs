//! How an archive's frames are compressed, in the words of settings, manifests and people.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The compression around a dump's bytes in storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Independent gzip members (RFC 1952), which `gunzip` and `zcat` read.
    #[default]
    Gzip,
    /// Independent zstd frames (RFC 8878), which `zstd -d` reads.
    Zstd,
    /// The dump's bytes as they are.
    None,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::None => "none",
        })
    }
}

/// The text names no compression that Lastgood knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown compression `{0}`: gzip, zstd or none")]
pub struct UnknownCompression(String);

impl FromStr for Compression {
    type Err = UnknownCompression;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            "none" => Ok(Self::None),
            _ => Err(UnknownCompression(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compression_is_read_back_from_its_name_and_from_json() {
        for compression in [Compression::Gzip, Compression::Zstd, Compression::None] {
            let name = compression.to_string();
            assert_eq!(name.parse(), Ok(compression));
            assert_eq!(serde_json::to_string(&compression).unwrap(), format!("\"{name}\""));
        }
    }

    #[test]
    fn an_unknown_compression_is_refused_with_the_known_ones() {
        let error = "lzma".parse::<Compression>().unwrap_err();
        assert_eq!(error.to_string(), "unknown compression `lzma`: gzip, zstd or none");
    }
}
