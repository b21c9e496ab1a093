//! Cuts a script into comments, statements, psql's commands and rows of COPY, as its bytes come in.

use memchr::{memchr, memchr_iter, memchr2};
use serde::{Deserialize, Serialize};

use super::super::values::Stop;
use super::piece::{Piece, Sink};
use super::statement::{first_word, is_copy_from_stdin};
use crate::damage::Damage;
use crate::names::is_word;

/// Most bytes of one statement outside of the rows, and of one comment or command that is looked at.
const LONGEST_STATEMENT: usize = 64 << 20;
const LONGEST_COMMENT: usize = 64 << 10;
/// What is held back of a statement that flows: an escape, a comment or a tag is told by what stands before it.
const HELD_BACK: usize = 4;
/// What a script may end in the middle of, where it is whole before.
pub(super) const COMMAND: &str = "a command";
const TERMINATOR: &[u8] = b"\\.\n";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lexer {
    pub(super) position: u64,
    place: Place,
    /// The statement so far, without comments.
    statement: Vec<u8>,
    parentheses: u32,
    /// The statement's beginning has been given away.
    flows: bool,
    comment: Vec<u8>,
    /// A backslash escapes in every string: `standard_conforming_strings` is off.
    escapes: bool,
    /// Where the last comment or command outside of a statement ended.
    #[serde(default)]
    pub(super) line_end: u64,
    /// Lines end with CR and LF; not known before the first line's end.
    crlf: Option<bool>,
    held_cr: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    Plain,
    String {
        escapes: bool,
        escaped: bool,
    },
    Identifier,
    /// After a dollar sign: the tag so far.
    Tag(Vec<u8>),
    /// In a dollar-quoted string with this delimiter, of which so many bytes have just been seen.
    Dollar {
        delimiter: Vec<u8>,
        seen: usize,
    },
    Comment,
    /// In a block comment, so deep; the last byte.
    Block {
        depth: u32,
        last: u8,
    },
    Command,
    /// Behind the semicolon of a COPY, up to the line's end.
    BeforeRows,
    /// At a line's start, with this many bytes of the terminator held back.
    RowStart(usize),
    Row,
}

impl Lexer {
    pub(super) fn new() -> Self {
        Self {
            position: 0,
            place: Place::Plain,
            statement: Vec::new(),
            parentheses: 0,
            flows: false,
            comment: Vec::new(),
            escapes: false,
            line_end: 0,
            crlf: None,
            held_cr: false,
        }
    }

    /// Reads all of `bytes`.
    pub(super) fn feed(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), Stop> {
        let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf").filter(|_| self.position == 0) {
            Some(rest) => {
                self.position += 3;
                rest
            }
            None => bytes,
        };
        if self.crlf.is_none() {
            self.crlf = memchr(b'\n', bytes).map(|at| at > 0 && bytes.get(at - 1) == Some(&b'\r'));
        }
        if self.crlf != Some(true) {
            return self.read(bytes, sink);
        }
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            if std::mem::take(&mut self.held_cr) {
                match line {
                    b"\n" => self.position += 1,
                    _ => self.read(b"\r", sink)?,
                }
            }
            match line {
                [text @ .., b'\r', b'\n'] => {
                    self.read(text, sink)?;
                    self.read(b"\n", sink)?;
                    self.position += 1;
                }
                [text @ .., b'\r'] => {
                    self.held_cr = true;
                    self.read(text, sink)?;
                }
                text => self.read(text, sink)?,
            }
        }
        Ok(())
    }

    /// The script ends here: what it was in the middle of, if it may not end there.
    pub(super) fn finish(&mut self, sink: &mut Sink<'_>) -> Result<Option<&'static str>, Stop> {
        match self.place {
            Place::RowStart(2) => {
                self.place = Place::Plain;
                sink(Piece::RowsEnd, self.position)?;
            }
            Place::RowStart(_) | Place::Row | Place::BeforeRows => return Ok(Some("rows")),
            Place::Comment => self.end_comment(self.position, sink)?,
            Place::Command => return Ok(Some(COMMAND)),
            Place::Plain => {}
            _ => return Ok(Some("a statement")),
        }
        // One dash may be half of those of a comment.
        let is_open = self.in_statement() && self.statement.trim_ascii() != b"-";
        Ok(is_open.then_some("a statement"))
    }

    fn in_statement(&self) -> bool {
        self.flows || !self.statement.trim_ascii().is_empty()
    }

    fn read(&mut self, mut bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), Stop> {
        while let Some(&first) = bytes.first() {
            let taken = match &mut self.place {
                Place::Row | Place::RowStart(_) => self.read_rows(bytes, sink)?,
                Place::Plain => {
                    self.plain(first, sink)?;
                    1
                }
                Place::BeforeRows => {
                    if first == b'\n' {
                        self.place = Place::RowStart(0);
                    }
                    1
                }
                Place::Tag(tag) if first != b'$' && !continues_tag(tag, first) => {
                    // A parameter, or no tag at all.
                    self.place = Place::Plain;
                    self.plain(first, sink)?;
                    1
                }
                Place::Comment | Place::Command => {
                    let is_apart = !self.in_statement();
                    let length = self.read_line(bytes, sink)?;
                    if is_apart && self.place == Place::Plain {
                        self.line_end = self.position + length as u64;
                    }
                    length
                }
                Place::Block { .. } => self.read_block_comment(first),
                _ => self.read_quoted(bytes, first),
            };
            let (done, rest) = bytes.split_at(taken.clamp(1, bytes.len()));
            self.position += done.len() as u64;
            bytes = rest;
            self.flow(sink)?;
        }
        Ok(())
    }

    /// One byte where nothing is quoted.
    fn plain(&mut self, byte: u8, sink: &mut Sink<'_>) -> Result<(), Stop> {
        let before = self.statement.as_slice();
        match (byte, before) {
            (b'\'', _) => {
                let prefixed =
                    matches!(before, [.., other, b'e' | b'E'] if !is_word(*other)) || matches!(before, [b'e' | b'E']);
                self.place = Place::String { escapes: prefixed || self.escapes, escaped: false };
            }
            (b'"', _) => self.place = Place::Identifier,
            (b'$', _) if !before.last().is_some_and(|&last| is_word(last)) => self.place = Place::Tag(Vec::new()),
            (b'-', [.., b'-']) => {
                self.statement.pop();
                self.place = Place::Comment;
                return Ok(());
            }
            (b'*', [.., b'/']) => {
                self.statement.pop();
                self.place = Place::Block { depth: 1, last: 0 };
                return Ok(());
            }
            (b'\\', _) => {
                self.place = Place::Command;
                return Ok(());
            }
            (b'(', _) => self.parentheses += 1,
            (b')', _) => self.parentheses = self.parentheses.saturating_sub(1),
            (b';', _) if self.parentheses == 0 => {
                self.statement.push(b';');
                return self.end_statement(sink);
            }
            _ => {}
        }
        self.statement.push(byte);
        Ok(())
    }

    fn end_statement(&mut self, sink: &mut Sink<'_>) -> Result<(), Stop> {
        let statement = std::mem::take(&mut self.statement);
        let end = self.position + 1;
        if let Some(value) = statement.trim_ascii_start().strip_prefix(b"SET standard_conforming_strings = ") {
            self.escapes = value.trim_ascii().starts_with(b"off") || value.trim_ascii().starts_with(b"'off'");
        }
        if std::mem::take(&mut self.flows) {
            return sink(Piece::Inserting(&statement, false), end);
        }
        if is_copy_from_stdin(&statement) {
            self.place = Place::BeforeRows;
            return sink(Piece::Copy(&statement), end);
        }
        sink(Piece::Statement(&statement), end)
    }

    /// Gives away what has come of an INSERT.
    fn flow(&mut self, sink: &mut Sink<'_>) -> Result<(), Stop> {
        if self.statement.len() < (32 << 10) && !self.flows || self.statement.len() < 2 * HELD_BACK {
            return Ok(());
        }
        if self.flows || first_word(&self.statement).eq_ignore_ascii_case(b"INSERT") {
            if self.flows && self.statement.len() < (32 << 10) {
                return Ok(());
            }
            let is_first = !std::mem::replace(&mut self.flows, true);
            let rest = self.statement.split_off(self.statement.len() - HELD_BACK);
            let given = std::mem::replace(&mut self.statement, rest);
            return sink(Piece::Inserting(&given, is_first), self.position);
        }
        if self.statement.len() > LONGEST_STATEMENT {
            let reason = format!("it has a statement of more than {} MiB", LONGEST_STATEMENT >> 20);
            return Err(Stop::Found(Damage::BeyondLimits { offset: self.position, reason }));
        }
        Ok(())
    }

    /// A comment or a command goes to the line's end.
    fn read_line(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<usize, Stop> {
        let end = memchr(b'\n', bytes);
        let (line, _) = bytes.split_at(end.unwrap_or(bytes.len()));
        let room = LONGEST_COMMENT.saturating_sub(self.comment.len());
        self.comment.extend(line.iter().take(room));
        if end.is_none() {
            return Ok(line.len());
        }
        let end = self.position + line.len() as u64;
        match self.place {
            Place::Command => self.end_command(end, sink)?,
            _ => self.end_comment(end, sink)?,
        }
        Ok(line.len())
    }

    fn end_comment(&mut self, end: u64, sink: &mut Sink<'_>) -> Result<(), Stop> {
        self.place = Place::Plain;
        let comment = std::mem::take(&mut self.comment);
        if self.in_statement() {
            return Ok(());
        }
        self.statement.clear();
        sink(Piece::Comment(String::from_utf8_lossy(&comment).trim()), end)
    }

    fn end_command(&mut self, end: u64, sink: &mut Sink<'_>) -> Result<(), Stop> {
        self.place = Place::Plain;
        let command = std::mem::take(&mut self.comment);
        let command = format!("\\{}", String::from_utf8_lossy(&command).trim_end());
        sink(Piece::Command(&command), end)
    }

    fn read_block_comment(&mut self, byte: u8) -> usize {
        let Place::Block { depth, last } = &mut self.place else { return 1 };
        match (*last, byte) {
            (b'/', b'*') => (*depth, *last) = (*depth + 1, 0),
            (b'*', b'/') => (*depth, *last) = (*depth - 1, 0),
            _ => *last = byte,
        }
        if *depth == 0 {
            self.statement.push(b' ');
            self.place = Place::Plain;
        }
        1
    }

    /// Within quotes of some kind; says how many bytes that were.
    fn read_quoted(&mut self, bytes: &[u8], first: u8) -> usize {
        let taken = match &mut self.place {
            Place::String { escapes, escaped } => {
                if std::mem::take(escaped) {
                    1
                } else if first == b'\'' {
                    self.place = Place::Plain;
                    1
                } else if first == b'\\' && *escapes {
                    *escaped = true;
                    1
                } else {
                    memchr2(b'\'', b'\\', bytes).unwrap_or(bytes.len()).max(1)
                }
            }
            Place::Tag(tag) => {
                match first {
                    b'$' => {
                        let delimiter = [b"$", tag.as_slice(), b"$"].concat();
                        self.place = Place::Dollar { delimiter, seen: 0 };
                    }
                    _ => tag.push(first),
                }
                1
            }
            Place::Dollar { delimiter, seen } => match memchr(b'$', bytes) {
                Some(0) | None if *seen == 0 && first != b'$' => bytes.len(),
                Some(at) if *seen == 0 && at > 0 => at,
                _ => {
                    *seen = match delimiter.get(*seen) {
                        Some(expected) if *expected == first => *seen + 1,
                        _ => usize::from(first == b'$'),
                    };
                    if *seen == delimiter.len() {
                        self.place = Place::Plain;
                    }
                    1
                }
            },
            _ => {
                if first == b'"' {
                    self.place = Place::Plain;
                }
                1
            }
        };
        self.statement.extend(bytes.iter().take(taken));
        taken
    }

    /// Rows, up to the terminator or as far as they have come; says how many bytes that were.
    fn read_rows(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<usize, Stop> {
        if let Place::RowStart(held) = self.place {
            let matching =
                bytes.iter().zip(TERMINATOR.iter().skip(held)).take_while(|(byte, expected)| byte == expected).count();
            if held + matching == TERMINATOR.len() {
                self.place = Place::Plain;
                sink(Piece::RowsEnd, self.position + matching as u64)?;
                return Ok(matching);
            }
            if matching == bytes.len() {
                self.place = Place::RowStart(held + matching);
                return Ok(matching);
            }
            self.place = Place::Row;
            if held > 0 {
                sink(Piece::Rows(TERMINATOR.split_at(held).0), self.position)?;
            }
        }
        let mut end = bytes.len();
        for newline in memchr_iter(b'\n', bytes) {
            let rest = bytes.split_at(newline + 1).1;
            if rest.is_empty() || rest.starts_with(b"\\") {
                end = newline + 1;
                self.place = Place::RowStart(0);
                break;
            }
        }
        sink(Piece::Rows(bytes.split_at(end).0), self.position + end as u64)?;
        Ok(end)
    }
}

/// A tag is a word that doesn't begin with a digit; no name is longer than this.
fn continues_tag(tag: &[u8], byte: u8) -> bool {
    is_word(byte) && tag.len() < 1000 && !(tag.is_empty() && byte.is_ascii_digit())
}
