//! `DATABASE_URL`, read as libpq reads a connection URI.
//!
//! `postgresql://user:password@host:port/database?sslmode=require`, also with several hosts, an IPv6 address, a socket
//! folder, and the `+driver` that SQLAlchemy adds. Passwords never reach a command line: every part becomes the environment
//! variable that libpq reads for it.
//! <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>

use percent_encoding::percent_decode_str;
use postgres::{Secret, libpq};

use super::definition::Form;

pub(crate) const DATABASE_URL: Form<DatabaseUrl> =
    Form { words: "`postgresql://user:password@host:port/database`", parse: DatabaseUrl::parse };

/// The parts of a connection URI.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DatabaseUrl {
    /// libpq's environment variables, and what the URI says for each.
    pub(crate) variables: libpq::Variables,
    /// Parameters that are the application's own, such as `pool_size`: libpq has no use for them.
    pub(crate) ignored: Vec<String>,
}

impl DatabaseUrl {
    fn parse(text: &str) -> Result<Self, String> {
        let rest = without_scheme(text)?;
        let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        // The last `@`, so that one inside an unencoded password does no harm: host names have none.
        let (credentials, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let (hosts, ports) = hosts_and_ports(hosts)?;

        let mut url = Self::default();
        url.set("PGUSER", user)?;
        url.set("PGPASSWORD", password)?;
        url.set("PGHOST", &hosts)?;
        url.set("PGPORT", &ports)?;
        url.set("PGDATABASE", database)?;
        for parameter in parameters.split('&').filter(|p| !p.is_empty()) {
            let (keyword, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match libpq::variable(keyword) {
                Some(variable) => url.set(variable, value)?,
                None => url.ignored.push(keyword.to_owned()),
            }
        }
        Ok(url)
    }

    fn set(&mut self, variable: &'static str, encoded: &str) -> Result<(), String> {
        let value = percent_decode_str(encoded).decode_utf8().map_err(|_| "one of its parts is not valid UTF-8")?;
        if value.contains('\0') {
            return Err("one of its parts contains a zero byte".into());
        }
        if !value.is_empty() {
            self.variables.insert(variable, Secret::new(value));
        }
        Ok(())
    }
}

fn without_scheme(text: &str) -> Result<&str, String> {
    let (scheme, rest) = text.split_once("://").ok_or("expected postgresql:// at its beginning")?;
    let (scheme, _driver) = scheme.split_once('+').unwrap_or((scheme, ""));
    if ["postgres", "postgresql"].contains(&scheme) {
        return Ok(rest);
    }
    Err("not a PostgreSQL URL: expected postgresql:// or postgres://".into())
}

/// `a:1,[::1]:2` as libpq's two lists: `a,::1` and `1,2`.
fn hosts_and_ports(text: &str) -> Result<(String, String), String> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for part in text.split(',') {
        let (host, port) = match part.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((address, port))) => (address, port.strip_prefix(':').unwrap_or(port)),
            Some(None) => return Err("its IPv6 address has no closing bracket".into()),
            None => part.split_once(':').unwrap_or((part, "")),
        };
        if !port.is_empty() && port.parse::<u16>().is_err() {
            return Err("its port is not a number".into());
        }
        hosts.push(host);
        ports.push(port);
    }
    let no_port = ports.iter().all(|port| port.is_empty());
    Ok((hosts.join(","), if no_port { String::new() } else { ports.join(",") }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> String {
        match DatabaseUrl::parse(text) {
            Ok(url) => url
                .variables
                .iter()
                .map(|(name, value)| format!("{name}={}", value.expose()))
                .collect::<Vec<_>>()
                .join(" "),
            Err(complaint) => complaint,
        }
    }

    #[test]
    fn urls_mean_what_they_mean_to_libpq() {
        let cases = [
            ("postgresql://", ""),
            ("postgres://u@h/d", "PGDATABASE=d PGHOST=h PGUSER=u"),
            (
                "postgresql+asyncpg://u:p%40ss@h:6543/my%20app",
                "PGDATABASE=my app PGHOST=h PGPASSWORD=p@ss PGPORT=6543 PGUSER=u",
            ),
            ("postgresql://u:p@ss:w@h/d", "PGDATABASE=d PGHOST=h PGPASSWORD=p@ss:w PGUSER=u"),
            ("postgresql://u@[::1]:5433/d", "PGDATABASE=d PGHOST=::1 PGPORT=5433 PGUSER=u"),
            ("postgresql://a:1,b:2/d", "PGDATABASE=d PGHOST=a,b PGPORT=1,2"),
            ("postgresql://%2Frun%2Fpostgresql/d", "PGDATABASE=d PGHOST=/run/postgresql"),
            (
                "postgresql:///d?host=/run/postgresql&sslmode=require",
                "PGDATABASE=d PGHOST=/run/postgresql PGSSLMODE=require",
            ),
            ("postgresql://h/d?ssl=require&pool_size=5", "PGDATABASE=d PGHOST=h PGSSLMODE=require"),
            ("mysql://h/d", "not a PostgreSQL URL: expected postgresql:// or postgres://"),
            ("h/d", "expected postgresql:// at its beginning"),
            ("postgresql://h:port/d", "its port is not a number"),
            ("postgresql://[::1/d", "its IPv6 address has no closing bracket"),
            ("postgresql://u:%00@h/d", "one of its parts contains a zero byte"),
            ("postgresql://u:%FF@h/d", "one of its parts is not valid UTF-8"),
        ];
        for (text, expected) in cases {
            assert_eq!(parts(text), expected, "{text}");
        }
    }
}
