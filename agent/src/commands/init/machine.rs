//! Who runs this, who will back up every night, and what this system has for it.

use std::path::{Path, PathBuf};

/// The package's folder for backups, which its units may write to.
pub(super) const PACKAGED: &str = "/var/backups/lastgood";
/// The system user of the package's units.
const SERVICE: &str = "lastgood";
/// Where a package's or an administrator's units are.
const UNITS: [&str; 3] = ["/usr/lib/systemd/system", "/lib/systemd/system", "/etc/systemd/system"];

/// What the road depends on.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    /// Who runs this.
    pub(super) own: User,
    /// Who backs up every night: the package's user for root, where there is one; else who runs this.
    pub(super) nightly: User,
    /// The server's superuser, where root can be it.
    pub(super) postgres: Option<User>,
    /// Who called root by sudo.
    pub(super) caller: Option<User>,
    /// Whether the package's units are installed.
    pub(super) has_units: bool,
    /// Whether systemd runs this machine.
    pub(super) runs_systemd: bool,
}

/// A user of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) user: u32,
    pub(super) group: u32,
    pub(super) home: PathBuf,
}

impl Machine {
    /// Looks around. `caller` is whom sudo names.
    pub(super) fn look(home: Option<&Path>, caller: Option<&str>) -> Self {
        let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
        let mut own = User::with(&known, |one| one.user == user.as_raw()).unwrap_or_else(|| User {
            name: user.as_raw().to_string(),
            user: user.as_raw(),
            group: group.as_raw(),
            home: PathBuf::from("/"),
        });
        if let Some(home) = home {
            own.home = home.to_owned();
        }
        let has_units = UNITS.iter().any(|folder| Path::new(folder).join("lastgood.service").is_file());
        let named = |name: &str| User::with(&known, |one| one.name == name && one.user != 0);
        let nightly = if user.is_root() { named(SERVICE).unwrap_or_else(|| own.clone()) } else { own.clone() };
        Self {
            nightly,
            postgres: if user.is_root() { named("postgres") } else { None },
            caller: if user.is_root() { caller.and_then(named) } else { None },
            own,
            has_units,
            runs_systemd: Path::new("/run/systemd/system").is_dir(),
        }
    }

    pub(super) fn is_root(&self) -> bool {
        self.own.user == 0
    }

    /// Whether another user backs up every night than runs this.
    pub(super) fn is_handed_over(&self) -> bool {
        self.nightly.user != self.own.user
    }
}

impl User {
    /// The first of these lines, `name:x:user:group:…:home:shell`, that is `wanted`.
    fn with(passwd: &str, wanted: impl Fn(&Self) -> bool) -> Option<Self> {
        let read = |line: &str| {
            let mut fields = line.split(':');
            let name = fields.next()?.to_owned();
            let (user, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            Some(Self { name, user, group, home: fields.nth(1)?.into() })
        };
        passwd.lines().filter_map(read).find(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_read_from_its_line() {
        let passwd =
            "root:x:0:0:root:/root:/bin/bash\nbroken\nlastgood:x:999:998::/var/lib/lastgood:/usr/sbin/nologin\n";
        let found = User::with(passwd, |one| one.name == "lastgood").unwrap();
        let home = PathBuf::from("/var/lib/lastgood");
        assert_eq!(found, User { name: "lastgood".to_owned(), user: 999, group: 998, home });
        assert_eq!(User::with(passwd, |one| one.name == "postgres"), None);
    }
}
