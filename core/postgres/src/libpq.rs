//! libpq's own settings: its environment variables, and the service file that stands in for them.
//!
//! A service is resolved here and not left to libpq, which lets a service win over the environment: `--database` and `DB_*`
//! could then say nothing against it.
//! <https://www.postgresql.org/docs/current/libpq-envars.html>

mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use values::{check, ssl_mode};

use crate::Secret;

/// libpq's environment variables and their values.
pub type Variables = BTreeMap<&'static str, Secret>;

/// libpq's connection parameters that an environment variable can set.
pub const PARAMETERS: &[(&str, &str)] = &[
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("passfile", "PGPASSFILE"),
    ("require_auth", "PGREQUIREAUTH"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("service", "PGSERVICE"),
    ("servicefile", "PGSERVICEFILE"),
    ("options", "PGOPTIONS"),
    ("application_name", "PGAPPNAME"),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("requirepeer", "PGREQUIREPEER"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslcertmode", "PGSSLCERTMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslsni", "PGSSLSNI"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("gssencmode", "PGGSSENCMODE"),
    ("krbsrvname", "PGKRBSRVNAME"),
    ("gsslib", "PGGSSLIB"),
    ("gssdelegation", "PGGSSDELEGATION"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("client_encoding", "PGCLIENTENCODING"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    ("min_protocol_version", "PGMINPROTOCOLVERSION"),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION"),
];

/// The folders where packages keep `pg_service.conf`; libpq has one of them compiled in.
const SERVICE_FOLDERS: [&str; 3] = ["/etc/postgresql-common", "/etc/sysconfig/pgsql", "/usr/local/pgsql/etc"];

/// The environment variable of a connection parameter. asyncpg writes `ssl` for `sslmode`.
#[must_use]
pub fn variable(keyword: &str) -> Option<&'static str> {
    let keyword = if keyword == "ssl" { "sslmode" } else { keyword };
    PARAMETERS.iter().find(|(parameter, _)| *parameter == keyword).map(|(_, variable)| *variable)
}

/// Whether a variable's value is never shown. PGOPTIONS and file names are no secrets.
#[must_use]
pub fn is_secret(variable: &str) -> bool {
    variable == "PGPASSWORD"
}

/// What the service `name` says, as environment variables; `None` where no service file knows it.
#[must_use]
pub fn service(name: &str, files: &[PathBuf]) -> Option<Variables> {
    files.iter().find_map(|file| section(&std::fs::read_to_string(file).ok()?, name))
}

/// Where libpq looks for a service: the user's own file, or the one that was named, then the machine's.
pub fn service_files(named: Option<&str>, home: Option<&Path>, folder: Option<&str>) -> Vec<PathBuf> {
    let own = named.map(PathBuf::from).or_else(|| home.map(|home| home.join(".pg_service.conf")));
    let folders = folder.map_or_else(|| SERVICE_FOLDERS.map(Path::new).to_vec(), |folder| vec![Path::new(folder)]);
    own.into_iter().chain(folders.into_iter().map(|folder| folder.join("pg_service.conf"))).collect()
}

fn section(text: &str, name: &str) -> Option<Variables> {
    let header = format!("[{name}]");
    let mut lines = text.lines().map(str::trim).skip_while(|line| *line != header);
    lines.next()?;
    let entries = lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.starts_with('#'));
    let entries = entries.filter_map(|line| line.split_once('='));
    // libpq takes the first of two equal keys.
    let mut found = Variables::new();
    for (keyword, value) in entries {
        if let Some(variable) = variable(keyword.trim()) {
            found.entry(variable).or_insert_with(|| Secret::new(value.trim()));
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_ends_where_the_next_begins() {
        let text = "# ours\n[other]\nhost=o\n[shop]\n# no\nhost = db1\nport=6000\nhost=later\n[third]\nuser=t\n";
        let found = section(text, "shop").unwrap();
        let found: Vec<_> = found.iter().map(|(name, value)| (*name, value.expose())).collect();
        assert_eq!(found, [("PGHOST", "db1"), ("PGPORT", "6000")]);
        assert_eq!(section(text, "none"), None);
    }
}
