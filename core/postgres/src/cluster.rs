//! A private PostgreSQL server for a drill: made of the installed programs, on a Unix socket in a folder that nobody else may enter,
//! run by an unprivileged user, careless of its disk, and removed.
//!
//! ```text
//!   TMPDIR/lastgood-drill-X.lock    held by the drill as long as it lives (flock)
//!   TMPDIR/lastgood-drill-X/        mode 0700, the server's user's
//!                          data/    the cluster
//! ```
//!
//! A drill that was killed leaves its lock free: the next one ends its server, once it is sure that it is that one, and removes the folder.

mod dead;
mod error;
mod place;
mod user;

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub use dead::remove_dead;
pub use error::ClusterError;
use place::Place;
use user::User;

use crate::libpq::Variables;
use crate::programs::program::{Manner, Program, ProgramError, Stderr};
use crate::{Connection, Psql, Secret, Stop, Tool};

/// The superuser of the cluster.
const SUPERUSER: &str = "postgres";
/// The number in the socket's name.
const PORT: &str = "5432";
/// How long the server may take to answer, on a busy machine.
const START: Duration = Duration::from_secs(60);
/// How long it may take to end.
const END: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(40);

/// A private server that runs. Dropping it ends it and removes all that is left of it.
pub struct Cluster {
    server: Option<Program>,
    connection: Connection,
    // Removed last.
    place: Place,
}

impl Cluster {
    /// Makes a cluster of this server's version below `folder`, and waits until it answers. It has room for the locks of a transaction that
    /// works on so many `objects`. Child processes don't inherit the secrets that `like` keeps from them.
    ///
    /// # Errors
    /// [`ClusterError`]; nothing is left then.
    pub fn start(
        server: &Tool,
        folder: &Path,
        like: &Connection,
        objects: usize,
        stop: &Stop,
    ) -> Result<Self, ClusterError> {
        let user = User::unprivileged().ok_or(ClusterError::Nobody)?;
        let place = Place::make(folder, &user)?;
        let variables: [(&'static str, String); 4] = [
            ("PGHOST", place.folder.display().to_string()),
            ("PGPORT", PORT.to_owned()),
            ("PGUSER", SUPERUSER.to_owned()),
            ("PGDATABASE", "postgres".to_owned()),
        ];
        let variables: Variables = variables.into_iter().map(|(name, value)| (name, Secret::new(value))).collect();
        let mut cluster = Self { server: None, connection: like.elsewhere(variables), place };
        cluster.initialise(server, &user, stop)?;
        cluster.run(server, &user, objects)?;
        Ok(cluster)
    }

    /// How it is reached.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Waits until it answers.
    ///
    /// # Errors
    /// [`ClusterError::Silent`] when it ends or takes too long; [`ClusterError::Program`] when the run is told to stop.
    pub fn wait(&mut self, psql: &Psql) -> Result<(), ClusterError> {
        let until = Instant::now() + START;
        loop {
            let error = match psql.script("SELECT 1;\n") {
                Ok(_) => return Ok(()),
                Err(error) => error.to_string(),
            };
            if let Some(signal) = psql.stop().sleep(TICK) {
                return Err(ProgramError::Interrupted(signal).into());
            }
            if self.server.as_ref().is_none_or(Program::has_ended) {
                return Err(ClusterError::Silent(self.last_words().unwrap_or(error)));
            }
            if Instant::now() > until {
                return Err(ClusterError::Silent(error));
            }
        }
    }

    fn initialise(&self, server: &Tool, user: &User, stop: &Stop) -> Result<(), ClusterError> {
        let mut initdb = self.command(&server.path.with_file_name("initdb"), user);
        initdb.arg("-D").arg(self.place.data()).args(["--username", SUPERUSER, "--auth=trust", "--encoding=UTF8"]);
        initdb.args(["--locale=C", "--no-sync"]).stdout(Stdio::null());
        let manner = Manner { patience: END, stderr: Stderr::Kept };
        let (program, _) = Program::start_as(manner, "initdb", &mut initdb, stop)?;
        Ok(program.end()?)
    }

    fn run(&mut self, server: &Tool, user: &User, objects: usize) -> Result<(), ClusterError> {
        let mut postgres = self.command(&server.path, user);
        let folder = self.place.folder.display();
        // pg_dump locks every table in one transaction; the server's table of locks is laid out for a hundred and more.
        let locks = 64 + objects / 50;
        let settings = [
            "listen_addresses=".to_owned(),
            format!("port={PORT}"),
            format!("unix_socket_directories={folder}"),
            "unix_socket_permissions=0700".to_owned(),
            // Thrown away: nothing has to outlive a crash.
            "fsync=off".to_owned(),
            "synchronous_commit=off".to_owned(),
            "full_page_writes=off".to_owned(),
            "wal_level=minimal".to_owned(),
            "max_wal_senders=0".to_owned(),
            "max_wal_size=4GB".to_owned(),
            "autovacuum=off".to_owned(),
            "maintenance_work_mem=256MB".to_owned(),
            format!("max_locks_per_transaction={locks}"),
            "logging_collector=off".to_owned(),
            "lc_messages=C".to_owned(),
            // Not in /dev/shm, where a killed server would leave it.
            "dynamic_shared_memory_type=mmap".to_owned(),
        ];
        postgres.arg("-D").arg(self.place.data()).stdout(Stdio::null());
        postgres.args(settings.iter().flat_map(|setting| ["-c", setting]));
        let manner = Manner { patience: END, stderr: Stderr::Kept };
        // Ended by us alone, after everybody who is connected to it.
        let (program, _) = Program::start_as(manner, "postgres", &mut postgres, &Stop::never())?;
        self.server = Some(program);
        Ok(())
    }

    fn command(&self, program: &Path, user: &User) -> Command {
        let mut command = self.connection.command(program);
        command.current_dir(&self.place.folder).env("LC_ALL", "C").stdin(Stdio::null()).process_group(0);
        user.run(&mut command);
        command
    }

    fn last_words(&mut self) -> Option<String> {
        let ended = self.server.take()?.finish().ok()?;
        ended.lines.last().cloned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.quit();
        }
        self.place.remove();
    }
}
