//! The lock file outlives its holder, and belongs to whoever ran first.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use e2e::agent::binary;
use e2e::process::output;
use rustix::process::geteuid;

use super::{agent, small};

/// Debian's `nobody`.
const NOBODY: u32 = 65_534;

#[test]
fn a_lock_file_that_another_user_made_does_not_stop_a_backup() {
    // As /run/lock is, where root's run by hand and the nightly one of `postgres` meet.
    let place = tempfile::tempdir().unwrap();
    let sub = |name: &str| place.path().join(name);
    for folder in [place.path().to_owned(), sub("locks"), sub("home")] {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::set_permissions(&folder, Permissions::from_mode(0o1777)).unwrap();
    }
    let first = agent()
        .database(small())
        .directory(&sub("home"))
        .setting("BACKUP_LOCK_DIR", sub("locks").display().to_string());
    first.run(&["backup", "--name", "first"]).succeeds();
    let file = std::fs::read_dir(sub("locks")).unwrap().next().unwrap().unwrap().path();
    if !geteuid().is_root() {
        // Nobody but root can be two users: not even its owner may write to this one.
        std::fs::set_permissions(&file, Permissions::from_mode(0o444)).unwrap();
    }
    let reachable = sub("lastgood");
    std::fs::copy(binary(), &reachable).unwrap();
    let settings = first.command(&["backup"]);
    let mut command = Command::new(if geteuid().is_root() { "setpriv" } else { "env" });
    if geteuid().is_root() {
        command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into()]);
    }
    command.arg(reachable).args(["backup", "--name", "second"]).current_dir(sub("home")).env_clear();
    command.envs(settings.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("HOME", sub("home")).env("BACKUP_DIR", sub("home")).env("BACKUP_LOG_FILE", sub("home").join("log"));
    let output = output(&mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
