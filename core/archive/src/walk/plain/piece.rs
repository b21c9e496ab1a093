//! The parts that a script is cut into.

use super::super::values::Stop;

/// A part of a script.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A comment line without its dashes, where no statement has begun.
    Comment(&'a str),
    /// A whole statement with its semicolon, and whatever white space is before it.
    Statement(&'a [u8]),
    /// A part of an INSERT, which may be of any length; whether it is the first.
    Inserting(&'a [u8], bool),
    /// A statement that rows follow.
    Copy(&'a [u8]),
    /// Rows, of which the last may go on in the next piece.
    Rows(&'a [u8]),
    RowsEnd,
    /// A command of psql's own, with its backslash.
    Command(&'a str),
}

/// Takes a piece, and where in the script it ends.
pub(super) type Sink<'a> = dyn FnMut(Piece<'_>, u64) -> Result<(), Stop> + 'a;
