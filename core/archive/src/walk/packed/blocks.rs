//! The parts of a data block, of which each file is one.

use super::super::writing;
use super::contents::PackedFile;

/// The beginning of a table's block.
#[must_use]
pub fn table_begins(file: &PackedFile) -> Vec<u8> {
    let mut out = Vec::new();
    writing::table(&mut out, file.dump_id);
    out
}

/// The beginning of a block of large objects.
#[must_use]
pub fn large_objects_begin(file: &PackedFile) -> Vec<u8> {
    let mut out = Vec::new();
    writing::large_objects(&mut out, file.dump_id);
    out
}

/// The beginning of one large object.
#[must_use]
pub fn large_object_begins(oid: u32) -> Vec<u8> {
    let mut out = Vec::new();
    // The number is an unsigned one, written as a signed one.
    writing::int(&mut out, oid.cast_signed());
    out
}

/// Content, as chunks.
#[must_use]
pub fn content(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 16);
    writing::chunks(&mut out, bytes);
    out
}

/// The end of a table, of a large object, or of all of a block's.
#[must_use]
pub fn ends() -> Vec<u8> {
    let mut out = Vec::new();
    writing::end(&mut out);
    out
}

/// The large objects of a list, and the file of each: `16389 blob_16389.dat`.
#[must_use]
pub fn listed_objects(list: &[u8]) -> Option<Vec<(u32, String)>> {
    let text = std::str::from_utf8(list).ok()?;
    let line = |line: &str| {
        let (oid, file) = line.split_once(' ')?;
        Some((oid.parse().ok()?, file.trim().to_owned()))
    };
    text.lines().map(line).collect()
}
