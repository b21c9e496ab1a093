//! How far a database's indexes are built.

use serde::Deserialize;

use crate::{Psql, PsqlError};

/// The indexes of a database that is being filled.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Indexes {
    /// How many there are in schemas that aren't the system's.
    pub built: u64,
    /// How many of those came with an extension, before any row.
    pub others: u64,
    /// The table whose index is being built, and how far it is.
    pub building: Option<String>,
}

impl Indexes {
    /// Asks the database that `psql` is connected to.
    ///
    /// # Errors
    /// As [`Psql::rows`].
    pub fn ask(psql: &Psql) -> Result<Option<Self>, PsqlError> {
        psql.row(
            "SELECT count(*) AS built, count(*) FILTER (WHERE EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indrelid AND d.deptype = 'e')) AS others,
                (SELECT format('%s: %s', p.relid::regclass, p.phase) FROM pg_stat_progress_create_index p
                    WHERE p.datname = current_database() ORDER BY p.pid LIMIT 1) AS building
                FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND i.indisvalid",
        )
    }
}
