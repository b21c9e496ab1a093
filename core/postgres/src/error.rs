//! Why PostgreSQL couldn't be asked, or told: what happened, to which object, and what to do about it. The texts carry no
//! passwords: a connection is named by its place.

use crate::{Psql, PsqlError, Version};

/// A failure of the server, of its client programs, or of the way to them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server answers, and has no database of this name.
    #[error("cannot connect to {place}: {cause}")]
    NoSuchDatabase {
        /// The database, server and role, in words.
        place: String,
        /// The server's own words.
        cause: String,
    },
    /// The server answers, and refuses the password or wants one.
    #[error("cannot connect to {place}: {cause}")]
    WrongPassword {
        /// The database, server and role, in words.
        place: String,
        /// The server's own words.
        cause: String,
    },
    /// The server answers, and has no role of this name.
    #[error("cannot connect to {place}: {cause}")]
    NoSuchRole {
        /// The database, server and role, in words.
        place: String,
        /// The server's own words.
        cause: String,
    },
    /// No server answers, or it refuses the question.
    #[error("cannot connect to {place}: {cause}")]
    Unreachable {
        /// The database, server and role, in words.
        place: String,
        /// psql's or the server's own words.
        cause: String,
    },
    /// The database was dropped in this moment.
    #[error("the server no longer has the database of this connection")]
    DatabaseGone,
    /// The role was dropped in this moment.
    #[error("the server has no role named after this connection")]
    RoleGone,
    /// Neither `postgres` nor `template1` lets the role in.
    #[error("this role may not connect to any database of the server")]
    NoEntry,
    /// A client program isn't installed.
    #[error("{program} was not found")]
    ToolMissing {
        /// Its name.
        program: String,
        /// The version that is needed, where it matters.
        needed: Option<Version>,
    },
    /// Every installed version of a client program is older than what it has to work with.
    #[error("{program} {newest} is too old for {what}: version {} or newer is needed", .needed.major_name())]
    ToolTooOld {
        /// Its name.
        program: String,
        /// The newest one that is installed.
        newest: Version,
        /// What it is too old for, in words.
        what: String,
        /// The version that is needed.
        needed: Version,
    },
    /// The new database vanished before it could take the name.
    #[error("cannot exchange database {database} for the new one: another session dropped or renamed the new one")]
    NewDatabaseGone {
        /// The name that was to be taken.
        database: String,
    },
    /// The new database couldn't take the name. Both have their names of before.
    #[error("cannot exchange database {database} for the new one: {cause}")]
    NotExchanged {
        /// The name that was to be taken.
        database: String,
        /// The server's own words.
        cause: String,
        /// Clients that are connected to the database, in words.
        connected: Vec<String>,
    },
    /// The new database may have taken the name: the server can't be asked.
    #[error("cannot exchange database {database} for the new one: {cause}")]
    ExchangeUnknown {
        /// The name that was to be taken.
        database: String,
        /// The name of the new database before.
        new: String,
        /// The server's own words.
        cause: String,
        /// Why it can't be asked.
        silence: String,
    },
    /// The run was told to stop, by the signal of this name.
    #[error("stopped by {0}")]
    Interrupted(&'static str),
}

impl Error {
    /// A question that got no answer, with its reason told apart by the server's own words.
    #[must_use]
    pub fn unreachable(psql: &Psql, error: &PsqlError) -> Self {
        if let PsqlError::Interrupted(signal) = error {
            return Self::Interrupted(signal);
        }
        let (place, cause) = (psql.connection().place(), error.to_string());
        if cause.contains("does not exist") && cause.contains("database") {
            Self::NoSuchDatabase { place, cause }
        } else if cause.contains("password authentication failed") || cause.contains("no password supplied") {
            Self::WrongPassword { place, cause }
        } else if cause.contains("role") && cause.contains("does not exist") {
            Self::NoSuchRole { place, cause }
        } else {
            Self::Unreachable { place, cause }
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSuchDatabase { .. } => {
                "check DB_NAME (or DATABASE_URL, PGDATABASE); `psql -l` lists the databases there are".to_owned()
            }
            Self::WrongPassword { .. } => {
                "check DB_USER and DB_PASSWORD (or DATABASE_URL, PGPASSWORD, ~/.pgpass)".to_owned()
            }
            Self::NoSuchRole { .. } => "check DB_USER (or DATABASE_URL, PGUSER)".to_owned(),
            Self::Unreachable { .. } => {
                "check that the server runs, and DB_HOST and DB_PORT (or DATABASE_URL, PGHOST, PGPORT)".to_owned()
            }
            Self::DatabaseGone | Self::RoleGone => "run it again".to_owned(),
            Self::NoEntry => "as a superuser: GRANT CONNECT ON DATABASE postgres TO the role".to_owned(),
            Self::ToolMissing { needed: None, .. } => {
                "install PostgreSQL's client programs: apt-get install postgresql-client".to_owned()
            }
            Self::ToolMissing { needed: Some(needed), .. } | Self::ToolTooOld { needed, .. } => {
                let major = needed.major_name();
                format!("install the client programs of PostgreSQL {major}: apt-get install postgresql-client-{major}")
            }
            Self::NewDatabaseGone { .. } => "restore again".to_owned(),
            Self::NotExchanged { connected, .. } if connected.is_empty() => {
                "try again; the live database has not been changed".to_owned()
            }
            Self::NotExchanged { connected, .. } => {
                format!("stop the clients that are connected, and try again: {}", connected.join(", "))
            }
            Self::ExchangeUnknown { new, silence, .. } => {
                format!("unknown whether the rename took effect ({silence}): it did if database {new} no longer exists")
            }
            Self::Interrupted(_) => "start it again".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Connection, Stop};

    fn refused(words: &str) -> Error {
        let psql = Psql::new("psql", Connection::default().to("shop"), &Stop::never());
        Error::unreachable(&psql, &PsqlError::Refused(words.to_owned()))
    }

    #[test]
    fn the_reason_is_told_apart_by_the_servers_words() {
        for (words, hint) in [
            ("FATAL:  database \"shop\" does not exist", "check DB_NAME "),
            ("FATAL:  password authentication failed for user \"u\"", "check DB_USER and DB_PASSWORD "),
            ("FATAL:  role \"u\" does not exist", "check DB_USER (or"),
            ("connection to server at \"h\", port 1 failed: Connection refused", "check that the server runs"),
        ] {
            let error = refused(words);
            assert_eq!(error.to_string(), format!("cannot connect to database shop on this machine: {words}"));
            assert!(error.hint().unwrap().starts_with(hint), "{error:?}");
        }
    }

    #[test]
    fn a_question_that_was_stopped_says_so_and_nothing_of_a_connection() {
        let psql = Psql::new("psql", Connection::default(), &Stop::never());
        let error = Error::unreachable(&psql, &PsqlError::Interrupted("SIGTERM"));
        assert_eq!(error.to_string(), "stopped by SIGTERM");
    }
}
