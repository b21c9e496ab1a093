//! The servers that have a socket on this machine, asked as their superuser where root may be it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use catalog::words;
use postgres::{Stop, Tools};
use serde::Deserialize;

use super::super::machine::{Machine, User};
use super::super::offer::Lines;
use super::super::programs::Call;

/// Where the packages' servers have their sockets.
const FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];
/// What a socket's name begins with; its port follows.
const SOCKET: &str = ".s.PGSQL.";
/// Of those that can be connected to: whose there is something in.
const DATABASES: &str =
    "SELECT json_build_object('version', current_setting('server_version_num')::int, 'databases', coalesce((
    SELECT json_agg(json_build_object('name', datname, 'size',
        CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END) ORDER BY datname)
    FROM pg_database WHERE datallowconn AND NOT datistemplate), '[]'));\n";

/// One server.
#[derive(Clone, Debug)]
pub(in crate::commands::init) struct Cluster {
    /// The socket's folder.
    pub(in crate::commands::init) folder: PathBuf,
    pub(in crate::commands::init) port: u16,
    /// Its major version; `None`: it could not be asked.
    pub(in crate::commands::init) major: Option<u32>,
    pub(in crate::commands::init) databases: Vec<Database>,
    /// Whether its superuser answered.
    pub(in crate::commands::init) has_superuser: bool,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(in crate::commands::init) struct Database {
    pub(in crate::commands::init) name: String,
    size: Option<u64>,
}

#[derive(Deserialize)]
struct Answered {
    version: u32,
    databases: Vec<Database>,
}

/// Those that answer. `host` is a socket's folder that the environment names.
pub(super) fn find(machine: &Machine, host: Option<&OsString>, stop: &Stop) -> Vec<Cluster> {
    let named = host.map(PathBuf::from).filter(|folder| folder.is_absolute());
    let mut folders: Vec<PathBuf> = named.into_iter().chain(FOLDERS.map(PathBuf::from)).collect();
    folders.dedup();
    let sockets = folders.iter().flat_map(|folder| sockets(folder));
    sockets.map(|(folder, port)| Cluster::asked(folder, port, machine, stop)).collect()
}

fn sockets(folder: &Path) -> Vec<(PathBuf, u16)> {
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let port = |name: OsString| name.to_str()?.strip_prefix(SOCKET)?.parse().ok();
    let mut ports: Vec<u16> = names.filter_map(port).collect();
    ports.sort_unstable();
    ports.into_iter().map(|port| (folder.to_owned(), port)).collect()
}

impl Cluster {
    fn asked(folder: PathBuf, port: u16, machine: &Machine, stop: &Stop) -> Self {
        let mut cluster = Self { folder, port, major: None, databases: Vec::new(), has_superuser: false };
        let superuser = machine.postgres.as_ref();
        for (user, is_superuser) in superuser.map(|user| (user, true)).into_iter().chain([(&machine.nightly, false)]) {
            let Ok(told) = cluster.ask(user, DATABASES, stop) else { continue };
            let Ok(answered) = serde_json::from_str::<Answered>(told.trim()) else { continue };
            cluster.has_superuser = is_superuser;
            cluster.major = Some(answered.version / 10_000);
            cluster.databases = answered.databases;
            // The one that every server has is seldom what is meant.
            if cluster.databases.len() > 1 {
                cluster.databases.retain(|database| database.name != "postgres");
            }
            break;
        }
        cluster
    }

    /// Runs SQL as this user of the system, who has a role of the same name.
    ///
    /// # Errors
    /// psql's words.
    pub(in crate::commands::init) fn ask(&self, user: &User, sql: &str, stop: &Stop) -> Result<String, String> {
        let psql = Tools::find(None, &[]).newest("psql").map_err(|error| error.to_string())?;
        let (folder, port) = (self.folder.display().to_string(), self.port.to_string());
        let call = Call::new("psql", &psql).by(user).arguments(&["-XqAtw", "-v", "ON_ERROR_STOP=1", "-f", "-"]);
        let call = call.arguments(&["-h", &folder, "-p", &port, "-d", "postgres"]);
        let answer = call.given(sql, stop).map_err(|error| error.to_string())?;
        if answer.is_done { Ok(answer.stdout) } else { Err(answer.said) }
    }

    /// The settings of one of its databases.
    pub(in crate::commands::init) fn lines(&self, database: &str) -> Lines {
        let mut lines = vec![("DB_NAME", database.to_owned()), ("DB_HOST", self.folder.display().to_string())];
        if self.port != 5432 {
            lines.push(("DB_PORT", self.port.to_string()));
        }
        lines.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// In words.
    pub(in crate::commands::init) fn shown(&self) -> String {
        let version = self.major.map_or(String::new(), |major| format!(" {major}"));
        format!("PostgreSQL{version} on this machine, {}/{SOCKET}{}", self.folder.display(), self.port)
    }
}

impl Database {
    /// In words.
    pub(in crate::commands::init) fn shown(&self) -> String {
        self.size.map_or(self.name.clone(), |size| format!("{} ({})", self.name, words::size(size)))
    }
}
