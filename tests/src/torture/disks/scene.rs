//! A directory with something good in it, on a disk that may break.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use tempfile::TempDir;

use super::command::Command;
use super::fault::Place;
use crate::agent::Agent;
use crate::bucket::Bucket;
use crate::past::{self, days_ago, put_as_uploaded, put_in_directory, stem};
use crate::postgres::{Database, Postgres};
use crate::seaweedfs::Seaweedfs;
use crate::torture::ground::{in_parts, large, small};

/// How many backups `prune` keeps.
pub(super) const KEPT: usize = 2;
/// A file system's smallest piece.
const PAGE: u64 = 4096;

/// A directory with something good in it.
pub(super) struct Scene {
    pub(super) command: Command,
    pub(super) folder: TempDir,
    pub(super) bucket: Bucket,
    /// When the backups there were made, newest first.
    pub(super) made: Vec<Timestamp>,
    /// What `restore` makes.
    pub(super) target: String,
}

impl Scene {
    pub(super) fn new(command: Command) -> Scene {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let count = match command {
            Command::Prune => 6,
            Command::Verify => 3,
            _ => 1,
        };
        let made = (0..count).map(|days| days_ago(days + 20)).collect();
        let target = format!("torture_disk_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let bucket = Bucket::new(&Seaweedfs::shared().admin());
        let scene = Scene { command, folder: tempfile::tempdir().unwrap(), bucket, made, target };
        scene.fill();
        scene
    }

    fn fill(&self) {
        let database = self.database().name();
        self.made.iter().for_each(|made| put_in_directory(&self.directory(), database, *made));
        if self.command == Command::Verify {
            let verdict = |made: &Timestamp| self.directory().join(format!("{}.intact.json", stem(database, *made)));
            self.made.iter().for_each(|made| std::fs::remove_file(verdict(made)).unwrap());
        }
        if self.command == Command::Copy {
            put_as_uploaded(&self.bucket, database, days_ago(10));
        }
        std::fs::create_dir(self.disk()).unwrap();
    }

    pub(super) fn database(&self) -> &'static Database<'static> {
        if self.command.is_backup() { large() } else { small() }
    }

    /// Where the backups lie, before and after.
    pub(super) fn directory(&self) -> PathBuf {
        self.folder.path().join("backups")
    }

    /// Where the small file system is.
    pub(super) fn disk(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// The archive of the newest backup.
    pub(super) fn archive(&self) -> PathBuf {
        self.directory().join(format!("{}.sql.gz", stem(self.database().name(), self.made[0])))
    }

    /// Every file, hidden ones too, and what is in it.
    pub(super) fn files(&self) -> Vec<(OsString, Vec<u8>)> {
        let files = std::fs::read_dir(self.directory()).unwrap().flatten().filter(|entry| entry.path().is_file());
        let mut files: Vec<_> = files.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect();
        files.sort();
        files
    }

    /// What the files take, in whole pages.
    pub(super) fn taken(&self) -> u64 {
        self.files().iter().map(|(_, bytes)| (bytes.len() as u64).div_ceil(PAGE) * PAGE).sum()
    }

    /// Whoever runs the command, with its backups here.
    pub(super) fn agent(&self, directory: &Path) -> Agent {
        let agent = past::agent().database(self.database()).directory(directory);
        let with_bucket = |agent: Agent| agent.bucket(self.bucket.name(), self.bucket.access());
        match self.command {
            Command::Backup => in_parts(agent),
            Command::BackupBoth => with_bucket(in_parts(agent)),
            Command::Copy => with_bucket(agent),
            Command::Prune => agent.setting("BACKUP_MIN_GOOD", "1").setting("BACKUP_KEEP_LAST", KEPT.to_string()),
            Command::Verify | Command::Restore => agent,
        }
    }

    /// The same, where one thing lies on the small file system.
    pub(super) fn agent_on_disk(&self, place: Place) -> Agent {
        let disk = self.disk();
        let agent = self.agent(&if place == Place::Repository { disk.clone() } else { self.directory() });
        let disk = disk.display().to_string();
        match place {
            Place::Repository => agent,
            Place::Log => ["BACKUP_LOG_FILE", "BACKUP_VERIFY_LOG_FILE", "RESTORE_LOG_FILE"]
                .into_iter()
                .fold(agent, |agent, name| agent.setting(name, format!("{disk}/log"))),
            Place::Locks => agent.setting("BACKUP_LOCK_DIR", disk),
            Place::Temporary => agent.setting("TMPDIR", disk),
        }
    }

    /// The command.
    pub(super) fn arguments(&self) -> Vec<&str> {
        match self.command {
            Command::Backup | Command::BackupBoth => vec!["backup", "--name", "struck"],
            Command::Verify => vec!["verify", "--all", "--repository", "directory"],
            Command::Prune => vec!["prune", "--force", "--repository", "directory"],
            Command::Restore => vec!["restore", "latest", "--into", &self.target, "--confirm"],
            Command::Copy => vec!["copy", "--missing", "--from", "1", "--to", "directory"],
        }
    }

    /// The same command again, which has to be done.
    pub(super) fn arguments_again(&self) -> Vec<&str> {
        if self.command.is_backup() { vec!["backup", "--name", "again"] } else { self.arguments() }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        Seaweedfs::shared().forget(&self.bucket);
        drop(Postgres::shared().database(&self.target));
    }
}
