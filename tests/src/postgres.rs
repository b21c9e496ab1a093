//! Private PostgreSQL servers of several major versions, and databases in them.
//!
//! A server lies in a folder of its own, asks for a password (SCRAM) on a free port of 127.0.0.1 and on a Unix socket, and
//! doesn't wait for its disk. Run by root it belongs to `nobody`, because PostgreSQL refuses to run as root.

mod access;
mod database;
mod installation;
mod password;
mod standby;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::process::Signal;

pub use self::database::Database;
pub use self::installation::Installation;
pub use self::password::{PASSWORD, holds_password};
use crate::ports::free_port;
use crate::server::Server;
use crate::{process, tools};

/// The superuser of every server.
pub const USER: &str = "postgres";

/// A running server.
pub struct Postgres {
    server: Server,
    installation: Installation,
    port: u16,
}

impl Postgres {
    /// A new server of this installation.
    pub fn start(installation: Installation) -> Postgres {
        Self::start_with(installation, &[])
    }

    /// A new server with settings of its own, each `name=value` as in `postgresql.conf`.
    pub fn start_with(installation: Installation, settings: &[&str]) -> Postgres {
        Self::start_in(installation, settings, &UTF8)
    }

    /// A new server as `initdb` makes it where the system has no locale: C, and no character set.
    pub fn start_bare(installation: Installation) -> Postgres {
        Self::start_in(installation, &[], &["--no-locale"])
    }

    fn start_in(installation: Installation, settings: &[&str], locale: &[&str]) -> Postgres {
        let folder = Server::new_folder("postgres");
        installation.give_to_server(&folder);
        let reachable = installation.within_reach(&folder);
        initialise(&reachable, &folder, locale);
        Self::launch(installation, &reachable, folder, settings)
    }

    /// Starts what lies in `folder`.
    fn launch(installation: Installation, reachable: &Installation, folder: PathBuf, settings: &[&str]) -> Postgres {
        let port = free_port();
        let mut command = reachable.server_program("postgres");
        command.args(["-D"]).arg(data(&folder)).args(arguments(&folder, port, settings));
        let mut server = Server::start("PostgreSQL", command, folder, Signal::QUIT);
        wait_until_ready(&mut server);
        Postgres { server, installation, port }
    }

    /// The server of Debian's packages that every test of this binary may use. Tests that stop it, or count its
    /// connections, start their own.
    pub fn shared() -> &'static Postgres {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Postgres::start(Installation::debian()))
    }

    /// Where the server's programs are; its clients are of the same version.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The port on 127.0.0.1, and in the name of the Unix socket.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The first process, whose children the backends are.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// The folder of the Unix socket, for `PGHOST`.
    pub fn socket_directory(&self) -> &Path {
        self.server.directory()
    }

    /// Whether it takes sessions now.
    pub fn answers(&self) -> bool {
        let mut ready = self.installation.program("pg_isready");
        ready.args(["--quiet", "--host=127.0.0.1", &format!("--port={}", self.port)]);
        process::output(&mut ready).status.success()
    }

    /// The server's log, in English.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// Ends the server as a crash would: without a checkpoint, every connection cut.
    pub fn crash(&mut self) {
        self.server.end_by(Signal::QUIT);
    }

    /// Ends the server as its administrator does who is in a hurry: every connection is told.
    pub fn stop(&mut self) {
        self.server.end_by(Signal::INT);
    }

    /// Starts a server again that has ended, on its old port; it recovers first where it crashed.
    pub fn recover(&mut self) {
        self.server.restart();
        wait_until_ready(&mut self.server);
    }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// What every server's databases are in.
const UTF8: [&str; 2] = ["--encoding=UTF8", "--locale=C.UTF-8"];

fn initialise(installation: &Installation, folder: &Path, locale: &[&str]) {
    let password = folder.join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    installation.give_to_server(&password);
    let mut initdb = installation.server_program("initdb");
    initdb.arg("-D").arg(data(folder)).arg("--pwfile").arg(&password);
    initdb.args(["--username", USER, "--auth=scram-sha-256", "--no-sync"]).args(locale);
    tools::succeed(process::output(&mut initdb), "initdb");
}

/// What makes a server private, quick and careless: its disk need not survive a power cut, only its own crash.
fn arguments(folder: &Path, port: u16, settings: &[&str]) -> Vec<String> {
    let directory = folder.display();
    let common = [
        format!("port={port}"),
        "listen_addresses=127.0.0.1".into(),
        format!("unix_socket_directories={directory}"),
        "fsync=off".into(),
        "synchronous_commit=off".into(),
        "max_connections=200".into(),
        // Not in /dev/shm, where a killed server would leave it.
        "dynamic_shared_memory_type=mmap".into(),
        "lc_messages=C".into(),
    ];
    let own = settings.iter().map(|setting| (*setting).to_owned());
    common.into_iter().chain(own).flat_map(|setting| ["-c".to_owned(), setting]).collect()
}

fn wait_until_ready(server: &mut Server) {
    let log = server.directory().join("log");
    server.wait_until(|| String::from_utf8_lossy(&std::fs::read(&log).unwrap_or_default()).contains("ready to accept"));
}
