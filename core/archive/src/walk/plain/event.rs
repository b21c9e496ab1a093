//! What a script says, part by part.

use super::super::values::Stop;
use super::heading::Heading;
use super::statement::Said;

/// What the script says next.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// An object begins; what it says follows.
    Object(&'a Heading),
    /// A statement of the object's own.
    Sql(&'a [u8]),
    /// Something that holds for what follows, or for the object.
    Said(Said),
    /// Rows of a table begin: its schema and name, and the COPY, if it is one.
    Table(&'a str, &'a str, Option<&'a [u8]>),
    /// Rows as COPY has them, or SQL.
    Rows(&'a [u8]),
    TableEnd,
    /// Large objects begin, of which each may come in pieces.
    LargeObjects,
    LargeObject(u32),
    Content(&'a [u8]),
    LargeObjectEnd,
    LargeObjectsEnd,
}

/// Takes an event.
pub(super) type Listener<'a> = dyn FnMut(Event<'_>) -> Result<(), Stop> + 'a;
