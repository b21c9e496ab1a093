//! Counting what a data block holds, as its text goes by.

use digest::common::hazmat::{SerializableState, SerializedState};
use memchr::memchr_iter;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

use super::contents::{Content, Counted};
use crate::census::Sha256Hex;

/// The line that ends COPY text. No row is equal to it: a backslash in a value is written as two.
const TERMINATOR: &[u8] = b"\\.\n";

/// Bytes and their digest.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sum {
    pub(super) bytes: u64,
    sha256: ResumableSha256,
}

impl Sum {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.sha256.0.update(bytes);
    }

    /// Adds to the digest alone.
    pub(super) fn prefix(&mut self, bytes: &[u8]) {
        self.sha256.0.update(bytes);
    }

    pub(super) fn finish(self) -> (u64, Sha256Hex) {
        (self.bytes, Sha256Hex(self.sha256.0.finalize().into()))
    }
}

/// The tally of one table's data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Tally {
    Rows(CopyText),
    Statements(Sum),
}

impl Tally {
    pub(super) fn of(content: Content) -> Self {
        match content {
            Content::Rows => Self::Rows(CopyText::default()),
            Content::Statements | Content::LargeObjects => Self::Statements(Sum::default()),
        }
    }

    pub(super) fn add(&mut self, text: &[u8]) -> Result<(), &'static str> {
        match self {
            Self::Rows(copy) => copy.add(text),
            Self::Statements(sum) => {
                sum.add(text);
                Ok(())
            }
        }
    }

    pub(super) fn finish(self) -> Result<Counted, &'static str> {
        let (rows, sum) = match self {
            Self::Rows(copy) if copy.line != Line::Ended => return Err("its rows end without the line `\\.`"),
            Self::Rows(copy) => (Some(copy.rows), copy.sum),
            Self::Statements(sum) => (None, sum),
        };
        let (bytes, sha256) = sum.finish();
        Ok(Counted { rows, bytes, sha256 })
    }
}

/// COPY text: rows, each a line, up to the terminator, behind which pg_dump writes two empty lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct CopyText {
    rows: u64,
    sum: Sum,
    line: Line,
}

/// Where in a line the text so far ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Line {
    /// At its start, but for so many bytes of the terminator, which are held back.
    Start(usize),
    /// Within a row.
    Row,
    /// Behind the terminator.
    Ended,
}

impl Default for Line {
    fn default() -> Self {
        Self::Start(0)
    }
}

impl CopyText {
    fn add(&mut self, mut text: &[u8]) -> Result<(), &'static str> {
        while !text.is_empty() {
            text = match self.line {
                Line::Start(held) => self.start_line(held, text),
                Line::Row => self.run(text),
                Line::Ended if text.iter().all(|&byte| byte == b'\n') => return Ok(()),
                Line::Ended => return Err("more text follows the line `\\.`, where its rows end"),
            };
        }
        Ok(())
    }

    /// Takes the bytes that could be the terminator's.
    fn start_line<'a>(&mut self, held: usize, text: &'a [u8]) -> &'a [u8] {
        match text.split_first() {
            Some((byte, rest)) if TERMINATOR.get(held) == Some(byte) => {
                let held = held + 1;
                self.line = if held == TERMINATOR.len() { Line::Ended } else { Line::Start(held) };
                rest
            }
            _ => {
                self.sum.add(TERMINATOR.get(..held).unwrap_or_default());
                self.line = Line::Row;
                text
            }
        }
    }

    /// Takes whole rows at once, up to a line that begins like the terminator.
    fn run<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        for newline in memchr_iter(b'\n', text) {
            self.rows += 1;
            let Some((taken, rest)) = text.split_at_checked(newline + 1) else { break };
            if rest.starts_with(b"\\.") || rest.len() < 2 {
                self.sum.add(taken);
                self.line = Line::Start(0);
                return rest;
            }
        }
        self.sum.add(text);
        &[]
    }
}

/// SHA-256 whose state can be stored in the middle; it is no secret, being a function of the archive's bytes.
#[derive(Clone, Debug, Default)]
struct ResumableSha256(Sha256);

impl Serialize for ResumableSha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0.serialize()))
    }
}

impl<'de> Deserialize<'de> for ResumableSha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut state = SerializedState::<Sha256>::default();
        hex::decode_to_slice(String::deserialize(deserializer)?, &mut state).map_err(D::Error::custom)?;
        Sha256::deserialize(&state).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(pieces: &[&[u8]]) -> Result<Counted, &'static str> {
        let mut tally = Tally::of(Content::Rows);
        pieces.iter().try_for_each(|piece| tally.add(piece))?;
        tally.finish()
    }

    fn expected(rows: u64, text: &[u8]) -> Counted {
        Counted { rows: Some(rows), bytes: text.len() as u64, sha256: Sha256Hex(Sha256::digest(text).into()) }
    }

    #[test]
    fn rows_are_lines_up_to_the_terminator() {
        let texts: [(u64, &[u8]); 6] = [
            (0, b""),
            (1, b"1\ta\n"),
            (3, b"\n\n\n"),
            (2, b"\\N\t\\N\n\\\\.\n"),
            (3, b"\\.x\n\\\n.\n"),
            (2, b"\xe9\tbyte\n\\.\\n\n"),
        ];
        for (rows, text) in texts {
            let stored = [text, b"\\.\n\n\n"].concat();
            assert_eq!(count(&[&stored]), Ok(expected(rows, text)), "{}", text.escape_ascii());
            let bytes: Vec<&[u8]> = stored.chunks(1).collect();
            assert_eq!(count(&bytes), Ok(expected(rows, text)), "byte by byte: {}", text.escape_ascii());
            for cut in 0..stored.len() {
                let (head, tail) = stored.split_at(cut);
                assert_eq!(count(&[head, tail]), Ok(expected(rows, text)), "cut at {cut}: {}", text.escape_ascii());
            }
        }
    }

    #[test]
    fn text_without_a_terminator_or_behind_it_is_refused() {
        for text in ["", "1\n", "1\n\\.", "1\\.\n", "1\n\\.\n\n\n2\n", "\\.\n\\.\n"] {
            assert!(count(&[text.as_bytes()]).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_stored_digest_goes_on_where_it_was() {
        let (mut straight, mut resumed) = (Sum::default(), Sum::default());
        for piece in [&b"some"[..], &[7; 100], b"", b"text"] {
            straight.add(piece);
            resumed.add(piece);
            resumed = serde_json::from_str(&serde_json::to_string(&resumed).unwrap()).unwrap();
        }
        assert_eq!(straight.finish(), resumed.finish());
    }
}
