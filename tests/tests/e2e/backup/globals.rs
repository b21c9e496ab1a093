//! The server's roles and tablespaces, stored beside each archive: no backup ever fails of them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use e2e::agent::Agent;
use e2e::postgres::{Database, PASSWORD, Postgres};
use e2e::process::output;
use serde_json::Value;

use super::encryption::key;
use super::{Places, agent, through};

/// A role with what a role can have, whose name is hard to write.
fn odd_role(database: &Database<'_>) -> String {
    let role = format!("Rö\"le %s {}", database.name());
    let quoted = role.replace('"', "\"\"");
    database.server().query(&format!(
        "CREATE ROLE \"{quoted}\" LOGIN PASSWORD 'of-the-role' CONNECTION LIMIT 3; ALTER ROLE \"{quoted}\" SET work_mem TO '7MB';
         GRANT pg_monitor TO \"{quoted}\"; COMMENT ON ROLE \"{quoted}\" IS 'the odd one'"
    ));
    role
}

fn drop_role(server: &Postgres, role: &str) {
    server.query(&format!("DROP ROLE \"{}\"", role.replace('"', "\"\"")));
}

fn manifest(places: &Places) -> Value {
    places.bucket.get_json(&places.bucket.key_ending_in(".manifest.json"))
}

#[test]
fn roles_lie_beside_the_archive_and_give_themselves_to_a_new_server_by_hand() {
    let server = Postgres::shared();
    let database = server.new_database("with_roles");
    let role = odd_role(&database);
    let places = Places::new();
    let run = places.both(agent().database(&database)).run(&["backup"]).succeeds().keeps_silent_about("WARNING");
    drop(run);
    places.directory_holds_one_good_backup();
    places.bucket_holds_one_backup();

    let key = places.bucket.key_ending_in(".globals.sql.gz");
    let stored = places.bucket.get(&key);
    let named = &manifest(&places)["globals"];
    assert_eq!((&named["key"], &named["size"]), (&key.clone().into(), &stored.len().into()));
    assert_eq!(named["passwords"], false);
    let head = places.bucket.head(&key);
    assert_eq!(head.content_type(), Some("application/gzip"));
    assert!(head.metadata().is_none_or(|metadata| metadata.is_empty()), "{:?}", head.metadata());
    let file = places.file_ending_in(".globals.sql.gz");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read(&file).unwrap(), stored);

    let sql = String::from_utf8(through(Command::new("gunzip").arg("-c"), &stored)).unwrap();
    let quoted = role.replace('"', "\"\"");
    assert!(sql.contains(&format!("ALTER ROLE \"{quoted}\" SET work_mem TO '7MB';")), "{sql}");
    assert!(!sql.contains("PASSWORD") && !sql.contains("SCRAM"), "{sql}");
    drop_role(server, &role);

    // The line that `show` prints makes the roles again.
    let local = agent().database(&database).directory(&places.directory());
    let shown = local.run(&["show", "latest", "--json"]).succeeds().json();
    let line = shown["restore"]["globalsByHand"].as_str().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).envs(database.libpq_environment());
    let typed = output(&mut shell);
    assert!(typed.status.success(), "{line}\n{}", String::from_utf8_lossy(&typed.stderr));
    let found = format!(
        "SELECT rolconnlimit, (SELECT setconfig[1] FROM pg_db_role_setting WHERE setrole = a.oid), pg_has_role(oid, 'pg_monitor', 'MEMBER'), shobj_description(oid, 'pg_authid')
         FROM pg_authid a WHERE rolname = '{role}'"
    );
    assert_eq!(server.query(&found), "3|work_mem=7MB|t|the odd one");
    drop_role(server, &role);
}

#[test]
fn passwords_are_stored_on_request_alone_and_only_encrypted() {
    let folder = tempfile::tempdir().unwrap();
    let (identity, public) = key(folder.path());
    let database = Postgres::shared().new_database("with_passwords");
    let role = odd_role(&database);
    let places = Places::new();
    let agent = places.both(agent().database(&database)).setting("BACKUP_GLOBALS_PASSWORDS", "true");
    agent.run(&["backup"]).exits(2).mentions("BACKUP_GLOBALS_PASSWORDS=true").mentions("BACKUP_AGE_RECIPIENTS");
    places.hold_nothing();
    let agent = agent.setting("BACKUP_AGE_RECIPIENTS", &public);
    agent.run(&["backup"]).succeeds().keeps_silent_about("WARNING");
    assert_eq!(manifest(&places)["globals"]["passwords"], true);
    let key = places.bucket.key_ending_in(".globals.sql.gz.age");
    assert_eq!(places.bucket.head(&key).content_type(), Some("application/octet-stream"));
    let opened = through(Command::new("age").arg("-d").arg("-i").arg(&identity), &places.bucket.get(&key));
    let sql = String::from_utf8(through(Command::new("gunzip").arg("-c"), &opened)).unwrap();
    assert!(sql.contains("PASSWORD 'SCRAM-SHA-256$"), "{sql}");
    drop_role(database.server(), &role);
}

/// Who may not read passwords gets the rest, and hears of it.
#[test]
fn a_role_that_is_no_superuser_stores_roles_without_their_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let (_, public) = key(folder.path());
    let database = Postgres::shared().new_database("plain_login");
    let login = format!("{}_login", database.name());
    let password = PASSWORD.replace('\'', "''");
    database.query(&format!("CREATE ROLE \"{login}\" LOGIN PASSWORD '{password}'"));
    database.query(&format!("CREATE TABLE t (id int); ALTER TABLE t OWNER TO \"{login}\""));
    // It may connect to nothing but its database.
    let places = Places::new();
    let agent = places.both(agent().database(&database)).setting("DB_USER", &login);
    agent.run(&["backup", "--name", "without"]).succeeds().keeps_silent_about("WARNING");
    assert_eq!(manifest(&places)["globals"]["passwords"], false);
    let places = Places::new();
    let agent = places.both(super::agent().database(&database)).setting("DB_USER", &login);
    let agent = agent.setting("BACKUP_GLOBALS_PASSWORDS", "true").setting("BACKUP_AGE_RECIPIENTS", &public);
    agent.run(&["backup", "--dry-run"]).succeeds().mentions("the roles' passwords were not stored");
    let said = agent.run(&["backup", "--json"]).succeeds().json();
    let warning = said["backups"][0]["stored"][1]["warning"].as_str().unwrap();
    assert!(warning.contains("the roles' passwords were not stored: pg_dumpall failed"), "{warning}");
    let manifest = manifest(&places);
    assert_eq!((&manifest["globals"]["passwords"], &manifest["warnings"][0]), (&false.into(), &warning.into()));
    database.query(&format!("DROP OWNED BY \"{login}\"; DROP ROLE \"{login}\""));
}

/// A folder with the real programs of the server's version, and this in the place of pg_dumpall.
fn with_pg_dumpall(database: &Database<'_>, script: Option<&str>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["psql", "pg_dump"] {
        let real = database.server().installation().programs().join(name);
        executable(&folder.path().join(name), &format!("exec {} \"$@\"", real.display()));
    }
    if let Some(script) = script {
        executable(&folder.path().join("pg_dumpall"), script);
    }
    folder
}

fn executable(file: &Path, script: &str) {
    std::fs::write(file, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_keeps_the_roles_from_being_stored_is_said_and_fails_no_backup() {
    let database = super::small();
    for (script, said) in [
        (None, "there is no pg_dumpall beside"),
        (Some("echo 'pg_dumpall: error: query failed: FEHLER' >&2; exit 1"), "query failed: FEHLER"),
        (Some("kill -9 $$"), "pg_dumpall was killed by signal 9"),
    ] {
        let folder = with_pg_dumpall(database, script);
        let places = Places::new();
        let agent = places.both(agent().database(database));
        let agent = agent.setting("PG_BIN_DIR", folder.path().display().to_string());
        let words = "the server's roles and tablespaces were not stored with this backup: ";
        agent.run(&["backup", "--quiet"]).succeeds().mentions(words).mentions(said);
        let manifest = manifest(&places);
        assert!(manifest["globals"].is_null(), "{manifest}");
        assert!(manifest["warnings"][0].as_str().unwrap().contains(said), "{manifest}");
        assert!(places.bucket.keys().len() == 4 && places.files().len() == 4, "{:?}", places.files());
        let local = super::agent().database(database).directory(&places.directory());
        local.run(&["show", "latest"]).succeeds().mentions("roles      not stored").mentions(said);
    }
    let places = Places::new();
    let off = places.both(agent().database(database)).setting("BACKUP_GLOBALS", "off");
    off.run(&["backup"]).succeeds().keeps_silent_about("WARNING");
    assert!(manifest(&places)["globals"].is_null() && places.files().len() == 4);
}

/// Of a run that fails at its manifest nothing stays in a directory.
#[test]
fn a_backup_whose_manifest_finds_no_place_takes_the_roles_with_it() {
    let database = super::small();
    let folder = tempfile::tempdir().unwrap();
    let backups = folder.path().join("backups");
    std::fs::create_dir(&backups).unwrap();
    // Another one's manifest comes between the look for a free name and the end.
    let dump = database.server().installation().programs().join("pg_dump");
    let block = format!(
        "echo '{{}}' >{0}/{1}_backup_taken.manifest.json; exec {2} \"$@\"",
        backups.display(),
        database.name(),
        dump.display()
    );
    let programs = with_pg_dumpall(database, Some(&format!("exec {}all \"$@\"", dump.display())));
    executable(
        &programs.path().join("pg_dump"),
        &format!("case $1 in --version) exec {} \"$@\";; esac; {block}", dump.display()),
    );
    let agent: Agent = agent().database(database).directory(&backups);
    let agent = agent.setting("PG_BIN_DIR", programs.path().display().to_string());
    agent.run(&["backup", "--name", "taken"]).exits(1).mentions("already exists and belongs to another backup");
    assert_eq!(super::files(&backups), [format!("{}_backup_taken.manifest.json", database.name())]);
}

/// What lies under the name already stays, and the backup is one without roles.
#[test]
fn roles_never_replace_what_is_there() {
    let database = super::small();
    let folder = tempfile::tempdir().unwrap();
    let backups = folder.path().join("backups");
    let dumpall = database.server().installation().programs().join("pg_dumpall");
    let plant = format!("echo other >{}/{}_backup_planted.globals.sql.gz", backups.display(), database.name());
    let programs = with_pg_dumpall(database, Some(&format!("{plant}; exec {} \"$@\"", dumpall.display())));
    let agent = agent().database(database).directory(&backups);
    let agent = agent.setting("PG_BIN_DIR", programs.path().display().to_string());
    agent.run(&["backup", "--name", "planted"]).succeeds().mentions("is there already, with other content");
    let planted = backups.join(format!("{}_backup_planted.globals.sql.gz", database.name()));
    assert_eq!(std::fs::read_to_string(planted).unwrap(), "other\n");
}
