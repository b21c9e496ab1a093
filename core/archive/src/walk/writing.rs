//! Writing the format that the walk reads: an archive made of what came in another form.

/// Bytes of an integer and of an offset in what is written here.
const INT_SIZE: u8 = 4;
const OFFSET_SIZE: u8 = 8;
/// Most bytes of one chunk.
pub(crate) const CHUNK: usize = 256 << 10;
/// `BLK_DATA` and `BLK_BLOBS`, the types of a block.
pub(crate) const TABLE_BLOCK: u8 = 1;
pub(crate) const LARGE_OBJECTS_BLOCK: u8 = 3;
/// The newest version that every pg_restore of 12 and newer reads.
const VERSION: [u8; 3] = [1, 14, 0];

/// Sections of an archive, as PostgreSQL's `teSection` numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    /// Wherever it stands.
    None = 1,
    Definitions = 2,
    Data = 3,
    Finish = 4,
}

/// One entry of a table of contents to be.
#[derive(Clone, Debug)]
pub(super) struct NewEntry {
    pub(super) dump_id: i32,
    pub(super) has_data: bool,
    pub(super) tag: String,
    pub(super) kind: String,
    pub(super) section: Section,
    pub(super) definition: Vec<u8>,
    pub(super) drop: String,
    pub(super) copy: Option<Vec<u8>>,
    pub(super) schema: Option<String>,
    /// Schema and name in the archive's character set, where that isn't UTF-8 and they are known.
    pub(super) raw: Option<(Option<Vec<u8>>, Vec<u8>)>,
    pub(super) tablespace: Option<String>,
    pub(super) access_method: Option<String>,
    pub(super) owner: String,
    pub(super) with_oids: bool,
    pub(super) depends_on: Option<i32>,
}

/// The header of an archive of nothing that is compressed inside.
pub(super) fn header(out: &mut Vec<u8>, database: &str, server_version: &str, tool_version: &str) {
    out.extend(b"PGDMP");
    out.extend(VERSION);
    out.extend([INT_SIZE, OFFSET_SIZE, 1]);
    int(out, 0);
    // Nothing says when it was dumped.
    for part in [0, 0, 0, 1, 0, 70, 0] {
        int(out, part);
    }
    [database, server_version, tool_version].into_iter().for_each(|part| text(out, Some(part.as_bytes())));
}

pub(super) fn entry(out: &mut Vec<u8>, entry: &NewEntry) {
    int(out, entry.dump_id);
    int(out, i32::from(entry.has_data));
    text(out, Some(b"0"));
    text(out, Some(b"0"));
    let (raw_schema, raw_tag) = entry.raw.as_ref().map_or((None, None), |(schema, tag)| (schema.as_deref(), Some(tag)));
    text(out, Some(raw_tag.map_or(entry.tag.as_bytes(), Vec::as_slice)));
    text(out, Some(entry.kind.as_bytes()));
    int(out, entry.section as i32);
    text(out, Some(&entry.definition));
    text(out, Some(entry.drop.as_bytes()));
    text(out, entry.copy.as_deref());
    text(out, raw_schema.or(entry.schema.as_deref().map(str::as_bytes)));
    text(out, entry.tablespace.as_deref().map(str::as_bytes));
    text(out, entry.access_method.as_deref().map(str::as_bytes));
    text(out, Some(entry.owner.as_bytes()));
    text(out, Some(if entry.with_oids { b"true" } else { b"false" }));
    if let Some(other) = entry.depends_on {
        text(out, Some(other.to_string().as_bytes()));
    }
    text(out, None);
    offset_of(out, OFFSET_SIZE, entry.has_data);
}

/// Whether there is data; where is never said.
pub(super) fn offset_of(out: &mut Vec<u8>, size: u8, has_data: bool) {
    out.push(if has_data { 1 } else { 3 });
    out.extend(std::iter::repeat_n(0, usize::from(size)));
}

/// The beginning of a table's block.
pub(crate) fn table(out: &mut Vec<u8>, dump_id: i32) {
    out.push(TABLE_BLOCK);
    int(out, dump_id);
}

/// The beginning of a block of large objects.
pub(crate) fn large_objects(out: &mut Vec<u8>, dump_id: i32) {
    out.push(LARGE_OBJECTS_BLOCK);
    int(out, dump_id);
}

/// Bytes of a block, as chunks.
pub(crate) fn chunks(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.chunks(CHUNK) {
        text(out, Some(chunk));
    }
}

/// The end of chunks, or of large objects.
pub(crate) fn end(out: &mut Vec<u8>) {
    int(out, 0);
}

/// An integer, its sign first.
pub(crate) fn int(out: &mut Vec<u8>, value: i32) {
    out.push(u8::from(value < 0));
    out.extend(value.unsigned_abs().to_le_bytes());
}

/// A text with its length, which is also what a chunk is.
fn text(out: &mut Vec<u8>, text: Option<&[u8]>) {
    int(out, text.map_or(-1, |text| i32::try_from(text.len()).unwrap_or(i32::MAX)));
    out.extend(text.unwrap_or_default());
}
