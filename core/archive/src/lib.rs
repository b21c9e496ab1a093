//! One `pg_dump` archive as bytes: what it is (sniff), its compressed frames (frame), its content (walk, census), its digest.
//!
//! No AWS, no async, no files: bytes in, findings out. Damage is a value; only failing to read is an error.

mod census;
mod compare;
mod compression;
mod damage;
mod digest;
mod frame;
pub mod index;
mod inspect;
mod pairs;
mod reading;
pub mod rows;
mod sniff;
mod walk;
pub mod weave;

pub use census::{Census, LargeObjectCensus, Sha256Hex, TableCensus};
pub use compare::{Compared, Comparison, Outline, Pair, Rows, Table, compare_rows, differences, is_reordered, shown};
pub use compression::{Compression, UnknownCompression};
pub use damage::Damage;
pub use digest::{BadDigest, Crc64, Digest, Digester, Md5};
pub use frame::{Closed, Expander, FRAME_SIZE, FrameError, FrameInput, FrameOutput, FrameSettings, compress, damage};
pub use inspect::{Content, Inspected, Inspection, SavedInspection, StoredReader, inspect, inspect_with};
pub use pairs::{Pairs, pairs};
pub use sniff::{Kind, SNIFF_LEN, Wrapper, sniff};
pub use walk::columns as copy_columns;
pub use walk::packed;
pub use walk::{
    CopiedRows, CopyReader, Described, Entry, Format, FormatVersion, Header, InAnyOrder, InTablespace,
    InnerCompression, LargeObjectEntry, Observer, Outliner, Place, PlainRepack, Portion, SavedWalk, ScriptOutline,
    ScriptReader, Walk, Walked,
};
