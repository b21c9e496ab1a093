//! COPY's text format ("COPY", "Text Format" in PostgreSQL's documentation): a row a line, fields apart by tabs, `\N` for NULL, and
//! a backslash before what would be mistaken.

use std::borrow::Cow;
use std::ops::ControlFlow;

use memchr::{memchr, memchr_iter};
use sha2::{Digest, Sha256};

use crate::census::Sha256Hex;

/// The most bytes of a row. PostgreSQL itself holds no value of more than a gigabyte.
pub const LONGEST_ROW: usize = 256 << 20;
/// The line that ends the rows. No row is equal to it: a backslash in a value is written as two.
const END: &[u8] = b"\\.";

/// Why COPY text can't be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// It may be whole; nothing here has room for it.
    #[error("a row is longer than {} MiB", LONGEST_ROW >> 20)]
    TooLong,
    /// What follows the line that ends the rows.
    #[error("more text follows the line `\\.`, where its rows end")]
    Beyond,
    /// The row has other fields than the table has columns.
    #[error("a row has {found} fields, and the table has {columns} columns")]
    Fields {
        /// Fields of the row.
        found: usize,
        /// Columns that the table's COPY names.
        columns: usize,
    },
}

/// Cuts COPY text into rows, wherever its pieces end.
#[derive(Debug, Default)]
pub struct RowReader {
    partial: Vec<u8>,
    ended: bool,
}

impl RowReader {
    /// Hands on each row that ends in the text's next piece, without its newline, until `take` wants no more.
    ///
    /// # Errors
    /// A row that is too long, or text behind the last.
    pub fn feed(
        &mut self,
        mut text: &[u8],
        take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, RowError> {
        while let Some(end) = memchr(b'\n', text) {
            let (line, rest) = text.split_at(end);
            text = rest.split_first().map_or(&[], |(_, rest)| rest);
            if self.ended {
                if !line.is_empty() {
                    return Err(RowError::Beyond);
                }
                continue;
            }
            let whole = if self.partial.is_empty() {
                line
            } else {
                self.keep(line)?;
                self.partial.as_slice()
            };
            if whole == END {
                self.ended = true;
            } else if take(whole).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            self.partial.clear();
        }
        if self.ended && !text.is_empty() {
            return Err(RowError::Beyond);
        }
        self.keep(text)?;
        Ok(ControlFlow::Continue(()))
    }

    /// Whether the line that ends the rows has been read.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether a row has begun and not ended.
    #[must_use]
    pub fn is_within_row(&self) -> bool {
        !self.partial.is_empty()
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), RowError> {
        if self.partial.len() + part.len() > LONGEST_ROW {
            return Err(RowError::TooLong);
        }
        self.partial.extend_from_slice(part);
        Ok(())
    }
}

/// The fields of a row, as they are written. A table without columns has rows without fields.
pub fn fields(row: &[u8], columns: usize) -> Result<Vec<&[u8]>, RowError> {
    if columns == 0 && row.is_empty() {
        return Ok(Vec::new());
    }
    let mut fields = Vec::with_capacity(columns);
    let mut begin = 0;
    for end in memchr_iter(b'\t', row).chain([row.len()]) {
        fields.push(row.get(begin..end).unwrap_or_default());
        begin = end + 1;
    }
    let found = fields.len();
    if found == columns { Ok(fields) } else { Err(RowError::Fields { found, columns }) }
}

/// The field of this number, counted from 0, as it is written.
pub(crate) fn field(row: &[u8], number: usize) -> Option<&[u8]> {
    let mut begin = 0;
    for _ in 0..number {
        begin += memchr(b'\t', row.get(begin..)?)? + 1;
    }
    let rest = row.get(begin..)?;
    rest.get(..memchr(b'\t', rest).unwrap_or(rest.len()))
}

/// The value of a field; `None` for NULL.
#[must_use]
pub fn value(field: &[u8]) -> Option<Cow<'_, [u8]>> {
    if field == b"\\N" { None } else { Some(unescaped(field)) }
}

/// A field without COPY's backslashes.
pub(crate) fn unescaped(field: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr(b'\\', field) else { return Cow::Borrowed(field) };
    let (clean, mut rest) = field.split_at(first);
    let mut value = Vec::with_capacity(field.len());
    value.extend_from_slice(clean);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'\\' {
            let (byte, after) = escaped(rest);
            value.push(byte);
            rest = after;
        } else {
            let plain = memchr(b'\\', rest).unwrap_or(rest.len());
            let (more, after) = rest.split_at(plain);
            value.push(byte);
            value.extend_from_slice(more);
            rest = after;
        }
    }
    Cow::Owned(value)
}

/// What stands for the text behind a backslash, and what follows that text.
fn escaped(rest: &[u8]) -> (u8, &[u8]) {
    let Some((&byte, after)) = rest.split_first() else { return (b'\\', rest) };
    match byte {
        b'b' => (0x08, after),
        b'f' => (0x0c, after),
        b'n' => (b'\n', after),
        b'r' => (b'\r', after),
        b't' => (b'\t', after),
        b'v' => (0x0b, after),
        b'0'..=b'7' => number(rest, 8, 3),
        b'x' if after.first().is_some_and(u8::is_ascii_hexdigit) => number(after, 16, 2),
        other => (other, after),
    }
}

/// The byte that up to `most` digits name.
fn number(digits: &[u8], radix: u32, most: usize) -> (u8, &[u8]) {
    let digit = |byte: &u8| char::from(*byte).to_digit(radix);
    let count = digits.iter().take(most).take_while(|byte| digit(byte).is_some()).count();
    let (taken, rest) = digits.split_at(count);
    let value = taken.iter().filter_map(digit).fold(0, |value, digit| value * radix + digit);
    (value.to_le_bytes()[0], rest)
}

/// Counts and digests rows as the census does.
#[derive(Clone, Debug, Default)]
pub struct RowCount {
    rows: u64,
    sha256: Sha256,
}

impl RowCount {
    /// One more row.
    pub fn add(&mut self, row: &[u8]) {
        self.rows += 1;
        self.sha256.update(row);
        self.sha256.update(b"\n");
    }

    /// How many there were, and the digest of their text.
    #[must_use]
    pub fn finish(self) -> (u64, Sha256Hex) {
        (self.rows, Sha256Hex(self.sha256.finalize().into()))
    }
}
