//! Backing up: every way is to end with a compressed archive that is stored, by the same pg_dump of the same database.

use std::process::Command;

use e2e::agent::Agent;
use e2e::postgres::Database;

use crate::effort::Effort;
use crate::ground::{Ground, stored_in_bucket, stored_in_folder};
use crate::peers;
use crate::race::{Contest, Contestant, race};
use crate::stopwatch::{Lap, time};

/// Where ours goes.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum To {
    Folder,
    Bucket,
    Both,
}

pub(super) fn hold(ground: &Ground, effort: &Effort) -> Contest {
    let database = ground.sized(effort.megabytes);
    let ours = |compression, to, goal| ours(ground, database, compression, to).goal(goal);
    let mut contestants = vec![
        floor(ground, database),
        ours("zstd", To::Folder, 1.15),
        ours("zstd", To::Bucket, 1.25),
        self::ours(ground, database, "zstd", To::Both),
        ours("gzip", To::Folder, 1.6),
        ours("gzip", To::Bucket, 1.8),
        self::ours(ground, database, "gzip", To::Both),
        judged(ground, database, "zstd"),
        judged(ground, database, "gzip"),
    ];
    contestants.extend(peers::backing_up(ground, database, effort.quick));
    race(format!("Backup of {} MB", effort.megabytes), contestants, effort.rounds)
}

/// What no tool can be faster than.
pub(super) fn floor<'a>(ground: &'a Ground, database: &'a Database<'_>) -> Contestant<'a> {
    let dump = "pg_dump -Fc -Z0 > /dev/null";
    Contestant::new(dump, move || time(ground, ground.shell(database, dump, &[])))
}

pub(super) fn ours<'a>(ground: &'a Ground, database: &'a Database<'_>, compression: &str, to: To) -> Contestant<'a> {
    let place = match to {
        To::Folder => "to a directory",
        To::Bucket => "to S3",
        To::Both => "to S3 and a directory",
    };
    let compression = compression.to_owned();
    Contestant::new(format!("lastgood backup, {compression}, {place}"), move || {
        of(ground, ground.agent(database).setting("BACKUP_COMPRESSION", &compression), to)
    })
}

/// As a directory has it by default: with the verdict.
fn judged<'a>(ground: &'a Ground, database: &'a Database<'_>, compression: &'static str) -> Contestant<'a> {
    Contestant::new(format!("lastgood backup, {compression}, to a directory, with its verdict"), move || {
        let agent = ground.agent(database).setting("BACKUP_VERIFY", "auto").setting("BACKUP_COMPRESSION", compression);
        of(ground, agent, To::Folder)
    })
}

/// A backup by this agent.
pub(super) fn of(ground: &Ground, agent: Agent, to: To) -> Lap {
    ground.in_folder(|folder| {
        let agent = if to == To::Bucket { agent } else { agent.directory(folder) };
        if to == To::Folder {
            let lap = time(ground, command(&agent));
            return Lap { stored: Some(stored_in_folder(folder)), ..lap };
        }
        ground.in_bucket(|bucket| {
            let agent = agent.bucket(bucket.name(), bucket.access());
            let lap = time(ground, command(&agent));
            Lap { stored: Some(stored_in_bucket(bucket)), ..lap }
        })
    })
}

fn command(agent: &Agent) -> Command {
    agent.command(&["backup", "--quiet"])
}
