//! A case: its folder, and what its `case.toml` says.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::tools;

/// A way to restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Over the living database, in whatever way the agent takes by itself.
    Swap,
    /// `--into` a name that isn't there.
    Into,
    /// `--into` a database that is there and empty.
    Empty,
    /// `--in-place`.
    InPlace,
    /// The database was dropped.
    Gone,
    /// Onto another server, which has no role but the restoring one, no extension of others and no tablespace.
    Bare,
}

/// Who backs up and restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Backed up and restored by a superuser.
    Superuser,
    /// By the database's owner, who has CREATEDB.
    Createdb,
    /// By the database's owner, who may not create databases.
    Owner,
    /// By a managed server's administrator: LOGIN CREATEDB CREATEROLE, member of the owner, no superuser.
    Admin,
    /// Backed up by a member of `pg_read_all_data`, restored by the owner, who has CREATEDB.
    Reader,
}

impl Way {
    /// All of them, in the order of the matrix.
    pub const ALL: [Way; 6] = [Way::Swap, Way::Into, Way::Empty, Way::InPlace, Way::Gone, Way::Bare];

    /// As `case.toml` and the matrix name it.
    pub fn name(self) -> &'static str {
        match self {
            Way::Swap => "swap",
            Way::Into => "into",
            Way::Empty => "empty",
            Way::InPlace => "in-place",
            Way::Gone => "gone",
            Way::Bare => "bare",
        }
    }
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 5] = [Role::Superuser, Role::Createdb, Role::Owner, Role::Admin, Role::Reader];

    /// As `case.toml` names it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Superuser => "superuser",
            Role::Createdb => "createdb",
            Role::Owner => "owner",
            Role::Admin => "admin",
            Role::Reader => "reader",
        }
    }
}

/// Folders of a case whose files go into the server's folder of the same name.
pub(super) const INSTALLED: [&str; 2] = ["extension", "tsearch_data"];

/// One folder of the corpus.
#[derive(Debug)]
pub struct Case {
    /// The folder's name.
    pub name: String,
    pub(super) folder: PathBuf,
    pub(super) about: About,
    /// Its files of SQL by name, read once: who edits a case while it runs changes the next run.
    sql: BTreeMap<String, String>,
    /// Of all its files.
    pub(super) digest: u64,
}

/// `case.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    /// What it shows.
    #[serde(rename = "shows")]
    pub(super) _shows: String,
    /// The class that it is an example of.
    #[serde(rename = "class")]
    pub(super) _class: String,
    /// Where people reported it, in a few words.
    #[serde(rename = "source", default)]
    pub(super) _source: String,
    /// Why it is bad today; `make test` leaves it out until this line is gone.
    #[serde(default)]
    pub(super) known_bad: Option<String>,
    /// Why it takes long; `make test` leaves it out.
    #[serde(default)]
    long: Option<String>,
    #[serde(default)]
    pub(super) ways: Option<Vec<Way>>,
    #[serde(default)]
    pub(super) roles: Option<Vec<Role>>,
    #[serde(default)]
    pub(super) versions: Option<Vec<u32>>,
    /// Who backs up, where it isn't what the role says.
    #[serde(default)]
    pub(super) backup_as: Option<Role>,
    /// Settings of the agent, at backup and restore.
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
    /// Arguments of `restore` beside the way's own.
    #[serde(default)]
    pub(super) arguments: Vec<String>,
    /// What `CREATE DATABASE` says about character set and locale.
    #[serde(default)]
    pub(super) create: String,
    /// Settings of the server. With any, or with `alone`, the case gets servers of its own.
    #[serde(default)]
    pub(super) server: Vec<String>,
    /// `make wild` takes every way with every role, not only as many as cover both.
    #[serde(default)]
    whole: bool,
    /// It changes things of the whole server.
    #[serde(default)]
    pub(super) alone: bool,
    /// Locales that the server knows and the bare one doesn't.
    #[serde(default)]
    pub(super) locales: Vec<String>,
    /// The version of the bare server, where it isn't the other's.
    #[serde(default)]
    pub(super) bare_version: Option<u32>,
    /// What isn't "equal".
    #[serde(default)]
    pub(super) expect: Vec<Expect>,
}

/// What is right on some ways, for some roles, where it isn't a restored database that equals the source.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    #[serde(default)]
    pub(super) ways: Option<Vec<Way>>,
    #[serde(default)]
    pub(super) roles: Option<Vec<Role>>,
    #[serde(default)]
    pub(super) versions: Option<Vec<u32>>,
    /// The restore is refused before anything starts, or `backup` is.
    #[serde(default)]
    pub(super) result: Expected,
    /// What the agent must say: each of these.
    #[serde(default)]
    pub(super) says: Vec<String>,
    /// What the agent must not say: none of these.
    #[serde(default)]
    pub(super) never: Vec<String>,
    /// PostgreSQL's own words for what is missing, when the same role tries by hand.
    #[serde(default)]
    pub(super) demands: Option<String>,
    /// By hand, owners and privileges are asked for as well.
    #[serde(default)]
    pub(super) demands_owners: bool,
    /// Lines of the comparison that may differ: those that hold one of these texts.
    #[serde(default)]
    pub(super) except: Vec<String>,
    /// Owners and privileges aren't compared.
    #[serde(default)]
    pub(super) without_owners: bool,
    /// Why this is right.
    #[serde(rename = "because", default)]
    pub(super) _because: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Expected {
    #[default]
    Equal,
    Refused,
    BackupRefused,
}

impl Case {
    /// Every case, by name.
    pub fn all() -> Vec<Case> {
        let corpus = tools::root().join("tests/wild");
        let folders = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path());
        let mut cases: Vec<Case> = folders.filter(|path| path.is_dir()).map(|path| Case::read(&path)).collect();
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        cases
    }

    fn read(folder: &Path) -> Case {
        let file = folder.join("case.toml");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let about = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let sql = files(folder).into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "sql"));
        let text = |file: &PathBuf| std::fs::read_to_string(file).unwrap();
        let sql = sql.map(|file| (file.file_name().unwrap().to_string_lossy().into_owned(), text(&file))).collect();
        Case { name, folder: folder.to_owned(), about, sql, digest: digest(folder) }
    }

    /// The text of one of its files, if it has it.
    pub(super) fn text(&self, file: &str) -> Option<&str> {
        self.sql.get(file).map(String::as_str)
    }

    /// Files to be installed into the server's folder of this name: `extension` or `tsearch_data`.
    pub(super) fn files_for(&self, folder: &str) -> Vec<PathBuf> {
        files(&self.folder.join(folder))
    }

    /// Whether it is marked as bad.
    pub(super) fn is_known_bad(&self) -> bool {
        self.about.known_bad.is_some()
    }

    /// Whether `make test` takes it.
    pub(super) fn is_in_every_test(&self) -> bool {
        !self.is_known_bad() && self.about.long.is_none()
    }

    /// Its program that goes on where `setup.sql` ends.
    pub(super) fn program(&self) -> Option<PathBuf> {
        Some(self.folder.join("setup.sh")).filter(|file| file.exists())
    }

    /// Whether `make wild` takes it by every way and role, not only every pair.
    pub(super) fn is_taken_whole(&self) -> bool {
        self.about.whole
    }
}

impl Expect {
    pub(super) fn concerns(&self, way: Way, role: Role, version: u32) -> bool {
        self.ways.as_ref().is_none_or(|ways| ways.contains(&way))
            && self.roles.as_ref().is_none_or(|roles| roles.contains(&role))
            && self.versions.as_ref().is_none_or(|versions| versions.contains(&version))
    }
}

fn digest(folder: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    let installed = INSTALLED.iter().flat_map(|name| files(&folder.join(name)));
    for file in files(folder).into_iter().chain(installed) {
        file.file_name().hash(&mut hasher);
        std::fs::read(&file).unwrap().hash(&mut hasher);
    }
    hasher.finish()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    files
}
