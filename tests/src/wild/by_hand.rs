//! The same restore with PostgreSQL's own programs: who is refused by the agent must be refused by them.

use std::process::Command;

use super::case::{Role, Way};
use super::psql::{ask_as, client, feed};
use super::scene::Scene;
use crate::bucket::is_archive;

/// What PostgreSQL says when the restoring role tries by hand; none if it succeeds.
pub(super) fn refusal(scene: &Scene<'_>, owners: bool) -> Option<String> {
    try_by_hand(scene, owners).err()
}

fn try_by_hand(scene: &Scene<'_>, owners: bool) -> Result<(), String> {
    let archive = archive(scene)?;
    let user = scene.user(scene.trial.role);
    // Who may not create databases has no other way over the living one.
    let in_place = matches!((scene.trial.way, scene.trial.role), (Way::InPlace, _) | (Way::Swap, Role::Owner));
    let target = match scene.trial.way {
        _ if in_place => scene.name.clone(),
        Way::Bare if scene.trial.role == Role::Owner => scene.name.clone(),
        Way::Empty => format!("{}_copy", scene.name),
        _ => create(scene, &user)?,
    };
    if in_place {
        // Who replaces content needs a way back.
        feed(client(&scene.target, &user, &target, "pg_dump"), b"")?;
    }
    let mut pg_restore = client(&scene.target, &user, &target, "pg_restore");
    pg_restore.args(["--exit-on-error", "--dbname", &target]);
    if !owners {
        // What can be had without owners and privileges is had.
        pg_restore.args(["--no-owner", "--no-acl"]);
    }
    if in_place {
        pg_restore.args(["--clean", "--if-exists", "--single-transaction"]);
    }
    feed(pg_restore, &archive).map(drop)
}

fn create(scene: &Scene<'_>, user: &str) -> Result<String, String> {
    let name = format!("{}_hand", scene.name);
    let create = format!("CREATE DATABASE {name} TEMPLATE template0 {}", scene.case().about.create);
    ask_as(&scene.target, user, "postgres", &scene.named(&create))?;
    Ok(name)
}

fn archive(scene: &Scene<'_>) -> Result<Vec<u8>, String> {
    let files = std::fs::read_dir(scene.backups()).unwrap().map(|entry| entry.unwrap().path());
    let mut archives: Vec<_> = files.filter(|path| is_archive(&path.to_string_lossy())).collect();
    archives.sort();
    let first = archives.first().ok_or("no archive")?;
    Ok(crate::process::output(Command::new("gunzip").arg("-c").arg(first)).stdout)
}
