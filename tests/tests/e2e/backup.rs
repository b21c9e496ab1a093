//! `lastgood backup` end to end: what it stores, and what every fault leaves behind.

mod conflict;
mod dump_faults;
pub(crate) mod encryption;
mod globals;
pub(crate) mod healthcheck;
mod interrupts;
mod locks;
mod memory;
mod notices;
mod parallel;
mod refusals;
mod retention;
mod secrets;
mod sessions;
mod several;
mod store_faults;
mod whole;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use e2e::agent::{Agent, Running};
use e2e::bucket::{Access, Bucket};
use e2e::postgres::{Database, Postgres};
use e2e::process;
use e2e::proxy::{Direction, Fault, Proxy};
use e2e::seaweedfs::Seaweedfs;
use tempfile::TempDir;

/// Impatient, so that tests are quick; its log file lies in its home.
pub(crate) fn agent() -> Agent {
    let agent = Agent::new();
    let log = agent.home().join("log").display().to_string();
    agent.setting("BACKUP_LOG_FILE", log).setting("BACKUP_RETRY_MINUTES", "0").setting("BACKUP_RETRY_DELAY", "50ms")
}

/// The settings that make an archive of a few megabytes an upload of several parts.
pub(crate) fn in_parts(agent: Agent) -> Agent {
    agent.setting("BACKUP_COMPRESSION", "none").setting("BACKUP_S3_PART_SIZE", "5MiB")
}

/// 16 MB in a plain dump, which no test changes.
pub(crate) fn large() -> &'static Database<'static> {
    static LARGE: OnceLock<Database<'static>> = OnceLock::new();
    LARGE.get_or_init(|| {
        let database = Postgres::shared().new_database("large");
        database.fill_with_megabytes(16);
        database
    })
}

/// One table of two rows, which no test changes.
pub(crate) fn small() -> &'static Database<'static> {
    static SMALL: OnceLock<Database<'static>> = OnceLock::new();
    SMALL.get_or_init(|| {
        let database = Postgres::shared().new_database("small");
        database.query("CREATE TABLE pair AS SELECT * FROM generate_series(1, 2) AS number");
        database
    })
}

/// The directory and the bucket of one test.
struct Places {
    above: TempDir,
    bucket: Bucket,
}

impl Places {
    /// A bucket that is empty, and a directory that isn't there yet.
    fn new() -> Places {
        Places { above: tempfile::tempdir().unwrap(), bucket: Bucket::new(&Seaweedfs::shared().admin()) }
    }

    fn directory(&self) -> PathBuf {
        self.above.path().join("backups")
    }

    fn both(&self, agent: Agent) -> Agent {
        self.both_as(agent, self.bucket.access())
    }

    fn both_as(&self, agent: Agent, access: &Access) -> Agent {
        agent.directory(&self.directory()).bucket(self.bucket.name(), access)
    }

    /// Every file of the directory, hidden ones too, in order.
    fn files(&self) -> Vec<String> {
        files(&self.directory())
    }

    fn file_ending_in(&self, suffix: &str) -> PathBuf {
        self.directory().join(only(&self.files(), suffix))
    }

    /// What every run must leave behind that failed before its dump began.
    #[track_caller]
    fn hold_nothing(&self) {
        assert_eq!(self.files(), Vec::<String>::new());
        self.bucket_holds_nothing();
    }

    /// What every run must leave behind that failed later: the mark comes first, so that a database whose dumps fail is missed.
    #[track_caller]
    fn hold_the_mark_alone(&self) {
        assert_eq!(self.files(), Vec::<String>::new());
        self.bucket_holds_the_mark_alone();
    }

    #[track_caller]
    fn bucket_holds_the_mark_alone(&self) {
        self.bucket_shows_the_mark_alone();
        assert_eq!(self.bucket.open_uploads(), Vec::<String>::new());
    }

    #[track_caller]
    fn bucket_shows_the_mark_alone(&self) {
        let keys = self.bucket.keys();
        assert!(keys.len() == 1 && keys[0].starts_with("backups/databases/"), "{keys:?}");
    }

    #[track_caller]
    fn bucket_holds_nothing(&self) {
        assert_eq!(self.bucket.keys(), Vec::<String>::new());
        assert_eq!(self.bucket.open_uploads(), Vec::<String>::new());
    }

    /// An archive with the globals, the index, its manifest and, where the agent judges, its verdict.
    #[track_caller]
    fn directory_holds_one_good_backup(&self) {
        let files = self.files();
        assert_eq!(files.len(), 5, "{files:?}");
        assert!(files[0].contains(".globals.sql.gz") && files[1].contains(".index.json.gz"), "{files:?}");
        assert!(files[2].ends_with(".intact.json") && files[3].ends_with(".manifest.json"), "{files:?}");
        assert!(files[4].contains(".sql"), "{files:?}");
    }

    /// An archive with the globals, the index, its manifest, and the mark that the database is expected.
    #[track_caller]
    fn bucket_holds_one_backup(&self) {
        let keys = self.bucket.keys();
        assert_eq!(keys.len(), 5, "{keys:?}");
        assert!(keys[0].contains(".globals.sql.gz") && keys[1].contains(".index.json.gz"), "{keys:?}");
        assert!(keys[2].ends_with(".manifest.json") && keys[3].contains(".sql"), "{keys:?}");
        assert!(keys[4].starts_with("backups/databases/"), "{keys:?}");
        assert_eq!(self.bucket.open_uploads(), Vec::<String>::new());
    }
}

fn files(directory: &Path) -> Vec<String> {
    let rows = std::fs::read_dir(directory).into_iter().flatten();
    let mut names: Vec<_> = rows.map(|row| row.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[track_caller]
fn only(names: &[String], suffix: &str) -> String {
    let same = |name: &str, part: &str| name.contains(part) == suffix.contains(part);
    let is_meant = |name: &&String| name.ends_with(suffix) && same(name, ".globals.") && same(name, ".index.");
    let [name] = names.iter().filter(is_meant).collect::<Vec<_>>()[..] else {
        panic!("not exactly one ends in {suffix}: {names:#?}");
    };
    name.clone()
}

/// What a program makes of these bytes.
fn through(program: &mut Command, input: &[u8]) -> Vec<u8> {
    let output = process::output_given(program, input);
    assert!(output.status.success(), "{program:?}: {}", output.status);
    output.stdout
}

/// A dump that stands still in its middle, until the proxy in front of its server is healed.
struct Stalled {
    proxy: Proxy,
    running: Running,
}

/// Starts `lastgood backup` of `database`, and returns when megabytes of the dump have gone by and no more come.
fn stall(agent: Agent, database: &Database<'_>, places: &Places) -> Stalled {
    stall_after(12_000_000, agent, database, places)
}

/// The same, when so many bytes have come from the server.
fn stall_after(bytes: u64, agent: Agent, database: &Database<'_>, places: &Places) -> Stalled {
    let server = database.server();
    let proxy = Proxy::start(&format!("127.0.0.1:{}", server.port()));
    let agent = agent.programs_of(server.installation());
    let agent = in_parts(places.both(agent.database_at(&proxy.address().port().to_string(), database.name())));
    proxy.set(Fault::Stall(Direction::Down, bytes));
    let mut running = agent.start(&["backup"]);
    running.wait_until("the middle of the dump", |_| proxy.has_struck());
    running.wait_until("parts in the bucket", |_| !places.bucket.open_uploads().is_empty());
    running.wait_until("a partial file", |_| places.files().iter().any(|file| file.ends_with(".partial")));
    // No backup shows before it is whole.
    places.bucket_shows_the_mark_alone();
    // The agent must outlive its home, which holds its lock and its log.
    std::mem::forget(agent);
    Stalled { proxy, running }
}

/// A folder for `PG_BIN_DIR` with the server's own programs, but for `pg_dump`, which is this shell script. `$REAL` is the
/// real one.
pub(crate) fn with_pg_dump(server: &Postgres, script: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let programs = server.installation().programs();
    std::os::unix::fs::symlink(programs.join("psql"), folder.path().join("psql")).unwrap();
    let real = programs.join("pg_dump").display().to_string();
    let version = r#"[ "$1" = --version ] && exec "$REAL" --version"#;
    write_program(&folder.path().join("pg_dump"), &format!("REAL='{real}'\n{version}\n{script}\n"));
    folder
}

fn write_program(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, format!("#!/bin/bash\n{script}")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
