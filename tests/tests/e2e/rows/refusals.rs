//! What isn't there, and readers that go away.

use std::process::Command;

use e2e::process::output;

use super::Scene;

#[test]
fn what_is_not_there_is_said_with_what_there_is() {
    let scene = Scene::new("rows_refusals");
    scene.database.query(
        r#"CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.users (id integer PRIMARY KEY, "E-Mail" text, twice integer GENERATED ALWAYS AS (id * 2) STORED);
        CREATE TABLE b.users (id integer); CREATE TABLE a.orders (id uuid, paid boolean, price numeric); CREATE VIEW a.names AS SELECT 1;
        CREATE FOREIGN DATA WRAPPER rows_none; CREATE SERVER rows_far FOREIGN DATA WRAPPER rows_none; CREATE FOREIGN TABLE a."far %" (id integer) SERVER rows_far;
        CREATE TABLE a.parts (id integer) PARTITION BY RANGE (id); CREATE TABLE a.parts_1 PARTITION OF a.parts FOR VALUES FROM (0) TO (10);
        INSERT INTO a.parts VALUES (1), (2);
        INSERT INTO a.users VALUES (1, NULL), (2, ''), (3, 'x');
        INSERT INTO a.orders VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', true, 1.50)"#,
    );
    scene.agent.run(&["backup"]).succeeds();
    let run = |arguments: &[&str]| scene.agent.run(&[&["rows"], arguments].concat());
    run(&["--table", "user"]).exits(5).mentions("the backup has no table user").mentions("a.users, b.users");
    run(&["--table", "xxxxxxxx"]).exits(5).mentions("lastgood show");
    run(&["--table", "users"])
        .exits(2)
        .mentions("is the name of several tables: a.users, b.users")
        .mentions("--table SCHEMA.NAME");
    run(&["--table", "far %"]).exits(5).mentions("a.far % is a foreign table: its rows are on another server");
    run(&["--table", "names"]).exits(5).mentions("a.names is a view");
    run(&["--table", "a.users", "--where", "email=x"])
        .exits(2)
        .mentions("has no column email")
        .mentions("it has: id, E-Mail");
    run(&["--table", "a.users", "--columns", "twice"]).exits(2).mentions("is generated");
    run(&["--table", "a.users", "--where", "id=secret"])
        .exits(2)
        .mentions("--where id: the value is not a whole number")
        .keeps_silent_about("secret");
    run(&["--table", "a.users", "--where", "nothing"]).exits(2).mentions("COLUMN=VALUE");
    run(&["--table", "a.users", "--insert", "--json"]).exits(2).mentions("one of --csv, --json and --insert");
    run(&["no_such_backup", "--table", "a.users"]).exits(5);
    run(&["latest~1", "--table", "a.users"]).exits(5).mentions("0 good backups before `latest`");
    assert_eq!(scene.printed(&["--table", "a.users", "--where", "e-mail is null", "--columns", "id"]), "id\n1\n");
    assert_eq!(scene.printed(&["--table", "a.users", "--where", "E-Mail="]), "id,E-Mail\n2,\"\"\n");
    assert_eq!(
        scene.printed(&["--table", "a.users", "--where", "E-Mail is not null", "--where", "id = 3"]),
        "id,E-Mail\n3,x\n"
    );
    assert_eq!(scene.printed(&["--table", "a.users", "--limit", "0"]), "id,E-Mail\n");
    assert_eq!(scene.printed(&["--table", "a.users", "--limit", "0", "--json"]), "[]\n");
    assert_eq!(scene.printed(&["--table", "b.users", "--json"]), "[]\n", "an empty table");
    let uuid = "id={A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}";
    assert_eq!(
        scene.printed(&[
            "--table",
            "orders",
            "--where",
            uuid,
            "--where",
            "paid=yes",
            "--where",
            "price=1.5",
            "--columns",
            "PRICE"
        ]),
        "price\n1.50\n"
    );
    assert_eq!(scene.printed(&["--table", "parts"]), "id\n1\n2\n", "a parent's name reads its partitions");
    assert!(
        scene
            .printed(&["--table", "parts", "--insert", "--limit", "1"])
            .ends_with("INSERT INTO \"a\".\"parts_1\" (\"id\") VALUES ('1');\n")
    );
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let scene = Scene::new("rows_pipe");
    scene.database.query("CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 100000) AS i");
    scene.agent.run(&["backup"]).succeeds();
    let command = scene.agent.command(&["rows", "--table", "t"]);
    let mut piped = Command::new("bash");
    piped.args(["-c", "set -o pipefail; \"$@\" | head -n 1", "-"]).arg(command.get_program()).args(command.get_args());
    piped.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = output(piped.current_dir(scene.agent.home()));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "id,v\n");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("error"));
}
