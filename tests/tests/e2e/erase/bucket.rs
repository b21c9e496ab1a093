//! In a bucket that keeps versions and knows locks.

use aws_sdk_s3::types::{ObjectLockRetention, ObjectLockRetentionMode};
use e2e::bucket::{Bucket, wait};
use e2e::seaweedfs::Seaweedfs;
use serde_json::Value;

use crate::signals::AtTerminal;

use super::{EMAIL, Scene, key, knows, leaving, only_those_changed, told};

#[test]
fn a_person_is_in_no_version_of_any_object_afterwards_and_nothing_else_has_changed() {
    let access = Seaweedfs::shared().admin();
    let name = format!("test-erase-{}", std::process::id());
    wait(access.client().create_bucket().bucket(&name).object_lock_enabled_for_bucket(true).send()).unwrap();
    let bucket = Bucket::existing(&access, &name);
    let scene = Scene::new("erased").with(|agent| {
        agent.bucket(&name, &access).setting("BACKUP_VERIFY", "read-back").setting("BACKUP_S3_PREFIX", "backups")
    });
    let (identity, public) = key(scene.agent.home());
    for label in ["plain", "locked"] {
        scene.agent.run(&["backup", "--name", label]).succeeds();
    }
    scene.agent.run(&["backup"]).succeeds();
    let scene = scene.with(|agent| {
        let agent = agent.setting("BACKUP_AGE_RECIPIENTS", &public);
        agent.setting("BACKUP_AGE_IDENTITY_FILE", identity.display().to_string())
    });
    scene.agent.run(&["backup", "--name", "sealed"]).succeeds();
    scene.agent.run(&["backup"]).succeeds();
    scene.agent.run(&["backup"]).succeeds();
    // One that was written over, as an older version of a verdict is: what goes, goes with all versions.
    let verdict = bucket.key_ending_in("_plain.intact.json");
    bucket.put(&verdict, &bucket.get(&verdict));
    // Links hold some bytes of rows. A dump of this size has none, so these are made up.
    let links = verdict.replace(".intact.json", ".links.json.gz");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, EMAIL.as_bytes()).unwrap();
    bucket.put(&links, &packed.finish().unwrap());
    assert!(knows(&bucket.get(&links), None));
    let until = lock(&bucket, "_locked.");
    let database = scene.database.name().to_owned();
    let half = |label: &str| format!("backups/20260101/{database}_backup_{label}.sql.gz");
    for key in [half("young"), half("20260101_030000_erased_1")] {
        wait(bucket.client().create_multipart_upload().bucket(&name).key(key).send()).unwrap();
    }
    let before = manifests(&bucket);
    let latest = scene.agent.run(&["list", "--json"]).json();
    let newest = latest["databases"][0]["backups"][0]["id"].clone();

    // Without the key three of them stay.
    let blind = scene.with(|agent| agent.setting("BACKUP_AGE_IDENTITY_FILE", ""));
    let planned = blind.erase(&["--all", "--dry-run"]).succeeds();
    planned
        .mentions("would erase from 2 backups")
        .mentions("no key is set here")
        .mentions("Object Lock keeps it until");
    let scene = blind.with(|agent| agent.setting("BACKUP_AGE_IDENTITY_FILE", identity.display().to_string()));

    let outcome = scene.erase(&["--all", "--json"]).exits(1);
    let answer = outcome.json();
    let backups = answer["backups"].as_array().unwrap();
    let of = |outcome: &str| backups.iter().filter(|backup| backup["outcome"] == outcome).collect::<Vec<_>>();
    let [left] = of("left")[..] else { panic!("{outcome}") };
    assert!(left["backup"].as_str().unwrap().ends_with("_backup_locked"), "{left:#}");
    assert_eq!(left["until"].as_str().unwrap(), until);
    assert_eq!(of("erased").len(), 5, "{outcome}");
    for backup in of("erased") {
        assert_eq!(told(&backup["tables"]), leaving(), "{backup:#}");
        assert!(backup["replacedBy"].as_str().unwrap().ends_with("_erased_1"));
    }

    // An erasure's own upload is nobody's; a backup's may still be written elsewhere.
    assert_eq!(of("cleared").len(), 1, "{outcome}");
    let open = wait(bucket.client().list_multipart_uploads().bucket(&name).send()).unwrap();
    let [open] = open.uploads() else { panic!("{open:?}") };
    assert_eq!(open.key(), Some(half("young").as_str()));
    assert!(answer["remains"].to_string().contains("_backup_young.sql.gz, of "), "{outcome}");

    for version in bucket.versions().iter().filter(|version| !version.key.contains("_backup_locked.")) {
        let id = version.version.clone().unwrap();
        let get = bucket.client().get_object().bucket(&name).key(&version.key).version_id(id);
        let bytes = wait(async { get.send().await.unwrap().body.collect().await.unwrap().into_bytes() });
        assert!(!knows(&bytes, Some(&identity)), "{} knows them", version.key);
    }
    assert!(!scene.log().contains("ada.o"), "the log knows them");
    let after = manifests(&bucket);
    assert_eq!(after.len(), 6);
    for (stem, manifest) in after.iter().filter(|(stem, _)| !stem.ends_with("_locked")) {
        let original =
            before.iter().find(|(other, _)| stem.starts_with(other.as_str())).unwrap_or_else(|| panic!("{stem}"));
        only_those_changed(&original.1, manifest);
        assert_eq!(manifest["archive"]["encryption"], original.1["archive"]["encryption"], "{stem}");
        assert_eq!(manifest["purpose"], "erased");
        assert!(manifest["globals"].is_object(), "{stem} has lost its roles");
        let index = manifest["index"]["key"].as_str().unwrap();
        assert_eq!(index.ends_with(".age"), manifest["archive"]["encryption"].is_object(), "{index}");
        assert_eq!(manifest["archive"]["pgDumpOptions"], Value::Array(Vec::new()));
        assert!(bucket.keys().iter().any(|key| key.ends_with(&format!("{stem}.intact.json"))), "{stem}");
    }
    stands_as_before(&scene, &newest);
    is_done(&scene, &answer);
}

/// Another host's erasure, or a copy, that was half way when this one made its plan, and done when it was told to go on.
#[test]
fn what_another_run_completes_while_somebody_is_asked_is_no_remainder() {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    let scene = Scene::new("completed")
        .with(|agent| agent.bucket(bucket.name(), bucket.access()).setting("BACKUP_S3_PREFIX", "backups"));
    scene.agent.run(&["backup", "--name", "one"]).succeeds();
    let archive = bucket.key_ending_in("_backup_one.sql.gz");
    let half = archive.replace(".sql.gz", "_erased_1.sql.gz");
    bucket.put_with(&half, &bucket.get(&archive), &[("lastgood-id", "another-run")]);
    let mut run = AtTerminal::start(&scene.agent, &["erase", "--table", "customers", "--where", "id=999", "--all"]);
    run.wait_for("Type yes: ");
    let manifest = bucket.get(&archive.replace(".sql.gz", ".manifest.json"));
    bucket.put(&half.replace(".sql.gz", ".manifest.json"), &manifest);
    let (_, code, shown) = run.end_by(b"yes\n");
    assert!(code == Some(1) && shown.contains("is no remainder any more"), "{code:?} {shown}");
    assert!(bucket.keys().contains(&half), "{:#?}", bucket.keys());
}

/// What took the newest one's place is the newest, and restores and drills as any.
fn stands_as_before(scene: &Scene<'_>, newest: &Value) {
    let newest = format!("{}_erased_1", newest.as_str().unwrap());
    let list = scene.agent.run(&["list", "--json"]).json();
    assert_eq!(list["databases"][0]["backups"][0]["id"], newest.as_str(), "{list:#}");
    let copy = scene.database.server().database(&format!("{}_copy", scene.database.name()));
    scene.agent.run(&["restore", "latest", "--into", copy.name(), "--confirm"]).succeeds();
    assert_eq!(
        copy.query("SELECT count(*), (SELECT count(*) FROM lines), (SELECT count(*) FROM mails) FROM customers"),
        "200|800|200"
    );
    scene.agent.run(&["drill", &newest, "--temporary-server"]).succeeds().mentions("PASSED");
}

/// Again there is nothing to do, without a look where the salt is known, and all is told; and the certificate is kept.
fn is_done(scene: &Scene<'_>, answer: &Value) {
    let salt = answer["salt"].as_str().unwrap();
    let again = scene.erase(&["--all", "--json", "--salt", salt]).exits(1).json();
    let erased = |answer: &Value| {
        let all = answer["backups"].as_array().unwrap().iter().filter(|backup| backup["outcome"] == "erased");
        all.map(|one| ["backup", "replacedBy", "tables", "md5Before", "md5After"].map(|name| one[name].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!((erased(&again), &again["asked"]["request"]), (erased(answer), &answer["asked"]["request"]));
    let stored = answer["stored"].as_str().unwrap();
    assert!(stored.contains("/status/erasures/"), "{stored}");
    assert!(!answer.to_string().contains(EMAIL));
}

/// Locks everything of one backup for an hour, and says until when.
fn lock(bucket: &Bucket, which: &str) -> String {
    let until = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + 3_600).unwrap();
    for version in bucket.versions().iter().filter(|version| version.key.contains(which)) {
        let date = aws_sdk_s3::primitives::DateTime::from_secs(until.as_second());
        let retention =
            ObjectLockRetention::builder().mode(ObjectLockRetentionMode::Compliance).retain_until_date(date);
        let put = bucket.client().put_object_retention().bucket(bucket.name()).key(&version.key);
        wait(put.set_version_id(version.version.clone()).retention(retention.build()).send()).unwrap();
    }
    until.to_string()
}

/// By their stems.
fn manifests(bucket: &Bucket) -> Vec<(String, Value)> {
    let keys = bucket.keys().into_iter().filter(|key| key.ends_with(".manifest.json"));
    let mut found: Vec<_> =
        keys.map(|key| bucket.get_json(&key)).map(|json| (json["stem"].as_str().unwrap().to_owned(), json)).collect();
    found.sort_by_key(|(stem, _)| std::cmp::Reverse(stem.len()));
    found
}
