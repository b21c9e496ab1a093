//! Where contests are held: a server with its databases, an S3 server, and a folder on the same disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use e2e::agent::Agent;
use e2e::bucket::{Access, Bucket};
use e2e::postgres::{Database, Installation, Postgres};
use e2e::seaweedfs::Seaweedfs;
use tempfile::TempDir;

/// Nothing of PostgreSQL's own housekeeping falls into somebody's lap. Beside what every server of the tests has
/// (`fsync=off`, `synchronous_commit=off`) the rest is its default.
const SETTINGS: [&str; 3] = ["autovacuum=off", "max_wal_size=8GB", "max_locks_per_transaction=256"];

pub(crate) struct Ground {
    pub(crate) postgres: &'static Postgres,
    pub(crate) seaweedfs: &'static Seaweedfs,
    databases: Mutex<BTreeMap<String, &'static Database<'static>>>,
    folder: TempDir,
}

impl Ground {
    /// Starts the servers. They end with this process, and so do their files.
    pub(crate) fn prepare() -> Ground {
        Ground {
            postgres: Box::leak(Box::new(Postgres::start_with(Installation::debian(), &SETTINGS))),
            seaweedfs: Seaweedfs::shared(),
            databases: Mutex::default(),
            folder: tempfile::Builder::new().prefix("lastgood-bench-").tempdir().unwrap(),
        }
    }

    /// A database of so many megabytes as an uncompressed archive, made when first asked for.
    pub(crate) fn sized(&self, megabytes: u32) -> &'static Database<'static> {
        self.database(format!("sized_{megabytes}"), |database| database.fill_with_megabytes(megabytes))
    }

    /// The database of this name, made and filled when first asked for.
    pub(crate) fn database(&self, name: String, fill: impl FnOnce(&Database<'_>)) -> &'static Database<'static> {
        let mut databases = self.databases.lock().unwrap();
        databases.entry(name).or_insert_with_key(|name| {
            eprintln!("  filling {name} …");
            let database = self.postgres.new_database_named(name);
            fill(&database);
            self.postgres.query("CHECKPOINT");
            Box::leak(Box::new(database))
        })
    }

    /// `lastgood` with no repository yet, and nobody's verdict.
    pub(crate) fn agent(&self, database: &Database<'_>) -> Agent {
        Agent::new().database(database).setting("BACKUP_VERIFY", "none")
    }

    /// A shell that stops at the first failure, of a pipe's parts too, with libpq and AWS's tools led to the servers. `$1` and on are `arguments`.
    pub(crate) fn shell(&self, database: &Database<'_>, script: &str, arguments: &[&str]) -> Command {
        let mut shell = database.client(self.postgres.installation(), "psql");
        let environment: Vec<_> =
            shell.get_envs().map(|(n, v)| (n.to_owned(), v.unwrap_or_default().to_owned())).collect();
        shell = Command::new("bash");
        let programs = [self.postgres.installation().programs(), &e2e::tools::root().join("target/python/bin")];
        let path = programs.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(":");
        shell.env_clear().envs(environment).envs(self.access().environment());
        shell.env("PATH", format!("{path}:/usr/local/bin:/usr/bin:/bin")).env("HOME", self.folder.path());
        shell.args(["-euo", "pipefail", "-c", script, "bash"]).args(arguments);
        shell
    }

    /// Who may do everything in the S3 server.
    pub(crate) fn access(&self) -> Access {
        self.seaweedfs.admin()
    }

    /// Does something with an empty folder, and removes it.
    pub(crate) fn in_folder<T>(&self, act: impl FnOnce(&Path) -> T) -> T {
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap();
        act(folder.path())
    }

    /// Does something with a bucket that holds no backup, and removes it: its disk space comes back.
    pub(crate) fn in_bucket<T>(&self, act: impl FnOnce(&Bucket) -> T) -> T {
        let bucket = Bucket::new(&self.access());
        // The server lays out a bucket's volumes when the first object comes, and takes up to a second for it.
        bucket.put("first.json", b"{}");
        let done = act(&bucket);
        for key in bucket.keys() {
            bucket.delete(&key);
        }
        e2e::bucket::wait(bucket.client().delete_bucket().bucket(bucket.name()).send()).unwrap();
        done
    }

    /// A file that stays until the end.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Bytes of the archives in a folder.
pub(crate) fn stored_in_folder(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let archives = files.filter(|file| is_dump(&file.file_name().to_string_lossy()));
    archives.map(|file| file.metadata().unwrap().len()).sum()
}

/// Bytes of the archives in a bucket.
pub(crate) fn stored_in_bucket(bucket: &Bucket) -> u64 {
    bucket.objects().iter().filter(|object| is_dump(&object.key)).map(|object| object.size).sum()
}

/// Others' dumps have other names than ours.
fn is_dump(name: &str) -> bool {
    [".globals.", ".json", ".metadata"].iter().all(|other| !name.contains(other))
}
