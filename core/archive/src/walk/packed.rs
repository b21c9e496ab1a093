//! Archives of more than one file: `pg_dump --format=directory`, and `--format=tar`, which is the same in a tar.
//!
//! Their table of contents is a custom archive's, but for the names of files where that has places. So both are read as the custom
//! archive that they could have been.

mod blocks;
mod contents;
mod header;
mod tar;
#[cfg(test)]
mod tests;

pub use self::blocks::{content, ends, large_object_begins, large_objects_begin, listed_objects, table_begins};
pub use self::contents::{PackedContents, PackedFile};
pub use self::tar::TarReader;
