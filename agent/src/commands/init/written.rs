//! What is written: the folder, systemd's drop-ins, and at last the settings file. What a run made that fails goes again.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use tempfile::TempDir;

use super::machine::{Machine, User};
use super::planned::{LOGS, Plan, TARGET};
use crate::all_at_once;
use crate::answers::failure::{Exit, Failure};
use crate::settings::{Given, STATE};

/// What else is read as settings of the machine.
const OTHER: &str = "/etc/lastgood.toml";

/// The file to write: what `--env-file` names, or the machine's.
///
/// # Errors
/// Exit 2 when there are settings already, or where none can be written.
pub(super) fn target(given: &Given) -> Result<PathBuf, Failure> {
    let named = given.env_file.as_deref().unwrap_or(Path::new(TARGET));
    let target = std::path::absolute(named).unwrap_or_else(|_| named.to_owned());
    let there = [target.as_path()].into_iter().chain(given.env_file.is_none().then_some(Path::new(OTHER)));
    for path in there {
        if path.symlink_metadata().is_ok() {
            let error =
                format!("there are settings already: {} exists, and init never writes over them", path.display());
            return Err(Failure::new(Exit::Usage, error)
                .hint("lastgood config --set shows them; to begin again, move that file away, or name another one with --env-file"));
        }
    }
    let is_name = target.to_str().is_some_and(|path| !path.contains(char::is_control)) && target.file_name().is_some();
    let folder = target.parent().unwrap_or(Path::new("/"));
    let writable = match is_name {
        true => access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(io::Error::from),
        false => Err(io::Error::other("it is no file's name")),
    };
    writable.map(|()| target.clone()).map_err(|error| {
        Failure::new(Exit::Usage, format!("cannot write the settings to {}: {error}", target.display()))
            .hint("run it with sudo, or name another file: --env-file ~/.env, which cron finds in the home folder")
    })
}

/// What was made, which goes again unless it is kept.
#[derive(Default)]
pub(super) struct Made {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    is_kept: bool,
}

impl Made {
    /// What a backup needs before it can be tried: its folder, and where the user who backs up logs.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn folders(&mut self, plan: &Plan, machine: &Machine) -> Result<(), Failure> {
        let nightly = &machine.nightly;
        if let Some(folder) = &plan.folder {
            self.folder(folder, nightly, 0o700)?;
        }
        if plan.is_users_own || (machine.is_handed_over() && !machine.runs_systemd) {
            self.folder(Path::new(LOGS), nightly, 0o750)?;
            self.folder(Path::new(STATE), nightly, 0o700)?;
        }
        Ok(())
    }

    /// The drop-ins, and the settings.
    ///
    /// # Errors
    /// When one cannot be written, or the settings file has come meanwhile.
    pub(super) fn settings(&mut self, plan: &Plan, machine: &Machine) -> Result<(), Failure> {
        for (path, text) in &plan.drop_ins {
            // Whose it is can't be told, and what is in it may be more than ours.
            if std::fs::read_to_string(path).is_ok_and(|there| there == *text) {
                continue;
            }
            let root = User { user: 0, group: 0, ..machine.own.clone() };
            self.folder(path.parent().unwrap_or(Path::new("/")), &root, 0o755)?;
            new(path, text, 0o644, None).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => is_anothers(path, text),
                _ => cannot_write(path, &error),
            })?;
            self.files.push(path.clone());
        }
        let owner = plan.is_users_own.then_some(&machine.nightly);
        new(&plan.target, &plan.text, 0o600, owner).map_err(|error| cannot_write(&plan.target, &error))?;
        self.files.push(plan.target.clone());
        Ok(())
    }

    /// All of it stays.
    pub(super) fn keep(&mut self) {
        self.is_kept = true;
    }

    /// Makes a folder and those above it that are missing.
    fn folder(&mut self, folder: &Path, owner: &User, mode: u32) -> Result<(), Failure> {
        let missing: Vec<&Path> = folder.ancestors().take_while(|path| path.symlink_metadata().is_err()).collect();
        let cannot = |error: io::Error| {
            Failure::new(Exit::Failed, format!("cannot make the folder {}: {error}", folder.display()))
                .hint("choose a folder that can be made, or make it before; as another user than root below your home")
        };
        for path in missing.into_iter().rev() {
            let mode = if path == folder { mode } else { 0o755 };
            DirBuilder::new().mode(mode).create(path).map_err(cannot)?;
            self.folders.push(path.to_owned());
            std::fs::set_permissions(path, Permissions::from_mode(mode)).map_err(cannot)?;
            if path == folder && rustix::process::geteuid().is_root() {
                chown(path, Some(owner.user), Some(owner.group)).map_err(cannot)?;
            }
        }
        Ok(())
    }
}

/// An empty folder for a rehearsal, where the backups' own is still to be made. It goes with the value.
///
/// # Errors
/// When it cannot be made.
pub(super) fn stand_in(machine: &Machine) -> Result<TempDir, Failure> {
    let made = tempfile::Builder::new().prefix("lastgood-init-").tempdir();
    let given = made.and_then(|folder| {
        let User { user, group, .. } = machine.nightly;
        if machine.is_handed_over() {
            chown(folder.path(), Some(user), Some(group))?;
        }
        Ok(folder)
    });
    given.map_err(|error| {
        Failure::new(Exit::Failed, format!("cannot make a temporary folder: {error}"))
            .hint("set TMPDIR to a folder that can be written to")
    })
}

impl Drop for Made {
    /// A folder goes with nothing in it alone: a backup in it may be whole.
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

fn is_anothers(path: &Path, text: &str) -> Failure {
    let line = text.lines().last().unwrap_or_default();
    Failure::new(Exit::Usage, format!("{} is there already, and init never writes over it", path.display()))
        .hint(format!("add this line to its [Service], or move it away: {line}"))
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("cannot write {}: {error}", path.display()))
        .hint("run it with sudo where only root may write, and look whether the disk is full: df")
}

/// The settings once more, with a line more than the `before` that this run has written.
///
/// # Errors
/// When they cannot be written, or somebody has changed them meanwhile.
pub(super) fn again(before: &str, plan: &Plan, machine: &Machine) -> Result<(), Failure> {
    if std::fs::read_to_string(&plan.target).is_ok_and(|there| there != before) {
        let error = format!("somebody has changed {} meanwhile", plan.target.display());
        return Err(Failure::new(Exit::Failed, error).hint("look at what was changed"));
    }
    let owner = plan.is_users_own.then_some((machine.nightly.user, machine.nightly.group));
    whole(&plan.target, &plan.text, 0o600, owner).map_err(|error| cannot_write(&plan.target, &error))
}

/// A file, all at once, and never over another one.
fn new(path: &Path, text: &str, mode: u32, owner: Option<&User>) -> io::Result<()> {
    let file = beside(path, text, mode)?;
    if let Some(owner) = owner {
        chown(file.path(), Some(owner.user), Some(owner.group))?;
    }
    file.persist_noclobber(path).map(drop).map_err(|error| error.error)
}

/// A file, all at once, in place of what was there.
///
/// # Errors
/// When it cannot be written.
pub(super) fn whole(path: &Path, text: &str, mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
    let file = beside(path, text, mode)?;
    if let Some((user, group)) = owner {
        chown(file.path(), Some(user), Some(group))?;
    }
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// What is in it is on the disk before it has its name.
fn beside(path: &Path, text: &str, mode: u32) -> io::Result<tempfile::NamedTempFile> {
    let file = all_at_once::beside(path, text, mode)?;
    file.as_file().sync_all()?;
    Ok(file)
}
