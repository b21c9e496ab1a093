//! The corpus of databases that people have (`tests/wild`), taken through every way, role and version of a restore.
//!
//! Each case is a folder of SQL and a `case.toml`; none needs Rust. A [`Trial`] is one case on one way, by one role, on one
//! version: the database is made, backed up, restored and compared with what it was. `tests/wild/README.md` says how to
//! write a case.

mod by_hand;
mod case;
mod command;
mod expectation;
mod fingerprint;
mod ground;
mod judge;
mod matrix;
mod nature;
mod plan;
mod psql;
mod results;
mod scene;
mod workers;

pub use self::case::{Case, Role, Way};
pub use self::judge::Verdict;
pub use self::matrix::{failures, markdown, mended, more_refused, table};
pub use self::plan::{Trial, bounded, pairs, product};
pub use self::results::{Record, Results};
pub use self::workers::run;
