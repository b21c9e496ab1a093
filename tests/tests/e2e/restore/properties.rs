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

/// Under the database's own time zone: a day that a CHECK compares, and one that a materialized view computes.
const DAYS: &str = "CREATE TABLE t (at timestamptz NOT NULL, day date NOT NULL CHECK (day = at::date));
    INSERT INTO t VALUES ('2026-01-01 12:30:00+00', '2026-01-02'), ('2026-01-01 01:00:00+00', '2026-01-01');
    CREATE MATERIALIZED VIEW per_day AS SELECT at::date AS day, current_setting('app.tenant', true) AS tenant FROM t";
const PER_DAY: &str = "SELECT * FROM per_day ORDER BY 1";

#[test]
fn rows_come_back_under_the_settings_under_which_they_were_written() {
    let ways: [&[&str]; 3] = [&[], &["--in-place"], &["--jobs", "2"]];
    for way in ways {
        let scene = Scene::new("zoned");
        let name = scene.database.name();
        scene.database.query(&format!(
            "ALTER DATABASE {name} SET timezone = 'Pacific/Auckland'; ALTER DATABASE {name} SET \"app.tenant\" = '7';
             ALTER DATABASE {name} SET default_transaction_read_only = off"
        ));
        scene.database.query(DAYS);
        let before = scene.database.query(PER_DAY);
        assert!(before.contains("2026-01-02|7"), "{before}");
        scene.agent.run(&["backup"]).succeeds();
        let run = [&["restore", "latest", "--confirm"], way].concat();
        scene.agent.run(&run).succeeds();
        assert_eq!(scene.database.query(PER_DAY), before, "{way:?}");
    }
}

#[test]
fn a_copy_and_a_lost_database_have_those_settings_too() {
    let scene = Scene::new("lost");
    let name = scene.database.name();
    scene.database.query(&format!(
        "ALTER DATABASE {name} SET timezone = 'Pacific/Auckland'; ALTER DATABASE {name} SET \"app.tenant\" = '7'"
    ));
    scene.database.query(DAYS);
    let before = scene.database.query(PER_DAY);
    scene.agent.run(&["backup"]).succeeds();
    let copy = scene.database.server().database(&format!("{name}_copy"));
    scene.agent.run(&["restore", "latest", "--into", copy.name(), "--confirm"]).succeeds();
    assert_eq!(copy.query(PER_DAY), before);
    scene.database.server().query(&format!("DROP DATABASE {name} WITH (FORCE)"));
    let file = scene.file(".sql.gz").display().to_string();
    scene.agent.run(&["restore", "--backup-file", &file, "--confirm"]).succeeds();
    assert_eq!(scene.database.query(PER_DAY), before);
}

#[test]
fn a_lost_database_belongs_to_whom_it_belonged_and_is_open_to_nobody_else() {
    let scene = Scene::backed_up("owned");
    let (name, server) = (scene.database.name(), scene.database.server());
    let (owner, app) = (format!("{name}_owner"), format!("{name}_app"));
    scene.database.query(&format!(
        "CREATE ROLE {owner}; CREATE ROLE {app}; ALTER DATABASE {name} OWNER TO {owner};
         REVOKE ALL ON DATABASE {name} FROM PUBLIC; GRANT CONNECT ON DATABASE {name} TO {app};
         COMMENT ON DATABASE {name} IS 'the one''s \\ comment'; ALTER DATABASE {name} CONNECTION LIMIT 17;
         ALTER DATABASE {name} SET default_transaction_read_only = on"
    ));
    let before = scene.database.query(PROPERTIES);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    scene.agent.run(&["backup"]).succeeds();
    server.query(&format!("DROP DATABASE {name} WITH (FORCE)"));
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds().keeps_silent_about("not carried over");
    assert_eq!(scene.database.query(PROPERTIES), before);
    server.query(&format!("DROP DATABASE {name} WITH (FORCE); DROP ROLE {owner}; DROP ROLE {app}"));
}

/// What PgBouncer refuses (`unsupported startup parameter: options`): psql and pg_dump without it get through.
#[test]
fn no_session_of_ours_asks_for_options_when_it_connects() {
    let scene = Scene::backed_up("pooled");
    let programs = tempfile::tempdir().unwrap();
    let real = scene.database.server().installation().programs().to_owned();
    for program in ["psql", "pg_dump", "pg_restore"] {
        let body = format!(
            "[ -z \"$PGOPTIONS\" ] || {{ echo 'FATAL: unsupported startup parameter: options' >&2; exit 2; }}\nexec {}/{program} \"$@\"",
            real.display()
        );
        super::script(programs.path(), program, &body);
    }
    let scene = Scene { agent: scene.agent.programs_in(programs.path()), ..scene };
    scene.agent.run(&["backup", "--name", "pooled"]).succeeds();
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    assert_eq!(scene.rows(), "10");
}

/// The row sleeps longer than a statement may take, so that only a session without the limit gets past it. The limit is
/// long for pg_dump, whose first statement runs before it lifts the limit itself.
#[test]
fn a_roles_time_outs_do_not_cut_a_restore_short() {
    let scene = Scene::backed_up("hasty");
    let name = scene.database.name();
    scene.database.query(&format!(
        "CREATE TABLE slow (i int CHECK (pg_sleep(1.5) IS NOT NULL)); INSERT INTO slow VALUES (1);
         ALTER DATABASE {name} SET statement_timeout = '1s';
         ALTER DATABASE {name} SET lock_timeout = '1s'; ALTER DATABASE {name} SET idle_in_transaction_session_timeout = '1s'"
    ));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    scene.agent.run(&["backup"]).succeeds();
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    scene.agent.run(&["restore", "latest", "--confirm", "--in-place", "--skip-backup"]).succeeds();
    assert_eq!(scene.database.query("SELECT count(*) FROM slow"), "1");
}
