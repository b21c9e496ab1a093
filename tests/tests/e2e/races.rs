//! Retention at the same time as something else: another retention, a backup, a restore, a drill. Each is of another host: a lock of one
//! machine holds nobody up.

use std::path::Path;

use e2e::agent::Agent;
use e2e::bounds::wait_until;
use e2e::bucket::Bucket;
use e2e::proxy::{Fault, Proxy};
use e2e::seaweedfs::Seaweedfs;
use jiff::Timestamp;

use crate::backup::with_pg_dump;
use e2e::past::{SUFFIXES, agent, database, days_ago, key, put_in_bucket, put_in_directory, stem};

/// How many of them stay.
const KEPT: usize = 6;
/// Two runs at once meet at another place each time.
const ROUNDS: usize = 4;

/// As many good backups as one run may bring down to [`KEPT`].
fn made() -> Vec<Timestamp> {
    (1..=2 * i64::try_from(KEPT).unwrap()).map(days_ago).collect()
}

fn pruning(agent: Agent, database: &str) -> Agent {
    let agent = agent.setting("DB_NAME", database).setting("BACKUP_MIN_GOOD", "1");
    agent.setting("BACKUP_KEEP_LAST", KEPT.to_string())
}

/// Two hosts prune at once; what is left is what one would have left, and all of that.
fn two_at_once(host: impl Fn() -> Agent, left: impl Fn() -> Vec<String>, expected: Vec<String>) {
    let hosts = [host(), host()];
    let runs = hosts.each_ref().map(|host| host.start(&["prune"]));
    for run in runs {
        run.wait().succeeds();
    }
    let mut expected = expected;
    expected.sort();
    assert_eq!(left(), expected);
    hosts[0].run(&["prune"]).succeeds().mentions("nothing to remove");
    hosts[1].run(&["verify", "--all"]).succeeds();
}

fn files(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = files.collect();
    names.sort();
    names
}

#[test]
fn two_prunes_of_a_directory_remove_what_one_does() {
    for _ in 0..ROUNDS {
        let (folder, made) = (tempfile::tempdir().unwrap(), made());
        made.iter().for_each(|made| put_in_directory(folder.path(), "app", *made));
        let names = |made: &Timestamp| SUFFIXES.map(|suffix| format!("{}{suffix}", stem("app", *made)));
        let expected = made[..KEPT].iter().flat_map(names).collect();
        two_at_once(|| pruning(agent(), "app").directory(folder.path()), || files(folder.path()), expected);
    }
}

#[test]
fn two_prunes_of_a_bucket_remove_what_one_does() {
    for round in 0..ROUNDS {
        let access = Seaweedfs::shared().admin();
        let bucket = if round % 2 == 0 { Bucket::new(&access) } else { Bucket::versioned(&access) };
        let made = made();
        made.iter().for_each(|made| put_in_bucket(&bucket, "app", *made));
        let expected = made[..KEPT].iter().flat_map(|made| SUFFIXES.map(|suffix| key("app", *made, suffix))).collect();
        two_at_once(|| pruning(agent(), "app").bucket(bucket.name(), bucket.access()), || bucket.keys(), expected);
    }
}

/// A bucket with a past of a database, and a proxy before it.
struct Ground {
    bucket: Bucket,
    proxy: Proxy,
    made: Vec<Timestamp>,
    database: String,
}

impl Ground {
    fn of(database: &str) -> Self {
        let bucket = Bucket::new(&Seaweedfs::shared().admin());
        let made = made();
        made.iter().for_each(|made| put_in_bucket(&bucket, database, *made));
        let proxy = Proxy::start(&bucket.access().endpoint);
        Self { bucket, proxy, made, database: database.to_owned() }
    }

    /// A host whose requests are held up where the proxy says so.
    fn held_up(&self, agent: Agent) -> Agent {
        agent.bucket(self.bucket.name(), &self.bucket.access().through(&self.proxy))
    }

    /// Another host prunes.
    fn prune(&self) {
        let host = pruning(agent(), &self.database).bucket(self.bucket.name(), self.bucket.access());
        host.run(&["prune"]).succeeds().mentions(&format!("{KEPT} backups removed"));
    }

    fn oldest(&self) -> String {
        stem(&self.database, *self.made.last().unwrap())
    }

    /// Nothing is left of the oldest one, not even a record that says it is damaged: it isn't, it is gone.
    fn has_none_of_the_oldest(&self) {
        let left: Vec<String> = self.bucket.keys().into_iter().filter(|key| key.contains(&self.oldest())).collect();
        assert_eq!(left, Vec::<String>::new());
    }
}

#[test]
fn a_backup_under_way_is_left_alone_and_the_old_ones_go() {
    let ground = Ground::of(database().name());
    let host = ground.held_up(agent().database(database())).setting("BACKUP_VERIFY", "none");
    ground.proxy.set(Fault::StallAt("PUT", ".manifest.json"));
    let running = host.start(&["backup"]);
    wait_until("the backup puts its manifest", || ground.proxy.has_struck());
    let under_way: Vec<String> = ground
        .bucket
        .keys()
        .into_iter()
        .filter(|key| !ground.made.iter().any(|made| key.contains(&stem(&ground.database, *made))))
        .collect();
    assert!(under_way.iter().any(|key| key.contains(".sql.zst") || key.contains(".sql.gz")), "{under_way:#?}");
    ground.prune();
    ground.proxy.set(Fault::None);
    running.wait().succeeds();
    let keys = ground.bucket.keys();
    assert!(under_way.iter().all(|key| keys.contains(key)), "{under_way:#?} {keys:#?}");
    host.run(&["verify", "--all"]).succeeds();
    let listed = host.run(&["list", "--json"]).succeeds().json();
    let rows = listed["databases"][0]["backups"].as_array().unwrap();
    let good = rows.iter().filter(|row| row["state"] == "good").count();
    assert_eq!((rows.len(), good), (KEPT + 1, KEPT + 1), "{listed:#}");
}

/// Half of what pg_dump writes has come: there is a hidden file that becomes the archive.
#[test]
fn a_backup_under_way_in_a_directory_is_left_alone() {
    let (folder, place, made) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), made());
    let (name, go_on) = (database().name(), place.path().join("go-on"));
    made.iter().for_each(|made| put_in_directory(folder.path(), name, *made));
    let slow = format!(
        r#""$REAL" "$@" > '{0}.dump' || exit; head -c 2000 '{0}.dump'; until [ -e '{0}' ]; do sleep 0.05; done; tail -c +2001 '{0}.dump'"#,
        go_on.display()
    );
    let programs = with_pg_dump(database().server(), &slow);
    let host = agent().database(database()).directory(folder.path());
    let host = host.setting("PG_BIN_DIR", programs.path().display().to_string());
    let hidden = || files(folder.path()).into_iter().any(|name| name.ends_with(".partial"));
    let mut running = host.start(&["backup"]);
    running.wait_until("its hidden file", |_| hidden());
    let other = pruning(agent(), name).directory(folder.path());
    other.run(&["prune"]).succeeds().mentions(&format!("{KEPT} backups removed"));
    assert!(hidden(), "the other host took a living run's file");
    std::fs::write(go_on, "").unwrap();
    running.wait().succeeds();
    other.run(&["verify", "--all"]).succeeds();
    let listed = other.run(&["list", "--json"]).succeeds().json();
    let rows = listed["databases"][0]["backups"].as_array().unwrap();
    assert!(rows.len() == KEPT + 1 && rows.iter().all(|row| row["state"] == "good"), "{listed:#}");
}

/// It has chosen a backup, and asks for its bytes when that one is gone.
#[test]
fn a_restore_of_what_goes_meanwhile_fails_and_leaves_nothing() {
    let ground = Ground::of(database().name());
    let into = format!("{}_races", database().name());
    let host = ground.held_up(agent().database(database()));
    ground.proxy.set(Fault::StallAt("GET", ".sql.gz"));
    let running = host.start(&["restore", &ground.oldest(), "--into", &into, "--confirm"]);
    wait_until("the restore asks for the archive", || ground.proxy.has_struck());
    ground.prune();
    ground.proxy.set(Fault::None);
    let outcome = running.wait();
    assert!(outcome.code.is_some_and(|code| code != 0 && code != 4), "{outcome}");
    let outcome = outcome.mentions(&ground.oldest()).mentions("error: ").mentions("hint: ");
    let databases = database().server().databases();
    assert!(!databases.iter().any(|name| name.starts_with(&into)), "{databases:?}\n{outcome}");
    ground.has_none_of_the_oldest();
    host.run(&["restore", "latest", "--into", &into, "--dry-run"]).succeeds();
}

#[test]
fn a_drill_of_what_goes_meanwhile_fails_and_leaves_nothing() {
    let ground = Ground::of(database().name());
    let host = ground.held_up(agent().database(database()));
    ground.proxy.set(Fault::StallAt("GET", ".sql.gz"));
    let running = host.start(&["drill", &ground.oldest()]);
    wait_until("the drill asks for the archive", || ground.proxy.has_struck());
    ground.prune();
    ground.proxy.set(Fault::None);
    let outcome = running.wait();
    assert!(outcome.code.is_some_and(|code| code != 0 && code != 4), "{outcome}");
    let scratch = format!("{}_drill_", database().name());
    let databases = database().server().databases();
    assert!(!databases.iter().any(|name| name.starts_with(&scratch)), "{databases:?}\n{outcome}");
    ground.has_none_of_the_oldest();
}
