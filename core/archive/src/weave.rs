//! An archive woven out of what several readers read at once.
//!
//! pg_dump writes the archive's head, its header and table of contents ([`HeadReader`]). Whoever weaves reads the data itself, in
//! strands: a table's rows, or a range of them. Any number of readers take strands from a [`Loom`] in the order of the contents,
//! read them at the same time, and the loom gives their pieces out one strand after the other, so that they become the
//! blocks ([`block`]) of one ordinary archive. What is read before its turn waits in bounded memory.

pub mod block;
mod head;
mod loom;

pub use self::head::{Head, HeadReader, Promise, Promised, Read};
pub use self::loom::{Abandoned, Loom, Strand, Thread, Turned};
