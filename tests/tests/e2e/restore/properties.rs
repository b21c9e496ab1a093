//! What belongs to a database and not to its content goes over to the new one.

use super::Scene;

/// All of it, as one text.
const PROPERTIES: &str = "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datconnlimit,
        (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(datacl) a), shobj_description(oid, 'pg_database'),
        (SELECT array_agg(setrole::regrole::text || setconfig::text ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid)
    FROM pg_database d WHERE datname = current_database()";

#[test]
fn owner_settings_privileges_comment_and_limit_are_carried_over() {
    let scene = Scene::backed_up("properties");
    let name = scene.database.name();
    let role = format!("{name} \"role\"");
    let quoted = format!("\"{}\"", role.replace('"', "\"\""));
    scene.database.query(&format!(
        "CREATE ROLE {quoted}; GRANT {quoted} TO postgres; ALTER DATABASE {name} OWNER TO {quoted};
         ALTER DATABASE {name} SET search_path = \"$user\", public, \"odd, \"\"one\"\"\";
         ALTER DATABASE {name} SET \"my.setting\" = 'it''s \\ one';
         ALTER ROLE {quoted} IN DATABASE {name} SET work_mem = '9MB';
         REVOKE CONNECT ON DATABASE {name} FROM PUBLIC; GRANT CREATE ON DATABASE {name} TO postgres WITH GRANT OPTION;
         COMMENT ON DATABASE {name} IS 'the one''s \\ comment'; ALTER DATABASE {name} CONNECTION LIMIT 17"
    ));
    let before = scene.database.query(PROPERTIES);
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds().keeps_silent_about("not carried over");
    assert_eq!(scene.rows(), "100");
    assert_eq!(scene.database.query(PROPERTIES), before);
    scene.agent.run(&["restore", "--drop-old", "--confirm"]).succeeds();
    scene
        .database
        .query(&format!("ALTER DATABASE {name} OWNER TO postgres; DROP OWNED BY {quoted}; DROP ROLE {quoted}"));
}

#[test]
fn a_database_without_properties_stays_without() {
    let scene = Scene::backed_up("plain");
    let dump = |scene: &Scene<'_>| {
        let sql = String::from_utf8(scene.database.dump(&["--create", "--schema-only"])).unwrap();
        sql.lines().filter(|line| !line.contains("restrict ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = dump(&scene);
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    assert_eq!(dump(&scene), before);
}

#[test]
fn a_slot_that_stays_behind_is_named() {
    let server = e2e::postgres::Postgres::start_with(e2e::postgres::Installation::debian(), &["wal_level=logical"]);
    let scene = Scene::on(&server, "slots");
    scene.database.query("CREATE TABLE t (id integer)");
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("SELECT pg_create_logical_replication_slot('feed', 'pgoutput')");
    scene
        .agent
        .run(&["restore", "latest", "--confirm"])
        .succeeds()
        .mentions("replication slot feed stays with the old database");
}
