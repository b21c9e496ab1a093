//! Verifying a stored file: whether it is what was stored (digest), and whether everything in it can be read.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::bucket::is_archive;
use e2e::postgres::Database;

use crate::effort::Effort;
use crate::ground::Ground;
use crate::race::{Contest, Contestant, race};
use crate::stopwatch::{Lap, time};

/// On all cores.
pub(super) fn hold(ground: &Ground, effort: &Effort) -> Contest {
    contest(ground, effort, "Verifying a file", [0.5, 0.35], |command| command)
}

/// On one, as a small function has it. The agent's own way of reading; the function's differs in its download.
pub(super) fn hold_on_one_core(ground: &Ground, effort: &Effort) -> Contest {
    contest(ground, effort, "Verifying a file on one core", [0.8, 0.8], on_one_core)
}

fn contest(ground: &Ground, effort: &Effort, title: &str, goals: [f64; 2], pinned: fn(Command) -> Command) -> Contest {
    let database = ground.sized(effort.megabytes);
    let [gzip, zstd] = ["gzip", "zstd"].map(|compression| stored_backup(ground, database, compression));
    let checks = |script: &'static str, file: &PathBuf| {
        let file = file.display().to_string();
        Contestant::new(script, move || time(ground, pinned(ground.shell(database, script, &[&file]))))
    };
    let ours = |name: &str, file: PathBuf| {
        let agent = ground.agent(database);
        Contestant::new(format!("lastgood verify, {name}"), move || -> Lap {
            time(ground, pinned(agent.command(&["verify".as_ref(), file.as_os_str()])))
        })
    };
    let contestants = vec![
        checks(r#"md5sum "$1"; gunzip -t "$1""#, &gzip),
        checks(r#"md5sum "$1"; zstd -q -t "$1""#, &zstd),
        ours("gzip", gzip.clone()).goal(goals[0]),
        ours("zstd", zstd.clone()).goal(goals[1]),
    ];
    race(format!("{title}, of a {} MB dump", effort.megabytes), contestants, effort.rounds)
}

/// A backup's file, made when first asked for.
pub(super) fn stored_backup(ground: &Ground, database: &Database<'_>, compression: &str) -> PathBuf {
    let folder = ground.file(&format!("{}-{compression}", database.name()));
    if !folder.exists() {
        let agent = ground.agent(database).setting("BACKUP_COMPRESSION", compression).directory(&folder);
        agent.run(&["backup", "--quiet"]).succeeds();
    }
    archive_in(&folder)
}

fn archive_in(folder: &Path) -> PathBuf {
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.find(|file| file.file_name().and_then(OsStr::to_str).is_some_and(is_archive)).unwrap()
}

/// Pins a command to the first core.
pub(super) fn on_one_core(command: Command) -> Command {
    let mut pinned = Command::new("taskset");
    pinned.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    pinned.args(["--cpu-list", "0"]).arg(command.get_program()).args(command.get_args());
    pinned
}
