//! A URL's parameters: libpq's own, those of other clients that mean the same, and those that only the application has.

use std::borrow::Cow;

use postgres::libpq;

use super::parts::DatabaseUrl;

/// Other clients' names for libpq's parameters, small and without `_` and `-`.
const ALIASES: [(&str, &str); 5] =
    [("username", "user"), ("pass", "password"), ("pwd", "password"), ("socketdir", "host"), ("sslca", "sslrootcert")];
/// Where SQLAlchemy's pg8000 and Java have a socket's whole path.
const SOCKETS: [&str; 2] = ["unixsock", "socketfactoryarg"];
/// JDBC's words for the kind of server.
const TARGETS: [(&str, &str); 6] = [
    ("any", "any"),
    ("primary", "primary"),
    ("master", "primary"),
    ("secondary", "standby"),
    ("slave", "standby"),
    ("prefersecondary", "prefer-standby"),
];

/// One `name=value` of a URL, as it stands there.
pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    pub(super) value: Cow<'a, str>,
    has_value: bool,
}

impl<'a> Parameter<'a> {
    /// Every parameter of a query.
    pub(super) fn all(query: &'a str, is_java: bool) -> Vec<Self> {
        let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
        let read = parameters.map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            // Java writes a space so.
            let value = if is_java { Cow::Owned(value.replace('+', "%20")) } else { Cow::Borrowed(value) };
            Self { name, value, has_value: parameter.contains('=') }
        });
        read.collect()
    }

    /// Whether it is rather the rest of a password, with a host behind it.
    pub(super) fn shows_a_host(&self, no_credentials: bool) -> bool {
        if self.name.contains('@') {
            return true;
        }
        let is_ours = libpq_keyword(self.name).is_some() || SOCKETS.contains(&normal(self.name).as_str());
        let host = self.value.rsplit_once('@').map(|(_, host)| host);
        !is_ours && self.has_value && host.is_some_and(|host| no_credentials || host.contains('/'))
    }
}

fn normal(name: &str) -> String {
    name.chars().filter(|c| !"_-".contains(*c)).collect::<String>().to_ascii_lowercase()
}

/// libpq's keyword for a parameter, in any client's spelling.
fn libpq_keyword(name: &str) -> Option<&'static str> {
    let name = normal(name);
    let alias = ALIASES.iter().find(|(other, _)| *other == name).map(|(_, keyword)| *keyword);
    alias.or_else(|| libpq::PARAMETERS.iter().map(|(keyword, _)| *keyword).find(|keyword| normal(keyword) == name))
}

/// What the parameters say about TLS, before it is decided.
#[derive(Default)]
struct Tls<'a> {
    /// `sslmode`, in libpq's words.
    mode: Option<&'static str>,
    /// `ssl`: libpq's mode for it. What `sslmode` says is more exact.
    switch: Option<&'static str>,
    certificate: Option<&'a str>,
    /// Prisma's `sslaccept`: `strict` looks at the server's certificate.
    accept: Option<&'a str>,
}

impl DatabaseUrl {
    /// Takes the parameters over, decoded.
    pub(super) fn take(&mut self, parameters: &[(String, String)]) -> Result<(), String> {
        let mut tls = Tls::default();
        let mut hosts = Vec::new();
        for (name, value) in parameters {
            match normal(name).as_str() {
                "ssl" | "requiressl" => tls.switch = self.switch(value, &normal(name))?.or(tls.switch),
                "sslmode" if value.is_empty() => {}
                "sslmode" => tls.mode = Some(mode("sslmode", value)?),
                "sslaccept" => tls.accept = Some(value),
                "sslcert" => tls.certificate = Some(value),
                "sslpassword" | "sslidentity" => self.doubts.push(format!(
                    "its parameter {name} cannot be given to libpq: put the client's certificate into sslcert and its key, \
                     without a password, into sslkey"
                )),
                "cloudsqlinstance" => {
                    return Err(format!(
                        "its parameter {name} needs Google's own connector: start cloud-sql-proxy and set the address at \
                         which it listens"
                    ));
                }
                "targetservertype" => match TARGETS.iter().find(|(word, _)| *word == normal(value)) {
                    Some((_, attributes)) => self.set("PGTARGETSESSIONATTRS", attributes),
                    None => return Err(format!("{name}: expected primary, secondary, preferSecondary or any")),
                },
                "loadbalancehosts" => {
                    self.set("PGLOADBALANCEHOSTS", match value.as_str() {
                        "true" => "random",
                        "false" => "disable",
                        other => other,
                    });
                }
                socket if SOCKETS.contains(&socket) && value.starts_with('/') => self.set_socket(value),
                _ => match libpq_keyword(name) {
                    Some("host") => hosts.push(value.as_str()),
                    other => match other.and_then(libpq::variable) {
                        Some(variable) => self.set(variable, value),
                        None => self.leave(name),
                    },
                },
            }
        }
        self.set_hosts(&hosts)?;
        self.set_tls(&tls);
        Ok(())
    }

    /// `ssl=true` and its kin. JDBC's `false` is libpq's default and no ban.
    fn switch(&self, value: &str, name: &str) -> Result<Option<&'static str>, String> {
        // Java's parameters may stand alone.
        let mode = match value {
            "" if self.is_java => "require",
            "" => return Ok(None),
            _ => mode(name, value)?,
        };
        let is_nothing = mode == "disable" && (self.is_java || name == "requiressl");
        Ok((!is_nothing).then_some(mode))
    }

    fn set_tls(&mut self, tls: &Tls<'_>) {
        let strict = tls.accept == Some("strict");
        let mode = match tls.mode.or(tls.switch) {
            None | Some("require" | "prefer") if strict => Some("verify-full"),
            other => other,
        };
        self.set("PGSSLMODE", mode.unwrap_or_default());
        // Prisma's sslcert is the certificate of the server's authority.
        let variable = if tls.accept.is_some() { "PGSSLROOTCERT" } else { "PGSSLCERT" };
        self.set(variable, tls.certificate.unwrap_or_default());
    }

    /// `/run/postgresql/.s.PGSQL.5432`: libpq wants the folder and the port.
    fn set_socket(&mut self, path: &str) {
        match path.rsplit_once("/.s.PGSQL.") {
            Some((folder, port)) => {
                self.set("PGHOST", folder);
                self.set("PGPORT", port);
            }
            None => self.set("PGHOST", path),
        }
    }

    fn leave(&mut self, name: &str) {
        let is_name = name.len() < 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        let name = if is_name { name } else { "…" };
        let meant = libpq::PARAMETERS.iter().map(|(keyword, _)| *keyword).filter(|keyword| keyword.starts_with("ssl"));
        match meant.into_iter().find(|keyword| strsim::damerau_levenshtein(&normal(keyword), &normal(name)) == 1) {
            Some(meant) => self.doubts.push(format!("ignored its parameter {name}; did you mean {meant}?")),
            None => self.ignored.push(name.to_owned()),
        }
    }
}

fn mode(name: &str, value: &str) -> Result<&'static str, String> {
    let known = "disable, allow, prefer, require, verify-ca, verify-full";
    libpq::ssl_mode(value).ok_or_else(|| format!("its parameter {name}: expected one of {known}"))
}
