//! Which of the PostgreSQL client programs on this machine to use.
//!
//! A pg_dump refuses a server newer than itself, and an archive can't be read by a pg_restore older than the pg_dump that
//! made it: so several installed versions are looked at, and the closest one that works is taken.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Exit, Failure};
use crate::postgres::Version;

/// One client program and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    pub(crate) path: PathBuf,
    pub(crate) version: Version,
}

/// The folders in which client programs may lie, in the order in which they were named.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    folders: Vec<PathBuf>,
    /// `PG_BIN_DIR` was set: what it holds is used, and nothing else is looked at.
    chosen: bool,
}

impl Tools {
    /// Looks in `chosen` alone where it is given; else in PATH and where the packages of the usual systems install.
    #[expect(
        clippy::disallowed_methods,
        reason = "PATH is the system's list of folders, and PG_BIN_DIR the setting beside it"
    )]
    pub(crate) fn find(chosen: Option<&Path>) -> Self {
        if let Some(folder) = chosen {
            return Self { folders: vec![folder.to_owned()], chosen: true };
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        // cron's PATH is /usr/bin:/bin: the packages' own folders must be found without it.
        for parent in ["/usr/lib/postgresql", "/usr/local/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt"] {
            folders.extend(versioned(Path::new(parent)));
        }
        folders.extend(versioned(Path::new("/usr")).into_iter().filter(|f| f.to_string_lossy().contains("/pgsql-")));
        folders.extend(["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from));
        Self { folders, chosen: false }
    }

    /// Every version of `program` that is installed, one path each, oldest first.
    pub(crate) fn installed(&self, program: &str) -> Vec<Tool> {
        versions_of(self.paths(program))
    }

    /// Where `program` lies, each file once, in the order of the folders.
    fn paths(&self, program: &str) -> Vec<PathBuf> {
        let mut seen = HashSet::new();
        let mut paths: Vec<PathBuf> = self.folders.iter().map(|folder| folder.join(program)).collect();
        paths.retain(|path| {
            let Ok(file) = std::fs::canonicalize(path) else { return false };
            // Debian's /usr/bin/pg_dump is a wrapper that chooses a version by itself; the real ones stand beside it.
            let wrapper = !self.chosen && file.ends_with("pg_wrapper");
            file.is_file() && !wrapper && seen.insert(file)
        });
        paths
    }

    /// The `program` whose major is `needed`'s, else the next newer one.
    ///
    /// # Errors
    /// Exit 2, naming both versions and the package to install, when none is installed or all are older.
    pub(crate) fn fitting(&self, program: &str, needed: Version, why: &str) -> Result<Tool, Failure> {
        fitting(program, &self.installed(program), needed, why)
    }

    /// The newest `program` there is. Where there is but one, it isn't asked for its version: a backup waits for the answer.
    ///
    /// # Errors
    /// Exit 2 when none is installed.
    pub(crate) fn newest(&self, program: &str) -> Result<PathBuf, Failure> {
        let mut paths = self.paths(program);
        let newest = if paths.len() > 1 { versions_of(paths).pop().map(|tool| tool.path) } else { paths.pop() };
        newest.ok_or_else(|| {
            Failure::new(Exit::Usage, format!("{program} was not found"))
                .hint("install PostgreSQL's client programs: apt-get install postgresql-client")
        })
    }
}

/// Of the installed `program`s, the one whose major is `needed`'s, else the next newer one.
///
/// # Errors
/// As [`Tools::fitting`].
pub(crate) fn fitting(program: &str, installed: &[Tool], needed: Version, why: &str) -> Result<Tool, Failure> {
    let package = format!("postgresql-client-{}", needed.major_name());
    let fitting = installed
        .iter()
        .filter(|t| t.version.major() >= needed.major())
        .min_by_key(|t| (t.version.major(), std::cmp::Reverse(t.version)));
    if let Some(tool) = fitting {
        return Ok(tool.clone());
    }
    let hint = format!("install PostgreSQL {}'s client programs: apt-get install {package}", needed.major_name());
    let error = match installed.last() {
        None => format!("{program} was not found"),
        Some(newest) => format!(
            "{program} {} is too old for {why}: version {} or newer is needed",
            newest.version,
            needed.major_name()
        ),
    };
    Err(Failure::new(Exit::Usage, error).hint(hint))
}

/// The `bin` folders of the versions below `parent`.
fn versioned(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|e| e.path().join("bin")).filter(|f| f.join("psql").exists()).collect();
    folders.sort();
    folders
}

/// What runs of these, one path a version, oldest first.
fn versions_of(paths: Vec<PathBuf>) -> Vec<Tool> {
    // Each is asked for its version by running it: all at once, because a backup waits for the answer.
    let versions: Vec<Option<Version>> = std::thread::scope(|scope| {
        let asked: Vec<_> = paths.iter().map(|path| scope.spawn(|| version_of(path))).collect();
        asked.into_iter().map(|answer| answer.join().ok().flatten()).collect()
    });
    let mut found: BTreeMap<Version, PathBuf> = BTreeMap::new();
    for (path, version) in paths.into_iter().zip(versions) {
        if let Some(version) = version {
            found.entry(version).or_insert(path);
        }
    }
    found.into_iter().map(|(version, path)| Tool { path, version }).collect()
}

#[expect(clippy::disallowed_methods, reason = "it connects nowhere, ends at once, and is told nothing but --version")]
fn version_of(path: &Path) -> Option<Version> {
    let output = Command::new(path).arg("--version").stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| Version::parse(&String::from_utf8_lossy(&output.stdout)))?
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Folders of programs that print a version, as several installed majors would.
    fn installed(versions: &[&str]) -> (tempfile::TempDir, Tools) {
        let root = tempfile::tempdir().unwrap();
        let mut folders = Vec::new();
        for version in versions {
            let folder = root.path().join(version);
            std::fs::create_dir(&folder).unwrap();
            let program = folder.join("pg_dump");
            std::fs::write(&program, format!("#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}'\n")).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            folders.push(folder);
        }
        (root, Tools { folders, chosen: false })
    }

    #[test]
    fn the_servers_own_major_is_chosen_among_several() {
        let (_root, tools) = installed(&["14.2", "18.1", "16.3", "16.9"]);
        let tool = tools.fitting("pg_dump", Version::parse("16.1").unwrap(), "the server").unwrap();
        assert_eq!(tool.version.to_string(), "16.9");
    }

    #[test]
    fn a_newer_major_serves_where_the_servers_own_is_missing() {
        let (_root, tools) = installed(&["14.2", "18.1", "17.4"]);
        let tool = tools.fitting("pg_dump", Version::parse("16.1").unwrap(), "the server").unwrap();
        assert_eq!(tool.version.to_string(), "17.4");
    }

    #[test]
    fn an_older_pg_dump_is_refused_with_both_versions_and_the_package() {
        let (_root, tools) = installed(&["14.2"]);
        let failure = tools.fitting("pg_dump", Version::parse("16.1").unwrap(), "the server (16.1)").unwrap_err();
        let text = failure.to_string();
        assert!(text.contains("14.2") && text.contains("16.1"), "{text}");
        assert!(text.contains("postgresql-client-16"), "{text}");
    }
}
