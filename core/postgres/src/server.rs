//! What the agent must know of a server and a database before it dumps or restores.

use serde::Deserialize;

use crate::database::session::{self, Session};
use crate::quote::literal;
use crate::{Error, Psql, PsqlError, Version};

/// The server and the connected database, as they were when asked.
#[derive(Clone, Debug, Deserialize)]
pub struct Server {
    /// The database's name.
    pub database: String,
    /// Its character set, as PostgreSQL calls it.
    pub encoding: String,
    version_number: u32,
    /// The database's size on disk, in bytes; `None` where the role may not ask.
    pub size: Option<u64>,
    /// A standby: queries may be cancelled by replay, and nothing can be written.
    pub standby: bool,
    /// The server's process that answered, which has ended since.
    pub pid: i32,
    /// The settings under which `pg_dump` writes what it dumps.
    pub session: Session,
}

const FACTS: &str = "SELECT current_database() AS database, pg_encoding_to_char(encoding) AS encoding,
    current_setting('server_version_num')::int AS version_number,
    CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END AS size,
    pg_is_in_recovery() AS standby, pg_backend_pid() AS pid";

impl Server {
    /// Asks the database that `psql` is connected to.
    ///
    /// # Errors
    /// When the server can't be reached or refuses, or the database doesn't exist.
    pub fn ask(psql: &Psql) -> Result<Self, Error> {
        let facts = format!(
            "{FACTS}, {} AS session FROM pg_database WHERE datname = current_database()",
            session::expression()
        );
        let server: Option<Self> = psql.row(&facts).map_err(|e| Error::unreachable(psql, &e))?;
        server.ok_or(Error::DatabaseGone)
    }

    /// The server's version.
    #[must_use]
    pub fn version(&self) -> Version {
        Version::from_number(self.version_number)
    }
}

/// The databases of the server that a backup of all takes: those that can be connected to, without templates.
///
/// # Errors
/// As [`Server::ask`].
pub fn databases(psql: &Psql) -> Result<Vec<String>, Error> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
    }
    let select = "SELECT datname AS name FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname";
    let rows: Vec<Row> = psql.rows(select).map_err(|e| Error::unreachable(psql, &e))?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// Whether the server has a database of this name.
///
/// # Errors
/// As [`Psql::rows`].
pub fn exists(psql: &Psql, database: &str) -> Result<bool, PsqlError> {
    let select = format!("SELECT datname FROM pg_database WHERE datname = {}", literal(database));
    Ok(psql.row::<serde_json::Value>(&select)?.is_some())
}
