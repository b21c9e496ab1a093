//! Where a session is to be had, by libpq's settings and by what a psql made of them.

use std::path::PathBuf;
use std::time::Duration;

use crate::wire::passfile;
use crate::{Connection, Secret};

/// libpq's settings that mean here what they mean to libpq, or that psql has used up: which of several hosts it is. Those of an encrypted
/// connection mean nothing without one.
const HONOURED: [&str; 25] = [
    "PGAPPNAME",
    "PGCLIENTENCODING",
    "PGCONNECT_TIMEOUT",
    "PGDATABASE",
    "PGGSSENCMODE",
    "PGGSSLIB",
    "PGHOST",
    "PGKRBSRVNAME",
    "PGLOADBALANCEHOSTS",
    "PGOPTIONS",
    "PGPASSFILE",
    "PGPASSWORD",
    "PGPORT",
    "PGSSLCERT",
    "PGSSLCERTMODE",
    "PGSSLCRL",
    "PGSSLCRLDIR",
    "PGSSLKEY",
    "PGSSLMAXPROTOCOLVERSION",
    "PGSSLMINPROTOCOLVERSION",
    "PGSSLMODE",
    "PGSSLROOTCERT",
    "PGSSLSNI",
    "PGTARGETSESSIONATTRS",
    "PGUSER",
];
/// Variables that are sent as settings of the session.
const STARTUP: [(&str, &str); 2] = [("options", "PGOPTIONS"), ("application_name", "PGAPPNAME")];

/// Where to connect, as whom, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(super) place: Place,
    pub(super) user: String,
    database: String,
    pub(super) password: Option<Secret>,
    settings: Vec<(&'static str, String)>,
    /// libpq would go on encrypted, if the server can.
    pub(super) may_encrypt: bool,
    /// How long connecting and login may take.
    pub(super) timeout: Duration,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Its socket's path.
    Folder(PathBuf),
    /// A name or an address.
    Host { name: String, port: u16 },
}

/// What psql says of its connection: `:HOST`, `:PORT`, `:USER` and `:DBNAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// A name, an address or a folder.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
    /// The role.
    pub(crate) user: String,
    /// The database.
    pub(crate) database: String,
    /// It is encrypted by GSSAPI.
    pub(crate) is_gss: bool,
}

impl Address {
    /// The address that psql connected to. `timeout`: seconds, where the user says none.
    ///
    /// # Errors
    /// Which of libpq's settings only libpq can honour, in words.
    pub(crate) fn of(connection: &Connection, resolved: &Resolved, timeout: &str) -> Result<Self, String> {
        if let Some(name) = connection.names().find(|name| !HONOURED.contains(name)) {
            return Err(format!("{name} is set"));
        }
        let Resolved { host, port, user, database, is_gss } = resolved;
        if host.starts_with('@') || *is_gss {
            return Err("the connection is of a kind that is libpq's alone".to_owned());
        }
        let is_folder = host.starts_with('/');
        let may_encrypt = match connection.get("PGSSLMODE") {
            _ if is_folder => false,
            None | Some("prefer") => true,
            Some("disable" | "allow") => false,
            Some(mode) => return Err(format!("sslmode is {mode}")),
        };
        let place = match is_folder {
            true => Place::Folder(format!("{host}/.s.PGSQL.{port}").into()),
            false => Place::Host { name: host.clone(), port: *port },
        };
        let asked = connection.get("PGPASSWORD").filter(|password| !password.is_empty()).map(Secret::new);
        // libpq calls a host that nobody named localhost.
        let named = if connection.get("PGHOST").is_some() { passfile::host(host) } else { "localhost" };
        let password = asked
            .or_else(|| passfile::password(connection.get("PGPASSFILE"), [named, &port.to_string(), database, user]));
        let settings =
            STARTUP.iter().filter_map(|(name, variable)| Some((*name, connection.get(variable)?.to_owned())));
        let seconds = connection.get("PGCONNECT_TIMEOUT").unwrap_or(timeout).trim().parse().ok();
        Ok(Self {
            place,
            user: user.clone(),
            database: database.clone(),
            password,
            settings: settings.collect(),
            may_encrypt,
            timeout: Duration::from_secs(seconds.filter(|seconds| *seconds > 0).unwrap_or(u64::from(u16::MAX))),
        })
    }

    /// What a session says first: who it is, where it wants to, and its settings.
    pub(super) fn startup(&self) -> impl Iterator<Item = (&str, &str)> {
        let settings = self.settings.iter().map(|(name, value)| (*name, value.as_str()));
        [("user", self.user.as_str()), ("database", self.database.as_str())].into_iter().chain(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(variables: &[(&'static str, &str)], host: &str) -> Result<Address, String> {
        let connection =
            Connection::new(variables.iter().map(|(name, value)| (*name, Secret::new(*value))).collect(), &[]);
        let (user, database) = ("ann".to_owned(), "shop".to_owned());
        let resolved = Resolved { host: host.to_owned(), port: 6000, user, database, is_gss: false };
        Address::of(&connection, &resolved, "15")
    }

    #[test]
    fn a_folder_is_a_socket_and_never_encrypted() {
        let local = address(&[("PGSSLMODE", "verify-full"), ("PGPASSWORD", "hush")], "/run/pg").unwrap();
        assert_eq!(local.place, Place::Folder("/run/pg/.s.PGSQL.6000".into()));
        assert!(!local.may_encrypt && !format!("{local:?}").contains("hush"));
        assert_eq!(local.startup().collect::<Vec<_>>(), [("user", "ann"), ("database", "shop")]);
        assert_eq!(local.timeout, Duration::from_secs(15));
    }

    #[test]
    fn what_libpq_alone_can_is_left_to_it() {
        let encrypts = |mode| address(&[("PGSSLMODE", mode)], "db1").map(|address| address.may_encrypt);
        assert_eq!((encrypts("prefer"), encrypts("disable"), encrypts("allow")), (Ok(true), Ok(false), Ok(false)));
        assert_eq!(encrypts("require"), Err("sslmode is require".to_owned()));
        for name in ["PGREQUIREPEER", "PGREQUIREAUTH", "PGCHANNELBINDING", "PGHOSTADDR", "PGMINPROTOCOLVERSION"] {
            assert_eq!(address(&[(name, "x")], "db1"), Err(format!("{name} is set")));
        }
        assert!(address(&[], "@abstract").is_err());
    }

    #[test]
    fn options_and_name_go_with_the_session() {
        let set = [("PGOPTIONS", "-c work_mem=1MB"), ("PGAPPNAME", "lastgood"), ("PGCONNECT_TIMEOUT", "0")];
        let address = address(&set, "::1").unwrap();
        assert_eq!(
            address.startup().skip(2).collect::<Vec<_>>(),
            [("options", "-c work_mem=1MB"), ("application_name", "lastgood")]
        );
        assert!(address.timeout > Duration::from_secs(3600), "libpq waits without end");
    }
}
