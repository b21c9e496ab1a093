//! Verdicts are looked at again: by `check`, by `verify --all` and by a restore that finds damage.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use e2e::agent::Agent;
use e2e::answering::{StandIn, Treatment, Way};
use e2e::bucket::Bucket;
use e2e::process::output_given;
use e2e::proxy::{Direction, Fault, Proxy};
use e2e::seaweedfs::Seaweedfs;
use jiff::Timestamp;
use serde_json::Value;

use e2e::past::{agent, database, days_ago, dump, key, put_in_bucket, put_in_directory, stem};

/// A folder with good backups of these days, and an agent to look at it.
struct Scene {
    folder: tempfile::TempDir,
    made: Vec<Timestamp>,
    agent: Agent,
}

impl Scene {
    fn of(days: &[i64]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made: Vec<Timestamp> = days.iter().map(|days| days_ago(*days)).collect();
        made.iter().for_each(|made| put_in_directory(folder.path(), database().name(), *made));
        let agent = agent().database(database()).directory(folder.path());
        let agent = agent.setting("MIN_BACKUP_SIZE", "1").setting("MIN_BACKUP_COUNT", "1");
        Self { folder, made, agent }
    }

    fn name(&self, nth: usize) -> String {
        stem(database().name(), self.made[nth])
    }

    fn file(&self, nth: usize, suffix: &str) -> PathBuf {
        self.folder.path().join(format!("{}{suffix}", self.name(nth)))
    }

    fn codes(&self) -> Vec<String> {
        let run = self.agent.run(&["check", "--json"]);
        let checked = run.json();
        let findings = checked["databases"][0]["findings"].as_array().unwrap().clone();
        let run = run.exits(if findings.is_empty() { 0 } else { 6 });
        drop(run);
        findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
    }
}

/// Flips a bit, and leaves the file its time, as a disk does.
fn rot(file: &Path) {
    let written = std::fs::metadata(file).unwrap().modified().unwrap();
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(file, bytes).unwrap();
    std::fs::File::options().append(true).open(file).unwrap().set_modified(written).unwrap();
}

/// Cuts a file in half.
fn cut(file: &Path) {
    let bytes = std::fs::read(file).unwrap();
    std::fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn a_check_looks_at_the_newest_backup_and_its_records() {
    let gone = |file: &Path| std::fs::remove_file(file).unwrap();
    let faults = [
        (".manifest.json", "broken_record", cut as fn(&Path)),
        (".intact.json", "broken_record", cut),
        (".sql.gz", "changed", cut),
        (".sql.gz", "newest_damaged", gone),
    ];
    for (suffix, code, fault) in faults {
        let scene = Scene::of(&[0, 1]);
        assert_eq!(scene.codes(), [""; 0], "{suffix}");
        fault(&scene.file(0, suffix));
        assert_eq!(scene.codes(), [code], "{suffix}");
        scene.agent.run(&["check", "--quiet"]).exits(6).mentions("UNHEALTHY");
        let page = scene.agent.run(&["report", "--json"]).succeeds().json();
        assert_eq!(page["databases"][0]["healthy"], false, "the page judges as check does: {page:#}");
    }
}

#[test]
fn two_damaged_backups_in_a_row_are_unhealthy_every_night() {
    let scene = Scene::of(&[0, 1, 2]);
    for nth in [0, 1] {
        rot(&scene.file(nth, ".sql.gz"));
        scene.agent.run(&["verify", &scene.name(nth)]).exits(4);
    }
    scene.agent.run(&["verify", "--all", "--quiet"]).succeeds();
    let said = scene.agent.setting("MAX_BACKUP_AGE_HOURS", "999").run(&["check", "--quiet"]).exits(6);
    said.mentions("is damaged, and no good one is newer; damaged or lost since the newest good one: 2");
}

#[test]
fn old_verdicts_are_renewed_one_after_the_other_and_quietly() {
    let scene = Scene::of(&[1, 40, 50, 60]);
    let age = |checked: &Value| checked["databases"][0]["oldestVerdict"]["ageSeconds"].as_i64().unwrap() / 86_400;
    let oldest = || age(&scene.agent.run(&["check", "--json"]).json());
    assert_eq!(oldest(), 60);
    // A thirtieth is less than one backup, and so it is one a night.
    let first = scene.agent.run(&["verify", "--all", "--json"]).succeeds().json();
    assert_eq!((&first["intact"], &first["left"]), (&1.into(), &2.into()), "{first:#}");
    assert_eq!(first["verified"][0]["name"].as_str().unwrap(), scene.name(3));
    assert_eq!(oldest(), 50);
    let quiet = scene.agent.run(&["verify", "--all", "--quiet"]).succeeds();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""), "{quiet}");
    assert_eq!(oldest(), 40);

    rot(&scene.file(1, ".sql.gz"));
    scene.agent.run(&["verify", "--all", "--quiet"]).exits(4).mentions("DAMAGED").mentions(&scene.name(1));
    scene.agent.run(&["verify", "--all"]).succeeds().mentions("Nothing to verify in ");
    let never = Scene::of(&[60]);
    let never = never.agent.setting("BACKUP_REVERIFY_DAYS", "0");
    never.run(&["verify", "--all"]).succeeds().mentions("Nothing to verify in ");
}

/// And the manifest that was cut is found the next night, whatever its verdict says.
#[test]
fn a_broken_manifest_is_damage_and_keeps_nobody_from_the_archive() {
    let scene = Scene::of(&[0, 1]);
    cut(&scene.file(0, ".manifest.json"));
    let into = format!("{}_unmanifested", database().name());
    let rehearse = |what: &[&str]| scene.agent.run(&[&["restore", "--into", &into, "--dry-run"], what].concat());
    let archive = scene.file(0, ".sql.gz");
    let archive = archive.to_str().unwrap();
    let offers = format!("lastgood restore {}", scene.name(1));
    for judged in [false, true] {
        let refused = rehearse(&[&if judged { scene.name(0) } else { "latest".to_owned() }]).exits(4);
        refused.mentions("manifest").mentions(&offers);
        rehearse(&["--backup-file", archive]).succeeds().mentions("the archive is whole");
        if !judged {
            scene.agent.run(&["verify", "--all"]).exits(4).mentions("its manifest is broken");
        }
    }
    rehearse(&["latest"]).succeeds().mentions(&scene.name(1));
    scene.agent.run(&["verify", archive]).exits(4).mentions("its manifest is broken");
    assert_eq!(scene.codes(), ["newest_damaged"]);
}

#[test]
fn a_verdict_that_is_cut_leaves_an_unverified_backup() {
    let scene = Scene::of(&[0]);
    cut(&scene.file(0, ".intact.json"));
    let into = format!("{}_unjudged", database().name());
    let plan = scene.agent.run(&["restore", "latest", "--into", &into, "--dry-run"]).succeeds();
    plan.mentions("left aside").mentions("has not been verified yet");
    scene.agent.run(&["show", "latest"]).succeeds().mentions("MD5 ");
    scene.agent.run(&["verify", "latest"]).succeeds();
    assert_eq!(scene.codes(), [""; 0]);
}

#[test]
fn a_restore_that_finds_damage_reads_twice_records_it_and_offers_the_one_before() {
    let scene = Scene::of(&[0, 1]);
    rot(&scene.file(0, ".sql.gz"));
    let into = format!("{}_rotten", database().name());
    let run = || scene.agent.run(&["restore", "latest", "--into", &into, "--dry-run"]);
    let failed = run().exits(4).mentions("is damaged").mentions("a second time").mentions("recorded");
    failed.mentions(&format!("lastgood restore {}", scene.name(1)));
    assert!(scene.file(0, ".damaged.json").exists());
    run().succeeds().mentions(&scene.name(1));
}

#[test]
fn a_reading_that_the_network_spoilt_is_no_damage_and_one_that_the_store_did_is() {
    let store = Seaweedfs::shared().admin();
    let bucket = Bucket::new(&store);
    let (name, made) = (database().name(), days_ago(0));
    put_in_bucket(&bucket, name, made);
    let proxy = Proxy::start(&store.endpoint);
    let agent = agent().setting("DB_NAME", name).bucket(bucket.name(), &store.through(&proxy));
    // Well within the archive: the answers before it are short.
    proxy.set(Fault::Garble(Direction::Down, 30_000));
    let outcome = agent.run(&["verify", "--all", "--force"]).succeeds().mentions("1 intact, 0 damaged");
    outcome.mentions("a second time").mentions("and whole when it was read again");
    assert!(proxy.has_struck());
    assert!(!bucket.keys().contains(&key(name, made, ".damaged.json")));

    bucket.flip_bit(&key(name, made, ".sql.gz"), 30_000);
    let outcome = agent.run(&["verify", "--all", "--force"]).exits(4).mentions("0 intact, 1 damaged");
    outcome.keeps_silent_about("read again");
}

#[test]
fn a_file_by_itself_is_read_twice_too() {
    let scene = Scene::of(&[0]);
    rot(&scene.file(0, ".sql.gz"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("from-a-colleague.dump");
    std::fs::copy(scene.file(0, ".sql.gz"), &file).unwrap();
    let into = format!("{}_colleague", database().name());
    let failed = scene.agent.run(&["restore", "--backup-file", file.to_str().unwrap(), "--into", &into, "--dry-run"]);
    failed.exits(4).mentions("a second time").mentions("the damage was found twice");
}

#[test]
fn who_may_not_record_damage_is_told_how_to() {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    let (newest, before) = (days_ago(0), days_ago(1));
    let name = database().name();
    [newest, before].into_iter().for_each(|made| put_in_bucket(&bucket, name, made));
    bucket.flip_bit(&key(name, newest, ".sql.gz"), 5_000);
    // As good as it was: the flip wrote it anew.
    let verdict = bucket.get(&key(name, newest, ".intact.json"));
    bucket.put(&key(name, newest, ".intact.json"), &verdict);
    let agent = agent().database(database()).bucket(bucket.name(), &Seaweedfs::shared().reader());
    let into = format!("{name}_unrecorded");
    let failed = agent.run(&["restore", "latest", "--into", &into, "--dry-run"]).exits(4);
    failed
        .mentions(&format!("lastgood verify {}", stem(name, newest)))
        .mentions(&format!("lastgood restore {}", stem(name, before)));
    assert!(!bucket.keys().contains(&key(name, newest, ".damaged.json")));
}

#[test]
fn a_limit_is_neither_damage_nor_a_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let stored = output_given(Command::new("zstd").args(["-1", "-c", "--long=31"]), dump()).stdout;
    let file = folder.path().join(format!("{}_backup_long.sql.zst", database().name()));
    std::fs::write(&file, stored).unwrap();
    let agent = agent().database(database()).directory(folder.path());
    let into = format!("{}_long", database().name());
    let runs: [&[&str]; 5] = [
        &["verify", "long"],
        &["verify", "--all"],
        &["adopt", "--all"],
        &["verify", file.to_str().unwrap()],
        &["restore", "long", "--into", &into, "--dry-run"],
    ];
    for run in runs {
        let failed = agent.run(run).exits(1).mentions("2048 MiB").mentions("beyond the limits");
        failed.mentions("zstd -dc --long=31").keeps_silent_about("DAMAGED");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is known of it");
}

#[test]
fn a_backup_is_found_by_the_name_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent().database(database()).directory(folder.path());
    agent.run(&["backup", "--name", "initial"]).succeeds();
    let name = format!("{}_backup_initial", database().name());
    let into = format!("{}_by_label", database().name());
    for run in [&["show", "initial"][..], &["verify", "initial"], &["restore", "initial", "--into", &into, "--dry-run"]]
    {
        agent.run(run).succeeds().mentions(&name);
    }
    agent.run(&["restore", "other", "--into", &into, "--dry-run"]).exits(5).mentions("is not a backup's name");
}

#[test]
fn a_manifest_that_was_spoilt_on_its_way_is_read_again_and_condemns_no_backup() {
    let store = Seaweedfs::shared().admin();
    let (name, made) = (database().name(), days_ago(0));
    for (lasting, code) in [(false, 0), (true, 1)] {
        let bucket = Bucket::new(&store);
        put_in_bucket(&bucket, name, made);
        let spoilt = AtomicU32::new(0);
        let stand_in = StandIn::start(bucket.access(), move |request| {
            let is_meant = request.method() == "GET" && request.target().contains(".manifest.json");
            match is_meant && (lasting || spoilt.fetch_add(1, Ordering::Relaxed) == 0) {
                true => Treatment::Flip(Way::Answer),
                false => Treatment::Pass,
            }
        });
        let agent = agent().setting("DB_NAME", name).setting("BACKUP_RETRY_MINUTES", "1");
        let agent = agent.bucket(bucket.name(), &stand_in.access(bucket.access()));
        let outcome = agent.run(&["verify", "--all", "--force"]).exits(code);
        let outcome =
            outcome.mentions(if lasting { "did not come as the store has it" } else { "1 intact, 0 damaged" });
        assert!(!bucket.keys().contains(&key(name, made, ".damaged.json")), "{outcome}");
    }
}
