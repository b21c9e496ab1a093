//! PostgreSQL, spoken to through its own programs.
//!
//! `psql`, `pg_dump` and `pg_restore` run as child processes with the connection in their environment, so that passwords,
//! services, TLS and every other libpq setting mean here what they mean everywhere else.

pub(crate) mod dump;
pub(crate) mod pipe;
pub(crate) mod psql;
pub(crate) mod server;
pub(crate) mod tools;
pub(crate) mod version;

pub(crate) use dump::{Dump, DumpError};
pub(crate) use psql::{Psql, PsqlError};
pub(crate) use server::Server;
pub(crate) use tools::{Tool, Tools};
pub(crate) use version::Version;
