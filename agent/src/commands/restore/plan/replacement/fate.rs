//! What happens to an object of the live database that the archive has as well.

use ::archive::Entry;
use postgres::database::objects::Object;

use crate::commands::restore::head;

/// `pg_class`, whose OID is the same on every server.
pub(super) const RELATIONS: u32 = 1259;
/// `pg_namespace`.
pub(super) const SCHEMAS: u32 = 2615;
/// `pg_publication`.
pub(super) const PUBLICATIONS: u32 = 6104;

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is dropped, and the archive makes it again.
    Dropped,
    /// It stays as it is.
    Kept,
    /// It stays as it is, because the role may not drop it, or could not make it again.
    Foreign,
    /// It would have to be dropped, and the role may not.
    Blocking,
}

/// By itself, whatever hangs on it.
pub(super) fn alone(object: &Object) -> Fate {
    let is_replaceable = object.droppable && object.made_by_us;
    match object.kind.as_str() {
        "EXTENSION" => Fate::Kept,
        // It is in every database, with privileges of its own.
        "SCHEMA" if object.name == "public" && object.is_ours => Fate::Kept,
        "SCHEMA" if object.is_ours && !is_replaceable => Fate::Kept,
        "SCHEMA" if object.name == "public" => Fate::Foreign,
        // Their rows have to be replaced.
        "TABLE" | "VIEW" | "MATERIALIZED VIEW" | "SEQUENCE" | "FOREIGN TABLE" if !object.is_ours => Fate::Blocking,
        _ if is_replaceable => Fate::Dropped,
        _ => Fate::Foreign,
    }
}

/// The entry makes nothing, and gives the schema `public`, which is there already, to the owner that it had: who gives a schema away
/// must own it, and may create one.
pub(super) fn gives_public_away(object: &Object, entry: &Entry) -> bool {
    let is_public = object.kind == "SCHEMA" && object.name == "public" && !head::creates_schema(entry);
    is_public && object.is_ours && (object.made_by_us || object.owner == entry.owner)
}
