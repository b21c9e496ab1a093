//! What a command is run on: a bucket with something good in it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use tempfile::TempDir;

use super::ground::{in_parts, large, small};
use super::subject::Subject;
use crate::agent::Agent;
use crate::bounds::wait_until;
use crate::bucket::{Access, Bucket};
use crate::past::{self, days_ago, dump, key, put_as_uploaded};
use crate::postgres::{Database, Postgres};
use crate::seaweedfs::Seaweedfs;

/// How many rows the living database has before and after it is restored.
pub(super) const OLD: &str = "10";
pub(super) const NEW: &str = "3000";
/// How many backups `prune` keeps.
pub(super) const KEPT: usize = 2;

/// A bucket with something good in it, and for a copy another place.
pub(super) struct Scene {
    pub(super) subject: Subject,
    pub(super) bucket: Bucket,
    pub(super) second: Bucket,
    folder: TempDir,
    /// When the backups there were made, newest first.
    pub(super) made: Vec<Timestamp>,
    /// What `restore` makes.
    pub(super) target: String,
    /// What it replaces.
    living: Option<Database<'static>>,
}

impl Scene {
    pub(super) fn new(subject: Subject) -> Scene {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let admin = Seaweedfs::shared().admin();
        let (bucket, second) = (Bucket::new(&admin), Bucket::new(&admin));
        let target = format!("torture_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let count = match subject {
            Subject::Prune => 6,
            Subject::Verify => 3,
            _ => 1,
        };
        let made = (0..count).map(|days| days_ago(days + 20)).collect();
        let living = subject.replaces().then(|| Postgres::shared().new_database("torture_living"));
        let folder = tempfile::tempdir().unwrap();
        let scene = Scene { subject, bucket, second, folder, made, target, living };
        scene.fill();
        scene
    }

    fn fill(&self) {
        let database = self.database().name();
        match self.subject {
            Subject::Adopt => {
                let guest = key(database, self.made[0], ".sql.gz");
                self.bucket.put(&guest, dump());
            }
            Subject::CopyUp => {
                std::fs::create_dir(self.directory()).unwrap();
                for (name, bytes) in large_backup() {
                    std::fs::write(self.directory().join(name), bytes).unwrap();
                }
            }
            Subject::RestoreSwap | Subject::RestoreInPlace => self.back_up_the_living(),
            _ => self.made.iter().for_each(|made| put_as_uploaded(&self.bucket, database, *made)),
        }
        if self.subject == Subject::Verify {
            self.made.iter().for_each(|made| self.bucket.delete(&key(database, *made, ".intact.json")));
        }
    }

    /// What is backed up is [`NEW`], and what stands there then is [`OLD`].
    fn back_up_the_living(&self) {
        self.database().query("CREATE TABLE t AS SELECT n, md5(n::text) AS text FROM generate_series(1, 3000) AS n");
        self.agent(self.access(), 1).run(&["backup", "--name", "before"]).succeeds();
        self.database().query("DELETE FROM t WHERE n > 10");
    }

    /// How many rows the living database has, once nobody is at work in it; none where it isn't there.
    pub(super) fn living_rows(&self) -> Option<String> {
        let (server, name) = (self.database().server(), self.database().name());
        let busy = format!("SELECT count(*) FROM pg_stat_activity WHERE datname LIKE '{name}%'");
        wait_until("nobody is at work in the living database", || server.query(&busy) == "0");
        server.databases().iter().any(|known| known == name).then(|| self.database().query("SELECT count(*) FROM t"))
    }

    /// The database that the command is about.
    pub(super) fn database(&self) -> &Database<'static> {
        match self.subject {
            Subject::BackupParts | Subject::BackupAborted | Subject::BackupBoth | Subject::CopyUp => large(),
            _ => self.living.as_ref().unwrap_or(small()),
        }
    }

    /// The store without anything in front of it.
    pub(super) fn access(&self) -> &Access {
        self.bucket.access()
    }

    pub(super) fn directory(&self) -> PathBuf {
        self.folder.path().join("backups")
    }

    /// Whoever runs the command, by this way to the store, with so many minutes of patience.
    pub(super) fn agent(&self, access: &Access, minutes: u32) -> Agent {
        let agent = past::agent().setting("BACKUP_RETRY_MINUTES", minutes.to_string());
        let agent = agent.database(self.database()).bucket(self.bucket.name(), access);
        match self.subject {
            Subject::BackupParts | Subject::BackupAborted => in_parts(agent),
            Subject::CopyUp | Subject::BackupBoth => in_parts(agent).directory(&self.directory()),
            Subject::CopyAcross => agent.bucket_beside(2, self.second.name(), access),
            Subject::Prune => agent.setting("BACKUP_MIN_GOOD", "1").setting("BACKUP_KEEP_LAST", KEPT.to_string()),
            _ => agent,
        }
    }

    /// The command.
    pub(super) fn arguments(&self) -> Vec<&str> {
        match self.subject {
            subject if subject.is_backup() => vec!["backup", "--name", "struck"],
            Subject::Prune => vec!["prune", "--force"],
            Subject::Verify => vec!["verify", "--all"],
            Subject::RestoreInto => vec!["restore", "latest", "--into", &self.target, "--confirm"],
            Subject::Drill => vec!["drill"],
            Subject::Adopt => vec!["adopt", "--all"],
            Subject::CopyUp => vec!["copy", "--missing", "--from", "directory", "--to", "1"],
            Subject::CopyAcross => vec!["copy", "--missing", "--from", "1", "--to", "2"],
            Subject::RestoreInPlace => vec!["restore", "latest", "--in-place", "--confirm"],
            _ => vec!["restore", "latest", "--confirm"],
        }
    }

    /// The same command again, which has to be done.
    pub(super) fn arguments_again(&self) -> Vec<&str> {
        if self.subject.is_backup() { vec!["backup", "--name", "again"] } else { self.arguments() }
    }

    /// Where what the command makes comes to lie.
    pub(super) fn goal(&self) -> &Bucket {
        if self.subject == Subject::CopyAcross { &self.second } else { &self.bucket }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        [&self.bucket, &self.second].into_iter().for_each(|bucket| Seaweedfs::shared().forget(bucket));
        let names: Vec<&str> = self.living.iter().map(Database::name).chain([self.target.as_str()]).collect();
        let server = Postgres::shared();
        let ours = |known: &String| names.iter().any(|name| known.starts_with(name));
        for known in server.databases().into_iter().filter(ours) {
            drop(server.database(&known));
        }
    }
}

/// The files of one backup of the larger database, to be copied.
fn large_backup() -> &'static [(OsString, Vec<u8>)] {
    static FILES: OnceLock<Vec<(OsString, Vec<u8>)>> = OnceLock::new();
    FILES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let agent = in_parts(past::agent().database(large())).directory(folder.path());
        agent.run(&["backup", "--name", "whole"]).succeeds();
        let files = std::fs::read_dir(folder.path()).unwrap().flatten().filter(|entry| entry.path().is_file());
        files.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect()
    })
}
