//! Counting what a data block holds, as its text goes by.

mod fields;
mod inserts;

use digest::common::hazmat::{SerializableState, SerializedState};
use memchr::memchr_iter;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

use self::fields::Fields;
use self::inserts::Inserts;
use super::contents::{Content, Counted, InAnyOrder};
use crate::census::Sha256Hex;

/// The line that ends COPY text. No row is equal to it: a backslash in a value is written as two.
const TERMINATOR: &[u8] = b"\\.\n";

/// Bytes and their digest.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sum {
    pub(super) bytes: u64,
    sha256: ResumableSha256,
    /// The rows in any order, where they are asked for.
    #[serde(skip)]
    rows: Option<Box<Rows>>,
}

/// Rows by which tables are compared.
#[derive(Clone, Debug)]
enum Rows {
    /// Of COPY, a line each.
    Lines(Lines),
    Inserts(Inserts),
}

impl Sum {
    /// One that digests each row as well.
    fn comparing(content: Content, columns: Option<&[String]>) -> Self {
        let fields = columns.map(|columns| Fields::of(columns.to_vec()));
        let rows = match content {
            Content::Statements => Rows::Inserts(Inserts::default()),
            Content::Rows | Content::LargeObjects => Rows::Lines(Lines { fields, ..Lines::default() }),
        };
        Self { rows: Some(Box::new(rows)), ..Self::default() }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.sha256.0.update(bytes);
        match self.rows.as_deref_mut() {
            Some(Rows::Lines(lines)) => lines.add(bytes),
            Some(Rows::Inserts(inserts)) => inserts.add(bytes),
            None => {}
        }
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
    /// `compares`: its rows are digested in any order as well, and their fields by the names of `columns`, where those are given.
    pub(super) fn of(content: Content, compares: bool, columns: Option<&[String]>) -> Self {
        let sum = if compares { Sum::comparing(content, columns) } else { Sum::default() };
        match content {
            Content::Rows => Self::Rows(CopyText { sum, ..CopyText::default() }),
            Content::Statements | Content::LargeObjects => Self::Statements(sum),
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
        let (rows, mut sum) = match self {
            Self::Rows(copy) if copy.line != Line::Ended => return Err("its rows end without the line `\\.`"),
            Self::Rows(copy) => (Some(copy.rows), copy.sum),
            Self::Statements(sum) => (None, sum),
        };
        let any_order = sum.rows.take().map(|in_any_order| match *in_any_order {
            Rows::Lines(lines) => InAnyOrder { rows: rows.unwrap_or(0), sum: lines.finish(), is_unnamed: false },
            Rows::Inserts(inserts) => inserts.finish(),
        });
        let (bytes, sha256) = sum.finish();
        Ok(Counted { rows, bytes, sha256, any_order })
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
    /// At its start, with this many bytes of the terminator held back.
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
                if held > 0 {
                    self.sum.add(TERMINATOR.split_at(held).0);
                }
                self.line = Line::Row;
                text
            }
        }
    }

    /// Takes whole rows at once, up to a line that begins like the terminator.
    fn run<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        for newline in memchr_iter(b'\n', text) {
            self.rows += 1;
            let (taken, rest) = text.split_at(newline + 1);
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

/// The sum of each line's SHA-256, modulo 2^256: the same whatever the lines' order.
#[derive(Clone, Debug, Default)]
struct Lines {
    line: Sha256,
    has_begun: bool,
    sum: Sha256Hex,
    /// Where fields may be in another order.
    fields: Option<Fields>,
}

impl Lines {
    fn add(&mut self, text: &[u8]) {
        let Some(fields) = &mut self.fields else { return self.add_lines(text) };
        for part in text.split_inclusive(|byte| *byte == b'\n') {
            match part.strip_suffix(b"\n") {
                Some(rest) => {
                    fields.add(rest);
                    self.sum.add(fields.end_row());
                }
                None => fields.add(part),
            }
        }
    }

    fn add_lines(&mut self, mut text: &[u8]) {
        for newline in memchr_iter(b'\n', text).scan(0, |start, at| Some(at + 1 - std::mem::replace(start, at + 1))) {
            let (line, rest) = text.split_at(newline);
            self.line.update(line);
            self.end();
            text = rest;
        }
        if !text.is_empty() {
            self.line.update(text);
            self.has_begun = true;
        }
    }

    fn end(&mut self) {
        self.sum.add(Sha256Hex(self.line.finalize_reset().into()));
        self.has_begun = false;
    }

    fn finish(mut self) -> Sha256Hex {
        if self.has_begun {
            self.end();
        }
        self.sum
    }
}

/// SHA-256 whose state can be stored in the middle; it is not a secret, being a function of the archive's bytes.
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
        let mut tally = Tally::of(Content::Rows, false, None);
        pieces.iter().try_for_each(|piece| tally.add(piece))?;
        tally.finish()
    }

    fn expected(rows: u64, text: &[u8]) -> Counted {
        Counted {
            rows: Some(rows),
            bytes: text.len() as u64,
            sha256: Sha256Hex(Sha256::digest(text).into()),
            any_order: None,
        }
    }

    fn in_any_order(content: Content, pieces: &[&[u8]]) -> Option<InAnyOrder> {
        let mut tally = Tally::of(content, true, None);
        pieces.iter().for_each(|piece| tally.add(piece).unwrap());
        tally.finish().unwrap().any_order
    }

    #[test]
    fn the_same_rows_come_to_the_same_in_any_order_and_any_pieces() {
        let rows = |text: &[u8]| in_any_order(Content::Rows, &[text, b"\\.\n\n\n"]);
        let one = rows(b"1\ta\n2\tb\n2\tb\n\\\\.\n");
        assert_eq!(rows(b"\\\\.\n2\tb\n1\ta\n2\tb\n"), one);
        let bytes: Vec<&[u8]> = b"2\tb\n1\ta\n2\tb\n\\\\.\n\\.\n".chunks(1).collect();
        assert_eq!(in_any_order(Content::Rows, &bytes), one);
        for other in [&b"1\ta\n2\tb\n\\\\.\n"[..], b"1\tb\n2\ta\n2\tb\n\\\\.\n", b"1\ta\n2\tb\n2\tb\n\\\\.\n\n"] {
            assert_ne!(rows(other), one, "{}", other.escape_ascii());
        }
        let inserts = |text: &[u8]| in_any_order(Content::Statements, &[text]);
        let two = inserts(b"INSERT INTO t VALUES ('a\nb');\nINSERT INTO t VALUES (2);\n\n\n");
        assert_eq!((two, two.map(|two| two.rows)), (inserts(b"INSERT INTO t VALUES\n\t(2),\n\t('a\nb');\n"), Some(2)));
        assert_eq!(rows(b""), Some(InAnyOrder::default()));
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
    fn rows_come_to_the_same_with_their_columns_in_any_order() {
        let sum = |columns: &[&str], text: &[u8], size: usize| {
            let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
            let mut tally = Tally::of(Content::Rows, true, Some(&columns));
            text.chunks(size).for_each(|piece| tally.add(piece).unwrap());
            tally.finish().unwrap().any_order
        };
        let one = sum(&["a", "b"], b"1\tx\n2\t\n\\.\n", 100);
        assert_eq!(sum(&["b", "a"], b"\t2\nx\t1\n\\.\n", 1), one);
        assert_eq!(sum(&["a", "b"], b"2\t\n1\tx\n\\.\n", 3), one);
        assert_ne!(sum(&["b", "a"], b"1\tx\n2\t\n\\.\n", 100), one);
        assert_ne!(sum(&["a", "b"], b"1\t\n2\tx\n\\.\n", 100), one, "fields of other rows");
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
