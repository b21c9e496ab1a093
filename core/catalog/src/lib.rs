//! The rules of Lastgood, and nothing else: how backups are called and where they lie, what a manifest and a verdict
//! say, what a listing means, what retention keeps and why, how fresh the newest good backup is.
//!
//! Pure: no I/O, no clock, no environment (the package's clippy.toml bans them). `now` is a parameter, a finding is a
//! value, and unknown is never good.

mod backup;
mod catalog;
mod clock;
pub mod copies;
mod database;
mod document;
pub mod drill;
mod erased;
pub mod erasure;
pub mod freshness;
mod future;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod glacier;
pub mod history;
pub mod index;
mod layout;
pub mod links;
pub mod manifest;
mod object;
pub mod removal;
mod rereading;
pub mod retention;
pub mod shrink;
pub mod status;
#[cfg(test)]
mod testing;
pub mod three_two_one;
pub mod verdict;
pub mod watch;
pub mod words;

pub use backup::{BackupId, InvalidName, Stem, Tag, encode_database};
pub use catalog::{Catalog, Entry, NotFound, Origin, State, catalogs, going_back};
pub use clock::SKEW;
pub use database::DatabaseEntry;
pub use document::{DocumentError, Unknown};
pub use freshness::{Freshness, Thresholds};
pub use layout::{Layout, Part, Record, StatusRecord};
pub use manifest::Manifest;
pub use object::Object;
pub use removal::Removal;
pub use rereading::{Rereading, oldest_verdict, rereading};
pub use retention::{Plan, Policy, local_plan, plan};
pub use verdict::{Expected, Outcome, Verdict, Verifier};
