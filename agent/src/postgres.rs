//! PostgreSQL, spoken to through its own programs.
//!
//! `psql`, `pg_dump` and `pg_restore` run as child processes with the connection in their environment, so that passwords,
//! services, TLS and every other libpq setting mean here what they mean everywhere else.

pub(crate) mod connection;
pub(crate) mod database;
pub(crate) mod error;
pub(crate) mod libpq;
pub(crate) mod programs;
pub(crate) mod psql;
pub(crate) mod quote;
pub(crate) mod secret;
pub(crate) mod server;
pub(crate) mod tools;
pub(crate) mod version;
pub(crate) mod words;

pub(crate) use connection::Connection;
pub(crate) use error::Error;
pub(crate) use programs::pg_dump::{Dump, DumpError};
pub(crate) use programs::stop::Stop;
pub(crate) use psql::{Psql, PsqlError};
pub(crate) use secret::Secret;
pub(crate) use server::Server;
pub(crate) use tools::{Tool, Tools};
pub(crate) use version::Version;
