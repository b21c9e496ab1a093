//! The rows of one table as COPY writes them, and what they look like as CSV, JSON and SQL.
//!
//! Bytes in, bytes out: values are in the archive's character set until [`Charset`](crate::Charset) makes text of them. Memory is bounded by the
//! longest row, which [`LONGEST_ROW`] bounds.

mod chunks;
mod comparison;
mod csv;
mod insert;
mod instants;
mod json;
mod literal;
mod probe;
mod statement;
#[cfg(test)]
mod tests;
mod text;

pub use chunks::{BadChunk, Chunks};
pub use comparison::Comparison;
pub use csv::csv;
pub use insert::{identifier, literal};
pub use json::{Type, json, json_text};
pub use probe::{BadValue, Probe};
pub use statement::CopyStatement;
pub use text::{LONGEST_ROW, RowCount, RowError, RowReader, fields, value};
pub(crate) use text::{field, unescaped};
