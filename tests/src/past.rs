//! Backups that lie there since earlier: one real backup, under the names and times it would have had then.

use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use crate::agent::Agent;
use crate::bucket::Bucket;
use crate::postgres::{Database, Postgres};
use catalog::drill::{Check, Compared, Drill, DrillServer, ServerKind, TimedPart};
use jiff::{Timestamp, ToSpan};

/// The suffixes of a good backup's objects, in the order in which they come to be.
pub const SUFFIXES: [&str; 3] = [".sql.gz", ".manifest.json", ".intact.json"];

/// Impatient, so that tests are quick; its log files lie in its home.
pub fn agent() -> Agent {
    let agent = Agent::new();
    let log = agent.home().join("log").display().to_string();
    let logs = ["BACKUP_LOG_FILE", "BACKUP_VERIFY_LOG_FILE", "RESTORE_LOG_FILE"];
    let agent = logs.into_iter().fold(agent, |agent, name| agent.setting(name, log.clone()));
    agent.setting("BACKUP_RETRY_MINUTES", "0").setting("BACKUP_RETRY_DELAY", "50ms")
}

/// Two tables, which no test changes.
pub fn database() -> &'static Database<'static> {
    static DATABASE: OnceLock<Database<'static>> = OnceLock::new();
    DATABASE.get_or_init(|| {
        let database = Postgres::shared().new_database("past");
        database.query("CREATE TABLE large AS SELECT n, md5(n::text) AS hash FROM generate_series(1, 3000) AS n");
        database.query("CREATE TABLE small AS SELECT * FROM generate_series(1, 2) AS n");
        database
    })
}

/// What `pg_dump --format=custom` writes of it: the guide's archive.
pub fn dump() -> &'static [u8] {
    static DUMP: OnceLock<Vec<u8>> = OnceLock::new();
    DUMP.get_or_init(|| database().dump(&["--format=custom", "--compress=9"]))
}

/// So many days ago, on the second.
pub fn days_ago(days: i64) -> Timestamp {
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    now - (days * 24).hours()
}

/// The name of a backup of then.
pub fn stem(database: &str, made: Timestamp) -> String {
    format!("{database}_backup_{}", made.strftime("%Y%m%d_%H%M%S"))
}

/// The key of one of its objects in a bucket.
pub fn key(database: &str, made: Timestamp, suffix: &str) -> String {
    format!("backups/{}/{}{suffix}", made.strftime("%Y%m%d"), stem(database, made))
}

/// Puts a good backup of then into a directory.
pub fn put_in_directory(directory: &Path, database: &str, made: Timestamp) {
    std::fs::create_dir_all(directory).unwrap();
    for (suffix, bytes) in SUFFIXES.iter().zip(good(&stem(database, made))) {
        let path = directory.join(format!("{}{suffix}", stem(database, made)));
        std::fs::write(&path, bytes).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::from(made)).unwrap();
    }
}

/// Puts a good backup of then into a bucket, whose store calls it written now.
pub fn put_in_bucket(bucket: &Bucket, database: &str, made: Timestamp) {
    for (suffix, bytes) in SUFFIXES.iter().zip(good(&stem(database, made))) {
        bucket.put(&key(database, made, suffix), &bytes);
    }
}

/// Puts the archive and then the manifest of such a backup, which nobody has judged yet.
pub fn put_unjudged_in_bucket(bucket: &Bucket, database: &str, made: Timestamp) {
    for (suffix, bytes) in SUFFIXES.iter().zip(good(&stem(database, made))).take(2) {
        bucket.put(&key(database, made, suffix), &bytes);
    }
}

/// A good backup of then as Lastgood uploads it: its archive has metadata.
pub fn put_as_uploaded(bucket: &Bucket, database: &str, made: Timestamp) {
    put_in_bucket(bucket, database, made);
    let archive = key(database, made, ".sql.gz");
    bucket.put_with(&archive, &bucket.get(&archive), &[("lastgood-id", "a-run")]);
    // Records count only when they are newer than their archive.
    for end in &SUFFIXES[1..] {
        let text = bucket.get(&key(database, made, end));
        bucket.put(&key(database, made, end), &text);
    }
}

/// A drill of the backup of then.
pub fn drill(database: &str, made: Timestamp, finished: Timestamp, passed: bool) -> Drill {
    Drill {
        database: database.into(),
        backup: stem(database, made),
        made,
        md5: "ab".repeat(16),
        started: finished - 2.minutes(),
        finished,
        passed,
        failure: None,
        server: DrillServer { kind: ServerKind::Temporary, version: Some("15.14".into()) },
        parts: vec![TimedPart { name: "rows".into(), duration: Duration::from_millis(1_500) }],
        compared: Compared { tables: 2, rows: 3_002, bytes: 9, large_objects: 0, sequences: 1, definitions: 9 },
        differences: if passed { Vec::new() } else { vec!["table public.small has 1 row, and 2 were dumped".into()] },
        differing: u64::from(!passed),
        uncompared: vec!["the publication p: its tables are not restored".into()],
        checks: vec![Check { query: "SELECT true".into(), passed: true, answer: None }],
        agent: catalog::manifest::Agent { version: "0.1.0".into(), host: "db1".into() },
        unknown: catalog::Unknown::default(),
    }
}

/// Archive, manifest and verdict of one real backup, about a backup of this name.
fn good(stem: &str) -> [Vec<u8>; 3] {
    static BACKUP: OnceLock<(String, [Vec<u8>; 3])> = OnceLock::new();
    let (real, pieces) = BACKUP.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        agent().database(database()).directory(folder.path()).run(&["backup", "--name", "real"]).succeeds();
        let real = format!("{}_backup_real", database().name());
        let read = |suffix| std::fs::read(folder.path().join(format!("{real}{suffix}"))).unwrap();
        (real.clone(), SUFFIXES.map(read))
    });
    let [archive, manifest, verdict] = pieces;
    let renamed = |json: &Vec<u8>| String::from_utf8(json.clone()).unwrap().replace(real, stem).into_bytes();
    [archive.clone(), renamed(manifest), renamed(verdict)]
}
