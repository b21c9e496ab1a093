//! `lastgood diff`: what differs between two backups, and their rows in bounded memory.

use e2e::agent::Agent;
use e2e::bucket::Bucket;
use e2e::postgres::{Database, Postgres};
use e2e::proxy::{Direction, Proxy};
use e2e::seaweedfs::Seaweedfs;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::json::holds;
use e2e::past::{agent, days_ago, dump, put_in_directory, stem};

/// A database, two backups of it into a directory, and what happened in between.
struct Scene {
    database: Database<'static>,
    agent: Agent,
    _folder: TempDir,
}

impl Scene {
    fn new(name: &str, before: &str) -> Scene {
        let database = Postgres::shared().new_database(name);
        database.query(before);
        let folder = tempfile::tempdir().unwrap();
        let agent = agent().database(&database).directory(folder.path());
        Scene { database, agent, _folder: folder }
    }

    fn with(self, name: &str, value: &str) -> Scene {
        Scene { agent: self.agent.setting(name, value), ..self }
    }

    fn after(self, between: &str) -> Scene {
        self.agent.run(&["backup", "--name", "one"]).succeeds();
        self.database.query(between);
        self.agent.run(&["backup", "--name", "two"]).succeeds();
        self
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.agent.run(&[&["diff", "one", "two", "--json"], arguments].concat()).succeeds().json()
    }
}

const BEFORE: &str = r#"
    CREATE TABLE users (id serial PRIMARY KEY, "Größe %" text, note text);
    INSERT INTO users ("Größe %", note) VALUES ('a', NULL), ('b', ''), ('c', E'tab\there'), ('d', 'NULL'), ('e', E'\\N');
    CREATE TABLE same AS SELECT n FROM generate_series(1, 10) AS n;
    CREATE TABLE log (line text);
    INSERT INTO log SELECT 'x' FROM generate_series(1, 3);
    CREATE TABLE gone (n integer);
    CREATE VIEW names AS SELECT id FROM users;
    CREATE SEQUENCE counter;
    SELECT lo_create(4711);
"#;
const BETWEEN: &str = r#"
    UPDATE users SET note = 'now', "Größe %" = E'q"uote\n' WHERE id = 1;
    UPDATE users SET note = '' WHERE id = 5;
    DELETE FROM users WHERE id = 2;
    INSERT INTO users ("Größe %", note) VALUES ('f', 'new');
    INSERT INTO log VALUES ('x'), ('y');
    DROP TABLE gone;
    CREATE TABLE fresh (n integer);
    CREATE OR REPLACE VIEW names AS SELECT id, note FROM users;
    ALTER TABLE log ADD CONSTRAINT short CHECK (length(line) < 99);
    SELECT nextval('counter');
    SELECT lo_create(4712);
"#;

fn changes(answer: &Value) -> Vec<(&str, &str)> {
    let tables = answer["tables"].as_array().unwrap().iter();
    tables.map(|table| (table["name"].as_str().unwrap(), table["change"].as_str().unwrap())).collect()
}

#[test]
fn tables_definitions_sequences_and_rows_that_differ_are_named() {
    let scene = Scene::new("diff", BEFORE).after(BETWEEN);
    let answer = scene.json(&[]);
    assert_eq!(changes(&answer), [("fresh", "appeared"), ("gone", "vanished"), ("log", "grew"), ("users", "changed")]);
    assert_eq!((&answer["equal"], &answer["equalTables"]), (&json!(false), &json!(1)));
    assert_eq!(answer["largeObjects"]["content"]["after"]["rows"], 2);
    let sequences = answer["sequences"].as_array().unwrap();
    assert!(
        sequences
            .iter()
            .any(|s| s["name"] == "public.counter" && s["before"] == "1 (not used yet)" && s["after"] == "1"),
        "{sequences:?}"
    );
    let definition = |name: &str| {
        let all = answer["definitions"].as_array().unwrap();
        all.iter().find(|d| d["name"] == name).unwrap_or_else(|| panic!("no {name}: {all:#?}")).clone()
    };
    assert_eq!(definition("table public.fresh")["change"], "added");
    assert_eq!(definition("table public.gone")["change"], "removed");
    let view = definition("view public.names");
    let lines: Vec<&str> = view["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert!(
        lines.iter().any(|line| line.starts_with("- "))
            && lines.iter().any(|line| line.starts_with("+ ") && line.contains("note")),
        "{lines:?}"
    );
    assert!(definition("table public.log")["lines"].to_string().contains("short"));

    scene
        .agent
        .run(&["diff", "one", "two"])
        .succeeds()
        .mentions("public.log    grew")
        .mentions("3 → 5")
        .mentions("gone     table public.gone");
    scene.agent.run(&["diff", "one", "two", "--exit-code"]).exits(6);
    scene.agent.run(&["diff", "two~1", "two", "--exit-code"]).exits(6).mentions("diff").mentions("_one");
    scene.agent.run(&["diff", "latest", "two", "--exit-code"]).succeeds().mentions("Nothing differs");
    scene.agent.run(&["diff", "latest~2", "two"]).exits(5).mentions("has 1 good backup before `latest`");
    scene.agent.run(&["diff", "one", "three"]).exits(5).mentions("hint: ");
    holds("diff", &scene.agent.run(&["diff", "one", "two", "--json"]).succeeds());
    rows(&scene);
}

fn rows(scene: &Scene) {
    let answer = scene.json(&["--rows"]);
    let rows = answer["rows"].as_array().unwrap();
    let of = |table: &str, change: &str| -> Vec<Value> {
        rows.iter().filter(|row| row["table"] == table && row["change"] == change).cloned().collect()
    };
    assert_eq!(of("users", "removed").len(), 1);
    assert_eq!(of("users", "removed")[0]["before"], json!({"id": "2", "Größe %": "b", "note": ""}));
    assert_eq!(of("users", "added")[0]["key"], json!({"id": "6"}));
    let changed = of("users", "changed");
    let first = changed.iter().find(|row| row["key"]["id"] == "1").unwrap();
    assert_eq!(first["before"], json!({"Größe %": "a", "note": null}));
    assert_eq!(first["after"], json!({"Größe %": "q\"uote\n", "note": "now"}));
    let last = changed.iter().find(|row| row["key"]["id"] == "5").unwrap();
    assert_eq!(
        (&last["before"], &last["after"]),
        (&json!({"note": "\\N"}), &json!({"note": ""})),
        "the text and not NULL"
    );
    assert_eq!(changed.len(), 2);
    assert_eq!(of("log", "added").len(), 2, "a table without a key counts its rows");
    assert_eq!(rows.len(), 6);
    let counts = answer["rowCounts"].as_array().unwrap();
    assert_eq!(counts.iter().find(|count| count["name"] == "users").unwrap()["changed"], 2);
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(fields(&rows[0]), "schema table change key before after");
    assert_eq!(fields(&counts[0]), "schema name key added removed changed otherColumns notCompared");

    let said = scene.agent.run(&["diff", "one", "two", "--rows", "--table", "users", "--limit", "1"]).succeeds();
    said.mentions("rows of public.users, by id:")
        .mentions("1 added, 1 removed, 2 changed; 3 not shown")
        .keeps_silent_about("rows of public.log");
    let said = scene.agent.run(&["diff", "two", "one", "--rows", "--table", "public.users"]).succeeds();
    said.mentions("~ id=1  Größe %: \"q\\\"uote\\n\" → a, note: now → NULL").mentions("- id=6 ");
    scene
        .agent
        .run(&["diff", "one", "two", "--rows", "--table", "same"])
        .succeeds()
        .mentions("rows of public.same: the same in both backups")
        .keeps_silent_about("rows of public.log");
    scene
        .agent
        .run(&["diff", "one", "two", "--rows", "--table", "nosuch"])
        .exits(5)
        .mentions("neither backup has a table `nosuch`");
}

/// Under other settings of the session, with other zeros, other columns: what is the same is the same, and what isn't is told.
#[test]
fn values_are_compared_by_what_they_are_and_columns_by_their_names() {
    let scene = Scene::new(
        "diffspelled",
        "CREATE TABLE stamps (at timestamptz PRIMARY KEY, y bytea, n integer);
         INSERT INTO stamps VALUES ('2024-01-01 00:00Z', '\\x00ff', 1), ('2024-01-02 00:00Z', 'a', 2);
         CREATE TABLE keyless AS SELECT at, y FROM stamps;
         CREATE TABLE swapped (a text, b text); INSERT INTO swapped VALUES ('1', '2');
         CREATE TABLE zeros (id numeric(10,1) PRIMARY KEY, v text); INSERT INTO zeros VALUES (1.0, 'x'), (2.0, 'y');
         CREATE TABLE renamed (id integer PRIMARY KEY, v text); INSERT INTO renamed VALUES (1, 'x');
         CREATE TABLE \"100 % \"\"so\"\"\" AS SELECT 1 AS n;
         CREATE TABLE parts (n integer) PARTITION BY RANGE (n); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (9);
         INSERT INTO parts VALUES (1);
         SELECT lo_from_bytea(4711, 'abc')",
    );
    let scene = scene.after(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET TimeZone TO %L', current_database(), 'Asia/Kolkata');
             EXECUTE format('ALTER DATABASE %I SET bytea_output TO %L', current_database(), 'escape'); END $$;
         UPDATE stamps SET n = 3 WHERE n = 2;
         DROP TABLE swapped; CREATE TABLE swapped (b text, a text); INSERT INTO swapped (b, a) VALUES ('1', '2');
         ALTER TABLE zeros ALTER id TYPE numeric(10,2); UPDATE zeros SET v = 'z' WHERE id = 2;
         ALTER TABLE renamed RENAME id TO uid; UPDATE renamed SET v = 'y';
         UPDATE parts SET n = 2;
         SELECT lo_put(4711, 0, 'xyz')",
    );
    let said = scene.agent.run(&["diff", "one", "two", "--rows"]).succeeds();
    said.mentions("TimeZone was ")
        .mentions("then Asia/Kolkata")
        .mentions("bytea_output was hex, then escape")
        .mentions("these tables have their columns in another order: public.swapped")
        .mentions("1, 3 bytes, with other content")
        .mentions("n: 2 → 3")
        .mentions("whose primary keys are not the same ((id), then (uid))");
    let answer = scene.json(&["--rows"]);
    let counts = |name: &str| {
        let all = answer["rowCounts"].as_array().unwrap();
        let of = all.iter().find(|count| count["name"] == name).unwrap_or_else(|| panic!("no {name}: {all:?}"));
        [&of["added"], &of["removed"], &of["changed"]].map(|count| count.as_u64().unwrap())
    };
    assert_eq!(counts("stamps"), [0, 0, 1], "one value is another one, all are spelled otherwise");
    assert_eq!(counts("keyless"), [0, 0, 0]);
    assert_eq!(counts("swapped"), [1, 1, 0], "what was in the one column is in the other");
    assert_eq!(counts("zeros"), [0, 0, 1]);
    assert_eq!(counts("renamed"), [1, 1, 0]);

    let named = |table: &str| scene.agent.run(&["diff", "one", "two", "--rows", "--table", table]).succeeds();
    named("100 % \"so\"").mentions("rows of public.100 % \"so\": the same in both backups");
    named("public.\"100 % \"\"so\"\"\"").mentions("the same in both backups");
    named("STAMPS").mentions("rows of public.stamps, by at:");
    named("parts").mentions("rows of public.parts_1");
    named("*zeros").mentions("rows of public.zeros, by id:");
}

#[test]
fn an_encrypted_archive_shows_its_tables_and_only_a_key_shows_more() {
    let folder = tempfile::tempdir().unwrap();
    let (identity, public) = crate::backup::encryption::key(folder.path());
    let scene = Scene::new("diffsealed", BEFORE).with("BACKUP_AGE_RECIPIENTS", &public).after(BETWEEN);
    let answer = scene.json(&[]);
    assert_eq!(changes(&answer).len(), 4);
    assert_eq!(answer["equalDefinitions"], Value::Null);
    assert!(answer["notCompared"][0].as_str().unwrap().contains("BACKUP_AGE_IDENTITY_FILE"), "{answer}");
    scene.agent.run(&["diff", "one", "one", "--exit-code"]).exits(1).mentions("as far as could be compared");
    scene.agent.run(&["diff", "one", "two", "--rows"]).exits(1).mentions("hint: set BACKUP_AGE_IDENTITY_FILE");
    let scene = scene.with("BACKUP_AGE_IDENTITY_FILE", &identity.display().to_string());
    let answer = scene.json(&["--rows"]);
    assert_eq!((&answer["notCompared"], answer["rows"].as_array().unwrap().len()), (&json!([]), 6));
}

/// Another tool's dump has no manifest, and is read; and two databases may be compared.
#[test]
fn a_guest_and_a_backup_of_another_database_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    put_in_directory(folder.path(), "app", days_ago(0));
    std::fs::write(folder.path().join("shop_backup_guest.sql.gz"), dump()).unwrap();
    let agent = agent().directory(folder.path());
    let ids = [stem("app", days_ago(0)), "shop_backup_guest".to_owned()];
    let found = std::fs::read_dir(folder.path()).unwrap().find_map(|file| {
        file.unwrap().file_name().into_string().unwrap().strip_suffix(".manifest.json").map(str::to_owned)
    });
    let answer = agent.run(&["diff", &found.unwrap_or_else(|| ids[0].clone()), &ids[1], "--json"]).succeeds().json();
    assert_eq!((changes(&answer), &answer["equalTables"]), (Vec::new(), &json!(2)), "{answer}");
    assert!(answer["notes"].to_string().contains("two databases: app and shop"), "{answer}");
}

#[test]
fn two_hundred_thousand_rows_are_compared_in_bounded_memory() {
    const LIMIT: u64 = 120_000_000;
    let access = Seaweedfs::shared().admin();
    let bucket = Bucket::new(&access);
    let database = Postgres::shared().new_database("diffbig");
    database.query(
        "CREATE TABLE big AS SELECT n AS id, repeat(md5(n::text), 12) AS text FROM generate_series(1, 200000) AS n;
         ALTER TABLE big ADD PRIMARY KEY (id);
         CREATE TABLE alike AS SELECT n % 10 AS n, repeat('x', 60) AS text FROM generate_series(1, 200000) AS n",
    );
    let agent = agent().database(&database).bucket(bucket.name(), &access).setting("BACKUP_COMPRESSION", "zstd");
    agent.run(&["backup", "--name", "one"]).succeeds();
    database.query(
        "DELETE FROM big WHERE id % 50000 = 7; UPDATE big SET text = 'other' WHERE id % 40000 = 3; INSERT INTO big VALUES (0, 'new'); DELETE FROM alike WHERE ctid = '(0,1)'",
    );
    agent.run(&["backup", "--name", "two"]).succeeds();
    let proxy = Proxy::start(&access.endpoint);
    let there: u64 = bucket.objects().iter().map(|object| object.size).sum();
    let agent = agent.bucket(bucket.name(), &access.through(&proxy));
    agent.run(&["diff", "one", "two"]).succeeds().mentions("public.big");
    let read = proxy.bytes(Direction::Down);
    assert!(there > 6_000_000 && read < 3_000_000, "the heads alone are read: {read} of {there} bytes");
    let (peak, outcome) = agent.start(&["diff", "one", "two", "--rows", "--json"]).wait_with_peak_memory();
    let answer = outcome.succeeds().json();
    let count = |table: &str| {
        answer["rowCounts"].as_array().unwrap().iter().find(|count| count["name"] == table).unwrap().clone()
    };
    let big = count("big");
    assert_eq!((&big["added"], &big["removed"], &big["changed"]), (&json!(1), &json!(4), &json!(5)), "{big}");
    assert_eq!(count("alike")["removed"], 1);
    assert_eq!(answer["rows"].as_array().unwrap().len(), 11);
    assert!(peak > 0 && peak < LIMIT, "{} MB", peak / 1_000_000);
}
