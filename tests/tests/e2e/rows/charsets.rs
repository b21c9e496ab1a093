//! Databases that aren't in UTF-8: names and values come out right, and no two tables are taken for one.

use e2e::postgres::Installation;
use e2e::process;
use serde_json::json;

use super::{Scene, documents};

/// Two names that look the same to who takes their bytes for UTF-8, a column's, and a text.
const SETS: [(&str, [&str; 2], &str, &str); 3] = [
    ("LATIN1", ["größe", "grüße"], "maß", "grün"),
    ("EUC_JP", ["あ", "い"], "字", "漢字"),
    ("SQL_ASCII", ["größe", "grüße"], "maß", "grün"),
];

fn in_another_set(name: &str, encoding: &str) -> Scene<'static> {
    let mut scene = Scene::new(name);
    let name = format!("{}_set", scene.database.name());
    scene.database.query(&format!(
        "CREATE DATABASE \"{name}\" ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    ));
    scene.database = scene.database.server().database(&name);
    scene.agent = e2e::agent::Agent::new().database(&scene.database).directory(scene.folder.path());
    scene
}

#[test]
fn a_database_in_another_character_set_is_read_as_its_own() {
    for (encoding, [one, other], column, value) in SETS {
        let scene = in_another_set(&format!("rows_{}", encoding.to_lowercase()), encoding);
        for (table, from) in [(one, 1), (other, 10)] {
            scene.answer(&format!(
                "CREATE TABLE \"{table}\" (\"{column}\" text PRIMARY KEY, n int);
                 INSERT INTO \"{table}\" VALUES ('{value}', {from}), ('\\x', 2);
                 INSERT INTO \"{table}\" SELECT i, i FROM generate_series(1, {from}00) AS i"
            ));
        }
        scene.agent.run(&["backup", "--name", "before"]).succeeds();
        let condition = format!("{column}={value}");
        let script = scene.agent.home().join("guest.sql");
        std::fs::write(&script, scene.database.dump(&["-Fp"])).unwrap();
        let guest = ["--backup-file", script.to_str().unwrap(), "--table", other, "--where", &condition];
        assert_eq!(scene.printed(&guest), format!("{column},n\n{value},10\n"), "{encoding} as a script");
        for (table, from) in [(one, 1), (other, 10)] {
            let json = scene.printed(&["--table", table, "--json", "--where", &condition]);
            assert_eq!(documents(&json), [format!("{{\"{column}\":\"{value}\",\"n\":{from}}}")], "{encoding} {table}");
            let csv = scene.printed(&["--table", &format!("public.{table}"), "--where", &condition]);
            assert_eq!(csv, format!("{column},n\n{value},{from}\n"), "{encoding} {table}");
            scene
                .agent
                .run(&["rows", "--table", table, "--limit", "999999"])
                .succeeds()
                .mentions("all rows of the table");
        }
        let script = process::output(&mut scene.agent.command(&["rows", "--table", one, "--insert", "--limit", "1"]));
        let mut psql = scene.database.client(&Installation::debian(), "psql");
        scene.answer(&format!("DELETE FROM \"{one}\" WHERE n = 1; DELETE FROM \"{other}\""));
        let put = process::output_given(psql.args(["-Xq", "-v", "ON_ERROR_STOP=1"]), &script.stdout);
        assert!(put.status.success(), "{}", String::from_utf8_lossy(&put.stderr));
        assert_eq!(scene.answer(&format!("SELECT \"{column}\" FROM \"{one}\" WHERE n = 1 LIMIT 1")).trim_end(), value);

        let shrunk = scene.agent.run(&["backup", "--name", "after"]).succeeds();
        shrunk.mentions(&format!("table public.{other} has 0 rows, where it had 1,002 rows")).keeps_silent_about(one);
        let diff =
            scene.agent.run(&["diff", "before", "after", "--rows", "--table", other, "--json"]).succeeds().json();
        assert_eq!(diff["tables"][1]["name"], json!(other), "{encoding}: {diff}");
        assert_eq!(diff["rowCounts"][0]["removed"], json!(1002), "{encoding}");
        let removed = diff["rows"].as_array().unwrap().iter().any(|row| row["before"][column] == json!(value));
        assert!(removed, "{encoding}");
        scene.agent.run(&["show", "before"]).succeeds().mentions(other);
        restored_alone(&scene, other);
    }
}

/// `restore --table` of one of the two.
fn restored_alone(scene: &Scene<'_>, table: &str) {
    let rescue = scene.database.server().database(&format!("{}_into", scene.database.name()));
    let restore = ["restore", "before", "--table", table, "--into", rescue.name(), "--confirm"];
    scene.agent.run(&restore).succeeds().mentions("1,002 rows");
    let mut psql = rescue.client(&Installation::debian(), "psql");
    let sql = "SELECT sum(n_live) FROM (SELECT (xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I', relname), false, true, '')))[1]::text::int AS n_live FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace) AS t";
    let counted = process::output(psql.args(["-XAtq", "-c", sql]));
    assert_eq!(String::from_utf8_lossy(&counted.stdout).trim_end(), "1002", "the other's rows stay away");
    scene.database.query(&format!("DROP DATABASE \"{}\"", rescue.name()));
}

/// Bytes of no character set are told apart all the same, and can be typed.
#[test]
fn names_of_no_character_set_are_read_by_their_bytes() {
    let scene = in_another_set("rows_bytes", "SQL_ASCII");
    for (name, rows) in [("E'stra\\337e'", 3), ("E'stra\\374e'", 5)] {
        scene.database.query(&format!("DO $$ BEGIN EXECUTE format('CREATE TABLE %I AS SELECT i AS n, %L::text AS t FROM generate_series(1, {rows}) AS i', {name}, {name}); END $$"));
    }
    scene.agent.run(&["backup"]).succeeds();
    for (name, rows) in [("stra\\xdfe", 3), ("stra\\xfce", 5)] {
        let json = scene.printed(&["--table", name, "--json"]);
        assert_eq!(documents(&json).len(), rows, "{name}");
        assert!(json.contains(&name.replace('\\', "\\\\")), "{json}");
        scene.agent.run(&["rows", "--table", name]).succeeds().mentions("all rows of the table were read");
    }
    scene.agent.run(&["rows", "--table", "stra\u{fffd}e"]).exits(2).mentions("is the name of several tables");
}
