//! PostgreSQL servers, and the plain dump and restore that ours are compared with.

use e2e::postgres::{Installation, Postgres};

#[test]
fn every_kind_of_object_survives_a_plain_dump_and_restore_by_every_version() {
    for installation in Installation::all() {
        let server = Postgres::start(installation);
        let source = server.new_database("source");
        source.fill_with_everything();
        let copy = server.new_database("copy");
        copy.restore(&source.dump(&["--format=custom"]));
        assert_eq!(copy.as_sql(), source.as_sql(), "PostgreSQL {}", server.installation().major());
    }
}

#[test]
fn the_schema_of_everything_holds_every_kind_of_object() {
    let source = Postgres::shared().new_database("kinds");
    source.fill_with_everything();
    let sql = source.as_sql();
    for kind in [
        "CREATE AGGREGATE",
        "CREATE CAST",
        "CREATE COLLATION",
        "CREATE DOMAIN",
        "CREATE EVENT TRIGGER",
        "CREATE EXTENSION",
        "CREATE FOREIGN TABLE",
        "CREATE FUNCTION",
        "CREATE MATERIALIZED VIEW",
        "CREATE OPERATOR",
        "CREATE POLICY",
        "CREATE PROCEDURE",
        "CREATE PUBLICATION",
        "CREATE RULE",
        "CREATE SEQUENCE",
        "CREATE STATISTICS",
        "CREATE TEXT SEARCH CONFIGURATION",
        "CREATE TRIGGER",
        "CREATE TYPE app.mood AS ENUM",
        "CREATE UNIQUE INDEX",
        "CREATE UNLOGGED TABLE",
        "CREATE VIEW",
        "CREATE TABLE app.no_columns (\n);",
        "ADD GENERATED ALWAYS AS IDENTITY",
        "ATTACH PARTITION",
        "EXCLUDE USING",
        "FOREIGN KEY",
        "GENERATED ALWAYS AS (char_length(name)) STORED",
        "INHERITS (app.parent)",
        "pg_catalog.lowrite",
        "setval('app.at_the_end', 9223372036854775807, true)",
    ] {
        assert!(sql.contains(kind), "no {kind}");
    }
}

#[test]
fn the_sized_database_has_the_size_asked_for_and_is_always_the_same() {
    let [first, second] = ["first", "second"].map(|name| {
        let database = Postgres::shared().new_database(name);
        database.fill_with_megabytes(2);
        database.as_sql()
    });
    let megabytes = first.len() as f64 / 1e6;
    assert!((1.9..=2.2).contains(&megabytes), "{megabytes} MB");
    assert!(first == second, "two fillings differ");
}

#[test]
fn a_name_of_any_characters_is_created_dumped_and_dropped() {
    let name = r#"it's "a/b\c" = ünïcødé 🗄️"#;
    {
        let database = Postgres::shared().new_database_named(name);
        assert_eq!(database.query("SELECT current_database()"), name);
        assert!(!database.dump(&["--format=custom"]).is_empty());
    }
    assert!(!Postgres::shared().databases().contains(&name.to_owned()));
}

#[test]
fn a_crashed_server_recovers_on_its_old_port() {
    let mut server = Postgres::start(Installation::debian());
    let port = server.port();
    server.query("CREATE TABLE kept AS SELECT 7 AS seven; CHECKPOINT");
    server.crash();
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    server.recover();
    assert_eq!(server.query("SELECT seven FROM kept"), "7");
}
