//! `lastgood adopt`: what the guide's scripts left in a bucket becomes ours, when it is whole.

use std::process::Command;

use e2e::answering::answering;
use e2e::bucket::Bucket;
use e2e::process::output_given;
use e2e::seaweedfs::Seaweedfs;

use e2e::past::{agent, dump};

/// The MD5 that the guide's uploader wrote beside each object, by a tool of its time.
fn md5(bytes: &[u8]) -> String {
    let output = output_given(&mut Command::new("md5sum"), bytes);
    String::from_utf8(output.stdout).unwrap()[..32].to_owned()
}

fn bucket() -> Bucket {
    Bucket::new(&Seaweedfs::shared().admin())
}

const KEY: &str = "backups/20260120/astro_backup_20260120_030000.sql.gz";
const NAME: &str = "astro_backup_20260120_030000";

#[test]
fn a_guest_of_the_guide_is_read_back_and_becomes_good_under_its_own_name() {
    let bucket = bucket();
    bucket.put_with(KEY, dump(), &[("md5_checksum", &md5(dump())), ("database", "astro")]);
    let before = bucket.objects();
    let agent = agent().setting("DB_NAME", "astro").bucket(bucket.name(), bucket.access());
    agent.run(&["list"]).succeeds().mentions("guest");
    agent.run(&["adopt", "--all", "--dry-run"]).succeeds().mentions("would");
    assert_eq!(bucket.objects(), before, "a dry run writes nothing");
    agent.run(&["adopt", NAME]).succeeds().mentions("adopted").mentions("2 tables, 3,002 rows");
    assert!(bucket.objects().contains(&before[0]), "its bytes and its key stay");
    let manifest = bucket.get_json(&KEY.replace(".sql.gz", ".manifest.json"));
    assert_eq!(manifest["purpose"], "adopted");
    assert_eq!(manifest["compression"].as_str().or(manifest["archive"]["compression"].as_str()), Some("none"));
    assert_eq!(manifest["census"].as_array().unwrap().len(), 2);
    let listed = agent.run(&["list", "--json"]).succeeds().json();
    let row = &listed["databases"][0]["backups"][0];
    assert_eq!((row["state"].as_str(), row["kind"].as_str()), (Some("good"), Some("adopted")), "{listed:#}");
    agent.run(&["verify", "--all", "--force"]).succeeds().mentions("1 intact");
    agent.run(&["adopt", "--all"]).succeeds().mentions("There is nothing to adopt in ");
    agent.run(&["adopt", NAME]).succeeds().mentions("it needs no adoption: it has a manifest already");
}

#[test]
fn what_is_not_whole_is_not_adopted() {
    let bucket = bucket();
    bucket.put(KEY, &dump()[..dump().len() / 2]);
    // Whole, and not what its uploader sent.
    let other = "backups/20260121/astro_backup_20260121_030000.sql.gz";
    bucket.put_with(other, dump(), &[("md5_checksum", &md5(b"something else"))]);
    bucket.put("backups/20260122/astro_backup_initial.sql.gz", dump());
    let agent = agent().setting("DB_NAME", "astro").bucket(bucket.name(), bucket.access());
    let answer = agent.run(&["adopt", "--all", "--json"]).exits(4).json();
    let outcomes: Vec<&str> =
        answer["backups"].as_array().unwrap().iter().map(|row| row["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "damaged").count(), 2, "{answer:#}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "adopted").count(), 1, "{answer:#}");
    let manifests = bucket.keys().into_iter().filter(|key| key.ends_with(".manifest.json"));
    assert_eq!(manifests.collect::<Vec<_>>(), ["backups/20260122/astro_backup_initial.manifest.json"]);
    assert!(bucket.keys().contains(&KEY.replace(".sql.gz", ".damaged.json")));
}

/// Whoever is stopped between the two leaves a guest that is expected, and no database that counts and that nobody would miss.
#[test]
fn a_database_is_expected_before_what_is_adopted_counts() {
    let bucket = bucket();
    bucket.put(KEY, dump());
    let refusing = answering(bucket.access(), |line| {
        let is_manifest = line.starts_with("PUT ") && line.contains(".manifest.json");
        is_manifest.then_some(("400 Bad Request", "<Error><Code>InvalidRequest</Code></Error>"))
    });
    let agent = agent().setting("DB_NAME", "astro");
    agent.bucket(bucket.name(), &refusing).run(&["adopt", "--all"]).exits(1);
    let ends = |ending: &str| bucket.keys().iter().any(|key| key.ends_with(ending));
    assert!(ends("databases/astro.json") && !ends("manifest.json"), "{:?}", bucket.keys());
}

/// It is no guest any more, and no later run would adopt it.
#[test]
fn what_is_adopted_without_its_verdict_is_expected_all_the_same() {
    let bucket = bucket();
    bucket.put(KEY, dump());
    let refusing = answering(bucket.access(), |line| {
        let is_verdict = line.starts_with("PUT ") && line.contains(".intact.json");
        is_verdict.then_some(("400 Bad Request", "<Error><Code>InvalidRequest</Code></Error>"))
    });
    let agent = agent().setting("DB_NAME", "astro");
    let run = agent.bucket(bucket.name(), &refusing).run(&["adopt", "--all"]).exits(1);
    run.mentions("adopted").mentions("its verdict was not stored").mentions(&format!("hint: lastgood verify {NAME}"));
    let ends = |ending: &str| bucket.keys().iter().any(|key| key.ends_with(ending));
    assert!(ends("manifest.json") && ends("databases/astro.json") && !ends("intact.json"), "{:?}", bucket.keys());
}

/// Guests' names aren't in our encoding; the name stays as it is.
#[test]
fn a_guest_s_odd_name_is_kept_to_the_letter() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("my.db v1_backup_20260120_030000.sql.gz"), dump()).unwrap();
    let agent = agent().setting("DB_NAME", "my.db v1").directory(folder.path());
    agent.run(&["adopt", "--all"]).succeeds();
    let manifest = std::fs::read(folder.path().join("my.db v1_backup_20260120_030000.manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["database"]["name"], "my.db v1");
    agent.run(&["list"]).succeeds().mentions("1 good");
    agent.run(&["adopt", "nothing_backup_20260101_000000"]).exits(5);
}
