//! A backup that has lost rows: the warning, and the backups from before it that are kept until somebody accepts it.

use std::path::Path;

use e2e::agent::Agent;
use e2e::functions::Setup;
use e2e::postgres::{Database, Postgres};
use serde_json::{Value, json};

use crate::functions::{Ground, invoke};
use crate::json::holds;
use e2e::past::{agent, days_ago, put_in_bucket, put_in_directory, stem};

fn shop(name: &str) -> Database<'static> {
    let database = Postgres::shared().new_database_named(name);
    database.query(
        "CREATE TABLE orders AS SELECT n, md5(n::text) AS text FROM generate_series(1, 5000) AS n;
         CREATE TABLE users AS SELECT n FROM generate_series(1, 500) AS n;
         CREATE TABLE queue AS SELECT n FROM generate_series(1, 2000) AS n;
         CREATE TABLE events_2026_01 AS SELECT n FROM generate_series(1, 900) AS n;
         CREATE TABLE events_2026_02 AS SELECT n FROM generate_series(1, 900) AS n;
         CREATE TABLE events_2026_03 AS SELECT n FROM generate_series(1, 900) AS n",
    );
    database
}

/// What somebody did by mistake.
const MISTAKE: &str = "DELETE FROM orders WHERE n > 12; DROP TABLE users; DROP TABLE events_2026_01; DELETE FROM queue";

fn files(folder: &Path, ending: &str) -> usize {
    let files = std::fs::read_dir(folder).unwrap();
    files.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().ends_with(ending)).count()
}

#[test]
fn a_shrink_is_told_and_keeps_what_is_older_until_it_is_accepted() {
    let database = shop("shrunken");
    let folder = tempfile::tempdir().unwrap();
    (1..=4).for_each(|days| put_in_directory(folder.path(), database.name(), days_ago(days * 5)));
    let agent = agent().database(&database).directory(folder.path()).setting("BACKUP_MIN_GOOD", "1");
    // The dumps of old are of another schema: compared with them everything is lost.
    let agent = agent.setting("BACKUP_SHRINK_EXCEPT", "large, qu*").setting("BACKUP_RETENTION_DAYS", "0");
    let agent = agent.setting("MIN_BACKUP_COUNT", "1").setting("MIN_BACKUP_SIZE", "1");
    agent.run(&["backup", "--name", "before"]).succeeds().keeps_silent_about("WARNING");
    database.query(MISTAKE);
    let agent = agent.setting("BACKUP_KEEP_LAST", "4");
    let told = agent.run(&["backup", "--name", "after"]).succeeds();
    let told = told.mentions("table public.orders has 12 rows, where it had 5,000 rows");
    told.mentions("table public.users is gone, with 500 rows")
        .keeps_silent_about("queue")
        .keeps_silent_about("events_");
    assert_eq!(files(folder.path(), ".shrunk.json"), 1);
    assert_eq!(files(folder.path(), ".manifest.json"), 6, "nothing of what is older went");
    shown(&agent, folder.path());

    // The next one has lost nothing since, and what is older stays.
    agent.run(&["backup", "--name", "next"]).succeeds().keeps_silent_about("WARNING");
    let plan = agent.run(&["prune"]).succeeds().mentions("or until `lastgood accept shrunken_backup_after`");
    plan.mentions("nothing to remove");
    agent.run(&["accept", "none"]).exits(5).mentions("hint: ");
    holds("accept", &agent.run(&["accept", "after", "--json"]).succeeds());
    agent.run(&["accept", "after"]).succeeds().mentions("was accepted on");
    assert_eq!(files(folder.path(), ".accepted.json"), 1);
    agent.run(&["prune"]).succeeds().mentions("3 backups removed");
    agent.run(&["list"]).succeeds().keeps_silent_about("SHRUNK");
    // An accepted one goes with all of its records.
    database.query("CREATE TABLE more AS SELECT n FROM generate_series(1, 10) AS n");
    for name in ["a", "b", "c", "d", "e"] {
        agent.run(&["backup", "--name", name]).succeeds();
    }
    assert_eq!((files(folder.path(), ".shrunk.json"), files(folder.path(), ".accepted.json")), (0, 0));
}

fn shown(agent: &Agent, folder: &Path) {
    agent.run(&["list"]).succeeds().mentions("good, SHRUNK").mentions("lastgood accept shrunken_backup_after");
    let show = agent
        .run(&["show", "after"])
        .succeeds()
        .mentions("shrunk     since shrunken_backup_before: table public.orders");
    show.mentions("lastgood diff shrunken_backup_before shrunken_backup_after");
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(folder.join("shrunken_backup_after.manifest.json")).unwrap()).unwrap();
    let tables = manifest["shrunk"]["tables"].as_array().unwrap();
    assert_eq!(tables[0], json!({"schema": "public", "name": "orders", "before": 5000, "after": 12, "inBytes": false}));
    assert_eq!((tables.len(), &tables[1]["after"]), (2, &Value::Null));
    let check = agent.run(&["check", "--json"]).json();
    assert_eq!(check["databases"][0]["shrunk"], json!(["shrunken_backup_after"]), "{check}");
    agent.run(&["diff", "after~1", "after"]).succeeds().mentions("vanished");
    let unaccepted = agent.run(&["check"]).succeeds();
    unaccepted.mentions("HEALTHY").mentions("note: shrunken_backup_after has lost rows or tables");
}

#[test]
fn a_queue_that_is_empty_now_and_then_and_a_setting_warn_of_nothing() {
    let database = Postgres::shared().new_database_named("queued");
    let folder = tempfile::tempdir().unwrap();
    let agent = agent().database(&database).directory(folder.path());
    let fill = "INSERT INTO queue SELECT generate_series(1, 3000)";
    database.query("CREATE TABLE queue (n integer)");
    agent.run(&["backup", "--name", "new"]).succeeds();
    database.query(fill);
    agent.run(&["backup", "--name", "full"]).succeeds();
    database.query("DELETE FROM queue; CREATE TABLE other AS SELECT generate_series(1, 3000) AS n");
    agent
        .run(&["backup", "--name", "empty"])
        .succeeds()
        .mentions("table public.queue has 0 rows, where it had 3,000 rows");
    agent.run(&["accept", "empty"]).succeeds();
    database.query(fill);
    agent.run(&["backup", "--name", "again"]).succeeds();
    database.query("DELETE FROM queue");
    agent.run(&["backup", "--name", "once"]).succeeds().keeps_silent_about("WARNING");
    database.query("DELETE FROM other");
    let off = agent.setting("BACKUP_SHRINK_PERCENT", "0");
    off.run(&["backup", "--name", "off", "--json"]).succeeds().keeps_silent_about("\"since\"");
    assert_eq!(files(folder.path(), ".shrunk.json"), 1);
}

/// Of what nobody has accepted nothing is learned: neither of the night of the loss nor of those after it.
#[test]
fn a_loss_that_lasted_two_nights_unaccepted_is_told_again() {
    let database = Postgres::shared().new_database_named("twice_lost");
    let folder = tempfile::tempdir().unwrap();
    let agent = agent().database(&database).directory(folder.path());
    let fill = "INSERT INTO orders SELECT generate_series(1, 3000)";
    database.query(&format!("CREATE TABLE orders (n integer); {fill}"));
    agent.run(&["backup", "--name", "full"]).succeeds();
    let backup = |name: &str| agent.run(&["backup", "--name", name]).succeeds();
    database.query("DELETE FROM orders");
    backup("lost").mentions("table public.orders has 0 rows");
    backup("still_lost").keeps_silent_about("WARNING");
    database.query(fill);
    backup("full_again").keeps_silent_about("WARNING");
    database.query("DELETE FROM orders");
    backup("lost_again").mentions("table public.orders has 0 rows");
    assert_eq!(files(folder.path(), ".shrunk.json"), 2);

    // Many rows in a statement are no loss of bytes.
    let agent = agent.setting("BACKUP_PG_DUMP_OPTIONS", "--inserts");
    database.query("CREATE TABLE narrow AS SELECT 1 AS a FROM generate_series(1, 9000)");
    agent.run(&["backup", "--name", "single"]).succeeds();
    let agent = agent.setting("BACKUP_PG_DUMP_OPTIONS", "--rows-per-insert=100");
    agent.run(&["backup", "--name", "several"]).succeeds().keeps_silent_about("WARNING");
    database.query("DROP TABLE narrow");
    agent.run(&["backup", "--name", "gone"]).succeeds().mentions("table public.narrow is gone");
}

fn retention(ground: &Ground) -> Setup {
    let setup = ground.function("retention").setting("BACKUP_S3_DELETE_DAYS", "0").setting("BACKUP_MIN_GOOD", "1");
    setup.setting("BACKUP_KEEP_LAST", "4")
}

fn removed(answer: &Value) -> usize {
    answer["databases"][0]["removed"].as_array().unwrap().len()
}

#[test]
fn the_stack_tells_which_tables_shrank_and_keeps_what_is_older_until_an_operator_accepts() {
    let (ground, database) = (Ground::versioned(), shop("stackshrunk"));
    (1..=4).for_each(|days| put_in_bucket(&ground.bucket, database.name(), days_ago(days)));
    let agent = agent().database(&database).bucket(ground.bucket.name(), ground.bucket.access());
    let agent = agent.setting("BACKUP_VERIFY", "read-back").setting("BACKUP_SHRINK_EXCEPT", "large");
    agent.run(&["backup", "--name", "before"]).succeeds();
    database.query(MISTAKE);
    agent.run(&["backup", "--name", "after"]).succeeds().mentions("WARNING");
    ground.bucket.key_ending_in("stackshrunk_backup_after.shrunk.json");

    let (measure, prune) = (json!({"action": "measure"}), json!({"action": "prune"}));
    let told = invoke(&ground.function("freshness"), &measure).done();
    let said = told["standing"].to_string();
    assert!(
        said.contains("the backup stackshrunk_backup_after has lost rows: table public.orders has 12 rows"),
        "{said}"
    );
    let left = ground.metric("RowRatio", None).unwrap();
    assert!(left < 0.01, "the alarm `emptied` rings: {left}");
    assert_eq!(ground.metric("ShrunkBackups", Some(database.name())), Some(1.0));
    let messages = ground.messages();
    let text = &messages.iter().find(|message| message.text.contains("has lost rows")).expect("no message").text;
    let accept = text.lines().find(|line| line.contains("lastgood accept ")).unwrap().trim();

    assert_eq!(removed(&invoke(&retention(&ground), &prune).done()), 0, "two would go");
    let status = ground.bucket.get_json("backups/status/prune.json");
    assert_eq!((status["shrunk"].as_array().unwrap().len(), &status["shrunk"][0]["kept"]), (1, &json!(2)), "{status}");
    let daily = invoke(&ground.function("freshness"), &json!({"action": "measure", "time": "2026-01-20T07:05:00Z"}));
    assert!(daily.done()["standing"].to_string().contains("2 backups from before it would go, and stay"));

    let words: Vec<&str> = accept.split(' ').skip(1).collect();
    agent.run(&words).succeeds();
    assert!(!invoke(&ground.function("freshness"), &measure).done()["standing"].to_string().contains("has lost rows"));
    let answer = invoke(&retention(&ground), &prune).done();
    assert_eq!(removed(&answer), 2, "{answer}");
    assert!(answer.to_string().contains(&stem(database.name(), days_ago(4))[..24]), "{answer}");
    assert_eq!(ground.bucket.get_json("backups/status/prune.json")["shrunk"], Value::Null);
}
