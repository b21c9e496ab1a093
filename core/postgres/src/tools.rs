//! Which of the PostgreSQL client programs on this machine to use.
//!
//! A pg_dump refuses a server newer than itself, and an archive can't be read by a pg_restore older than the pg_dump that
//! made it: so several installed versions are looked at, and the closest one that works is taken.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::connection::without_secrets;
use crate::programs::handle::Handle;
use crate::programs::program::BadEnd;
use crate::{Error, Version};

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// One client program and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Where it is.
    pub path: PathBuf,
    /// What it says its version is.
    pub version: Version,
}

/// The versions of one client program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Installed {
    /// Those that run, one path each, oldest first.
    pub tools: Vec<Tool>,
    /// Those that don't, and how they ended.
    broken: Vec<(PathBuf, String)>,
}

impl Installed {
    /// Why none of them is of use.
    fn lack(&self, program: &str, needed: Option<Version>) -> Error {
        match self.broken.first() {
            Some((path, cause)) => Error::ToolBroken { path: path.clone(), cause: cause.clone() },
            None => Error::ToolMissing { program: program.to_owned(), needed },
        }
    }
}

/// The folders in which client programs may be, in the order in which they were named.
#[derive(Clone, Debug)]
pub struct Tools {
    folders: Vec<PathBuf>,
    /// `PG_BIN_DIR` was set: what it holds is used, and nothing else is looked at.
    chosen: bool,
    /// What of our own environment is kept from them.
    withheld: &'static [&'static str],
}

impl Tools {
    /// Looks in `chosen` alone where it is given; else in PATH and where the packages of the usual systems install. `withheld` is
    /// as in [`Connection::new`](crate::Connection::new).
    #[expect(
        clippy::disallowed_methods,
        reason = "PATH is the system's list of folders, and PG_BIN_DIR the setting beside it"
    )]
    pub fn find(chosen: Option<&Path>, withheld: &'static [&'static str]) -> Self {
        if let Some(folder) = chosen {
            return Self { folders: vec![folder.to_owned()], chosen: true, withheld };
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        // cron's PATH is /usr/bin:/bin: the packages' own folders must be found without it.
        for parent in ["/usr/lib/postgresql", "/usr/local/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt"] {
            folders.extend(versioned(Path::new(parent)));
        }
        folders.extend(versioned(Path::new("/usr")).into_iter().filter(|f| f.to_string_lossy().contains("/pgsql-")));
        folders.extend(["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from));
        Self { folders, chosen: false, withheld }
    }

    /// Every version of `program` that is installed.
    #[must_use]
    pub fn installed(&self, program: &str) -> Installed {
        versions_of(self.paths(program), self.withheld)
    }

    /// Every version of the server that is installed with what makes a cluster of it: where `postgres` and `initdb` are.
    #[must_use]
    pub fn servers(&self) -> Vec<Tool> {
        let mut installed = self.installed("postgres");
        installed.tools.retain(|tool| tool.path.with_file_name("initdb").is_file());
        installed.tools
    }

    /// Where `program` is, each file once, in the order of the folders.
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
    /// When none is installed or all are older; the error names both versions and the package to install.
    pub fn fitting(&self, program: &str, needed: Version, what: &str) -> Result<Tool, Error> {
        fitting(program, &self.installed(program), needed, what)
    }

    /// The newest `program` there is. Where there is but one, it isn't asked for its version: a backup waits for the answer.
    ///
    /// # Errors
    /// When none is installed.
    pub fn newest(&self, program: &str) -> Result<PathBuf, Error> {
        let mut paths = self.paths(program);
        if paths.len() < 2 {
            return paths.pop().ok_or_else(|| Installed::default().lack(program, None));
        }
        let mut installed = versions_of(paths, self.withheld);
        installed.tools.pop().map(|tool| tool.path).ok_or_else(|| installed.lack(program, None))
    }
}

/// Of the installed `program`s, the one whose major is `needed`'s, else the next newer one.
///
/// # Errors
/// As [`Tools::fitting`].
pub fn fitting(program: &str, installed: &Installed, needed: Version, what: &str) -> Result<Tool, Error> {
    let fitting = installed
        .tools
        .iter()
        .filter(|t| t.version.release() >= needed.release())
        .min_by_key(|t| (t.version.release(), std::cmp::Reverse(t.version)));
    if let Some(tool) = fitting {
        return Ok(tool.clone());
    }
    Err(match installed.tools.last() {
        Some(newest) if installed.broken.is_empty() => {
            Error::ToolTooOld { program: program.to_owned(), newest: newest.version, what: what.to_owned(), needed }
        }
        _ => installed.lack(program, Some(needed)),
    })
}

/// The `bin` folders of the versions below `parent`.
fn versioned(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|e| e.path().join("bin")).filter(|f| f.join("psql").exists()).collect();
    folders.sort();
    folders
}

/// What these are, one path a version.
fn versions_of(paths: Vec<PathBuf>, withheld: &[&str]) -> Installed {
    // Each is asked for its version by running it: all at once, because a backup waits for the answer.
    let versions: Vec<Result<Version, String>> = std::thread::scope(|scope| {
        let asked: Vec<_> = paths.iter().map(|path| scope.spawn(|| version_of(path, withheld))).collect();
        asked
            .into_iter()
            .map(|answer| answer.join().unwrap_or_else(|_| Err("its reader panicked".to_owned())))
            .collect()
    });
    let mut found: BTreeMap<Version, PathBuf> = BTreeMap::new();
    let mut broken = Vec::new();
    for (path, version) in paths.into_iter().zip(versions) {
        match version {
            Ok(version) => drop(found.entry(version).or_insert(path)),
            Err(cause) => broken.push((path, cause)),
        }
    }
    Installed { tools: found.into_iter().map(|(version, path)| Tool { path, version }).collect(), broken }
}

fn version_of(path: &Path, withheld: &[&str]) -> Result<Version, String> {
    let mut command = without_secrets(path, withheld);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|e| e.to_string())?;
    let handle = Handle::of(&child).map_err(|e| e.to_string())?;
    if !handle.ends_within(PATIENCE) {
        handle.kill();
    }
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    if let Some(end) = BadEnd::of(output.status) {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next_back().map_or(String::new(), |line| format!(": {line}"));
        return Err(format!("it {end}{said}"));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Version::parse(&said).ok_or_else(|| format!("it says no version: `{}`", said.trim()))
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
        (root, Tools { folders, chosen: false, withheld: &[] })
    }

    #[test]
    fn the_servers_own_major_is_chosen_among_several() {
        let (_root, tools) = installed(&["14.2", "18.1", "16.3", "16.9"]);
        let tool = tools.fitting("pg_dump", Version::parse("16.1").unwrap(), "the server").unwrap();
        assert_eq!(tool.version.to_string(), "16.9");
    }

    #[test]
    fn whatever_is_installed_is_newer_than_nine() {
        let (_root, tools) = installed(&["18.1", "16.3"]);
        let tool = tools.fitting("pg_dump", Version::parse("9.6.24").unwrap(), "the archive").unwrap();
        assert_eq!(tool.version.to_string(), "16.3");
    }

    #[test]
    fn a_newer_major_serves_where_the_servers_own_is_missing() {
        let (_root, tools) = installed(&["14.2", "18.1", "17.4"]);
        let tool = tools.fitting("pg_dump", Version::parse("16.1").unwrap(), "the server").unwrap();
        assert_eq!(tool.version.to_string(), "17.4");
    }

    #[test]
    fn a_program_that_does_not_run_is_named_and_not_called_missing() {
        let (root, tools) = installed(&["16.3"]);
        let needed = Version::parse("16.1").unwrap();
        for (script, cause) in [
            ("kill -9 $$", "it was killed by signal 9"),
            ("echo broken >&2; exit 127", "it failed with exit status 127: broken"),
            ("echo hello", "it says no version: `hello`"),
        ] {
            std::fs::write(root.path().join("16.3/pg_dump"), format!("#!/bin/sh\n{script}\n")).unwrap();
            let error = tools.fitting("pg_dump", needed, "the server").unwrap_err();
            let text = error.to_string();
            assert!(text.starts_with("cannot run /") && text.ends_with(cause), "{text}");
            assert!(error.hint().unwrap().ends_with("pg_dump --version"));
        }
    }

    #[test]
    fn an_older_pg_dump_is_refused_with_both_versions_and_the_package() {
        let (_root, tools) = installed(&["14.2"]);
        let error = tools.fitting("pg_dump", Version::parse("16.1").unwrap(), "the server (16.1)").unwrap_err();
        let (text, hint) = (error.to_string(), error.hint().unwrap());
        assert!(text.contains("14.2") && text.contains("16.1"), "{text}");
        assert!(hint.contains("postgresql-client-16"), "{hint}");
    }
}
