//! The database's password: used as it was meant, and shown nowhere.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use e2e::agent::Agent;
use e2e::bucket::Access;
use e2e::postgres::{PASSWORD, Postgres, holds_password};
use e2e::process::children;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

use super::{Places, Stalled, agent, in_parts, large, small, stall, write_program};
use e2e::answering::{Answer, answering};

/// PostgreSQL's programs, each of which first writes down how it was called.
fn telling_programs(server: &Postgres) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["psql", "pg_dump"] {
        let real = server.installation().programs().join(name).display().to_string();
        let calls = folder.path().join("calls").display().to_string();
        write_program(&folder.path().join(name), &format!("echo {name} \"$@\" >> '{calls}'\nexec '{real}' \"$@\"\n"));
    }
    folder
}

#[track_caller]
fn assert_secret(places: &Places, agent: &Agent, calls: &str, secret: &str) {
    let local = places.files().into_iter().map(|file| std::fs::read(places.directory().join(file)).unwrap());
    let stored = places.bucket.keys().into_iter().map(|key| places.bucket.get(&key));
    let log = std::fs::read(agent.home().join("log")).unwrap();
    for bytes in local.chain(stored).chain([log, calls.as_bytes().to_vec()]) {
        let shows = memchr::memmem::find(&bytes, secret.as_bytes()).is_some() || holds_password(&bytes);
        assert!(!shows, "{}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn no_child_log_or_record_shows_the_password() {
    let url = small().url();
    let escaped = url.split(':').nth(2).unwrap().split('@').next().unwrap();
    for from_url in [false, true] {
        let programs = telling_programs(small().server());
        let places = Places::new();
        let agent = agent().database(small()).setting("PG_BIN_DIR", programs.path().display().to_string());
        let agent = places.both(match from_url {
            false => agent,
            true => ["DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD"]
                .into_iter()
                .fold(agent, |agent, name| agent.setting(name, ""))
                .setting("DATABASE_URL", &url),
        });
        agent.run(&["backup", "-vv"]).succeeds().keeps_silent_about(escaped);
        agent.run(&["backup", "--database", "nothing", "-vv"]).exits(5).keeps_silent_about(escaped);
        let calls = std::fs::read_to_string(programs.path().join("calls")).unwrap();
        assert!(calls.contains("pg_dump --format=custom") && calls.contains("psql -X"), "{calls}");
        for secret in [PASSWORD, escaped, &places.bucket.access().secret] {
            assert_secret(&places, &agent, &calls, secret);
        }
    }
}

#[test]
fn quotes_around_a_password_in_the_env_file_are_no_part_of_it() {
    let server = Postgres::shared();
    let role = "quoted_in_env";
    server.query(&format!("CREATE ROLE {role} SUPERUSER LOGIN PASSWORD 'it has # and $ in it'"));
    for quote in ['\'', '"'] {
        let places = Places::new();
        let agent = places.both(agent().database(small())).setting("DB_USER", role).setting("DB_PASSWORD", "");
        let dollar = if quote == '"' { "\\$" } else { "$" };
        let line = format!("DB_PASSWORD={quote}it has # and {dollar} in it{quote}\n");
        std::fs::write(agent.home().join(".env"), line).unwrap();
        agent.run(&["backup"]).succeeds().keeps_silent_about("it has # and");
        places.bucket_holds_one_backup();
    }
    server.query(&format!("DROP ROLE {role}"));
}

/// An agent whose keys come from a program, which notes each call in the file `calls` of its home.
fn with_keys_by_a_program(places: &Places, access: &Access) -> Agent {
    let agent = agent()
        .setting("BACKUP_S3_BUCKET", places.bucket.name())
        .setting("AWS_ENDPOINT_URL", &access.endpoint)
        .setting("AWS_REGION", &access.region)
        .setting("AWS_PROFILE", "vault");
    let program = agent.home().join("keys");
    let keys = serde_json::json!({"Version": 1, "AccessKeyId": access.key_id, "SecretAccessKey": access.secret});
    let calls = agent.home().join("calls");
    write_program(&program, &format!("echo called >> '{}'\necho '{keys}'\n", calls.display()));
    std::fs::create_dir(agent.home().join(".aws")).unwrap();
    let profile = format!("[profile vault]\ncredential_process = {}\n", program.display());
    std::fs::write(agent.home().join(".aws/config"), profile).unwrap();
    agent
}

fn calls(file: &Path) -> usize {
    std::fs::read_to_string(file).unwrap_or_default().lines().count()
}

#[test]
fn keys_come_from_a_program_that_the_profile_names() {
    let places = Places::new();
    let agent = with_keys_by_a_program(&places, places.bucket.access()).database(small());
    agent.run(&["backup"]).succeeds();
    assert!(places.bucket.keys().iter().any(|key| key.ends_with(".manifest.json")), "{:?}", places.bucket.keys());
    assert_eq!(calls(&agent.home().join("calls")), 1);
}

const EXPIRED: Answer = (
    "400 Bad Request",
    "<?xml version=\"1.0\"?><Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>",
);

/// The program didn't say when they end: only the store does, in the middle of an upload.
#[test]
fn keys_that_expire_in_the_middle_are_fetched_again() {
    let places = Places::new();
    let file = Arc::new(OnceLock::<PathBuf>::new());
    let seen = Arc::clone(&file);
    // Several parts are on their way when it happens.
    let is_expired = move |line: &str| line.contains("partNumber=") && seen.get().is_some_and(|file| calls(file) < 2);
    let access = answering(places.bucket.access(), move |line| is_expired(line).then_some(EXPIRED));
    let agent = in_parts(with_keys_by_a_program(&places, &access).database(large()));
    file.set(agent.home().join("calls")).unwrap();
    let agent = agent.setting("BACKUP_RETRY_MINUTES", "1");
    agent
        .run(&["backup"])
        .succeeds()
        .mentions("the AWS credentials had expired (ExpiredToken), and were fetched again");
    assert_eq!(calls(&agent.home().join("calls")), 2);
    places.bucket_holds_one_backup();
}

/// Those that are fetched have expired, too.
#[test]
fn keys_that_stay_expired_are_told() {
    let places = Places::new();
    let access = answering(places.bucket.access(), |line| line.contains("partNumber=").then_some(EXPIRED));
    let agent = in_parts(with_keys_by_a_program(&places, &access).database(large()));
    let agent = agent.setting("BACKUP_RETRY_MINUTES", "1");
    agent
        .run(&["backup"])
        .exits(1)
        .mentions("error: the AWS credentials have expired (ExpiredToken)")
        .mentions("hint: log in");
    assert_eq!(calls(&agent.home().join("calls")), 2);
    places.bucket_holds_the_mark_alone();
}

/// A core dump would hold the password, the keys and rows.
#[test]
fn nothing_that_crashes_dumps_its_core() {
    // Of ours, and so at first of what we start.
    let limits = getrlimit(Resource::Core);
    setrlimit(Resource::Core, Rlimit { current: limits.maximum, ..limits }).unwrap();
    assert_ne!(limits.maximum, Some(0), "no program can dump its core here: this test can't fail");
    let places = Places::new();
    let Stalled { proxy, running } = stall(agent(), large(), &places);
    let pids = [children(running.pid(), "pg_dump"), vec![running.pid()]].concat();
    assert_eq!(pids.len(), 2);
    for pid in pids {
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(line.split_whitespace().nth(4), Some("1"), "{line}");
    }
    proxy.heal();
    running.wait().succeeds();
}
