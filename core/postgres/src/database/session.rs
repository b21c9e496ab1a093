//! Settings that decide how `pg_dump` writes values and definitions, and that it leaves as they are: those of the server, the database or
//! the role. Two dumps can only be compared that were written under the same ones.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::quote::literal;
use crate::{Connection, Psql, PsqlError, Secret};

/// Their names, as PostgreSQL spells them. Dates, intervals and floating-point numbers `pg_dump` writes under settings of its own.
pub const NAMES: [&str; 5] =
    ["TimeZone", "bytea_output", "lc_monetary", "quote_all_identifiers", "standard_conforming_strings"];

/// Names and values of such settings.
pub type Session = BTreeMap<String, String>;

/// An SQL expression: those of the session that asks, as a JSON object.
pub(crate) fn expression() -> String {
    let pairs: Vec<String> = NAMES.iter().map(|name| format!("{0}, current_setting({0})", literal(name))).collect();
    format!("json_build_object({})", pairs.join(", "))
}

/// Of the `wanted` settings those that are others in this database's sessions: the ones that may be set, and the ones that the server
/// refuses, as a time zone or locale that it doesn't know.
///
/// # Errors
/// When the database can't be asked.
pub fn others(psql: &Psql, wanted: &Session) -> Result<(Session, Session), PsqlError> {
    #[derive(Deserialize)]
    struct Row {
        session: Session,
    }
    let row: Option<Row> = psql.row(&format!("SELECT {} AS session", expression()))?;
    let current = row.map(|row| row.session).unwrap_or_default();
    let is_other = |(name, value): &(&String, &String)| {
        NAMES.contains(&name.as_str()) && current.get(*name).is_some_and(|current| current != *value)
    };
    let others = wanted.iter().filter(is_other).map(|(name, value)| (name.clone(), value.clone()));
    Ok(others.partition(|(name, value)| psql.script(&format!("SET {name} TO {};\n", literal(value))).is_ok()))
}

impl Connection {
    /// The same place, with these settings in every session.
    #[must_use]
    pub fn under(&self, session: &Session) -> Self {
        if session.is_empty() { self.clone() } else { self.with(&[options(self, session)]) }
    }
}

impl Psql {
    /// The same database, with these settings in every session: of psql, and of whatever else takes its connection.
    #[must_use]
    pub fn under(&self, session: &Session) -> Self {
        if session.is_empty() { self.clone() } else { self.with(&[options(self.connection(), session)]) }
    }
}

/// libpq's variable that says them when a session begins, behind what it says already.
fn options(connection: &Connection, session: &Session) -> (&'static str, Secret) {
    let mut options = connection.get("PGOPTIONS").unwrap_or_default().to_owned();
    for (name, value) in session {
        options.push_str(&format!(" -c {name}={}", escaped(value)));
    }
    ("PGOPTIONS", Secret::new(options.trim()))
}

/// A blank ends an option, unless a backslash stands before it.
fn escaped(value: &str) -> String {
    let letters = value.chars().flat_map(|letter| {
        let needs_it = letter.is_whitespace() || letter == '\\';
        needs_it.then_some('\\').into_iter().chain([letter])
    });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_added_to_the_options_that_are_there() {
        let connection = Connection::new([("PGOPTIONS", Secret::new("-c search_path=app"))].into(), &[]);
        let session =
            [("TimeZone".to_owned(), "<+05 x>\\".to_owned()), ("bytea_output".to_owned(), "escape".to_owned())];
        let under = connection.under(&session.into());
        assert_eq!(under.get("PGOPTIONS"), Some("-c search_path=app -c TimeZone=<+05\\ x>\\\\ -c bytea_output=escape"));
        assert_eq!(connection.under(&Session::new()), connection);
    }
}
