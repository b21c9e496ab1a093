//! Backups that nothing disturbs: the same archive in both places, restorable with nothing of ours, described truly.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use e2e::postgres::Postgres;
use e2e::process::output;

use super::{Places, agent, in_parts, large, small, through};

/// How to read an archive by hand.
fn expanded(file: &std::path::Path) -> Vec<u8> {
    let program: &[&str] = match file.extension().unwrap().to_str().unwrap() {
        "gz" => &["gunzip", "-c"],
        "zst" => &["zstd", "-dc"],
        _ => &["cat"],
    };
    let output = output(Command::new(program[0]).args(&program[1..]).arg(file));
    assert!(output.status.success(), "{program:?}");
    output.stdout
}

fn md5sum(bytes: &[u8]) -> String {
    String::from_utf8(through(&mut Command::new("md5sum"), bytes)).unwrap().split(' ').next().unwrap().to_owned()
}

#[test]
fn every_compression_restores_by_hand_to_what_a_plain_restore_gives() {
    let server = Postgres::shared();
    let database = server.new_database("everything");
    database.fill_with_everything();
    let plain = server.new_database("plain");
    plain.restore(&database.dump(&["--format=custom"]));
    let expected = plain.as_sql();
    for (compression, suffix) in [("gzip", ".sql.gz"), ("zstd", ".sql.zst"), ("none", ".sql")] {
        let places = Places::new();
        let agent = places.both(agent().database(&database)).setting("BACKUP_COMPRESSION", compression);
        agent.run(&["backup"]).succeeds().mentions(places.bucket.name()).mentions(suffix);
        places.directory_holds_one_good_backup();
        places.bucket_holds_one_backup();

        let file = places.file_ending_in(suffix);
        assert!(std::fs::read(&file).unwrap() == places.bucket.get(&places.bucket.key_ending_in(suffix)));
        let restored = server.new_database("restored");
        restored.restore(&expanded(&file));
        assert!(restored.as_sql() == expected, "{compression}: restored by hand, it isn't what it was");
    }
}

#[test]
fn keys_metadata_and_manifest_say_what_is_stored() {
    let places = Places::new();
    let outcome = places.both(agent().database(small())).run(&["backup", "--json"]).succeeds();
    let key = places.bucket.key_ending_in(".sql.gz");
    let [prefix, day, name] = key.split('/').collect::<Vec<_>>()[..] else { panic!("{key}") };
    let (database, time) = name.strip_suffix(".sql.gz").unwrap().rsplit_once("_backup_").unwrap();
    assert_eq!((prefix, database, time.split_once('_').unwrap().0), ("backups", small().name(), day));
    let stem = format!("{database}_backup_{time}");
    let directory = [".globals.sql.gz", ".index.json.gz", ".intact.json", ".manifest.json", ".sql.gz"]
        .map(|suffix| format!("{stem}{suffix}"));
    assert_eq!(places.files(), directory);
    let entry = format!("backups/databases/{database}.json");
    let beside =
        [".globals.sql.gz", ".index.json.gz", ".manifest.json"].map(|suffix| format!("backups/{day}/{stem}{suffix}"));
    assert_eq!(places.bucket.keys(), [&beside[..], &[key.clone(), entry.clone()]].concat());

    let head = places.bucket.head(&key);
    let metadata = head.metadata().unwrap();
    assert_eq!(head.content_type(), Some("application/gzip"));
    assert_eq!(metadata["database"], small().name());
    assert_eq!(metadata["lastgood-id"].len(), 32);
    metadata["backup_date"].parse::<jiff::Timestamp>().unwrap();

    let bytes = places.bucket.get(&key);
    let manifest = places.bucket.get_json(&places.bucket.key_ending_in(".manifest.json"));
    let archive = &manifest["archive"];
    assert_eq!((&manifest["version"], &manifest["stem"]), (&1.into(), &stem.clone().into()));
    assert_eq!((&archive["md5"], &archive["size"]), (&md5sum(&bytes).into(), &bytes.len().into()));
    assert_eq!((&archive["key"], &archive["compression"]), (&key.clone().into(), &"gzip".into()));
    assert_eq!(archive["etag"], head.e_tag().unwrap().trim_matches('"'));
    assert_eq!(manifest["database"]["name"], small().name());
    assert_eq!((&manifest["census"][0]["name"], &manifest["census"][0]["rows"]), (&"pair".into(), &2.into()));

    let entry = places.bucket.get_json(&entry);
    assert_eq!((&entry["database"], &entry["since"]), (&small().name().into(), &manifest["started"]));
    assert!(entry["retired"].is_null() && entry.as_object().unwrap().contains_key("retired"), "{entry}");

    let backup = &outcome.json()["backups"][0];
    assert_eq!((&backup["database"], &backup["rows"]), (&small().name().into(), &2.into()));
    let states: Vec<_> = backup["stored"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["good", "uploaded"], "the directory was read back, the bucket is the verifier's");
}

#[test]
fn an_archive_of_several_parts_arrives_whole_and_is_read_back_where_asked() {
    let places = Places::new();
    let agent = in_parts(agent().database(large())).bucket(places.bucket.name(), places.bucket.access());
    agent.setting("BACKUP_VERIFY", "read-back").run(&["backup"]).succeeds().mentions("good");
    assert_eq!(places.files(), Vec::<String>::new(), "a bucket alone means no local copy");
    let key = places.bucket.key_ending_in(".sql");
    let parts: u32 =
        places.bucket.head(&key).e_tag().unwrap().trim_matches('"').split_once('-').unwrap().1.parse().unwrap();
    assert!(parts >= 3, "{parts} parts");
    let bytes = places.bucket.get(&key);
    let manifest = places.bucket.get_json(&places.bucket.key_ending_in(".manifest.json"));
    assert_eq!(manifest["archive"]["md5"], md5sum(&bytes));
    let verdict = places.bucket.get_json(&places.bucket.key_ending_in(".intact.json"));
    assert_eq!((&verdict["outcome"], &verdict["content"]), (&"intact".into(), &"read".into()));
    assert_eq!(places.bucket.open_uploads(), Vec::<String>::new());

    let restored = large().server().new_database("restored");
    restored.restore(&bytes);
    assert!(restored.as_sql() == large().as_sql());
}

#[test]
fn a_database_of_any_name_is_backed_up_under_a_key_that_says_it() {
    let name = r#"it's "a/b\c" = ünïcødé 🗄️"#;
    let database = Postgres::shared().new_database_named(name);
    database.query("CREATE TABLE t AS SELECT 7 AS seven");
    let places = Places::new();
    places.both(agent().database(&database)).run(&["backup"]).succeeds();
    places.directory_holds_one_good_backup();
    places.bucket_holds_one_backup();
    let key = places.bucket.key_ending_in(".sql.gz");
    let stem: catalog::Stem = key.rsplit('/').next().unwrap().strip_suffix(".sql.gz").unwrap().parse().unwrap();
    assert_eq!(stem.database(), name);
    assert_eq!(places.bucket.get_json(&places.bucket.key_ending_in(".manifest.json"))["database"]["name"], name);
    let entry = format!("backups/databases/{}.json", catalog::encode_database(name));
    assert_eq!(places.bucket.get_json(&entry)["database"], name);
}

#[test]
fn local_files_are_for_their_owner_alone() {
    let places = Places::new();
    agent().database(small()).directory(&places.directory()).run(&["backup"]).succeeds();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&places.directory()), 0o700);
    for file in places.files() {
        assert_eq!(mode(&places.directory().join(&file)), 0o600, "{file}");
    }
    places.bucket_holds_nothing();
}
