//! What stored bytes are, told by their content: names and extensions lie, the first bytes seldom do.

mod sql;
mod wrapper;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::wrapper::Wrapper;

/// Bytes of a stream's head that [`sniff`] wants to see: a tar's mark stands at 257, a comment may precede SQL.
pub const SNIFF_LEN: usize = 512;

/// What a stream of bytes looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `PGDMP`: what `pg_dump -Fc` writes (and the `toc.dat` of its directory and tar formats).
    CustomArchive,
    /// A gzip member (RFC 1952).
    Gzip,
    /// A zstd frame, or a skippable one (RFC 8878).
    Zstd,
    /// An age file, binary or armored.
    Age,
    /// SQL as text, for instance of `pg_dump -Fp`.
    PlainSql,
    /// A tar file, for instance of `pg_dump -Ft`.
    Tar,
    /// No byte at all.
    Empty,
    /// None of these.
    Unknown,
    /// Something that holds a dump, perhaps, and isn't unwrapped here.
    #[serde(untagged)]
    Wrapped(Wrapper),
}

impl Kind {
    /// Whether a dump may be within, and has to be taken out first: of compression, encryption, another encoding.
    #[must_use]
    pub fn is_wrapper(self) -> bool {
        matches!(self, Self::Gzip | Self::Zstd | Self::Age | Self::Wrapped(_))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CustomArchive => "a pg_dump custom-format archive",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Age => "an age-encrypted file",
            Self::PlainSql => "plain SQL",
            Self::Tar => "a tar file",
            Self::Empty => "no bytes at all",
            Self::Unknown => "unknown content",
            Self::Wrapped(wrapper) => return wrapper.fmt(f),
        })
    }
}

/// Tells the kind from the first [`SNIFF_LEN`] bytes, or from all there are when the stream is shorter.
#[must_use]
pub fn sniff(head: &[u8]) -> Kind {
    match head {
        [] => Kind::Empty,
        [b'P', b'G', b'D', b'M', b'P', ..] => Kind::CustomArchive,
        [0x1f, 0x8b, ..] => Kind::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Kind::Zstd,
        _ if head.starts_with(b"age-encryption.org/") => Kind::Age,
        _ if head.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----") => Kind::Age,
        _ if head.get(257..262) == Some(b"ustar") => Kind::Tar,
        _ if sql::looks_like_sql(head) => Kind::PlainSql,
        _ => wrapper::wrapper(head).map_or(Kind::Unknown, Kind::Wrapped),
    }
}

/// Tells the kind of a stream that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Sniffer {
    head: Vec<u8>,
    kind: Option<Kind>,
}

impl Sniffer {
    /// Of a stream whose kind is known already.
    pub(crate) fn settled(kind: Kind) -> Self {
        Self { head: Vec::new(), kind: Some(kind) }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.kind.is_some() {
            return;
        }
        let missing = SNIFF_LEN - self.head.len();
        self.head.extend(bytes.iter().take(missing));
        let has_magic = matches!(sniff(&self.head), Kind::CustomArchive | Kind::Gzip | Kind::Zstd | Kind::Age);
        if has_magic || self.head.len() == SNIFF_LEN {
            self.end();
        }
    }

    /// The stream has ended; what has been seen must do.
    pub(crate) fn end(&mut self) {
        self.kind.get_or_insert(sniff(&self.head));
    }

    pub(crate) fn kind(&self) -> Option<Kind> {
        self.kind
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tar() -> Vec<u8> {
        let mut head = vec![0; SNIFF_LEN];
        head[..7].copy_from_slice(b"toc.dat");
        head[257..265].copy_from_slice(b"ustar\x0000");
        head
    }

    #[test]
    fn each_kind_is_told_by_its_content() {
        let utf16 = |text: &str| {
            [b"\xff\xfe", text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>().as_slice()].concat()
        };
        let (script, archive) = (utf16("--\r\n-- PostgreSQL database dump\r\n--\r\n"), utf16("PGDMP\u{1}\u{e}"));
        let table: [(&[u8], Kind); 29] = [
            (b"", Kind::Empty),
            (b"PGDMP\x01\x0e\x00", Kind::CustomArchive),
            (b"\x1f\x8b\x08\x00", Kind::Gzip),
            (b"\x28\xb5\x2f\xfd\x04", Kind::Zstd),
            (b"\x50\x2a\x4d\x18\x04\x00\x00\x00", Kind::Zstd),
            (b"age-encryption.org/v1\n-> X25519 ", Kind::Age),
            (b"-----BEGIN AGE ENCRYPTED FILE-----\n", Kind::Age),
            (b"--\n-- PostgreSQL database dump\n--\n", Kind::PlainSql),
            (b"--\n-- PostgreSQL database cluster dump\n--\n", Kind::PlainSql),
            (b"\\restrict abc\nSET x = 1;", Kind::PlainSql),
            (b"\xef\xbb\xbf\r\n-- ours\r\ncreate table x();", Kind::PlainSql),
            (b"BEGIN;", Kind::PlainSql),
            (&tar(), Kind::Tar),
            (b"-- a comment of nobody we know", Kind::Unknown),
            (b"<html>NoSuchKey</html>", Kind::Unknown),
            (b"\xfd7zXZ\x00\x00\x04", Kind::Wrapped(Wrapper::Xz)),
            (b"BZh91AY&SY", Kind::Wrapped(Wrapper::Bzip2)),
            (b"BZh is how a text may begin", Kind::Unknown),
            (b"\x04\x22\x4d\x18\x64", Kind::Wrapped(Wrapper::Lz4)),
            (b"PK\x03\x04\x14", Kind::Wrapped(Wrapper::Zip)),
            (b"7z\xbc\xaf\x27\x1c\x00", Kind::Wrapped(Wrapper::SevenZip)),
            (b"\x1f\x9d\x90", Kind::Wrapped(Wrapper::Compress)),
            (b"-----BEGIN PGP MESSAGE-----\n\n", Kind::Wrapped(Wrapper::Gpg)),
            (b"Salted__12345678", Kind::Wrapped(Wrapper::OpenSsl)),
            (b"pg_dump: last built-in OID is 16383\n", Kind::Wrapped(Wrapper::Messages)),
            (&script, Kind::Wrapped(Wrapper::Utf16)),
            (&script[2..], Kind::Wrapped(Wrapper::Utf16)),
            (&archive, Kind::Unknown),
            (b"\xff\xfe", Kind::Unknown),
        ];
        for (head, kind) in table {
            assert_eq!(sniff(head), kind, "{}", String::from_utf8_lossy(head));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_kind(head in proptest::collection::vec(any::<u8>(), 0..SNIFF_LEN)) {
            prop_assert_eq!(sniff(&head) == Kind::Empty, head.is_empty());
        }
    }
}
