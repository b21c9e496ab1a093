//! A value is found however it is spelled, and a miss by a spelling isn't silent.

use super::Scene;

#[test]
fn a_value_is_found_however_it_is_spelled() {
    let scene = Scene::new("rows_spelled");
    let name = scene.database.name();
    // Two settings that pg_dump leaves as they are.
    scene.database.query(&format!(
        "ALTER DATABASE {name} SET TimeZone TO 'Asia/Kolkata'; ALTER DATABASE {name} SET bytea_output TO 'escape'"
    ));
    scene.database.query(
        "CREATE DOMAIN stamp AS timestamptz; CREATE TYPE mood AS ENUM ('so so');
         CREATE TABLE s (at stamp PRIMARY KEY, d date, ts timestamp, t time, tz timetz, i interval, b boolean, u uuid, n numeric, f real, y bytea, ip inet, mac macaddr, c character(5), m mood, j jsonb, a integer[]);
         INSERT INTO s VALUES ('2024-01-01 00:00:00+00', '2024-01-01', '2024-01-01', '03:00', '03:00+01', '1 day', true, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1.00, 0.1,
            '\\x00ff61', '10.0.0.1', '08:00:2b:01:02:03', 'ab', 'so so', '{\"a\": 1}', '{1,2}')",
    );
    scene.agent.run(&["backup"]).succeeds();
    for condition in [
        "at=2024-01-01T00:00Z",
        "at=2024-01-01 05:30:00+05:30",
        "at=2024-01-01 05:30",
        "at=2023-12-31 19:00:00-05",
        "d=20240101",
        "d=2024-1-1",
        "ts=2024-01-01",
        "ts=2024-01-01T00:00:00.000",
        "t=3:00",
        "tz=03:00:00+01:00",
        "i=24:00:00",
        "i=P1D",
        "b=TRUE",
        "u={A0EEBC99-9C0B4EF8BB6D6BB9BD380A11}",
        "n=1",
        "n=1.0",
        "f=1e-1",
        "y=\\x00FF61",
        "y=\\000\\377a",
        "ip=10.0.0.1/32",
        "mac=08-00-2B-01-02-03",
        "c=ab",
        "m=so so",
        "j={\"a\": 1}",
        "a={1,2}",
    ] {
        let rows = scene.printed(&["--table", "s", "--where", condition, "--columns", "b"]);
        assert_eq!(rows, "b\nt\n", "{condition}");
    }
    for (condition, said) in [
        ("j={\"a\":1}", "values of j are compared as they are spelled"),
        ("a={1, 2}", "values of a are compared as they are spelled"),
        ("at=2024-01-01", "has no time zone"),
    ] {
        let run = scene.agent.run(&["rows", "--table", "s", "--where", condition]).succeeds();
        assert_eq!(run.stdout.lines().count(), 1, "{condition}");
        run.mentions(said).keeps_silent_about("Kolkata");
    }
    for condition in ["at=01/02/2024", "d=soon", "ip=10/8", "i=long"] {
        scene.agent.run(&["rows", "--table", "s", "--where", condition]).exits(2).mentions("the value is not");
    }
    let run = scene.agent.run(&["rows", "--table", "s", "--where", "m=so"]).succeeds();
    run.keeps_silent_about("no row was found");
}

#[test]
fn a_column_is_asked_for_once_and_a_partition_has_its_parents_identity() {
    let scene = Scene::new("rows_identity");
    scene.database.query(
        "CREATE TABLE p (id integer GENERATED ALWAYS AS IDENTITY, n integer) PARTITION BY RANGE (n);
         CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (n);
         CREATE TABLE \"p %1\" PARTITION OF p_1 FOR VALUES FROM (0) TO (10); INSERT INTO p (n) VALUES (1)",
    );
    scene.agent.run(&["backup"]).succeeds();
    for table in ["p", "p_1", "p %1"] {
        let script = scene.printed(&["--table", table, "--insert"]);
        assert!(script.contains("(\"id\", \"n\") OVERRIDING SYSTEM VALUE VALUES ('1', '1');"), "{table}: {script}");
    }
    for format in ["--insert", "--json"] {
        let twice = scene.agent.run(&["rows", "--table", "p", "--columns", "id,n,ID", format]);
        twice.exits(2).mentions("--columns names id twice").mentions("only --csv prints one twice");
    }
    assert_eq!(scene.printed(&["--table", "p", "--columns", "id,id"]), "id,id\n1,1\n");
}
