//! The same restore with PostgreSQL's own programs: who is refused by the agent must be refused by them.

use std::process::Command;

use super::case::Way;
use super::psql::{ask_as, client, feed};
use super::scene::Scene;

/// What PostgreSQL says when the restoring role tries by hand; none if it succeeds.
pub(super) fn refusal(scene: &Scene<'_>) -> Option<String> {
    try_by_hand(scene).err()
}

fn try_by_hand(scene: &Scene<'_>) -> Result<(), String> {
    let archive = archive(scene)?;
    let user = scene.user(scene.trial.role);
    let target = match scene.trial.way {
        Way::InPlace => scene.name.clone(),
        Way::Empty => format!("{}_copy", scene.name),
        Way::Swap | Way::Into | Way::Gone | Way::Bare => {
            let hand = format!("{}_hand", scene.name);
            let create =
                scene.named(&format!("CREATE DATABASE {hand} TEMPLATE template0 {}", scene.case().about.create));
            ask_as(&scene.target, &user, "postgres", &create)?;
            hand
        }
    };
    if scene.trial.way == Way::InPlace {
        // Who replaces content needs a way back.
        feed(client(&scene.target, &user, &target, "pg_dump"), b"")?;
    }
    let mut pg_restore = client(&scene.target, &user, &target, "pg_restore");
    // What can be had without owners and privileges is had.
    pg_restore.args(["--exit-on-error", "--no-owner", "--no-acl", "--dbname", &target]);
    if scene.trial.way == Way::InPlace {
        pg_restore.args(["--clean", "--if-exists", "--single-transaction"]);
    }
    feed(pg_restore, &archive).map(drop)
}

fn archive(scene: &Scene<'_>) -> Result<Vec<u8>, String> {
    let files = std::fs::read_dir(scene.backups()).unwrap().map(|entry| entry.unwrap().path());
    let mut archives: Vec<_> = files.filter(|path| path.to_string_lossy().ends_with(".sql.gz")).collect();
    archives.sort();
    let first = archives.first().ok_or("no archive")?;
    Ok(Command::new("gunzip").arg("-c").arg(first).output().unwrap().stdout)
}
