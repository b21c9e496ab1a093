//! As whom a server runs: PostgreSQL refuses root.

use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// Who runs a server in root's stead, the first that there is.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Whose processes and files they are; nothing where they are ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    another: Option<(u32, u32)>,
}

impl User {
    /// Ourselves, unless we are root; nothing where root has nobody else.
    pub(super) fn unprivileged() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return Some(Self { another: None });
        }
        let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let another = UNPRIVILEGED.iter().find_map(|name| find(&known, name))?;
        Some(Self { another: Some(another) })
    }

    /// Lets a program run as this user.
    pub(super) fn run(self, command: &mut Command) {
        if let Some((user, group)) = self.another {
            command.uid(user).gid(group);
        }
    }

    /// Gives a folder to this user.
    pub(super) fn own(self, folder: &Path) -> io::Result<()> {
        self.another.map_or(Ok(()), |(user, group)| chown(folder, Some(user), Some(group)))
    }
}

/// `name:x:user:group:…`
fn find(passwd: &str, name: &str) -> Option<(u32, u32)> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_it = fields.next() == Some(name);
        let (user, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        (is_it && user != 0).then_some((user, group))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name_and_root_is_none() {
        let passwd = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\npostgres2:x:9:9::/:/\n";
        assert_eq!(
            (find(passwd, "nobody"), find(passwd, "postgres"), find(passwd, "root")),
            (Some((65_534, 65_533)), None, None)
        );
    }
}
