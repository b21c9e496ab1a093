//! What people put their dumps into, and nothing here takes them out of: told by its first bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::sql::looks_like_sql;

/// Something around a dump, or in its way, that other programs take off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wrapper {
    /// An xz stream.
    Xz,
    /// A bzip2 stream.
    Bzip2,
    /// An LZ4 frame, of today or of the old form.
    Lz4,
    /// A zip file.
    Zip,
    /// A 7z file.
    SevenZip,
    /// An lzip file.
    Lzip,
    /// An lzop file.
    Lzop,
    /// What `compress` writes: `.Z`.
    Compress,
    /// What GnuPG encrypted, with letters around it.
    Gpg,
    /// What `openssl enc` encrypted.
    OpenSsl,
    /// Text in UTF-16, as PowerShell's `>` writes it.
    Utf16,
    /// A dump with the messages of pg_dump among its own lines, as after `2>&1`.
    Messages,
}

impl fmt::Display for Wrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Lz4 => "LZ4",
            Self::Zip => "a zip file",
            Self::SevenZip => "a 7z file",
            Self::Lzip => "lzip",
            Self::Lzop => "lzop",
            Self::Compress => "a file of compress (.Z)",
            Self::Gpg => "a file that GnuPG encrypted",
            Self::OpenSsl => "a file that openssl encrypted",
            Self::Utf16 => "text in UTF-16",
            Self::Messages => "a dump with messages of pg_dump in it (2>&1)",
        })
    }
}

/// How each of them begins, but for those that are text.
const BEGINNINGS: [(&[u8], Wrapper); 13] = [
    (b"\xfd7zXZ\x00", Wrapper::Xz),
    (b"\x04\x22\x4d\x18", Wrapper::Lz4),
    (b"\x02\x21\x4c\x18", Wrapper::Lz4),
    (b"PK\x03\x04", Wrapper::Zip),
    (b"7z\xbc\xaf\x27\x1c", Wrapper::SevenZip),
    (b"LZIP", Wrapper::Lzip),
    (b"\x89LZO\x00\x0d\x0a\x1a\x0a", Wrapper::Lzop),
    (b"\x1f\x9d", Wrapper::Compress),
    (b"-----BEGIN PGP MESSAGE-----", Wrapper::Gpg),
    (b"Salted__", Wrapper::OpenSsl),
    (b"pg_dump: ", Wrapper::Messages),
    (b"pg_dumpall: ", Wrapper::Messages),
    (b"pg_restore: ", Wrapper::Messages),
];

/// Tells it from a stream's first bytes.
pub(super) fn wrapper(head: &[u8]) -> Option<Wrapper> {
    let begins = BEGINNINGS.iter().find(|(beginning, _)| head.starts_with(beginning)).map(|(_, wrapper)| *wrapper);
    match head {
        // The number is the size of its blocks; then come pi's digits, or the root's where it holds nothing.
        [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
            if rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17\x72\x45\x38\x50\x90") =>
        {
            Some(Wrapper::Bzip2)
        }
        _ => begins.or_else(|| narrowed(head).filter(|text| looks_like_sql(text)).map(|_| Wrapper::Utf16)),
    }
}

/// Text in UTF-16 as if each of its letters took one byte. What isn't text was no dump any more before somebody made it that: an archive
/// that went through a shell which knows nothing but text.
fn narrowed(head: &[u8]) -> Option<Vec<u8>> {
    let (is_big, text) = match head {
        [0xff, 0xfe, text @ ..] => (false, text),
        [0xfe, 0xff, text @ ..] => (true, text),
        [b'-' | b'\\' | b'S' | b'\r' | b'\n', 0, ..] => (false, head),
        _ => return None,
    };
    let units = text.as_chunks::<2>().0.iter();
    let letters = units.map(|unit| if is_big { u16::from_be_bytes(*unit) } else { u16::from_le_bytes(*unit) });
    Some(letters.map(|letter| u8::try_from(letter).unwrap_or(b'?')).collect())
}
