//! At the database.

use std::os::unix::fs::PermissionsExt as _;

use e2e::agent::Agent;
use e2e::postgres::{Database, Installation, Postgres};

use super::tls::Certificate;
use super::{closed_port, fails, no_host, server_that_says};

fn agent(database: &Database<'_>) -> Agent {
    let agent = Agent::new().database(database);
    let home = agent.home().join("backups");
    agent.directory(&home)
}

fn small() -> Database<'static> {
    Postgres::shared().new_database("reached")
}

#[test]
fn an_address_that_leads_to_no_server_is_named_with_what_is_there() {
    let database = small();
    let at = |host: &str, port: u16| agent(&database).setting("DB_HOST", host).setting("DB_PORT", port.to_string());
    let page = server_that_says("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    let ssh = server_that_says("SSH-2.0-OpenSSH_9.2p1\r\n");
    let starting = b"E\0\0\0\x2eSFATAL\0VFATAL\0C57P03\0MDer Server startet\0\0";
    let starting = server_that_says(&starting[..]);
    for (agent, hint) in [
        (at(&no_host(), 5432), "hint: check the host name in DB_HOST"),
        (at("127.0.0.1", closed_port()), "hint: check that the server runs, and DB_HOST and DB_PORT"),
        (at("/nonexistent", 5432), "hint: check that the server runs; a server that is reached by TCP"),
        (at("127.0.0.1", page), "hint: what answers there is not PostgreSQL"),
        (at("127.0.0.1", ssh), "hint: what answers there is not PostgreSQL"),
        (at("127.0.0.1", starting), "hint: the server is starting up, shutting down or recovering"),
    ] {
        for command in [&["backup", "--dry-run"][..], &["restore", "latest", "--dry-run"]] {
            fails(&agent, command, 1, &["cannot connect to database", hint]);
        }
    }
}

#[test]
fn who_is_not_let_in_is_told_why() {
    let database = small();
    for (name, value, exit, hint) in [
        ("DB_PASSWORD", "wrong", 1, "hint: check DB_USER and DB_PASSWORD"),
        ("DB_PASSWORD", "", 1, "hint: check DB_USER and DB_PASSWORD"),
        ("DB_USER", "nobody", 1, "hint: check DB_USER and DB_PASSWORD"),
        ("DB_NAME", "absent", 5, "hint: check DB_NAME"),
        ("PGSSLMODE", "require", 1, "hint: the server has no TLS"),
    ] {
        fails(&agent(&database).setting(name, value), &["backup", "--dry-run"], exit, &["cannot connect to", hint]);
    }
}

#[test]
fn a_database_that_lets_nobody_in_is_told_apart_from_a_server_that_is_away() {
    let database = small();
    let admin = database.server();
    admin.query(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", database.name()));
    let hint = "hint: the server lets this role into other databases: this one is closed (ALTER DATABASE";
    fails(&agent(&database), &["backup", "--dry-run"], 1, &["cannot connect to", hint]);
    admin.query(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", database.name()));
}

/// A server with TLS, one role without a password, one by TLS alone, and no way in for the rest.
#[test]
fn rules_and_certificates_of_a_server_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::of_its_own(folder.path(), "server", "localhost", &["-days", "2"]);
    let server = Postgres::start(Installation::debian());
    let rules = "local all all scram-sha-256\nhost all trusted 127.0.0.1/32 trust\nhost all refused 127.0.0.1/32 reject\n\
                 hostssl all tls 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 scram-sha-256\n";
    server.admit(rules);
    server.encrypt(&certificate.certificate, &certificate.key);
    server.query("CREATE ROLE trusted LOGIN");
    server.query("CREATE ROLE tls LOGIN PASSWORD 'one'");
    let database = server.new_database("languages");
    let agent = |settings: &[(&str, &str)]| {
        settings.iter().fold(agent(&database), |agent, (name, value)| agent.setting(name, *value))
    };
    let root = certificate.certificate.display().to_string();
    let other =
        Certificate::of_its_own(folder.path(), "other", "localhost", &["-days", "2"]).certificate.display().to_string();
    for (settings, exit, hint) in [
        (&[("DB_USER", "trusted"), ("DB_NAME", "absent")][..], 5, "hint: check DB_NAME"),
        (&[("DB_USER", "refused")], 1, "hint: let this role in from this machine"),
        (&[("DB_USER", "nobody")], 1, "hint: let this role in from this machine"),
        (&[("DB_USER", "tls"), ("DB_PASSWORD", "two")], 1, "hint: check DB_USER and DB_PASSWORD"),
        (&[("DB_USER", "tls"), ("DB_PASSWORD", "one"), ("DB_NAME", "absent")], 5, "hint: check DB_NAME"),
        (&[("PGSSLMODE", "verify-ca"), ("PGSSLROOTCERT", &other)], 1, "hint: set sslrootcert"),
        (&[("PGSSLMODE", "verify-full"), ("PGSSLROOTCERT", &root)], 1, "hint: set sslrootcert"),
    ] {
        fails(&agent(settings), &["backup", "--dry-run"], exit, &["cannot connect to", hint]);
    }
    let verified = [
        ("PGSSLMODE", "verify-full"),
        ("PGSSLROOTCERT", &*root),
        ("DB_HOST", "localhost"),
        ("PGHOSTADDR", "127.0.0.1"),
    ];
    agent(&verified).run(&["backup", "--dry-run"]).succeeds();
}

#[test]
fn a_client_program_that_is_killed_is_not_called_missing() {
    let database = small();
    let folder = tempfile::tempdir().unwrap();
    let programs = Postgres::shared().installation().programs();
    std::os::unix::fs::symlink(programs.join("psql"), folder.path().join("psql")).unwrap();
    let program = folder.path().join("pg_dump");
    std::fs::write(&program, "#!/bin/sh\nkill -9 $$\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let agent = agent(&database).setting("PG_BIN_DIR", folder.path().display().to_string());
    fails(&agent, &["backup", "--dry-run"], 2, &["cannot run ", "pg_dump: it was killed by signal 9", "--version"]);
}
