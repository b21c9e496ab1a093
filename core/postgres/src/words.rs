//! SQL that an archive brings, taken apart and quoted again, because no text of an archive may reach psql as it is.

pub mod bound;
pub mod building;
pub mod columns;
pub mod dictionary;
pub mod globals;
pub mod granted;
pub mod inheritance;
mod lexer;
pub mod needs;
pub mod origin;
pub mod pattern;
pub mod ranges;
pub mod relics;
pub mod rewrites;
pub mod roles;
pub mod statements;
pub mod tokens;
pub mod traps;
pub mod types;
