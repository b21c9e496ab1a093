//! Named backups, several databases in one run, and a run that only says what it would do.

use e2e::ministack::Ministack;
use e2e::postgres::{Installation, Postgres};

use super::{Places, agent, small};

#[test]
fn a_name_in_use_is_refused_before_the_dump_and_nothing_is_overwritten() {
    let places = Places::new();
    let both = || places.both(agent().database(small()));
    both().run(&["backup", "--name", "initial"]).succeeds();
    let stem = format!("{}_backup_initial", small().name());
    assert!(places.files().contains(&format!("{stem}.sql.gz")), "{:?}", places.files());
    let key = places.bucket.key_ending_in(&format!("/{stem}.sql.gz"));
    let day = key.split('/').nth(1).unwrap();
    let (files, objects) = (places.files(), places.bucket.objects());

    let refused = |text: &str, agent: e2e::agent::Agent| {
        agent.run(&["backup", "--name", "initial"]).exits(1).mentions(text).mentions("hint: choose another --name");
        assert_eq!((places.files(), places.bucket.objects()), (files.clone(), objects.clone()));
    };
    refused(&format!("a backup named {stem} already exists in {}", places.directory().display()), both());
    refused(&stem, both().setting("BACKUP_COMPRESSION", "zstd"));
    let bucket_alone = agent().database(small()).bucket(places.bucket.name(), places.bucket.access());
    let named = format!("a backup named {day}/{stem} already exists in s3://{}/backups", places.bucket.name());
    refused(&named, bucket_alone.setting("BACKUP_COMPRESSION", "none"));
}

#[test]
fn all_databases_of_a_server_are_taken_but_its_templates() {
    let server = Postgres::start(Installation::debian());
    let [first, second] = ["shop", "blog"].map(|name| server.new_database_named(name));
    let places = Places::new();
    let agent = agent().database(&first).directory(&places.directory());
    let outcome = agent.run(&["backup", "--all-databases", "--json"]).succeeds();
    let names: Vec<_> =
        outcome.json()["backups"].as_array().unwrap().iter().map(|backup| backup["database"].clone()).collect();
    assert_eq!(names, [second.name(), "postgres", first.name()]);
    assert_eq!(places.files().iter().filter(|file| file.ends_with(".intact.json")).count(), 3);
}

#[test]
fn one_database_that_fails_does_not_keep_the_others_from_theirs() {
    let places = Places::new();
    let agent = places.both(agent().database(small()));
    let arguments = ["backup", "--database", "no_such_database", "--database", small().name()];
    let failed = agent.run(&arguments).exits(1).mentions(r#"database "no_such_database" does not exist"#);
    assert!(failed.stdout.contains("no_such_database  FAILED: "), "{failed}");
    places.directory_holds_one_good_backup();
    places.bucket_holds_one_backup();

    // Elsewhere: within the same second it would have the same name.
    let agent = agent.directory(&places.above.path().join("others"));
    let answer = agent.run(&[&arguments[..], &["--json"]].concat()).exits(1).json();
    let [failed, done] = answer["backups"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    assert!(failed["failures"][0]["error"].as_str().unwrap().contains("does not exist"), "{failed}");
    assert_eq!(done["stored"][0]["state"], "good");

    let log = std::fs::read_to_string(agent.home().join("log")).unwrap();
    assert!(log.contains(" ERROR cannot connect to database no_such_database"), "{log}");
    assert!(log.contains(" INFO ") && log.contains(small().name()), "{log}");
}

#[test]
fn a_dry_run_says_what_it_would_do_and_writes_nothing() {
    let places = Places::new();
    let agent = places.both(agent().database(small()));
    let outcome = agent.run(&["backup", "--dry-run"]).succeeds();
    let bucket = format!("to s3://{}/backups", places.bucket.name());
    outcome.mentions(&format!("would back up {}", small().name())).mentions(&bucket).mentions("nothing was written");
    let intent = agent.run(&["backup", "--dry-run", "--json"]).succeeds().json();
    assert_eq!(intent["databases"][0]["database"], small().name());
    assert_eq!(intent["repositories"].as_array().unwrap().len(), 2);
    assert!(!places.directory().exists());
    places.hold_nothing();

    let missing = agent.bucket("no-such-bucket", &Ministack::shared().root());
    missing.run(&["backup", "--dry-run"]).exits(2).mentions("the bucket no-such-bucket does not exist (NoSuchBucket)");
}

#[test]
fn a_failure_is_one_json_document_where_asked() {
    let places = Places::new();
    let agent = places.both(agent().database(small())).setting("DB_NAME", "no_such_database");
    let failure = agent.run(&["backup", "--json"]).exits(5).json();
    assert_eq!(failure["exit"], 5);
    assert!(failure["error"].as_str().unwrap().contains("does not exist"), "{failure}");
    assert!(failure["hint"].as_str().unwrap().contains("DB_NAME"), "{failure}");
    places.hold_nothing();
}
