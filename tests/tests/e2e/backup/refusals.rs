//! What is wrong before anything is dumped: each said in words, with what to do.

use e2e::postgres::{Installation, Postgres};

use super::{Places, agent, small};

#[test]
fn a_server_that_cannot_be_asked_is_explained() {
    let places = Places::new();
    let agent = || places.both(agent().database(small()));
    let cases = [
        ("DB_PASSWORD", "wrong", 1, "password authentication failed for user", "hint: check DB_USER and DB_PASSWORD"),
        ("DB_NAME", "nothing", 5, r#"database "nothing" does not exist"#, "hint: check DB_NAME"),
        ("DB_PORT", "1", 1, "Connection refused", "hint: check that the server runs, and DB_HOST and DB_PORT"),
    ];
    for (name, value, code, error, hint) in cases {
        let failed = agent().setting(name, value).run(&["backup"]).exits(code);
        failed.mentions("error: cannot connect to database ").mentions(error).mentions(hint);
    }
    places.hold_nothing();
}

#[test]
fn a_server_newer_than_every_pg_dump_stops_the_run_before_it_dumps() {
    let server = Postgres::start(Installation::eighteen());
    let database = server.new_database("new");
    let places = Places::new();
    let old = Installation::debian();
    let agent = places.both(agent().database(&database));
    let alone = agent.setting("PG_BIN_DIR", old.programs().display().to_string());
    let failed = alone.run(&["backup"]).exits(2);
    failed
        .mentions(&format!("pg_dump {}.", old.major()))
        .mentions("is too old for the server, which is PostgreSQL 18.")
        .mentions("apt-get install postgresql-client-18");
    places.hold_the_mark_alone();

    // Several versions stand side by side, the older first in PATH: the fitting one is taken.
    let places = Places::new();
    let agent = places.both(super::agent().database(&database)).programs_of(&old);
    agent.run(&["backup"]).succeeds();
    let manifest = places.bucket.get_json(&places.bucket.key_ending_in(".manifest.json"));
    assert!(manifest["archive"]["pgDumpVersion"].as_str().unwrap().starts_with("18."), "{manifest}");
}

#[test]
fn a_lock_folder_that_is_missing_and_a_broken_age_key_stop_the_run() {
    let places = Places::new();
    let agent = || places.both(agent().database(small()));
    let failed = agent().setting("BACKUP_LOCK_DIR", "/nonexistent").run(&["backup"]).exits(1);
    failed.mentions("cannot open the lock file /nonexistent/").mentions("BACKUP_LOCK_DIR");
    let failed = agent().setting("BACKUP_AGE_IDENTITY_FILE", "/nonexistent").run(&["backup"]).exits(2);
    failed.mentions("cannot use the age key /nonexistent").mentions("BACKUP_AGE_IDENTITY_FILE");
    places.hold_the_mark_alone();
}

#[test]
fn a_word_among_pg_dumps_options_does_not_choose_another_database() {
    let other = Postgres::shared().new_database("another");
    let places = Places::new();
    let agent = places.both(agent().database(small())).setting("BACKUP_PG_DUMP_OPTIONS", other.name());
    agent.run(&["backup"]).exits(2).mentions(other.name()).mentions("BACKUP_PG_DUMP_OPTIONS");
    places.hold_the_mark_alone();
}
