//! Two archives beside each other: whether the second, dumped from what the first was restored into, says the same.
//!
//! ```text
//!   first archive  ─► Outliner ─► Outline ─► Comparison ◄─ Outliner ◄─ second archive
//!                                                └► Pairs: what has no equal on the other side
//!   both censuses  ─► rows: table by table, in whatever order
//! ```
//!
//! Tables of contents are compared as sets of entries: kind, schema, name, owner, tablespace, access method, every statement.
//! Of each entry a digest is kept; texts only of those that have no equal. Nothing is forgiven here.

mod comparison;
mod difference;
mod outline;
mod rows;

pub use comparison::{Compared, Comparison, Pair};
pub use difference::{differences, is_reordered, shown};
pub use outline::{Outline, owner};
pub use rows::{Rows, Table, compare_rows};
