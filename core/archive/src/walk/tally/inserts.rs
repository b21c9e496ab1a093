//! INSERT statements, row by row: a value may have lines of its own, and several rows one statement.

use memchr::memchr;
use sha2::{Digest, Sha256};

use super::super::contents::InAnyOrder;
use super::fields::Fields;
use crate::census::Sha256Hex;

/// What comes before the values is kept up to so many bytes: a table has 1,600 columns at most.
const LONGEST_HEAD: usize = 1 << 20;

/// The rows of INSERT statements, and the sum of their digests, which neither their order nor that of named columns changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Inserts {
    at: At,
    /// The kind of quotes that the text so far ends in.
    quote: Option<u8>,
    /// What the statement says outside of rows, so far.
    head: Vec<u8>,
    /// The same of all that stands before its rows, but for the columns' names.
    shape: Sha256Hex,
    row: Fields,
    has_field: bool,
    rows: u64,
    sum: Sha256Hex,
    is_unnamed: bool,
}

/// Where in a statement the text so far ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// Before its rows.
    #[default]
    Head,
    Row,
    /// Behind one.
    Behind,
}

impl Inserts {
    pub(super) fn add(&mut self, mut text: &[u8]) {
        while let Some((byte, after)) = text.split_first() {
            text = match (self.quote, byte) {
                (Some(quote), _) => self.quoted(quote, text),
                // A quote within is doubled: it ends, and begins again.
                (None, b'\'' | b'"') => {
                    self.quote = Some(*byte);
                    self.take(&[*byte]);
                    after
                }
                (None, _) => {
                    self.step(*byte);
                    after
                }
            };
        }
    }

    /// What they come to.
    pub(super) fn finish(mut self) -> InAnyOrder {
        if !self.head.is_empty() {
            self.sum.add(digest(&self.head));
        }
        InAnyOrder { rows: self.rows, sum: self.sum, is_unnamed: self.is_unnamed }
    }

    fn quoted<'a>(&mut self, quote: u8, text: &'a [u8]) -> &'a [u8] {
        let end = memchr(quote, text);
        let (inside, rest) = text.split_at(end.map_or(text.len(), |at| at + 1));
        self.take(inside);
        if end.is_some() {
            self.quote = None;
        }
        rest
    }

    fn take(&mut self, text: &[u8]) {
        if self.at == At::Row {
            self.has_field = true;
            self.row.add_to_field(text);
        } else if self.head.len() < LONGEST_HEAD {
            self.head.extend_from_slice(text);
        }
    }

    /// A byte outside of quotes.
    fn step(&mut self, byte: u8) {
        let is_blank = byte.is_ascii_whitespace();
        match (self.at, byte) {
            (At::Head, b'(') if ends_with_values(&self.head) => {
                let (shape, columns) = apart(&self.head);
                (self.shape, self.at) = (digest(&shape), At::Row);
                self.is_unnamed |= columns.is_empty();
                self.row = Fields::of(columns);
                self.head.clear();
            }
            (At::Head, b';') => {
                // INSERT … DEFAULT VALUES
                self.rows += 1;
                self.sum.add(digest(without_table(&self.head)));
                self.head.clear();
            }
            (At::Row, b',') => self.end_field(),
            (At::Row, b')') => {
                self.end_field();
                let row = self.row.end_fields();
                self.rows += 1;
                self.sum.add(digest(&[self.shape.0, row.0].concat()));
                self.at = At::Behind;
            }
            (At::Row, _) if is_blank && !self.has_field => {}
            (At::Behind, b'(') if self.head.is_empty() => self.at = At::Row,
            (At::Behind, b';') => {
                if !self.head.is_empty() {
                    self.sum.add(digest(&self.head));
                }
                self.head.clear();
                self.at = At::Head;
            }
            (At::Behind, b',') if self.head.is_empty() => {}
            (At::Head | At::Behind, _) if is_blank && self.head.is_empty() => {}
            _ => self.take(&[byte]),
        }
    }

    fn end_field(&mut self) {
        self.row.end_field();
        self.has_field = false;
    }
}

fn digest(bytes: &[u8]) -> Sha256Hex {
    Sha256Hex(Sha256::digest(bytes).into())
}

fn ends_with_values(head: &[u8]) -> bool {
    head.trim_ascii_end().strip_suffix(b"VALUES").is_some_and(|before| before.ends_with(b" "))
}

/// What stands behind `INSERT INTO t`: a partition's rows may be in another one.
fn without_table(head: &[u8]) -> &[u8] {
    let Some(named) = head.strip_prefix(b"INSERT INTO ") else { return head };
    let mut is_quoted = false;
    let end = named.iter().position(|byte| {
        is_quoted ^= *byte == b'"';
        *byte == b' ' && !is_quoted
    });
    end.and_then(|end| named.get(end..)).unwrap_or(head)
}

/// `INSERT INTO t (a, "b, c") OVERRIDING … VALUES` without the table and the names in parentheses, and these.
fn apart(head: &[u8]) -> (Vec<u8>, Vec<String>) {
    let (mut shape, mut names, mut name) = (Vec::new(), Vec::new(), Vec::new());
    let (mut is_quoted, mut is_within) = (false, false);
    for byte in without_table(head).trim_ascii_end() {
        is_quoted ^= *byte == b'"';
        match (byte, is_quoted, is_within) {
            (b'(', false, false) => is_within = true,
            (b',' | b')', false, true) => {
                names.push(String::from_utf8_lossy(std::mem::take(&mut name).trim_ascii()).into_owned());
                is_within = *byte == b',';
            }
            (_, _, true) => name.push(*byte),
            (_, _, false) => shape.push(*byte),
        }
    }
    (shape, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(pieces: &[&[u8]]) -> InAnyOrder {
        let mut inserts = Inserts::default();
        pieces.iter().for_each(|piece| inserts.add(piece));
        inserts.finish()
    }

    #[test]
    fn rows_come_to_the_same_in_any_order_pieces_and_statements() {
        let row = |text: &str| format!("INSERT INTO public.t VALUES ({text});\n");
        let (a, b) = ("1, 'it''s (a),\n;\n\\.', NULL", "-2.5e10, '\\x00', B'101'");
        let one = sum(&[(row(a) + &row(b) + "\n\n").as_bytes()]);
        assert_eq!((one.rows, one.is_unnamed), (2, true));
        assert_eq!(sum(&[(row(b) + &row(a)).as_bytes()]), one);
        let text = row(a) + &row(b);
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(sum(&bytes), one);
        let together = format!("INSERT INTO public.t VALUES\n\t({b}),\n\t({a});\n");
        assert_eq!(sum(&[together.as_bytes()]), one);
    }

    #[test]
    fn lines_that_change_their_rows_are_found() {
        let rows = |a: &str, b: &str| format!("INSERT INTO t VALUES ('{a}');\nINSERT INTO t VALUES ('{b}');\n");
        assert_ne!(sum(&[rows("a\nb", "c\nd").as_bytes()]), sum(&[rows("a\nd", "c\nb").as_bytes()]));
        assert_ne!(sum(&[rows("a", "b\nc").as_bytes()]), sum(&[rows("a\nb", "c").as_bytes()]));
    }

    #[test]
    fn named_columns_may_come_in_another_order_and_values_may_not_change_places() {
        let named = |text: &str| sum(&[format!("INSERT INTO \"a(b\".t {text};\n").as_bytes()]);
        let one = named("(a, \"B, (c\") VALUES (1, 'x')");
        assert_eq!(named("(\"B, (c\", a) VALUES ('x', 1)"), one);
        assert!(!one.is_unnamed);
        assert_ne!(named("(\"B, (c\", a) VALUES (1, 'x')"), one);
        assert_ne!(named("(a, \"B, (d\") VALUES (1, 'x')"), one);
        assert_ne!(named("VALUES (1, 'x')"), named("VALUES ('x', 1)"));
        assert_ne!(named("VALUES ('ab', 'c')"), named("VALUES ('a', 'bc')"));
        assert_eq!(sum(&[b"INSERT INTO s.\"p 1\" VALUES (1);\n"]), sum(&[b"INSERT INTO s.p_2 VALUES (1);\n"]));
        assert_ne!(named("VALUES (1)"), named("OVERRIDING SYSTEM VALUE VALUES (1)"));
        assert_ne!(named("VALUES (1)"), named("VALUES (1) ON CONFLICT DO NOTHING"));
    }

    #[test]
    fn rows_without_columns_are_counted() {
        assert_eq!(sum(&[b"INSERT INTO t DEFAULT VALUES;\nINSERT INTO t DEFAULT VALUES;\n\n\n"]).rows, 2);
        assert_eq!(sum(&[b"\n\n"]), InAnyOrder::default());
        assert_ne!(sum(&[b"half of a stat"]).sum, Sha256Hex::default());
    }
}
