//! How child processes reach the database: libpq's environment variables, never the command line.

use std::ffi::OsStr;
use std::process::Command;

use crate::Secret;
use crate::libpq::{self, Variables};

/// A database's address and login. Debug shows names, never values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// libpq's environment variables. What isn't here is libpq's own default.
    variables: Variables,
    /// Variables of the environment that no child process inherits.
    withheld: &'static [&'static str],
}

impl Connection {
    /// The connection that `variables` describe. `withheld` names what of our own environment is kept from child processes:
    /// the secrets that aren't libpq's.
    #[must_use]
    pub fn new(variables: Variables, withheld: &'static [&'static str]) -> Self {
        Self { variables, withheld }
    }

    /// Another server, reached by these variables alone. Child processes don't inherit the same secrets.
    #[must_use]
    pub fn elsewhere(&self, variables: Variables) -> Self {
        Self { variables, withheld: self.withheld }
    }

    /// The same server, another database.
    #[must_use]
    pub fn to(&self, database: &str) -> Self {
        let mut other = self.clone();
        other.variables.insert("PGDATABASE", Secret::new(database));
        other
    }

    /// The same place, with other values of libpq's variables.
    pub(crate) fn with(&self, variables: &[(&'static str, Secret)]) -> Self {
        let mut other = self.clone();
        other.variables.extend(variables.iter().cloned());
        other
    }

    /// What libpq's environment variable is set to, if we set it.
    pub fn get(&self, variable: &str) -> Option<&str> {
        self.variables.get(variable).map(Secret::expose)
    }

    /// The names of the variables that we set.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.variables.keys().copied()
    }

    /// The database's name; `None`: libpq takes the role's name.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.get("PGDATABASE").or_else(|| self.get("PGUSER"))
    }

    /// The address in words, for messages: `database shop on db1:5433 as admin`.
    #[must_use]
    pub fn place(&self) -> String {
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
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = without_secrets(program, self.withheld);
        command.envs(self.variables.iter().map(|(name, value)| (*name, value.expose())));
        command
    }
}

/// A child process that is told of no database, and inherits neither what is `withheld` nor libpq's own variables.
#[expect(clippy::disallowed_methods, reason = "the one place in which client programs are made")]
pub(crate) fn without_secrets(program: impl AsRef<OsStr>, withheld: &[&str]) -> Command {
    let mut command = Command::new(program);
    let libpqs = libpq::PARAMETERS.iter().map(|(_, variable)| variable);
    for name in libpqs.chain(withheld) {
        command.env_remove(name);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(variables: &[(&'static str, &str)]) -> Connection {
        Connection::new(variables.iter().map(|(name, value)| (*name, Secret::new(*value))).collect(), &["OUR_TOKEN"])
    }

    #[test]
    fn a_child_gets_what_was_decided_and_none_of_our_other_secrets() {
        let command = connection(&[("PGHOST", "db1"), ("PGPASSWORD", "hush")]).to("shop").command("psql");
        let set = |name: &str| command.get_envs().find(|(known, _)| *known == name).map(|(_, value)| value);
        assert_eq!(set("PGHOST"), Some(Some("db1".as_ref())));
        assert_eq!(set("PGPASSWORD"), Some(Some("hush".as_ref())));
        assert_eq!(set("PGDATABASE"), Some(Some("shop".as_ref())));
        assert_eq!(set("PGSERVICE"), Some(None), "libpq would let it win");
        assert_eq!(set("OUR_TOKEN"), Some(None));
        assert!(command.get_args().next().is_none());
    }

    #[test]
    fn a_place_is_said_without_its_password() {
        let place = |variables| connection(variables).place();
        assert_eq!(place(&[]), "the role's own database on this machine");
        let all = [("PGHOST", "db1"), ("PGPORT", "5433"), ("PGUSER", "admin"), ("PGPASSWORD", "hush")];
        assert_eq!(place(&all), "database admin on db1:5433 as admin");
    }
}
