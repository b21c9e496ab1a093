//! PostgreSQL, spoken to through its own programs.
//!
//! `psql`, `pg_dump` and `pg_restore` run as child processes with the connection in their environment, so that passwords,
//! services, TLS and every other libpq setting mean here what they mean everywhere else. Rows of a dump by several sessions come by the
//! protocol itself, where psql's settings can be had without it. Nothing here knows of backups.
//!
//! | module | what it holds |
//! |---|---|
//! | [`libpq`] | libpq's environment variables, and the service file |
//! | [`tools`] | which of the installed client programs fits |
//! | [`programs`] | child processes and their one supervisor |
//! | [`cluster`] | a private server, made and thrown away |
//! | [`server`] | what a server says of itself |
//! | [`database`] | what a database is, holds and is called |
//! | [`quote`] | names and texts as SQL writes them |
//! | `weave` | a dump by several sessions |
//! | `wire` | a session by PostgreSQL's own protocol, where psql would be the slower half |
//! | [`words`] | SQL that an archive brings, taken apart and quoted again |

pub mod cluster;
mod connection;
pub mod database;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod libpq;
mod obstacle;
mod packages;
pub mod programs;
mod psql;
pub mod quote;
mod said;
mod secret;
pub mod server;
pub mod tools;
mod version;
mod weave;
mod wire;
pub mod words;

pub use connection::Connection;
pub use error::{Error, ROOTS_ROLE};
pub use obstacle::Obstacle;
pub use programs::pg_dump::{Dump, DumpError};
pub use programs::stop::Stop;
pub use psql::{Psql, PsqlError, Refusal};
pub use secret::Secret;
pub use server::Server;
pub use tools::{Tool, Tools};
pub use version::Version;
pub use weave::{AnyDump, DumpStopper, Finished, Readers, Sources, TableRows};
