//! Sessions that read rows reach the server wherever psql does, and read what pg_dump does.

use std::os::unix::fs::PermissionsExt as _;

use e2e::agent::{Agent, Outcome};
use e2e::postgres::{Database, Installation, PASSWORD, Postgres};

use super::{Places, agent};
use crate::connections::tls::Certificate;

/// What a dump says with `--verbose` whose sessions are psql's, and then why.
const BY_PSQL: &str = "a session reads by psql: ";
/// Rows whose text depends on the session's settings, besides rows to share.
const ROWS: &str = "CREATE TABLE moments AS SELECT i, '2024-07-01 12:00+00'::timestamptz + i * interval '1 hour' AS at,
    i * interval '1 day 1 s' AS span, i / 3.0::float8 AS third FROM generate_series(1, 1000) AS i;
    CREATE TABLE filler AS SELECT i AS id, repeat(md5(i::text), 10) AS text FROM generate_series(1, 10000) AS i";

/// Backs up by so many sessions, and answers with the census and what was said.
fn back_up(agent: Agent, jobs: u32) -> (serde_json::Value, Outcome) {
    let places = Places::new();
    let agent = agent.directory(&places.directory()).setting("BACKUP_JOBS", jobs.to_string());
    let outcome = agent.run(&["backup", "--verbose"]).succeeds();
    let manifest = std::fs::read(places.file_ending_in(".manifest.json")).unwrap();
    (serde_json::from_slice::<serde_json::Value>(&manifest).unwrap()["census"].take(), outcome)
}

fn with(database: &Database<'_>, settings: &[(&str, &str)]) -> Agent {
    settings.iter().fold(agent().database(database), |agent, (name, value)| agent.setting(name, *value))
}

/// Both ways give the same rows; `by_psql`: why psql is needed, where it is.
#[track_caller]
fn reads_alike(database: &Database<'_>, settings: &[(&str, &str)], by_psql: Option<&str>) {
    let (alone, _) = back_up(with(database, settings), 1);
    let (together, outcome) = back_up(with(database, settings), 2);
    let outcome = outcome.mentions("2 sessions read rows at the same time").keeps_silent_about(PASSWORD);
    match by_psql {
        None => drop(outcome.keeps_silent_about(BY_PSQL)),
        Some(why) => drop(outcome.mentions(&format!("{BY_PSQL}{why}"))),
    }
    assert_eq!(together, alone, "{settings:?}");
}

/// A password file that holds for this host alone.
fn password_file(folder: &std::path::Path, host: &str) -> String {
    let file = folder.join("passwords");
    let password = PASSWORD.replace('\\', "\\\\").replace(':', "\\:");
    std::fs::write(&file, format!("# of tests\nother:*:*:*:wrong\n{host}:*:*:*:{password}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    file.display().to_string()
}

#[test]
fn every_way_to_log_in_is_psqls() {
    let server = Postgres::start(Installation::debian());
    server.query("SET password_encryption = 'md5'; CREATE ROLE hashed LOGIN SUPERUSER PASSWORD 'one: \\ two'");
    server.query("CREATE ROLE plain LOGIN SUPERUSER PASSWORD 'ünd'; CREATE ROLE trusted LOGIN SUPERUSER");
    server.admit(
        "local all all scram-sha-256\nhost all hashed 127.0.0.1/32 md5\nhost all plain 127.0.0.1/32 password\n\
         host all trusted 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
    );
    let database = server.new_database("logins");
    database.query(ROWS);
    let folder = tempfile::tempdir().unwrap();
    let socket = server.socket_directory().display().to_string();
    for settings in [
        &[("DB_USER", "hashed"), ("DB_PASSWORD", "one: \\ two")][..],
        &[("DB_USER", "plain"), ("DB_PASSWORD", "ünd")],
        &[("DB_USER", "trusted"), ("DB_PASSWORD", "")],
        &[("DB_HOST", &socket), ("PGSSLMODE", "verify-full")],
        &[("DB_HOST", "localhost"), ("PGSSLMODE", "disable")],
        &[("DB_PASSWORD", ""), ("PGPASSFILE", &password_file(folder.path(), "127.0.0.1"))],
    ] {
        reads_alike(&database, settings, None);
    }
}

#[test]
fn what_libpq_alone_can_is_read_by_psql() {
    let folder = tempfile::tempdir().unwrap();
    let server = Postgres::start(Installation::debian());
    let certificate = Certificate::of_its_own(folder.path(), "server", "localhost", &["-days", "2"]);
    let database = server.new_database("encrypted");
    database.query(ROWS);
    reads_alike(&database, &[("PGSSLMODE", "prefer")], None);
    server.encrypt(&certificate.certificate, &certificate.key);
    let root = certificate.certificate.display().to_string();
    for (settings, why) in [
        (&[("PGSSLMODE", "prefer")][..], "the server encrypts the connection"),
        (&[("PGSSLMODE", "require")], "sslmode is require"),
        (&[("PGSSLMODE", "verify-full"), ("PGSSLROOTCERT", &root), ("DB_HOST", "localhost")], "sslmode is verify-full"),
        (&[("PGREQUIREAUTH", "scram-sha-256"), ("PGSSLMODE", "disable")], "PGREQUIREAUTH is set"),
    ] {
        reads_alike(&database, settings, Some(why));
    }
}

#[test]
fn settings_of_a_session_are_everybodys() {
    let server = Postgres::shared();
    let database = server.new_database("everybodys");
    database.query(ROWS);
    database.query(&format!("ALTER DATABASE {} SET TimeZone = 'Asia/Kathmandu'", database.name()));
    database.query(
        "CREATE ROLE elsewhere LOGIN SUPERUSER PASSWORD 'x'; ALTER ROLE elsewhere SET IntervalStyle = 'sql_standard'",
    );
    for settings in [
        &[("DB_NAME", database.name())][..],
        &[("DB_USER", "elsewhere"), ("DB_PASSWORD", "x")],
        &[("PGTZ", "America/St_Johns"), ("PGDATESTYLE", "German")],
        &[("PGOPTIONS", "-c TimeZone=Europe/Zurich -c statement_timeout=3s -c bytea_output=escape")],
    ] {
        reads_alike(&database, settings, None);
    }
    server.query("DROP ROLE elsewhere");
}
