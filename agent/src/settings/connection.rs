//! How child processes reach the database: libpq's environment variables, never the command line.

use std::ffi::OsStr;
use std::process::Command;

use super::layers::Layers;
use super::libpq::Variables;
use super::secret::Secret;
use super::{libpq, table};

/// A database's address and login. Debug shows names, never values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Connection {
    /// libpq's environment variables. What isn't here is libpq's own default.
    variables: Variables,
}

impl Connection {
    pub(super) fn new(variables: Variables) -> Self {
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
    #[expect(clippy::disallowed_methods, reason = "the one place in which programs that connect are made")]
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (_, variable) in libpq::PARAMETERS {
            command.env_remove(variable);
        }
        for name in table::ALL.iter().filter(|definition| definition.secret).flat_map(|definition| definition.names()) {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (*name, value.expose())));
        command
    }
}

/// The settings that say the same as one of libpq's variables.
const OWN: [(&str, &str); 5] = [
    ("DB_HOST", "PGHOST"),
    ("DB_PORT", "PGPORT"),
    ("DB_NAME", "PGDATABASE"),
    ("DB_USER", "PGUSER"),
    ("DB_PASSWORD", "PGPASSWORD"),
];

/// Decides each part by itself: the entry's own `DB_*` and `DATABASE_URL`, then those of all, the service, `PG*`, and the
/// guide's defaults where they hold.
pub(super) fn resolve(
    entry: Option<&Layers>,
    all: &Layers,
    service: &dyn Fn(&str, Option<&str>) -> Option<Variables>,
) -> Connection {
    let mut variables = Variables::new();
    for layers in entry.into_iter().chain([all]) {
        add(&mut variables, own(layers));
        add(&mut variables, layers.get(&table::DATABASE_URL).map(|url| url.variables).unwrap_or_default());
    }
    let named = |variable: &str| all.set(variable).map(|found| found.text);
    let chosen = variables.get("PGSERVICE").map(|s: &Secret| s.expose().to_owned()).or_else(|| named("PGSERVICE"));
    let file = variables.get("PGSERVICEFILE").map(|s| s.expose().to_owned()).or_else(|| named("PGSERVICEFILE"));
    let resolved = chosen.and_then(|name| service(&name, file.as_deref()));
    let is_resolved = resolved.is_some();
    add(&mut variables, resolved.unwrap_or_default());
    let libpqs = libpq::PARAMETERS.iter().filter_map(|(_, name)| Some((*name, Secret::new(all.set(name)?.text))));
    add(&mut variables, libpqs.collect());
    if is_resolved {
        // libpq would let the service win over all that was decided here. One that we can't find is left to libpq.
        variables.remove("PGSERVICE");
    }
    add(&mut variables, guides(all));
    variables.entry("PGAPPNAME").or_insert_with(|| Secret::new("lastgood"));
    Connection::new(variables)
}

/// What a weaker place says about parts that no stronger one named.
fn add(variables: &mut Variables, weaker: Variables) {
    // A host that was named must not be reached at the address of another.
    let host_is_known = variables.contains_key("PGHOST");
    for (variable, value) in weaker {
        if variable != "PGHOSTADDR" || !host_is_known {
            variables.entry(variable).or_insert(value);
        }
    }
}

fn own(layers: &Layers) -> Variables {
    OWN.iter().filter_map(|(name, variable)| Some((*variable, Secret::new(layers.set(name)?.text)))).collect()
}

fn guides(layers: &Layers) -> Variables {
    let default = |name: &str| layers.find(table::ALL.iter().find(|definition| definition.name == name)?);
    OWN.iter().filter_map(|(name, variable)| Some((*variable, Secret::new(default(name)?.text)))).collect()
}

/// The database that these places name by themselves.
pub(super) fn own_database(layers: &Layers) -> Option<String> {
    let url = || layers.get(&table::DATABASE_URL)?.variables.get("PGDATABASE").map(|name| name.expose().to_owned());
    layers.set("DB_NAME").map(|found| found.text).or_else(url)
}
