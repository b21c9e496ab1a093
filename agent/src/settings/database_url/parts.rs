//! The parts of a database's address, as libpq's environment variables.

use postgres::Secret;
use postgres::libpq::{self, Variables};

/// The parts of a connection URI.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DatabaseUrl {
    /// libpq's environment variables, and what the URI says for each.
    pub(crate) variables: Variables,
    /// Parameters that are the application's own, such as `pool_size`: libpq has no use for them.
    pub(crate) ignored: Vec<String>,
    /// Parameters that matter and that libpq can't be told, each with what is amiss.
    pub(crate) doubts: Vec<String>,
    /// Whether it is Java's: the login may stand elsewhere then, and `localhost` is meant where no host stands.
    pub(crate) is_java: bool,
}

impl DatabaseUrl {
    /// Sets a part; an empty one counts as not set.
    pub(super) fn set(&mut self, variable: &'static str, value: &str) {
        if !value.is_empty() {
            self.variables.insert(variable, Secret::new(value));
        }
    }

    /// One `host` as libpq has it, or SQLAlchemy's several, each with its port.
    pub(super) fn set_hosts(&mut self, hosts: &[&str]) -> Result<(), String> {
        let has_port =
            |host: &&str| !host.starts_with('/') && host.contains(':') && host.parse::<std::net::Ipv6Addr>().is_err();
        if hosts.iter().any(has_port) {
            let (hosts, ports) = hosts_and_ports(&hosts.join(","))?;
            self.set("PGHOST", &hosts);
            self.set("PGPORT", &ports);
        } else {
            self.set("PGHOST", &hosts.join(","));
        }
        Ok(())
    }

    /// Itself, where libpq can use every part.
    pub(super) fn checked(self) -> Result<Self, String> {
        for (variable, value) in &self.variables {
            let part = libpq::PARAMETERS.iter().find(|(_, name)| name == variable).map_or("", |(keyword, _)| keyword);
            libpq::check(variable, value.expose()).map_err(|why| format!("its {part}: {why}"))?;
        }
        Ok(self)
    }

    /// Whether it leads to a socket of this machine, where the role is who runs the program, and no login is left open.
    pub(crate) fn is_local(&self) -> bool {
        let host = self.variables.get("PGHOST").map_or("", Secret::expose);
        host.is_empty() && !self.variables.contains_key("PGHOSTADDR") || host.starts_with(['/', '@'])
    }
}

/// `a:1,[::1]:2` as libpq's two lists: `a,::1` and `1,2`.
pub(super) fn hosts_and_ports(text: &str) -> Result<(String, String), String> {
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
