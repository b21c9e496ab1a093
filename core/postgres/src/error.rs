//! Why PostgreSQL couldn't be asked, or told: what happened, to which object, and what to do about it. The texts carry no
//! passwords: a connection is named by its place.

use std::path::PathBuf;

use crate::obstacle::Obstacle;
use crate::packages;
use crate::{Psql, PsqlError, Version};

/// What gives the system's root a role of its own, where the server asks the system who somebody is. A command for a shell.
pub const ROOTS_ROLE: &str = "sudo -u postgres createuser --superuser root";

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
        /// What was found to be in the way.
        obstacle: Obstacle,
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
    /// A client program is installed, and doesn't run.
    #[error("cannot run {}: {cause}", path.display())]
    ToolBroken {
        /// Where it is.
        path: PathBuf,
        /// How it ended.
        cause: String,
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
    /// A question that got no answer, with its reason found out by trying.
    #[must_use]
    pub fn unreachable(psql: &Psql, error: &PsqlError) -> Self {
        let obstacle = match error {
            PsqlError::Interrupted(signal) => return Self::Interrupted(signal),
            PsqlError::Unconnected(words) if psql.stop().signal().is_none() => Obstacle::find(psql, words),
            _ => Obstacle::Other,
        };
        match psql.stop().signal() {
            Some(signal) => Self::Interrupted(signal),
            None => Self::behind(obstacle, psql.connection().place(), error.to_string()),
        }
    }

    /// True when the same question may be answered a little later without any change: the server starts up, shuts down or
    /// recovers, or has no connection left.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { obstacle: Obstacle::NotNow | Obstacle::TooMany, .. })
    }

    fn behind(obstacle: Obstacle, place: String, cause: String) -> Self {
        match obstacle {
            Obstacle::NoDatabase => Self::NoSuchDatabase { place, cause },
            Obstacle::Password => Self::WrongPassword { place, cause },
            Obstacle::NoRole => Self::NoSuchRole { place, cause },
            obstacle => Self::Unreachable { place, cause, obstacle },
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
            Self::Unreachable { obstacle, .. } => way_round(*obstacle),
            Self::DatabaseGone | Self::RoleGone => "run it again".to_owned(),
            Self::NoEntry => "as a superuser: GRANT CONNECT ON DATABASE postgres TO the role".to_owned(),
            Self::ToolBroken { path, .. } => {
                format!("run it by hand, and mend or reinstall it: {} --version", path.display())
            }
            Self::ToolMissing { needed: None, .. } => {
                format!("install PostgreSQL's client programs: {}", packages::install(None))
            }
            Self::ToolMissing { needed: Some(needed), .. } | Self::ToolTooOld { needed, .. } => {
                let major = needed.major_name();
                format!("install the client programs of PostgreSQL {major}: {}", packages::install(Some(&major)))
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

/// What to do about an obstacle.
fn way_round(obstacle: Obstacle) -> String {
    let way = match obstacle {
        Obstacle::UnknownHost => "check the host name in DB_HOST (or DATABASE_URL, PGHOST): there is no such machine",
        Obstacle::NoNames => "the name service does not answer: check this machine's network and /etc/resolv.conf",
        Obstacle::NoSocket => {
            "check that the server runs; a server that is reached by TCP, on this machine too, needs DB_HOST (or PGHOST)"
        }
        Obstacle::Silent => {
            "nothing answers there: check DB_HOST and DB_PORT (or DATABASE_URL, PGHOST, PGPORT), and the firewalls on the way"
        }
        Obstacle::NotPostgres => {
            "what answers there is not PostgreSQL: check DB_HOST and DB_PORT (or DATABASE_URL, PGHOST, PGPORT)"
        }
        Obstacle::NoTls => {
            "the server has no TLS: turn it on there (ssl = on), or demand none: sslmode=prefer in DATABASE_URL, or PGSSLMODE"
        }
        Obstacle::Certificate => {
            "set sslrootcert in DATABASE_URL (or PGSSLROOTCERT) to the certificate of the authority that signed the server's; with \
             sslmode=verify-full DB_HOST has to be a name in it"
        }
        Obstacle::NotAdmitted => {
            "let this role in from this machine: a line in the server's pg_hba.conf, then SELECT pg_reload_conf(); or check DB_USER \
             and PGSSLMODE"
        }
        Obstacle::NotPeer => {
            return format!(
                "over the socket most servers let in only the system's user of the role's name: run it as that user; or, on the server, \
                 give root a role, once: {ROOTS_ROLE}; and then: sudo DB_USER=root lastgood …"
            );
        }
        Obstacle::NotNow => "the server is starting up, shutting down or recovering: run it again in a moment",
        Obstacle::TooMany => "the server has no connection left: run it again later, or raise max_connections",
        Obstacle::NoServer => {
            "check that the server runs, and DB_HOST and DB_PORT (or DATABASE_URL, PGHOST, PGPORT): nothing listens there"
        }
        Obstacle::Closed => {
            "the server lets this role into other databases: this one is closed (ALTER DATABASE … ALLOW_CONNECTIONS true), or the role may \
             not connect to it (GRANT CONNECT), or a login trigger of its own refuses"
        }
        Obstacle::Other | Obstacle::Password | Obstacle::NoRole | Obstacle::NoDatabase => {
            "check that the server runs, and the settings of the connection: DB_* (or DATABASE_URL, PG*)"
        }
    };
    way.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Connection, Stop};

    #[test]
    fn each_obstacle_has_a_hint_of_its_own_and_the_servers_words() {
        for (obstacle, hint) in [
            (Obstacle::NoDatabase, "check DB_NAME "),
            (Obstacle::Password, "check DB_USER and DB_PASSWORD "),
            (Obstacle::NoRole, "check DB_USER (or"),
            (Obstacle::NoServer, "check that the server runs"),
            (Obstacle::UnknownHost, "check the host name in DB_HOST"),
            (Obstacle::NotPostgres, "what answers there is not PostgreSQL"),
            (Obstacle::NoTls, "the server has no TLS"),
            (Obstacle::Certificate, "set sslrootcert"),
            (Obstacle::NotAdmitted, "let this role in"),
            (Obstacle::NotPeer, "over the socket most servers"),
            (Obstacle::NotNow, "the server is starting up"),
            (Obstacle::Closed, "the server lets this role into other databases"),
        ] {
            let error = Error::behind(obstacle, "database shop".to_owned(), "FATAL: nein".to_owned());
            assert_eq!(error.to_string(), "cannot connect to database shop: FATAL: nein");
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
