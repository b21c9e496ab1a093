//! pg_dump and the server behind it: however they fail, nothing of the run shows, and the message says who it was.

use std::io::Write as _;
use std::process::Stdio;

use e2e::bounds::wait_until;
use e2e::postgres::{Installation, Postgres};
use e2e::process::children;
use rustix::process::{Pid, Signal, kill_process};

use super::{Places, Stalled, agent, files, large, small, stall, with_pg_dump};

#[test]
fn a_killed_pg_dump_leaves_nothing() {
    let places = Places::new();
    let Stalled { proxy, running } = stall(agent(), large(), &places);
    let [pg_dump] = children(running.pid(), "pg_dump")[..] else { panic!("not one pg_dump") };
    kill_process(Pid::from_raw(pg_dump.cast_signed()).unwrap(), Signal::KILL).unwrap();
    running.wait().exits(1).mentions("pg_dump was killed by signal 9").mentions("hint: ");
    places.hold_the_mark_alone();
    drop(proxy);
}

#[test]
fn a_server_that_crashes_in_the_middle_leaves_nothing_and_is_named() {
    let mut server = Postgres::start(Installation::debian());
    server.query("CREATE DATABASE app");
    let places = Places::new();
    let (proxy, running) = {
        let database = server.database("app");
        database.fill_with_megabytes(16);
        let Stalled { proxy, running } = stall(agent(), &database, &places);
        // Dropping the value would drop the database.
        std::mem::forget(database);
        (proxy, running)
    };
    server.crash();
    proxy.heal();
    running.wait().exits(1).mentions("the PostgreSQL server went away during the backup of app").mentions("hint: ");
    places.hold_the_mark_alone();
}

#[test]
fn a_truncated_archive_is_refused_though_pg_dump_exits_0() {
    for length in [0, 3, 9_000, 3_000_000] {
        let programs = with_pg_dump(large().server(), &format!(r#""$REAL" "$@" | head -c {length}; exit 0"#));
        let places = Places::new();
        let agent = places.both(agent().database(large()));
        let agent = agent.setting("PG_BIN_DIR", programs.path().display().to_string());
        let failed = agent.run(&["backup"]).exits(1);
        failed.mentions("pg_dump wrote an incomplete or damaged archive").mentions("hint: ");
        places.hold_the_mark_alone();
    }
}

#[test]
fn a_pg_dump_that_fails_after_a_whole_archive_is_believed() {
    let script = r#""$REAL" "$@"; echo 'pg_dump: error: the last page was odd' >&2; exit 1"#;
    let programs = with_pg_dump(small().server(), script);
    let places = Places::new();
    let agent = places.both(agent().database(small()));
    let failed = agent.setting("PG_BIN_DIR", programs.path().display().to_string()).run(&["backup"]).exits(1);
    failed.mentions("pg_dump failed with exit status 1: the last page was odd");
    places.hold_the_mark_alone();
}

#[test]
fn what_pg_dump_warns_of_reaches_the_user_and_the_manifest() {
    let script = r#"echo 'pg_dump: warning: there are circular foreign keys' >&2; exec "$REAL" "$@""#;
    let programs = with_pg_dump(small().server(), script);
    let places = Places::new();
    let agent = places.both(agent().database(small()));
    let agent = agent.setting("PG_BIN_DIR", programs.path().display().to_string());
    agent.run(&["backup"]).succeeds().mentions("pg_dump: warning: there are circular foreign keys");
    let manifest = places.bucket.get_json(&places.bucket.key_ending_in(".manifest.json"));
    assert_eq!(manifest["warnings"][0], "pg_dump: warning: there are circular foreign keys");
}

#[test]
fn a_folder_that_is_moved_away_meanwhile_costs_its_own_copy_alone() {
    let places = Places::new();
    let Stalled { proxy, running } = stall(agent(), large(), &places);
    let elsewhere = places.directory().with_extension("elsewhere");
    std::fs::rename(places.directory(), &elsewhere).unwrap();
    proxy.heal();
    let failed = running.wait().exits(1).mentions("hint: check whether the folder was moved");
    failed.mentions(&places.directory().display().to_string());
    assert_eq!(places.files(), Vec::<String>::new());
    assert!(files(&elsewhere).iter().all(|file| file.starts_with('.')), "a backup shows: {:?}", files(&elsewhere));
    places.bucket_holds_one_backup();
}

#[test]
fn a_locked_table_ends_the_dump_before_production_queues_behind_it() {
    let database = Postgres::shared().new_database("locked");
    database.query("CREATE TABLE busy (id integer)");
    let mut psql = database.client(database.server().installation(), "psql");
    let mut migration = psql.arg("-Xq").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut stdin = migration.stdin.take().unwrap();
    stdin.write_all(b"BEGIN;\nLOCK TABLE busy IN ACCESS EXCLUSIVE MODE;\n").unwrap();
    let granted =
        "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'busy'::regclass";
    wait_until("the migration has its lock", || {
        assert_eq!(migration.try_wait().unwrap(), None, "the migration's psql ended");
        database.query(granted) != "0"
    });
    let places = Places::new();
    let agent = places.both(agent().database(&database)).setting("BACKUP_LOCK_TIMEOUT", "300ms");
    agent.run(&["backup"]).exits(1).mentions("something held a lock on a table").mentions("BACKUP_LOCK_TIMEOUT");
    drop(stdin);
    wait_until("the migration's psql has ended", || migration.try_wait().unwrap().is_some());
    places.hold_the_mark_alone();
}

#[test]
fn a_role_that_may_not_read_everything_is_told_what_it_lacks() {
    let database = Postgres::shared().new_database("private");
    database.query("CREATE TABLE secrets (id integer); CREATE ROLE half_blind LOGIN PASSWORD 'x'");
    let places = Places::new();
    let agent = places.both(agent().database(&database)).setting("DB_USER", "half_blind").setting("DB_PASSWORD", "x");
    agent.run(&["backup"]).exits(1).mentions("permission denied for table secrets").mentions("GRANT pg_read_all_data");
    database.query("DROP ROLE half_blind");
    places.hold_the_mark_alone();
}
