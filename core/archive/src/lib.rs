//! One `pg_dump` archive as bytes: what it is (sniff), its compressed frames (frame), its content (walk, census), its digest.
//!
//! No AWS, no async, no files: bytes in, findings out. Damage is a value; only failing to read is an error.

mod census;
mod charset;
mod compare;
mod compression;
mod damage;
mod digest;
mod frame;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod index;
mod inspect;
mod names;
mod pairs;
mod reading;
mod recoder;
pub mod rows;
mod sniff;
mod walk;
pub mod weave;

pub use census::{Called, Census, LargeObjectCensus, Sha256Hex, TableCensus};
pub use charset::{Charset, UnknownCharset};
pub use compare::{
    Compared, Comparison, Outline, Pair, Rows, Table, compare_rows, differences, is_reordered, owner, shown,
};
pub use compression::{Compression, UnknownCompression};
pub use damage::Damage;
pub use digest::{BadDigest, Crc64, Digest, Digester, Md5};
pub use frame::{Closed, Expander, FRAME_SIZE, FrameError, FrameInput, FrameOutput, FrameSettings, compress, damage};
pub use inspect::{
    BrokenChain, Chain, Content, Inspected, Inspection, SavedInspection, StoredReader, inspect, inspect_with,
};
pub use names::{identifier, qualified_name, quoted_name};
pub use pairs::{Pairs, pairs};
pub use recoder::Recoder;
pub use sniff::{Kind, SNIFF_LEN, Wrapper, sniff};
pub use walk::columns as copy_columns;
pub use walk::packed;
pub use walk::{
    CopiedRows, CopyReader, Described, Entry, Format, FormatVersion, Header, InAnyOrder, InTablespace,
    InnerCompression, LargeObjectEntry, Observer, Outliner, Place, PlainRepack, Portion, SavedWalk, ScriptOutline,
    ScriptReader, Walk, Walked,
};
