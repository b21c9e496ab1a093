//! pgbouncer before one PostgreSQL server: a session of its clients is a server's session for a transaction only.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use crate::ports::free_port;
use crate::postgres::{PASSWORD, Postgres, USER};
use crate::server::Server;
use crate::tools;

/// Where Debian puts it, outside of most people's `PATH`.
const PROGRAM: &str = "/usr/sbin/pgbouncer";
/// Whom it becomes, because it refuses to be root.
const NOBODY: &str = "nobody";

/// A running pooler, which lets everybody in.
pub struct Pooler {
    _server: Server,
    port: u16,
}

impl Pooler {
    /// One that hands out a server's session for each transaction, with settings of its own, each `name=value`.
    pub fn start(postgres: &Postgres, settings: &[&str]) -> Pooler {
        if !Path::new(PROGRAM).exists() {
            tools::missing(PROGRAM);
        }
        let folder = Server::new_folder("pooler");
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        let (port, file) = (free_port(), folder.join("ini"));
        let password = PASSWORD.replace('\'', "''");
        let database = format!("* = host=127.0.0.1 port={} user={USER} password='{password}'", postgres.port());
        let common = format!(
            "listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\npool_mode = transaction\nunix_socket_dir ="
        );
        let text = format!("[databases]\n{database}\n[pgbouncer]\n{common}\n{}\n", settings.join("\n"));
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(PROGRAM);
        if rustix::process::geteuid().is_root() {
            command.args(["-u", NOBODY]);
        }
        command.arg(&file);
        let mut server = Server::start("pgbouncer", command, folder, Signal::TERM);
        let address = format!("127.0.0.1:{port}");
        server.wait_until(|| std::net::TcpStream::connect(&address).is_ok());
        Pooler { _server: server, port }
    }

    /// Where clients connect.
    pub fn port(&self) -> u16 {
        self.port
    }
}
