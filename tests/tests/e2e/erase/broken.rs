//! What can't be changed is named and the others go on; a run that is killed has told what it did, and the next one goes on with it.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::Value;

use super::{EMAIL, Scene, key, knows, silent};

fn of<'a>(answer: &'a Value, what: &str) -> &'a Value {
    let mut backups = answer["backups"].as_array().unwrap().iter();
    backups.find(|backup| backup["backup"].as_str().unwrap().contains(what)).unwrap_or_else(|| panic!("{answer:#}"))
}

/// The archive of that label.
fn archive(scene: &Scene<'_>, folder: &Path, label: &str) -> PathBuf {
    let start = format!("{}_backup_{label}.sql", scene.database.name());
    let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.find(|file| file.file_name().unwrap().to_string_lossy().starts_with(&start)).unwrap()
}

/// Bits in the middle turn, and no time tells.
fn rot(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let made = fs::metadata(file).unwrap().modified().unwrap();
    let half = bytes.len() / 2;
    bytes[half..half + 64].iter_mut().for_each(|byte| *byte ^= 0x55);
    fs::write(file, bytes).unwrap();
    fs::File::options().write(true).open(file).unwrap().set_modified(made).unwrap();
}

#[test]
fn a_backup_that_cannot_be_changed_is_named_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new("gone_on").with(|agent| {
        // As backups were made once, and no more are.
        let options = "--no-comments --exclude-table-data=products --role postgres";
        agent.directory(folder.path()).setting("BACKUP_PG_DUMP_OPTIONS", options)
    });
    scene.database.query("COMMENT ON TABLE customers IS 'people'; SELECT lo_from_bytea(0, 'a letter')");
    scene.agent.run(&["backup", "--name", "old"]).succeeds();
    let (_, stranger) = key(scene.temporary.path());
    let own = tempfile::tempdir().unwrap();
    let (identity, _) = key(own.path());
    let scene =
        scene.with(|agent| agent.setting("BACKUP_PG_DUMP_OPTIONS", "").setting("BACKUP_AGE_RECIPIENTS", &stranger));
    scene.agent.run(&["backup", "--name", "sealed"]).succeeds();
    fs::remove_file(scene.temporary.path().join("key.txt")).unwrap();
    let scene = scene.with(|agent| {
        let agent = agent.setting("BACKUP_AGE_RECIPIENTS", "");
        agent.setting("BACKUP_AGE_IDENTITY_FILE", identity.display().to_string())
    });
    scene.database.query("ALTER TABLE customers RENAME TO people");
    scene.agent.run(&["backup", "--name", "lacking"]).succeeds();
    scene.database.query("ALTER TABLE people RENAME TO customers");
    scene.agent.run(&["backup", "--name", "rotten"]).succeeds();
    rot(&archive(&scene, folder.path(), "rotten"));

    let nowhere = folder.path().join("no/such/certificate.json").display().to_string();
    scene.erase(&["--all", "--certificate", &nowhere]).exits(2).mentions("cannot write the certificate into");
    let outcome = scene.erase(&["--all", "--json"]).exits(1).mentions("_backup_rotten");
    let answer = outcome.json();
    let outcomes = ["old", "sealed", "lacking", "rotten"].map(|label| of(&answer, label)["outcome"].clone());
    assert_eq!(outcomes, ["erased", "left", "clean", "left"], "{outcome}");
    let reason = |label: &str| of(&answer, label)["reason"].as_str().unwrap().to_owned();
    assert!(reason("rotten").contains("damaged"), "{outcome}");
    assert!(reason("sealed").contains("none of the keys that are set here opens it"), "{outcome}");
    assert_eq!(reason("lacking"), "it has no such table");
    assert!(answer["remains"].to_string().contains("1 large object"), "{outcome}");
    let manifest = fs::read(folder.path().join(format!("{}_backup_old_erased_1.manifest.json", scene.database.name())));
    let manifest: Value = serde_json::from_slice(&manifest.unwrap()).unwrap();
    let options = ["--no-comments", "--exclude-table-data=products"];
    assert_eq!(manifest["archive"]["pgDumpOptions"].as_array().unwrap(), &options);
    assert!(manifest["index"]["key"].as_str().unwrap().ends_with("_backup_old_erased_1.index.json.gz"));
    let condition = format!("email={EMAIL}");
    let old = format!("{}_backup_old_erased_1", scene.database.name());
    let rows = ["rows", &old, "--table", "customers", "--json", "--where"];
    assert_eq!(scene.agent.run(&[&rows[..], &[&condition]].concat()).succeeds().json(), Value::Array(Vec::new()));
    let other = scene.agent.run(&[&rows[..], &["id=7"]].concat()).succeeds();
    assert_eq!(other.json()[0]["email"], "customer7@example.org", "{other}");
}

/// Of the runs that are still going on or broke off, and of those that ended.
pub(super) fn certificates(folder: &Path) -> Vec<Value> {
    let Ok(files) = fs::read_dir(folder.join("status/erasures")) else { return Vec::new() };
    let files =
        files.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "json"));
    files.map(|file| serde_json::from_slice(&fs::read(file).unwrap()).unwrap()).collect()
}

#[test]
fn a_run_that_is_killed_has_told_what_it_did_and_the_next_one_goes_on_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new("told").with(|agent| agent.directory(folder.path()));
    scene.agent.run(&["backup", "--name", "first"]).succeeds();
    scene.database.query("DELETE FROM products");
    scene.agent.run(&["backup", "--name", "second"]).succeeds().mentions("much less is in it");
    let (condition, paper) = (format!("email={EMAIL}"), scene.agent.home().join("certificate.json"));
    let arguments = ["erase", "--table", "customers", "--where", &condition, "--all", "--confirm", "--certificate"];
    let mut run = scene.agent.start(&[&arguments[..], &[&paper.display().to_string()]].concat());
    run.wait_until("one is erased from", |_| {
        certificates(folder.path()).iter().any(|one| of(one, "_backup_second")["outcome"] == "erased")
    });
    run.signal(Signal::KILL);
    let killed = silent(run.wait());
    let (_, salt) = killed.stderr.split_once("salt ").unwrap();
    let salt = salt.split_once(':').unwrap().0;
    let told: Value = serde_json::from_slice(&fs::read(&paper).unwrap()).unwrap();
    assert_eq!((&told["finished"], &of(&told, "_backup_first")["outcome"]), (&Value::Null, &"left".into()), "{told:#}");
    assert!(!told.to_string().contains(salt) && !scene.log().contains(salt), "the salt is stored");

    // Somebody else's that broke off, and all that a run may leave: a hidden file of a backup, and what was to take this one's place.
    let mut others = told.clone();
    others["asked"]["request"] = "0".repeat(64).into();
    fs::write(folder.path().join("status/erasures/20200101_000000.json"), others.to_string()).unwrap();
    let name = scene.database.name();
    let hidden = folder.path().join(format!(".{name}_backup_20260101_030000.sql.gz.0000abcd.partial"));
    fs::write(&hidden, EMAIL).unwrap();
    let half = format!("{name}_backup_first_erased_1.sql.gz");
    for file in fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()) {
        if file.file_name().unwrap().to_string_lossy().contains("_backup_first_erased_1") {
            fs::remove_file(file).unwrap();
        }
    }
    fs::write(folder.path().join(&half), EMAIL).unwrap();
    fs::write(folder.path().join(format!(".{half}.metadata")), "lastgood-id=dead\n").unwrap();

    // What the second had lost is still held against the removal of older ones.
    let shrunk = format!("{name}_backup_second_erased_1.shrunk.json");
    let record: Value = serde_json::from_slice(&fs::read(folder.path().join(&shrunk)).unwrap()).unwrap();
    assert_eq!(record["stem"], *shrunk.strip_suffix(".shrunk.json").unwrap());

    let outcome = scene.erase(&["--all", "--json", "--salt", salt]).succeeds();
    crate::json::holds("erase", &outcome);
    let answer = outcome.json();
    assert_eq!((&answer["began"], &answer["asked"]), (&told["began"], &told["asked"]), "{outcome}");
    assert_eq!(answer["earlier"].as_array().unwrap().len(), 1, "{outcome}");
    for label in ["first", "second"] {
        let one = answer["backups"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["backup"].as_str().unwrap().ends_with(&format!("_backup_{label}")));
        let one = one.unwrap_or_else(|| panic!("{outcome}"));
        assert_eq!(one["outcome"], "erased", "{outcome}");
        assert!(one["replacedBy"].as_str().unwrap().ends_with(&format!("_backup_{label}_erased_1")), "{outcome}");
        assert!(!one["tables"].as_array().unwrap().is_empty(), "{outcome}");
    }
    assert_eq!(of(&answer, ".0000abcd.partial")["outcome"], "cleared", "{outcome}");
    let stored: Vec<Value> = certificates(folder.path()).into_iter().filter(|one| !one["finished"].is_null()).collect();
    assert_eq!((stored.len(), &stored[0]["backups"]), (1, &answer["backups"]));
    for file in fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        assert!(!knows(&fs::read(&file).unwrap(), None), "{} knows them\n{outcome}", file.display());
    }
}

#[test]
fn three_failures_one_after_another_end_a_run_and_a_signal_leaves_it_to_be_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let sql = "CREATE TABLE twice (id int); CREATE SCHEMA s; CREATE TABLE s.twice (id int); CREATE TABLE once (id int);
        INSERT INTO once VALUES (1), (2)";
    let scene = Scene::of("stopped", sql).with(|agent| agent.directory(folder.path()));
    for label in ["a", "b", "c", "d"] {
        scene.agent.run(&["backup", "--name", label]).succeeds();
    }
    let erase = ["erase", "--all", "--confirm", "--where", "id=1", "--table"];
    let refused = scene.agent.run(&[&erase[..], &["twice"]].concat()).exits(2);
    refused.mentions("_backup_d: twice is the name of several tables: ").mentions("_backup_b: ");
    assert!(!folder.path().join("status/erasures").exists(), "nothing has begun");

    // What an earlier run has left is finished all the same.
    let name = scene.database.name();
    let half = format!("{name}_backup_a_erased_1.sql.gz");
    fs::write(folder.path().join(&half), "half").unwrap();
    fs::write(folder.path().join(format!(".{half}.metadata")), "lastgood-id=dead\n").unwrap();
    let cleared = scene.agent.run(&[&erase[..], &["twice"]].concat()).exits(1);
    cleared.mentions("cleared ").mentions("_backup_a: not tried, because 3 newer ones failed one after another");
    assert!(!folder.path().join(&half).exists());

    let [a, b] = ["a", "b"].map(|label| format!("{name}_backup_{label}"));
    let erase = ["erase", &a, &b, "--confirm", "--where", "id=1", "--table", "once"];
    let mut run = scene.agent.start(&erase);
    run.wait_for("waiting for the verdict");
    run.signal(Signal::TERM);
    let stopped = run.wait().exits(1).mentions("PARTLY ERASED").mentions("and the run broke off");
    let (_, salt) = stopped.stderr.split_once("salt ").unwrap();
    let go_on = [&erase[..], &["--salt", salt.split_once(':').unwrap().0]].concat();
    let again = scene.agent.run(&go_on).succeeds();
    let again = again.mentions("2 backups erased from").mentions("2 backups of ").mentions("that were not chosen");
    // Where the signal came after the first of them was done, its line says "an earlier run": that is this request's own run.
    assert!(!again.stdout.lines().any(|line| line.starts_with("earlier ")), "{again}");

    // Both names are those of backups that are gone now: what has their place is meant.
    let third = scene.agent.run(&go_on).succeeds();
    let third = third.mentions("2 backups erased from").mentions("an earlier run of this request did it");
    assert!(!third.stderr.contains("erasing from"), "{third}");
    let dated = ["erase", "--dry-run", "--where", "id=2", "--table", "once", &a];
    scene.agent.run(&dated).succeeds().mentions(&format!("{a}_erased_1"));
    scene.agent.run(&["erase", "--dry-run", "--where", "id=2", "--table", "once", "x"]).exits(5);
}
