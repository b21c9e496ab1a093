//! The documents of `--json` are those of docs/json.md.

use std::collections::BTreeSet;

use e2e::agent::{Agent, Outcome};
use e2e::bucket::Bucket;
use e2e::postgres::Postgres;
use e2e::seaweedfs::Seaweedfs;
use e2e::tools;
use serde_json::Value;

use e2e::past::{agent, database, days_ago, dump, put_in_directory};

/// Objects of many kinds, each with its own fields: no answer has all of them.
const KINDS: &str = ".databases[].findings[]";

/// Every field of a document by its path; a list's elements together have the fields that any of them has.
fn fields(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                found.insert(format!("{path}.{name}"));
                fields(value, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| fields(element, &format!("{path}[]"), found)),
        _ => {}
    }
}

/// The example of a command: the block that begins "```json COMMAND".
fn documented(command: &str) -> BTreeSet<String> {
    let page = std::fs::read_to_string(tools::root().join("docs/json.md")).unwrap();
    let (_, rest) = page.split_once(&format!("```json {command}\n")).unwrap_or_else(|| panic!("no {command}"));
    let mut found = BTreeSet::new();
    fields(&serde_json::from_str(rest.split("```").next().unwrap()).unwrap(), "", &mut found);
    found
}

/// Finds in a command's answer nothing that isn't documented, and of each object that is there every field that is documented.
pub(crate) fn holds(command: &str, run: &Outcome) {
    let mut told = BTreeSet::new();
    fields(&run.json(), "", &mut told);
    let documented = documented(command);
    let unknown: Vec<_> = told.difference(&documented).collect();
    assert!(unknown.is_empty(), "{command}: not in docs/json.md: {unknown:?}\n{run}");
    let parent = |field: &str| field.rsplit_once('.').unwrap().0.to_owned();
    let parents: BTreeSet<String> = told.iter().map(|field| parent(field)).collect();
    let always = |field: &&String| parents.contains(&parent(field)) && parent(field) != KINDS;
    let missing = documented.difference(&told).filter(always);
    let missing: Vec<_> = missing.collect();
    assert!(missing.is_empty(), "{command}: documented, and not told: {missing:?}\n{run}");
}

fn json(agent: &Agent, arguments: &[&str]) -> Outcome {
    agent.run(&[arguments, &["--json"]].concat())
}

#[test]
fn documents_are_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    for days in [0, 40, 80] {
        put_in_directory(folder.path(), "app", days_ago(days));
    }
    std::fs::write(folder.path().join("app_backup_guest.sql.gz"), dump()).unwrap();
    std::fs::write(folder.path().join("app_backup_half.sql.gz"), &dump()[..1000]).unwrap();
    let agent = agent().setting("DB_NAME", "app").directory(folder.path()).setting("BACKUP_MIN_GOOD", "1");
    holds("failure", &json(&agent, &["show", "app_backup_none"]).exits(5));
    holds("list", &json(&agent, &["list"]).succeeds());
    holds("show", &json(&agent, &["show", "latest"]).succeeds());
    holds("verify", &json(&agent, &["verify", "latest"]).succeeds());
    holds("verify damaged", &json(&agent, &["verify", "--all"]).exits(4));
    holds("check", &json(&agent, &["check"]).exits(6));
    holds("status", &json(&agent, &["status"]).exits(6));
    holds("version", &json(&agent, &["version"]).succeeds());
    holds("adopt", &json(&agent, &["adopt", "--all"]).exits(4));
    holds("prune", &json(&agent, &["prune", "--dry-run"]).succeeds());
    holds("prune", &json(&agent, &["prune", "--force"]).succeeds());
    holds("expect", &json(&agent, &["expect", "app", "--max-age", "2h", "--min-size", "10MB"]).succeeds());
    holds("retire", &json(&agent, &["retire", "app", "--confirm"]).succeeds());
    holds("config", &json(&agent, &["config"]).succeeds());
    holds("cost", &json(&agent, &["cost", "--size", "50MB"]).succeeds());
}

#[test]
fn documents_of_backup_and_restore_are_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent().database(database()).directory(folder.path());
    holds("backup --dry-run", &json(&agent, &["backup", "--dry-run"]).succeeds());
    holds("backup", &json(&agent, &["backup"]).succeeds());
    holds("restore --dry-run", &json(&agent, &["restore", "latest", "--dry-run"]).succeeds());
    holds("drill --dry-run", &json(&agent, &["drill", "--dry-run"]).succeeds());
    let table = database().query("SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') LIMIT 1");
    let rows = json(&agent, &["rows", "--table", table.trim(), "--limit", "1"]).succeeds().json();
    assert!(rows.is_array(), "a list of rows, as docs/json.md has it: {rows}");
    let agent = agent.setting("RESTORE_CHECKS", "SELECT true");
    holds("drill", &json(&agent, &["drill"]).succeeds());
    let copy = format!("{}_json", database().name());
    let restored = json(&agent, &["restore", "latest", "--into", &copy, "--confirm"]);
    database().server().query(&format!("DROP DATABASE IF EXISTS \"{copy}\""));
    holds("restore", &restored.succeeds());
}

#[test]
fn documents_of_what_restore_lists_and_drops_are_as_documented() {
    let access = Seaweedfs::shared().admin();
    let bucket = Bucket::new(&access);
    let database = Postgres::shared().new_database("json");
    database.query("CREATE TABLE t AS SELECT 1 AS n");
    let agent = agent().database(&database).bucket(bucket.name(), &access).setting("BACKUP_VERIFY", "read-back");
    agent.run(&["backup"]).succeeds();
    holds("restore --list-s3", &json(&agent, &["restore", "--list-s3"]).succeeds());
    agent.run(&["restore", "latest", "--confirm"]).succeeds();
    let undo = ["restore", "--undo"];
    let planned = json(&agent, &[&undo[..], &["--dry-run"]].concat()).succeeds();
    assert_eq!((&planned.json()["done"], &planned.json()["others"]), (&false.into(), &Value::Array(Vec::new())));
    holds("restore --undo", &planned);
    holds("restore --undo", &json(&agent, &[&undo[..], &["--confirm"]].concat()).succeeds());
    let dropped = json(&agent, &["restore", "--drop-old", "--confirm"]).succeeds();
    assert_eq!(dropped.json()["dropped"].as_array().unwrap().len(), 1);
    holds("restore --drop-old", &dropped);
}
