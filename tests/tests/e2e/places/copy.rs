//! `lastgood copy`: what it brings, what it goes on with, and what it refuses.

use e2e::agent::Agent;
use e2e::bucket::Bucket;
use e2e::ministack::Ministack;
use e2e::proxy::{Direction, Fault, Proxy};
use e2e::seaweedfs::Seaweedfs;

use super::{holds_one_backup, shows_no_backup};
use crate::backup::{in_parts, large, small};
use crate::json::holds;
use e2e::past::{agent, days_ago, dump, key, put_in_bucket, put_in_directory, stem};

/// Two buckets, and a directory that is made when it is needed.
struct Scene {
    folder: tempfile::TempDir,
    one: Bucket,
    two: Bucket,
}

impl Scene {
    fn new() -> Scene {
        let (one, two) = (Bucket::new(&Seaweedfs::shared().admin()), Bucket::new(&Ministack::shared().root()));
        Scene { folder: tempfile::tempdir().unwrap(), one, two }
    }

    fn directory(&self) -> std::path::PathBuf {
        self.folder.path().join("backups")
    }

    fn agent(&self) -> Agent {
        let agent = agent().bucket(self.one.name(), self.one.access());
        agent.bucket_beside(2, self.two.name(), self.two.access()).directory(&self.directory())
    }
}

#[test]
fn a_copy_that_was_broken_off_goes_on_with_the_parts_that_arrived() {
    let scene = Scene::new();
    let only = in_parts(agent().database(large()).directory(&scene.directory()));
    only.run(&["backup", "--name", "whole"]).succeeds();
    let id = format!("{}_backup_whole", large().name());
    let proxy = Proxy::start(&scene.one.access().endpoint);
    let agent = in_parts(scene.agent().database(large())).bucket(scene.one.name(), &scene.one.access().through(&proxy));
    let agent = agent.setting("BACKUP_S3_PARTS_IN_FLIGHT", "1");
    let copy = ["copy", &id, "--from", "directory", "--to", "1"];
    proxy.set(Fault::GoAway(Direction::Up, 12_000_000));
    agent.run(&copy).exits(1).mentions("the network is unreachable");
    shows_no_backup(&scene.one);
    assert_eq!(scene.one.open_uploads().len(), 1);
    proxy.heal();
    let before = proxy.bytes(Direction::Up);
    let copied = agent.run(&[&copy[..], &["--json"]].concat()).succeeds();
    holds("copy", &copied);
    let row = copied.json()["backups"][0].clone();
    assert!(row["outcome"] == "copied" && row["resumedBytes"].as_u64() >= Some(5 << 20), "{row:#}");
    let sent = proxy.bytes(Direction::Up) - before;
    assert!(sent < row["size"].as_u64().unwrap() - (5 << 20) + 1_000_000, "{sent} bytes were sent: {row:#}");
    holds_one_backup(&scene.one);
    // A label's day is that of the source's file, and its bytes are those that were dumped.
    let archive = std::fs::read(scene.directory().join(format!("{id}.sql"))).unwrap();
    assert!(scene.one.get(&scene.one.key_ending_in(".sql")) == archive);
    agent.run(&["verify", &id]).succeeds().mentions("intact");
    // From one store to the other, by the manifest that has its own keys there.
    agent.run(&["copy", "latest", "--from", "1", "--to", "s3://two"]).exits(2).mentions("none of the places");
    agent.run(&["copy", "latest", "--to", "2"]).succeeds().mentions("copied");
    holds_one_backup(&scene.two);
    agent.run(&["verify", "latest", "--repository", "2"]).succeeds().mentions("intact");
}

#[test]
fn bytes_that_are_not_what_the_manifest_says_are_not_copied() {
    let scene = Scene::new();
    let made = days_ago(1);
    put_in_directory(&scene.directory(), "app", made);
    let archive = scene.directory().join(format!("{}.sql.gz", stem("app", made)));
    let mut bytes = std::fs::read(&archive).unwrap();
    bytes[500] ^= 1;
    std::fs::write(&archive, &bytes).unwrap();
    let file = std::fs::File::options().write(true).open(&archive).unwrap();
    file.set_modified(std::time::SystemTime::from(made)).unwrap();
    let agent = scene.agent().setting("DB_NAME", "app");
    let refused = agent.run(&["copy", "latest", "--from", "directory", "--to", "1"]).exits(4);
    refused.mentions("is not what its manifest says: it is damaged").mentions("hint: nothing was copied");
    assert_eq!((scene.one.keys(), scene.one.open_uploads()), (Vec::new(), Vec::new()));
    agent.run(&["verify", "--all", "--force", "--repository", "directory"]).exits(4);
    agent
        .run(&["copy", &stem("app", made), "--from", "directory", "--to", "1"])
        .exits(4)
        .mentions("is damaged, and is not copied");
    let missing = ["copy", "--missing", "--from", "directory", "--to", "1"];
    agent
        .run(&missing)
        .succeeds()
        .mentions("skipped")
        .mentions("it is damaged")
        .mentions("0 backups copied, 1 left out");
}

#[test]
fn everything_that_is_missing_is_copied_newest_first_and_nothing_is_overwritten() {
    let scene = Scene::new();
    let [yesterday, before, long_ago] = [1, 2, 40].map(days_ago);
    for made in [yesterday, before, long_ago] {
        put_in_bucket(&scene.one, "app", made);
    }
    put_in_bucket(&scene.one, "blog", yesterday);
    put_in_bucket(&scene.two, "app", before);
    let one_app = scene.agent().setting("DB_NAME", "app");
    let missing = ["copy", "--missing", "--to", "2"];
    let dry = one_app.run(&[&missing[..], &["--max-age", "7d", "--dry-run"]].concat()).succeeds();
    dry.mentions("missing")
        .mentions("1 backup would be copied")
        .mentions("nothing was copied")
        .mentions("Other databases with backups there: blog");
    assert_eq!(scene.two.keys().len(), 3);
    let copied = one_app.run(&[&missing[..], &["--all-databases"]].concat()).succeeds().mentions("3 backups copied");
    let order = [yesterday, long_ago].map(|made| copied.stdout.find(&stem("app", made)).unwrap());
    assert!(order.is_sorted(), "{copied}");
    assert!(!scene.two.keys().contains(&key("app", yesterday, ".intact.json")), "a verdict was copied");
    one_app.run(&missing).succeeds().mentions("nothing is missing there").keeps_silent_about("manifest");
    // A copy that is damaged is none, each time.
    let damaged = key("app", before, ".damaged.json");
    scene.two.put(&damaged, &scene.two.get(&key("app", before, ".intact.json")));
    for command in [&missing[..], &["copy", &stem("app", before), "--to", "2"]] {
        let told = one_app.run(command).exits(4);
        told.mentions("which is damaged there: remove its files there, and copy it again");
    }
    scene.two.delete(&damaged);
    scene.one.put(&key("app", days_ago(3), ".sql.gz"), dump());
    let bare = one_app.run(&missing).succeeds().mentions("nothing is missing there");
    bare.mentions("not copied: 1 archive without a manifest in bucket 1 (");
    assert_eq!(one_app.run(&[&missing[..], &["--json"]].concat()).succeeds().json()["withoutManifest"], 1);
    // Another backup of the same name is no copy.
    let other =
        scene.two.get_json(&key("app", yesterday, ".manifest.json")).to_string().replace("\"size\":", "\"size\":1");
    scene.two.put(&key("app", yesterday, ".manifest.json"), other.as_bytes());
    let refused = one_app.run(&["copy", &stem("app", yesterday), "--to", "2"]).exits(1);
    refused.mentions("has another backup that is called").mentions("nothing was overwritten");
}

#[test]
fn two_copies_at_once_leave_one_whole_backup() {
    let scene = Scene::new();
    in_parts(agent().database(large()).directory(&scene.directory())).run(&["backup"]).succeeds();
    let copies = [0, 1].map(|_| in_parts(scene.agent().database(large())));
    let arguments = ["copy", "latest", "--from", "directory", "--to", "1"];
    let running: Vec<_> = copies.iter().map(|agent| agent.start(&arguments)).collect();
    let ended: Vec<_> = running.into_iter().map(|running| running.wait()).collect();
    assert!(ended.iter().any(|outcome| outcome.code == Some(0)), "{} {}", ended[0], ended[1]);
    assert!(ended.iter().all(|outcome| matches!(outcome.code, Some(0 | 1))), "{} {}", ended[0], ended[1]);
    copies[0].run(&arguments).succeeds().mentions("there");
    copies[0].run(&["verify", "latest", "--repository", "1"]).succeeds().mentions("intact");
    // The lock of one machine.
    let locks = scene.folder.path().display().to_string();
    let lock =
        std::fs::File::create(scene.folder.path().join(format!("lastgood-{}.copy.lock", large().name()))).unwrap();
    lock.lock().unwrap();
    let locked = scene.agent().database(large()).setting("BACKUP_LOCK_DIR", locks);
    locked.run(&["copy", "latest", "--from", "directory", "--to", "2"]).exits(3).mentions("a copy of backups of");
}

#[test]
fn what_is_encrypted_is_copied_without_its_key_and_a_directory_gets_a_verdict_of_its_own() {
    let scene = Scene::new();
    let recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let agent = scene.agent().database(small()).setting("BACKUP_AGE_RECIPIENTS", recipient);
    let bucket_only = agent.setting("BACKUP_DIR", "");
    bucket_only.run(&["backup", "--name", "sealed"]).succeeds();
    let agent = bucket_only.directory(&scene.directory());
    let id = format!("{}_backup_sealed", small().name());
    agent.run(&["copy", &id, "--from", "2", "--to", "directory"]).succeeds().mentions("copied");
    let mut files: Vec<_> = std::fs::read_dir(scene.directory()).unwrap().map(|row| row.unwrap().file_name()).collect();
    files.sort();
    let expected = [".globals.sql.gz.age", ".index.json.gz.age", ".intact.json", ".manifest.json", ".sql.gz.age"];
    assert_eq!(files, expected.map(|suffix| std::ffi::OsString::from(format!("{id}{suffix}"))));
}

/// The checksum of each part that is copied is what it is held to: where none is kept, the bytes come here.
#[test]
fn a_store_copies_between_its_own_buckets_where_it_says_what_it_has_copied() {
    let (ministack, seaweedfs) = (Ministack::shared().root(), Seaweedfs::shared().admin());
    let cases = [(ministack, "crc64nvme", true), (seaweedfs.clone(), "crc64nvme", true), (seaweedfs, "md5", false)];
    for (access, checksum, in_store) in cases {
        let proxy = Proxy::start(&access.endpoint);
        let (one, two) = (Bucket::new(&access), Bucket::new(&access));
        let agent = in_parts(agent().database(large())).bucket(one.name(), &access.through(&proxy));
        let agent = agent.setting("BACKUP_S3_CHECKSUM", checksum);
        agent.run(&["backup"]).succeeds();
        // The second one has no identity of its own: at the same store it is the first one's.
        let agent = agent.setting("BACKUP_S3_BUCKET_2", two.name());
        let before = proxy.bytes(Direction::Down);
        let latest = one.key_ending_in(".manifest.json").rsplit('/').next().unwrap().replace(".manifest.json", "");
        let copied = agent.run(&["copy", &latest, "--to", "2", "--json"]).succeeds();
        holds("copy", &copied);
        assert_eq!(copied.json()["backups"][0]["inStore"], in_store, "{copied}");
        let came = proxy.bytes(Direction::Down) - before;
        assert_eq!(came < 1_000_000, in_store, "{came} bytes came here");
        holds_one_backup(&two);
        let key = two.key_ending_in(".sql");
        assert!(two.get(&key) == one.get(&key) && two.head(&key).metadata().unwrap().contains_key("lastgood-id"));
        agent.run(&["verify", &latest, "--repository", "2"]).succeeds().mentions("intact");
        // What has rotted is found out either way.
        two.keys_of_backups().iter().for_each(|key| two.delete(key));
        one.flip_bit(&key, 7_000_000);
        agent.run(&["copy", &latest, "--to", "2"]).exits(4).mentions("is not what its manifest says: it is damaged");
        shows_no_backup(&two);
        assert_eq!(two.open_uploads(), Vec::<String>::new());
    }
}

#[test]
fn links_go_along_to_a_bucket_and_into_no_directory() {
    let scene = Scene::new();
    let only = in_parts(agent().database(large()).bucket(scene.one.name(), scene.one.access()));
    only.setting("BACKUP_LINK_SIZE", "4MiB").setting("BACKUP_VERIFY", "read-back").run(&["backup"]).succeeds();
    let agent = scene.agent().database(large());
    for to in ["2", "directory"] {
        agent.run(&["copy", "latest", "--from", "1", "--to", to]).succeeds().mentions("copied");
    }
    let links = |bucket: &Bucket| bucket.get(&bucket.key_ending_in(".links.json.gz"));
    assert_eq!(links(&scene.one), links(&scene.two));
    let files = std::fs::read_dir(scene.directory()).unwrap().map(|file| file.unwrap().file_name());
    let files: Vec<_> = files.filter(|name| name.to_string_lossy().contains(".links.")).collect();
    assert!(files.is_empty(), "{files:?}");
}
