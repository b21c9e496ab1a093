//! How child processes reach the database: libpq's environment variables, never the command line.

use std::ffi::OsStr;
use std::process::Command;

use crate::postgres::libpq::{self, Variables};
use crate::postgres::secret::Secret;
use crate::settings::ALL;

/// A database's address and login. Debug shows names, never values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Connection {
    /// libpq's environment variables. What isn't here is libpq's own default.
    variables: Variables,
}

impl Connection {
    pub(crate) fn new(variables: Variables) -> Self {
        Self { variables }
    }

    /// The same server, another database.
    pub(crate) fn to(&self, database: &str) -> Self {
        let mut other = self.clone();
        other.variables.insert("PGDATABASE", Secret::new(database));
        other
    }

    /// What libpq's environment variable is set to, if we set it.
    pub(crate) fn get(&self, variable: &str) -> Option<&str> {
        self.variables.get(variable).map(Secret::expose)
    }

    /// The database's name; `None`: libpq takes the role's name.
    pub(crate) fn database(&self) -> Option<&str> {
        self.get("PGDATABASE").or_else(|| self.get("PGUSER"))
    }

    /// The address in words, for messages: `database shop on db1:5433 as admin`.
    pub(crate) fn place(&self) -> String {
        let database = self.database().map_or("the role's own database".to_owned(), |name| format!("database {name}"));
        let server = match (self.get("PGHOST").or_else(|| self.get("PGHOSTADDR")), self.get("PGPORT")) {
            (Some(host), Some(port)) => format!(" on {host}:{port}"),
            (Some(host), None) => format!(" on {host}"),
            (None, Some(port)) => format!(" on this machine, port {port}"),
            (None, None) => " on this machine".to_owned(),
        };
        let role = self.get("PGUSER").map_or(String::new(), |user| format!(" as {user}"));
        format!("{database}{server}{role}")
    }

    /// A child process that reaches this database and inherits none of our other secrets.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (_, variable) in libpq::PARAMETERS {
            command.env_remove(variable);
        }
        for name in ALL.iter().filter(|definition| definition.secret).flat_map(|definition| definition.names()) {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (*name, value.expose())));
        command
    }
}
