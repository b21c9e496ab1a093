//! An archive's head, kept as it is, and what it promises.

use crate::walk::{Entry, Place, Walk};
use crate::{Damage, Header, InnerCompression};

/// Most bytes of a head that are kept in memory.
const LONGEST: usize = 64 << 20;
/// Bytes of an integer without its sign, in the archives that are woven.
const INT_SIZE: u8 = 4;

/// What pg_dump wrote before the first data block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Header and table of contents, as they are.
    pub bytes: Vec<u8>,
    /// The data blocks that must follow, in their order.
    pub promises: Vec<Promise>,
    /// The statement that sets the character set of its texts and rows; `None` where it has none.
    pub encoding: Option<String>,
}

/// A data block to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The number of its entry.
    pub dump_id: i32,
    /// Its entry, in words.
    pub name: String,
    /// What it holds.
    pub promised: Promised,
}

/// What a data block holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Promised {
    /// A table's rows as COPY writes them.
    Rows {
        /// The table's OID.
        oid: u32,
        /// `COPY schema.table (column, …) FROM stdin;` and a newline, in the archive's character set.
        copy: Vec<u8>,
    },
    /// Large objects.
    LargeObjects,
    /// Something else, such as INSERT statements.
    Other,
}

/// Reads a head, and keeps its bytes.
pub struct HeadReader {
    walk: Walk,
    bytes: Vec<u8>,
}

/// What reading a head came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// The head isn't whole yet.
    More,
    /// It is.
    Whole(Head),
    /// It is of a kind that can't be woven, or longer than is kept.
    Unfit,
}

impl Default for HeadReader {
    fn default() -> Self {
        Self { walk: Walk::counting(), bytes: Vec::new() }
    }
}

impl HeadReader {
    /// Reads the archive's next bytes.
    ///
    /// # Errors
    /// [`Damage`].
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Read, Damage> {
        self.bytes.extend_from_slice(bytes);
        self.walk.feed(bytes)?;
        let (Some(header), Some(entries), Some(end)) =
            (self.walk.header(), self.walk.contents(), self.walk.contents_end())
        else {
            return Ok(if self.bytes.len() > LONGEST { Read::Unfit } else { Read::More });
        };
        let encoding = entries.iter().find(|entry| entry.kind == "ENCODING").and_then(|entry| entry.definition.clone());
        let promises = entries.iter().filter(|entry| entry.has_data()).map(|entry| self.promise(entry)).collect();
        let head = self.bytes.get(..usize::try_from(end).unwrap_or(usize::MAX));
        Ok(match (promises, head) {
            (Some(promises), Some(head)) if is_plain(header) => {
                Read::Whole(Head { bytes: head.to_vec(), promises, encoding })
            }
            _ => Read::Unfit,
        })
    }

    /// All that was read, some of it perhaps from behind the head.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn promise(&self, entry: &Entry) -> Option<Promise> {
        let promised = match entry.kind.as_str() {
            "BLOBS" => Promised::LargeObjects,
            "TABLE DATA" if entry.is_copied() => {
                let oid = std::str::from_utf8(self.text(entry.places.oid)?).ok()?.parse().ok()?;
                Promised::Rows { oid, copy: self.text(entry.places.copy)?.to_vec() }
            }
            _ => Promised::Other,
        };
        Some(Promise { dump_id: entry.dump_id, name: entry.to_string(), promised })
    }

    /// The text at a place, behind its length.
    fn text(&self, place: Place) -> Option<&[u8]> {
        let (begin, length) = (usize::try_from(place.at).ok()?, usize::try_from(place.length).ok()?);
        self.bytes.get(begin..begin.checked_add(length)?)?.get(usize::from(INT_SIZE) + 1..)
    }
}

/// Whether blocks can be written for it.
fn is_plain(header: &Header) -> bool {
    header.int_size == INT_SIZE && header.compression == InnerCompression::None
}
