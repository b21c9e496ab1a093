//! A private PostgreSQL server, shared by the tests that run at the same time and gone with the last of them.

use std::{
    fs,
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tempfile::TempDir;

pub(crate) struct Server {
    bin: PathBuf,
    home: TempDir,
}

impl Server {
    pub(crate) fn shared() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *running = Arc::downgrade(&server);
            server
        })
    }

    fn start() -> Self {
        let home = tempfile::Builder::new().prefix("walk-pg-").tempdir().unwrap();
        // The server may run as another user than the test.
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let server = Self { bin: bin_dir(), home };
        let (cluster, log) = (server.path("cluster"), server.path("log"));
        run(server.unprivileged("initdb").args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]).args([
            "--no-sync",
            "-D",
            &cluster,
        ]));
        let options = format!("-c listen_addresses='' -c fsync=off -k {}", server.home.path().display());
        run(server.unprivileged("pg_ctl").args(["-w", "-D", &cluster, "-l", &log, "-o", &options, "start"]));
        server
    }

    /// A new database with what the SQL makes.
    pub(crate) fn create(&self, database: &str, encoding: &str, sql: &[u8]) {
        let create = format!("CREATE DATABASE \"{database}\" ENCODING '{encoding}' TEMPLATE template0;\n");
        self.sql("postgres", create.as_bytes());
        self.sql(database, sql);
    }

    fn sql(&self, database: &str, sql: &[u8]) {
        let mut psql = self.client("psql");
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = psql.spawn().unwrap();
        child.stdin.take().unwrap().write_all(sql).unwrap();
        assert!(child.wait().unwrap().success(), "psql failed");
    }

    /// An archive as it comes through a pipe.
    pub(crate) fn piped_dump(&self, database: &str, options: &[&str]) -> Vec<u8> {
        run(self.client("pg_dump").args(["-Fc", "-d", database]).args(options)).stdout
    }

    /// An archive that pg_dump wrote into a file itself, and so with the places of its data.
    pub(crate) fn dump_to_file(&self, database: &str, options: &[&str]) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new().unwrap();
        run(self.client("pg_dump").args(["-Fc", "-d", database, "-f"]).arg(file.path()).args(options));
        fs::read(file.path()).unwrap()
    }

    /// The SQL script that pg_restore makes of an archive.
    pub(crate) fn script(&self, archive: &[u8]) -> Vec<u8> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(archive).unwrap();
        run(self.client("pg_restore").args(["--data-only", "-f", "-"]).arg(file.path())).stdout
    }

    pub(crate) fn restore(&self, database: &str, archive: &[u8]) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(archive).unwrap();
        run(self.client("pg_restore").args(["--exit-on-error", "-d", database]).arg(file.path()));
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.env("PGHOST", self.home.path()).env("PGUSER", "postgres").env_remove("PGCLIENTENCODING");
        command
    }

    /// PostgreSQL's server refuses to run as root.
    fn unprivileged(&self, program: &str) -> Command {
        let program = self.bin.join(program);
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
        command
    }

    fn path(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        run(self.unprivileged("pg_ctl").args(["-w", "-D", &self.path("cluster"), "-m", "immediate", "stop"]));
    }
}

fn run(command: &mut Command) -> Output {
    // A server keeps its output's pipes open for as long as it runs; what it prints goes to a file.
    let errors = tempfile::NamedTempFile::new().unwrap();
    let output = command.current_dir("/").stderr(errors.reopen().unwrap());
    let output = match output.get_args().last().is_some_and(|last| last == "start") {
        true => {
            let status = output.stdout(Stdio::null()).status().unwrap();
            Output { status, stdout: Vec::new(), stderr: Vec::new() }
        }
        false => output.stdout(Stdio::piped()).output().unwrap(),
    };
    let words = fs::read_to_string(errors.path()).unwrap();
    assert!(output.status.success(), "{command:?} failed: {words}");
    output
}

/// Where the installed PostgreSQL's programs are: Debian keeps the server's out of PATH.
fn bin_dir() -> PathBuf {
    let told = Command::new("pg_config").arg("--bindir").output().ok();
    let told = told.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut installed: Vec<PathBuf> = installed.map(|version| version.path().join("bin")).collect();
    installed.sort();
    let found = told.into_iter().chain(installed.into_iter().rev()).find(|bin: &PathBuf| has_server(bin));
    found.expect("no PostgreSQL server is installed: apt-get install postgresql")
}

fn has_server(bin: &Path) -> bool {
    bin.join("initdb").exists() && bin.join("pg_dump").exists()
}
