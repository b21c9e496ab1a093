//! The character set of an archive's texts.

use std::borrow::Cow;

/// How bytes of an archive become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8.
    Utf8,
    /// ISO 8859-1, each byte a letter.
    Latin1,
    /// Nothing here makes text of it but for ASCII; it is handed on as it is.
    Other,
}

/// A character set in which a byte of ASCII may be part of another letter, so that neither rows nor quotes can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its texts are in a character set that no PostgreSQL database has")]
pub struct UnknownCharset;

/// Sets that clients alone may use, and pg_dump with `--encoding`.
const CLIENTS_ALONE: [&str; 12] = [
    "BIG5",
    "WIN950",
    "GB18030",
    "GBK",
    "WIN936",
    "JOHAB",
    "SJIS",
    "SHIFT_JIS",
    "SHIFTJIS",
    "SHIFT_JIS_2004",
    "SHIFTJIS2004",
    "UHC",
];

impl Charset {
    /// The one that PostgreSQL calls by this name.
    ///
    /// # Errors
    /// [`UnknownCharset`].
    pub fn of(encoding: &str) -> Result<Self, UnknownCharset> {
        let name = encoding.to_ascii_uppercase();
        match name.as_str() {
            "UTF8" | "UTF-8" | "UNICODE" => Ok(Self::Utf8),
            "LATIN1" | "ISO88591" | "ISO_8859_1" => Ok(Self::Latin1),
            name if CLIENTS_ALONE.contains(&name) => Err(UnknownCharset),
            _ => Ok(Self::Other),
        }
    }

    /// Bytes as text; what is none shows as U+FFFD.
    #[must_use]
    pub fn text(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Latin1 if !bytes.is_ascii() => bytes.iter().map(|byte| char::from(*byte)).collect(),
            _ => String::from_utf8_lossy(bytes),
        }
    }

    /// Text as the archive has it; `None` where it can't say it.
    #[must_use]
    pub fn bytes(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Latin1 => text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect(),
            Self::Utf8 | Self::Other => Some(text.as_bytes().to_vec()),
        }
    }

    /// Bytes in UTF-8, or as they are where nothing here knows better.
    #[must_use]
    pub fn recoded(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Latin1 if !bytes.is_ascii() => Cow::Owned(self.text(bytes).into_owned().into_bytes()),
            _ => Cow::Borrowed(bytes),
        }
    }
}
