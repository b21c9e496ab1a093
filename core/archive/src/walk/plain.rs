//! A script of `pg_dump`, read as text and forward only: plain SQL, with the rows of COPY between its statements.
//!
//! Nobody's psql reads it. What the script says is taken apart as PostgreSQL's own lexer would, counted, and put together again as
//! an archive ([`outline`], [`repack`]) that `pg_restore` reads: a psql command in it is found, and never run.

mod count;
mod event;
mod heading;
mod large_objects;
mod lexer;
mod outline;
mod piece;
mod reader;
mod repack;
mod statement;
#[cfg(test)]
mod tests;
mod written;

pub(super) use self::count::PlainCount;
pub use self::outline::{ScriptOutline, ScriptReader};
pub use self::repack::PlainRepack;
