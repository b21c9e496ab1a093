//! Restoring: ours reads from S3 and checks everything; the floors read a local, uncompressed archive and check nothing.

use std::path::{Path, PathBuf};

use e2e::agent::Agent;
use e2e::bucket::Bucket;
use e2e::postgres::Database;
use e2e::process::output;

use crate::effort::Effort;
use crate::ground::Ground;
use crate::race::{Contest, Contestant, race};
use crate::stopwatch::{Lap, time};

/// What is restored into.
const TARGET: &str = "target";

/// Has a restore timed into a database, whose name it gets, and clears it away.
type Target = fn(&Ground, &mut dyn FnMut(&str) -> Lap) -> Lap;

pub(super) fn hold(ground: &Ground, effort: &Effort) -> Contest {
    let database = ground.sized(effort.megabytes);
    let archive = plain_archive(ground, database);
    in_bucket_with_backup(ground, database, |bucket| {
        let swap = ["--from-s3-latest", "--into", TARGET, "--confirm", "--skip-services"];
        let contestants = vec![
            pg_restore(ground, database, "pg_restore -j2 of a local archive", "-j2", &archive),
            usual(ground, database, bucket),
            ours(ground, database, bucket, "by swap", &swap, into_new).goal(1.05),
        ];
        race(format!("Restore of {} MB", effort.megabytes), contestants, effort.rounds)
    })
}

/// Ours replaces what is in the database that was backed up, by the same.
pub(super) fn hold_in_place(ground: &Ground, effort: &Effort) -> Contest {
    let database = ground.sized(effort.megabytes);
    let archive = plain_archive(ground, database);
    in_bucket_with_backup(ground, database, |bucket| {
        let in_place = ["--from-s3-latest", "--in-place", "--skip-backup", "--confirm", "--skip-services"];
        let contestants = vec![
            pg_restore(ground, database, "pg_restore, serially, of a local archive", "-j1", &archive),
            ours(ground, database, bucket, "in place", &in_place, into_target).goal(1.2),
        ];
        race(format!("Restore in place of {} MB", effort.megabytes), contestants, effort.rounds)
    })
}

pub(super) fn in_bucket_with_backup<T>(ground: &Ground, database: &Database<'_>, act: impl FnOnce(&Bucket) -> T) -> T {
    ground.in_bucket(|bucket| {
        let agent = ground.agent(database).bucket(bucket.name(), bucket.access()).setting("BACKUP_COMPRESSION", "zstd");
        agent.setting("BACKUP_VERIFY", "read-back").run(&["backup", "--quiet"]).succeeds();
        act(bucket)
    })
}

fn plain_archive(ground: &Ground, database: &Database<'_>) -> PathBuf {
    let file = ground.file("plain.dump");
    if !file.exists() {
        let dump = r#"pg_dump -Fc -Z0 -f "$1""#;
        let dumped = output(&mut ground.shell(database, dump, &[&file.display().to_string()]));
        assert!(dumped.status.success());
    }
    file
}

fn pg_restore<'a>(
    ground: &'a Ground,
    database: &'a Database<'_>,
    name: &str,
    jobs: &'a str,
    archive: &'a Path,
) -> Contestant<'a> {
    Contestant::new(name, move || {
        into_target(ground, &mut |target| {
            let script = r#"pg_restore "$1" -d "$2" "$3""#;
            time(ground, ground.shell(database, script, &[jobs, target, &archive.display().to_string()]))
        })
    })
}

/// Download, then restore: as scripts do.
fn usual<'a>(ground: &'a Ground, database: &'a Database<'_>, bucket: &'a Bucket) -> Contestant<'a> {
    Contestant::new("the usual script: aws s3 cp, zstd -d, pg_restore -j2", move || {
        let key = format!("s3://{}/{}", bucket.name(), bucket.key_ending_in(".sql.zst"));
        into_target(ground, &mut |target| {
            ground.in_folder(|folder| {
                let script =
                    r#"aws s3 cp --quiet "$1" "$2/a.zst" && zstd -q -d "$2/a.zst" && pg_restore -j2 -d "$3" "$2/a""#;
                time(ground, ground.shell(database, script, &[&key, &folder.display().to_string(), target]))
            })
        })
    })
}

pub(super) fn ours<'a>(
    ground: &'a Ground,
    database: &'a Database<'_>,
    bucket: &'a Bucket,
    name: &str,
    flags: &'a [&'a str],
    into: Target,
) -> Contestant<'a> {
    let agent: Agent = ground.agent(database).bucket(bucket.name(), bucket.access());
    Contestant::new(format!("lastgood restore from S3, {name}"), move || {
        into(ground, &mut |_| time(ground, agent.command(&[&["restore", "--quiet"], flags].concat())))
    })
}

/// An empty database to restore into, gone afterwards.
pub(super) fn into_target(ground: &Ground, act: &mut dyn FnMut(&str) -> Lap) -> Lap {
    let target = ground.postgres.new_database_named(TARGET);
    ground.postgres.query("CHECKPOINT");
    act(target.name())
}

/// A swap makes its own: here the name is free, so nothing is left to be dropped, which costs the server a checkpoint.
pub(super) fn into_new(ground: &Ground, act: &mut dyn FnMut(&str) -> Lap) -> Lap {
    ground.postgres.query("CHECKPOINT");
    let lap = act(TARGET);
    ground.postgres.query(&format!("DROP DATABASE {TARGET}"));
    lap
}
