//! Where a connection leads: a host and a port, or a socket in a folder.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use super::kind::Obstacle;
use crate::Connection;

/// How long each step may take: libpq has waited before.
const PATIENCE: Duration = Duration::from_secs(4);
const PORT: &str = "5432";
/// Where servers have their sockets: Debian's, and PostgreSQL's own.
const FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];
/// What the system's resolver says of a name of which nobody can tell anything now. It has no kinds; a program that sets no
/// locale, as this one, gets its texts in English.
const UNKNOWN_NOW: [&str; 2] = ["Temporary failure", "System error"];

/// One place that libpq tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Tcp { host: String, port: u16 },
    Socket(PathBuf),
}

/// An open connection of either kind.
pub(super) trait Stream: io::Read + io::Write {}
impl Stream for TcpStream {}
impl Stream for UnixStream {}

impl Address {
    /// All that libpq tries, in its order.
    pub(super) fn all(connection: &Connection) -> Vec<Self> {
        let hosts = connection.get("PGHOSTADDR").or_else(|| connection.get("PGHOST")).filter(|hosts| !hosts.is_empty());
        let ports: Vec<&str> = connection.get("PGPORT").unwrap_or(PORT).split(',').collect();
        let port = |at: usize| {
            let text = ports.get(at).or(ports.first()).copied().unwrap_or(PORT);
            if text.trim().is_empty() { PORT } else { text.trim() }
        };
        let socket = |folder: &str, port: &str| Self::Socket(PathBuf::from(folder).join(format!(".s.PGSQL.{port}")));
        let Some(hosts) = hosts else { return FOLDERS.iter().map(|folder| socket(folder, port(0))).collect() };
        let address = |(at, host): (usize, &str)| {
            if host.starts_with('/') {
                return Some(socket(host, port(at)));
            }
            Some(Self::Tcp { host: host.to_owned(), port: port(at).parse().ok()? })
        };
        hosts.split(',').map(str::trim).enumerate().filter_map(address).collect()
    }

    /// Whether something listens there.
    pub(super) fn reach(&self) -> Result<(), Obstacle> {
        self.connect().map(drop)
    }

    pub(super) fn is_socket(&self) -> bool {
        matches!(self, Self::Socket(_))
    }

    /// Connects, for at most a few seconds in every step that follows.
    pub(super) fn connect(&self) -> Result<Box<dyn Stream>, Obstacle> {
        match self {
            Self::Socket(path) => {
                let stream = UnixStream::connect(path).map_err(|error| match error.kind() {
                    io::ErrorKind::NotFound => Obstacle::NoSocket,
                    _ => Obstacle::NoServer,
                })?;
                let limited =
                    stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
                limited.map_err(|_| Obstacle::Other)?;
                Ok(Box::new(stream))
            }
            Self::Tcp { host, port } => {
                let mut obstacle = Obstacle::Silent;
                for address in lookup(host, *port)? {
                    match TcpStream::connect_timeout(&address, PATIENCE) {
                        Ok(stream) => {
                            let limited = stream
                                .set_read_timeout(Some(PATIENCE))
                                .and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
                            limited.map_err(|_| Obstacle::Other)?;
                            return Ok(Box::new(stream));
                        }
                        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => obstacle = Obstacle::NoServer,
                        Err(_) => {}
                    }
                }
                Err(obstacle)
            }
        }
    }
}

/// On a thread of its own: a resolver that is away can take half a minute to say so.
fn lookup(host: &str, port: u16) -> Result<Vec<SocketAddr>, Obstacle> {
    let (say, found) = mpsc::channel();
    let host = host.to_owned();
    std::thread::spawn(move || {
        let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        // Whoever asked may have given up.
        let _ = say.send(found);
    });
    match found.recv_timeout(PATIENCE) {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) if UNKNOWN_NOW.iter().any(|now| error.to_string().contains(now)) => Err(Obstacle::NoNames),
        Ok(Err(_)) => Err(Obstacle::UnknownHost),
        Err(_) => Err(Obstacle::NoNames),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    fn all(variables: &[(&'static str, &str)]) -> Vec<Address> {
        let variables = variables.iter().map(|(name, value)| (*name, Secret::new(*value))).collect();
        Address::all(&Connection::new(variables, &[]))
    }

    fn tcp(host: &str, port: u16) -> Address {
        Address::Tcp { host: host.to_owned(), port }
    }

    #[test]
    fn every_place_that_libpq_tries_is_one() {
        assert_eq!(all(&[("PGHOST", "a, b"), ("PGPORT", "1,2")]), [tcp("a", 1), tcp("b", 2)]);
        assert_eq!(all(&[("PGHOST", "a,b"), ("PGPORT", "7")]), [tcp("a", 7), tcp("b", 7)]);
        assert_eq!(all(&[("PGHOST", "a"), ("PGHOSTADDR", "::1")]), [tcp("::1", 5432)]);
        assert_eq!(all(&[("PGHOST", "/run")]), [Address::Socket("/run/.s.PGSQL.5432".into())]);
        assert_eq!(all(&[]).len(), 2);
    }

    #[test]
    fn what_does_not_listen_is_told_apart() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert_eq!(tcp("127.0.0.1", closed).reach(), Err(Obstacle::NoServer));
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Address::Socket(folder.path().join(".s.PGSQL.1")).reach(), Err(Obstacle::NoSocket));
        // Longer than any name may be: no resolver has to be asked.
        assert_eq!(tcp(&"a".repeat(300), 1).reach(), Err(Obstacle::UnknownHost));
    }
}
