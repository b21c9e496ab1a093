//! `lastgood erase`: a person leaves every backup, and nothing else does.

mod broken;
mod bucket;
mod kills;
mod refusals;
mod stack;

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::agent::{Agent, Outcome};
use e2e::postgres::{Database, Postgres};
use e2e::process::{output, output_given};
use serde_json::Value;
use tempfile::TempDir;

use e2e::past::agent;

/// Whose rows go.
const EMAIL: &str = "ada.o'neil+\\shop@example.org";

/// Customers with what hangs on them, by every kind of cascade; `Notes` are set to nobody's; and tables that have nothing to do with it.
const SHOP: &str = r#"
    CREATE TABLE customers (id int PRIMARY KEY, email text UNIQUE NOT NULL, born date, seen timestamptz);
    CREATE TABLE addresses (customer int REFERENCES customers ON DELETE CASCADE, street text);
    CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers ON DELETE CASCADE, contact text);
    CREATE TABLE lines ("order" int REFERENCES orders ON DELETE CASCADE, "No" int, price numeric, doubled numeric GENERATED ALWAYS AS (price * 2) STORED);
    CREATE SCHEMA "My Shop";
    CREATE TABLE "My Shop"."Notes" (id int PRIMARY KEY, customer int REFERENCES customers ON DELETE SET NULL, text text);
    CREATE TABLE "My Shop".letters () INHERITS ("My Shop"."Notes");
    CREATE TABLE visits (customer int REFERENCES customers ON DELETE CASCADE, at int) PARTITION BY RANGE (at);
    CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (50);
    CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM (50) TO (100);
    CREATE TABLE products (id int PRIMARY KEY, name text, weight float8, made timestamptz DEFAULT '2026-01-01 00:00+00');
    CREATE MATERIALIZED VIEW mails AS SELECT email FROM customers;
    INSERT INTO customers SELECT n, 'customer' || n || '@example.org', date '1990-01-01' + n, timestamptz '2026-01-01 12:00+02' + n * interval '1 hour'
        FROM generate_series(1, 200) n;
    INSERT INTO customers VALUES (999, $$EMAIL$$);
    INSERT INTO addresses SELECT id, 'street of ' || email FROM customers;
    INSERT INTO orders SELECT id * 10 + n, id, email FROM customers, generate_series(0, 1) n;
    INSERT INTO lines SELECT id, n, id * 1.5 FROM orders, generate_series(1, 2) n;
    INSERT INTO "My Shop"."Notes" SELECT id, id, 'a note' FROM customers;
    INSERT INTO "My Shop".letters SELECT id + 5000, NULL, E'a\tletter\n\\' FROM customers;
    INSERT INTO visits SELECT id, n * 30 FROM customers, generate_series(0, 3) n;
    INSERT INTO products SELECT n, 'product ' || n, n / 7.0 FROM generate_series(1, 500) n;
    REFRESH MATERIALIZED VIEW mails;
"#;

/// Rows that leave by DELETE of that customer: table, how many.
const LEAVING: [(&str, u64, u64); 7] = [
    ("My Shop.Notes", 1, 1),
    ("public.addresses", 1, 0),
    ("public.customers", 1, 0),
    ("public.lines", 4, 0),
    ("public.orders", 2, 0),
    ("public.visits_1", 2, 0),
    ("public.visits_2", 2, 0),
];

/// A shop, and a folder for temporary servers.
struct Scene<'a> {
    database: Database<'a>,
    agent: Agent,
    temporary: TempDir,
}

impl<'a> Scene<'a> {
    fn new(name: &str) -> Scene<'a> {
        Scene::of(name, &SHOP.replace("EMAIL", EMAIL))
    }

    fn of(name: &str, sql: &str) -> Scene<'a> {
        let database = Postgres::shared().new_database(name);
        database.query(sql);
        let temporary = crate::drill::folder_for_servers();
        let agent = agent().database(&database).setting("TMPDIR", temporary.path().display().to_string());
        Scene { database, agent, temporary }
    }

    fn with(self, change: impl FnOnce(Agent) -> Agent) -> Scene<'a> {
        Scene { agent: change(self.agent), ..self }
    }

    /// Erases that customer, and tells nothing of them.
    fn erase(&self, more: &[&str]) -> Outcome {
        let condition = format!("email={EMAIL}");
        let arguments = [&["erase", "--table", "customers", "--where", &condition, "--confirm"][..], more].concat();
        silent(self.agent.run(&arguments))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.agent.home().join("log")).unwrap_or_default()
    }
}

/// Nothing that was said tells who it was.
fn silent(outcome: Outcome) -> Outcome {
    outcome.keeps_silent_about("ada.o").keeps_silent_about("neil+")
}

/// Whether the person is in these bytes, however they are stored.
fn knows(bytes: &[u8], key: Option<&Path>) -> bool {
    // As it stands in COPY's text, and as it is.
    let needle = b"ada.o'neil+";
    opened(bytes, key).windows(needle.len()).any(|window| window == needle)
}

/// Decrypted and decompressed.
fn opened(bytes: &[u8], key: Option<&Path>) -> Vec<u8> {
    if bytes.starts_with(b"age-encryption.org") {
        let key = key.expect("a key for what is encrypted");
        let plain = output_given(Command::new("age").arg("-d").arg("-i").arg(key), bytes);
        assert!(plain.status.success(), "{}", String::from_utf8_lossy(&plain.stderr));
        return opened(&plain.stdout, None);
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return output_given(Command::new("gzip").arg("-dc"), bytes).stdout;
    }
    bytes.to_vec()
}

fn key(folder: &Path) -> (PathBuf, String) {
    let file = folder.join("key.txt");
    assert!(output(Command::new("age-keygen").arg("-o").arg(&file)).status.success());
    let public = output(Command::new("age-keygen").arg("-y").arg(&file)).stdout;
    (file, String::from_utf8(public).unwrap().trim().to_owned())
}

/// The tables that differ, as an answer or a manifest names them.
fn told(tables: &Value) -> Vec<(String, u64, u64)> {
    let number = |table: &Value, name: &str| table[name].as_u64().unwrap();
    let name = |table: &Value| format!("{}.{}", table["schema"].as_str().unwrap(), table["name"].as_str().unwrap());
    let mut told: Vec<_> = tables
        .as_array()
        .unwrap()
        .iter()
        .map(|table| (name(table), number(table, "left"), number(table, "came")))
        .collect();
    told.sort();
    told
}

fn leaving() -> Vec<(String, u64, u64)> {
    LEAVING.map(|(table, left, came)| (table.to_owned(), left, came)).to_vec()
}

/// Every table but those that lost rows has the digest that it had.
fn only_those_changed(before: &Value, after: &Value) {
    let changed: Vec<String> = LEAVING.iter().map(|(table, ..)| (*table).to_owned()).collect();
    for table in before["census"].as_array().unwrap() {
        let name = format!("{}.{}", table["schema"].as_str().unwrap(), table["name"].as_str().unwrap());
        let same = after["census"]
            .as_array()
            .unwrap()
            .iter()
            .find(|other| other["schema"] == table["schema"] && other["name"] == table["name"]);
        assert_eq!(same == Some(table), !changed.contains(&name), "{name}: {same:?}");
    }
    assert_eq!(before["largeObjects"], after["largeObjects"]);
}
