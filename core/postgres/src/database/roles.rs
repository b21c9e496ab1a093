//! Roles of the whole server.

use serde::Deserialize;

use crate::database::properties::setting_value;
use crate::quote::setting_name;
use crate::{Psql, PsqlError};

#[derive(Deserialize)]
struct Assignment {
    /// `name=value`.
    text: String,
}

/// What `ALTER ROLE ALL` has set in every database, as statements.
///
/// # Errors
/// [`PsqlError`].
pub fn settings_of_all(psql: &Psql) -> Result<Vec<String>, PsqlError> {
    let rows: Vec<Assignment> = psql.rows(
        "SELECT unnest(setconfig) AS text FROM pg_catalog.pg_db_role_setting WHERE setrole = 0 AND setdatabase = 0",
    )?;
    let statement = |row: Assignment| {
        let (name, value) = row.text.split_once('=')?;
        Some(format!("ALTER ROLE ALL SET {} TO {}", setting_name(name), setting_value(name, value)))
    };
    Ok(rows.into_iter().filter_map(statement).collect())
}
