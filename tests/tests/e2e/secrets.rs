//! Secrets of every kind that settings take, looked for wherever a run leaves anything: what it says, logs, records, files, and each
//! program that it starts.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use e2e::agent::{Agent, Outcome};
use e2e::bucket::{Access, Bucket};
use e2e::ministack::Ministack;
use e2e::ports::free_port;
use e2e::postgres::{Database, PASSWORD, Postgres};
use e2e::seaweedfs::Seaweedfs;
use tempfile::TempDir;

use crate::backup::encryption::key;
use crate::drill::folder_for_servers;

/// A database, two buckets and a directory, and settings that hold a secret wherever they can.
struct Scene {
    database: Database<'static>,
    agent: Agent,
    directory: TempDir,
    buckets: [Bucket; 2],
    programs: Programs,
    _keys: TempDir,
    /// Each secret, under its setting's name.
    secrets: BTreeMap<&'static str, String>,
}

/// PostgreSQL's programs, each of which first writes down its arguments and its environment.
struct Programs {
    folder: TempDir,
    calls: TempDir,
}

impl Programs {
    fn of(server: &Postgres) -> Programs {
        let (folder, calls) = (folder_for_servers(), folder_for_servers());
        for program in std::fs::read_dir(server.installation().programs()).unwrap() {
            let real = program.unwrap().path();
            let place = calls.path().display();
            let script = format!(
                "#!/bin/bash\ncall=$(mktemp -d '{place}/XXXXXX')\ncat /proc/$$/cmdline > $call/arguments\n\
                 cat /proc/$$/environ > $call/environment\nexec '{}' \"$@\"\n",
                real.display()
            );
            let file = folder.path().join(real.file_name().unwrap());
            std::fs::write(&file, script).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        Programs { folder, calls }
    }

    /// What each was called with, and in which environment.
    fn calls(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let read = |call: std::io::Result<std::fs::DirEntry>| {
            let call = call.unwrap().path();
            (std::fs::read(call.join("arguments")).unwrap(), std::fs::read(call.join("environment")).unwrap())
        };
        std::fs::read_dir(self.calls.path()).unwrap().map(read).collect()
    }
}

impl Scene {
    fn new() -> Scene {
        let database = Postgres::shared().new_database("planted");
        database
            .query("CREATE TABLE goods (id integer PRIMARY KEY); INSERT INTO goods SELECT generate_series(1, 1000)");
        let (directory, keys) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let (identity, public) = key(keys.path());
        let second = Access { secret: "planted-second-secret".into(), ..Ministack::shared().root() };
        let buckets = [Bucket::new(&Seaweedfs::shared().admin()), Bucket::new(&second)];
        let programs = Programs::of(database.server());
        let nowhere = format!("http://127.0.0.1:{}", free_port());
        let secrets = BTreeMap::from([
            ("DB_PASSWORD", PASSWORD.to_owned()),
            ("PGPASSWORD", "planted-libpq-password".to_owned()),
            ("DATABASE_URL", "planted-url-password".to_owned()),
            ("BACKUP_DRILL_SERVER", "planted-drill-password".to_owned()),
            ("BACKUP_AWS_SECRET_ACCESS_KEY", buckets[0].access().secret.clone()),
            ("BACKUP_AWS_SECRET_ACCESS_KEY_2", second.secret.clone()),
            ("BACKUP_AWS_SESSION_TOKEN_2", "planted-second-token".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "planted-application-secret".to_owned()),
            ("AWS_SESSION_TOKEN", "planted-application-token".to_owned()),
            ("BACKUP_HEALTHCHECK_URL", "planted-health-token".to_owned()),
            ("BACKUP_HEALTHCHECK_FAIL_URL", "planted-failure-token".to_owned()),
            ("BACKUP_DRILL_HEALTHCHECK_URL", "planted-drills-token".to_owned()),
            ("BACKUP_NOTIFY_URL", "planted-notify-token".to_owned()),
            ("BACKUP_AGE_IDENTITY_FILE", secret_key(&identity)),
        ]);
        let mut agent = settings(&database, &buckets, &second);
        for name in ["BACKUP_AWS_SESSION_TOKEN_2", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            agent = agent.setting(name, &secrets[name]);
        }
        for name in ["BACKUP_LOG_FILE", "RESTORE_LOG_FILE", "BACKUP_VERIFY_LOG_FILE"] {
            let log = agent.home().join(format!("{name}.log")).display().to_string();
            agent = agent.setting(name, log);
        }
        let state = agent.home().display().to_string();
        agent = agent.setting("STATE_DIRECTORY", state);
        for name in [
            "BACKUP_HEALTHCHECK_URL",
            "BACKUP_HEALTHCHECK_FAIL_URL",
            "BACKUP_DRILL_HEALTHCHECK_URL",
            "BACKUP_NOTIFY_URL",
        ] {
            agent = agent.setting(name, format!("{nowhere}/{}", secrets[name]));
        }
        let agent = agent
            .setting("AWS_ACCESS_KEY_ID", "AKIAAPPLICATION")
            .setting("DATABASE_URL", format!("postgresql://app:{}@127.0.0.1:1/app", secrets["DATABASE_URL"]))
            .setting("PG_BIN_DIR", programs.folder.path().display().to_string())
            .setting("BACKUP_AGE_RECIPIENTS", public)
            .setting("BACKUP_AGE_IDENTITY_FILE", identity.display().to_string())
            .setting("MIN_BACKUP_SIZE", "1")
            .setting("MIN_BACKUP_COUNT", "1")
            .setting("BACKUP_RETRY_MINUTES", "0")
            .setting("BACKUP_RETRY_DELAY", "10ms")
            .directory(directory.path());
        Scene { database, agent, directory, buckets, programs, _keys: keys, secrets }
    }

    /// Runs it, which may go well or not, and looks at all that it said.
    fn run(&self, arguments: &[&str]) -> Outcome {
        let outcome = self.agent.run(arguments);
        for (name, secret) in &self.secrets {
            let shows = outcome.stdout.contains(secret) || outcome.stderr.contains(secret);
            assert!(!shows, "{name} is shown\n{outcome}");
        }
        outcome
    }

    fn assert_none_in(&self, what: &str, bytes: &[u8]) {
        for (name, secret) in &self.secrets {
            let place = memchr::memmem::find(bytes, secret.as_bytes());
            assert!(place.is_none(), "{name} is in {what}: {}", String::from_utf8_lossy(bytes));
        }
    }
}

/// The keys of both buckets and the database's password are those that are used.
fn settings(database: &Database<'_>, buckets: &[Bucket; 2], second: &Access) -> Agent {
    let first = buckets[0].access();
    Agent::new()
        .database(database)
        .setting("BACKUP_S3_BUCKET", buckets[0].name())
        .setting("BACKUP_S3_ENDPOINT", &first.endpoint)
        .setting("AWS_REGION", &first.region)
        .setting("BACKUP_AWS_ACCESS_KEY_ID", &first.key_id)
        .setting("BACKUP_AWS_SECRET_ACCESS_KEY", &first.secret)
        .bucket_beside(2, buckets[1].name(), second)
}

fn secret_key(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap().to_owned()
}

/// Every file below.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The bytes, and what they are packed.
fn unpacked(bytes: Vec<u8>) -> Vec<Vec<u8>> {
    let mut inner = Vec::new();
    match flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut inner) {
        Ok(_) => vec![bytes, inner],
        Err(_) => vec![bytes],
    }
}

/// Every command, and as many of its ways as start programs of their own or speak of what they use. What is marked goes well, so
/// that there is something to look at.
const RUNS: &[(bool, &[&str])] = &[
    (true, &["backup", "--dry-run"]),
    (true, &["backup", "--name", "first"]),
    (true, &["backup", "--name", "second", "--json"]),
    (true, &["verify", "--all"]),
    (true, &["verify", "--all", "--repository", "2", "--json"]),
    (true, &["list"]),
    (true, &["list", "--json"]),
    (true, &["show", "latest", "--json"]),
    (true, &["check", "--json", "--repository", "2"]),
    (true, &["rows", "--table", "goods"]),
    (true, &["diff", "latest~1", "latest", "--rows", "--json"]),
    (true, &["copy", "latest", "--from", "1", "--to", "2"]),
    (true, &["copy", "--missing", "--to", "2", "--json"]),
    (false, &["accept", "latest"]),
    (false, &["adopt", "latest"]),
    (true, &["prune", "--dry-run"]),
    (true, &["restore", "latest", "--dry-run"]),
    (true, &["restore", "latest", "--confirm"]),
    (true, &["restore", "latest", "--in-place", "--confirm"]),
    (true, &["restore", "latest", "--into", "planted_beside", "--confirm"]),
    (true, &["restore", "--drop-old", "--confirm"]),
    (true, &["drill", "latest", "--json"]),
    (true, &["drill", "latest", "--temporary-server"]),
    (true, &["erase", "--all", "--table", "goods", "--where", "id=1", "--dry-run"]),
    (true, &["policy", "planted"]),
    (true, &["cost"]),
    (true, &["config"]),
    (true, &["config", "--json"]),
    (true, &["expect", "planted"]),
    (true, &["retire", "planted", "--confirm"]),
    (false, &["no-such-command"]),
    (false, &["backup", "--no-such-flag"]),
];

#[test]
fn no_secret_is_told_stored_or_handed_on() {
    let mut scene = Scene::new();
    for (goes_well, arguments) in RUNS {
        let outcome = scene.run(&[arguments, &["-vv"][..]].concat());
        assert!(!goes_well || outcome.code == Some(0), "{outcome}");
    }
    // And where none of them lets anybody in.
    let port = scene.database.server().port();
    let url = format!("postgresql://nobody:{}@127.0.0.1:{port}/postgres", scene.secrets["BACKUP_DRILL_SERVER"]);
    scene.agent = scene.agent.setting("BACKUP_DRILL_SERVER", url);
    scene.run(&["drill", "latest", "-vv"]).exits(1);
    scene.agent = scene.agent.setting("DB_PASSWORD", &scene.secrets["DATABASE_URL"]);
    scene.run(&["backup", "-vv"]).exits(1);
    scene.agent = scene.agent.setting("BACKUP_AWS_SECRET_ACCESS_KEY", &scene.secrets["AWS_SECRET_ACCESS_KEY"]);
    scene.run(&["list", "-vv"]);
    scene.run(&["backup", "-vv", "--json"]).exits(1);
    look_everywhere(&scene);
}

/// The log, the locks, the directory, both buckets, and every program that ran.
fn look_everywhere(scene: &Scene) {
    let home = files(scene.agent.home());
    let logs = home.iter().filter(|file| file.extension().is_some_and(|extension| extension == "log"));
    assert_eq!(logs.count(), 3, "{home:?}");
    let local = files(scene.directory.path());
    assert!(local.iter().any(|file| file.to_string_lossy().ends_with(".manifest.json")), "{local:?}");
    for file in home.iter().chain(&local) {
        unpacked(std::fs::read(file).unwrap())
            .iter()
            .for_each(|b| scene.assert_none_in(&file.display().to_string(), b));
    }
    for bucket in &scene.buckets {
        let keys = bucket.keys();
        assert!(keys.iter().any(|key| key.ends_with(".manifest.json")), "{keys:?}");
        for key in keys {
            unpacked(bucket.get(&key)).iter().for_each(|bytes| scene.assert_none_in(&key, bytes));
        }
    }
    let calls = scene.programs.calls();
    for program in ["psql", "pg_dump", "pg_dumpall", "pg_restore", "initdb"] {
        let is_called =
            |(arguments, _): &(Vec<u8>, Vec<u8>)| memchr::memmem::find(arguments, program.as_bytes()).is_some();
        assert!(calls.iter().any(is_called), "{program} was never called");
    }
    for (arguments, environment) in calls {
        let called = String::from_utf8_lossy(&arguments).replace('\0', " ");
        scene.assert_none_in(&format!("the arguments of {called}"), &arguments);
        // The one that it is to log in with.
        let is_given = |line: &&[u8]| !line.starts_with(b"PGPASSWORD=");
        for line in environment.split(|byte| *byte == 0).filter(is_given) {
            scene.assert_none_in(&format!("the environment of {called}"), line);
        }
    }
}
