//! In place: the safety backup, what is left standing, what stands in the way, and who is sent this way unasked.

use e2e::postgres::PASSWORD;

use super::Scene;

const IN_PLACE: [&str; 4] = ["restore", "latest", "--in-place", "--confirm"];

#[test]
fn the_safety_backup_undoes_the_restore() {
    let scene = Scene::backed_up("safety");
    let run = scene.agent.run(&IN_PLACE).succeeds().mentions("to go back: lastgood restore");
    assert_eq!(scene.rows(), "100");
    let back =
        run.stdout.lines().find_map(|line| line.split("to go back: lastgood restore ").nth(1)).unwrap().to_owned();
    scene
        .agent
        .run(&["restore", &back, "--in-place", "--skip-backup", "--confirm"])
        .succeeds()
        .mentions("no safety backup");
    assert_eq!(scene.rows(), "10");
    // It isn't what `latest` means.
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    assert_eq!(scene.rows(), "100");
}

#[test]
fn the_safety_backup_has_what_services_wrote_last() {
    let scene = Scene::backed_up("last_words");
    let last = format!("psql -d {} -X -q -c 'INSERT INTO t VALUES (4711)'", scene.database.name());
    let agent = scene
        .agent
        .setting("RESTORE_STOP_COMMAND", last)
        .setting("PGHOST", "127.0.0.1")
        .setting("PGPORT", scene.database.server().port().to_string())
        .setting("PGUSER", "postgres")
        .setting("PGPASSWORD", PASSWORD);
    let run = agent.run(&IN_PLACE).succeeds();
    assert_eq!(scene.database.query("SELECT count(*) FROM t"), "100");
    let back = run.stdout.lines().find_map(|line| line.split("to go back: lastgood restore ").nth(1)).unwrap();
    agent.run(&["restore", back, "--skip-services", "--confirm"]).succeeds();
    assert_eq!(scene.database.query("SELECT count(*) FROM t WHERE id = 4711"), "1");
}

#[test]
fn without_a_safety_backup_nothing_is_replaced() {
    let scene = Scene::backed_up("unsafe");
    // The newest backup is in a folder of its own; the safety backup's folder can't be made.
    let file = scene.file(".sql.gz").display().to_string();
    let agent = scene.agent.setting("BACKUP_DIR", "/proc/nowhere");
    let run = agent.run(&["restore", "--backup-file", &file, "--in-place", "--confirm"]);
    run.exits(1).mentions("no safety backup could be made, so nothing was restored");
    assert_eq!(scene.database.query("SELECT count(*) FROM t"), "10");
}

#[test]
fn newer_tables_are_left_standing_and_named_beforehand() {
    let scene = Scene::backed_up("standing");
    scene.database.query("CREATE TABLE newer (id integer)");
    scene
        .agent
        .run(&["restore", "latest", "--in-place", "--dry-run"])
        .succeeds()
        .mentions("stay as they are")
        .mentions("public.newer");
    scene.agent.run(&IN_PLACE).succeeds();
    assert_eq!(scene.database.query("SELECT count(*) FROM newer"), "0");
}

#[test]
fn what_depends_on_what_is_replaced_is_named_before_anything_starts() {
    let scene = Scene::backed_up("depended");
    for (object, name) in [
        ("CREATE VIEW v AS SELECT id FROM t", "VIEW v"),
        ("CREATE MATERIALIZED VIEW m AS SELECT id FROM t", "MATERIALIZED VIEW m"),
        ("CREATE TABLE f (id integer REFERENCES t)", "TABLE f"),
        ("CREATE TABLE c () INHERITS (t)", "TABLE c"),
    ] {
        scene.database.query(object);
        let run = scene.agent.run(&IN_PLACE);
        run.exits(1).mentions("depends on public.t").keeps_silent_about("safety backup of");
        scene.database.query(&format!("DROP {name}"));
    }
    scene.agent.run(&IN_PLACE).succeeds();
}

#[test]
fn a_role_that_may_not_create_databases_restores_in_place_and_is_told_so() {
    let scene = Scene::new("modest");
    let name = scene.database.name().to_owned();
    let role = format!("{name}_owner");
    let admin = scene.database.server();
    admin.query(&format!("CREATE ROLE {role} LOGIN PASSWORD '{}'", PASSWORD.replace('\'', "''")));
    admin.query(&format!("ALTER DATABASE {name} OWNER TO {role}"));
    let scene = scene.with("DB_USER", &role);
    scene.database.query(&format!(
        "SET ROLE {role}; CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)"
    ));
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("DELETE FROM t WHERE id > 10");
    scene
        .agent
        .run(&["restore", "latest", "--dry-run"])
        .succeeds()
        .mentions("in place, because the role")
        .mentions("may not create databases");
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    assert_eq!(scene.rows(), "100");
    assert_eq!(scene.database.query("SELECT tableowner FROM pg_tables WHERE tablename = 't'"), role);
    // Somebody else's table in the way is named before anything starts.
    scene.database.query("ALTER TABLE t OWNER TO postgres");
    scene.agent.run(&["restore", "latest", "--confirm"]).exits(1).mentions("public.t belongs to postgres");
    assert_eq!(scene.rows(), "100");
    admin.query(&format!("ALTER DATABASE {name} OWNER TO postgres"));
    scene.database.query(&format!("DROP OWNED BY {role}"));
    admin.query(&format!("DROP ROLE {role}"));
}

#[test]
fn locks_that_will_not_suffice_are_named_beforehand_and_nothing_is_lost() {
    let settings = ["max_locks_per_transaction=10", "max_connections=10"];
    let server = e2e::postgres::Postgres::start_with(e2e::postgres::Installation::debian(), &settings);
    let scene = Scene::on(&server, "locks");
    for part in 0..8 {
        scene.database.query(&format!(
            "DO $$ BEGIN FOR i IN 1..40 LOOP EXECUTE format('CREATE TABLE t{part}_%s (id integer PRIMARY KEY, x text)', i);
                EXECUTE format('INSERT INTO t{part}_%s VALUES (1, ''kept''), (2, ''kept'')', i); END LOOP; END $$"
        ));
    }
    let file = scene.folder.path().join("many.dump");
    // In pieces: pg_dump itself would run out of locks.
    std::fs::write(&file, scene.database.dump(&["-Fc", "--table=t0_*", "--table=t1_*", "--table=t2_*"])).unwrap();
    for how in ["--dry-run", "--confirm"] {
        let run = ["restore", "--backup-file", file.to_str().unwrap(), "--in-place", "--skip-backup", how];
        let outcome = scene.agent.run(&run).mentions("locks are needed and the server has room for");
        match how {
            "--dry-run" => drop(outcome.succeeds()),
            _ => drop(outcome.exits(1).mentions("hint: raise max_locks_per_transaction on the server")),
        }
    }
    for part in 0..8 {
        let rows = (1..=40).map(|i| format!("SELECT x FROM t{part}_{i}")).collect::<Vec<_>>().join(" UNION ALL ");
        assert_eq!(scene.database.query(&format!("SELECT count(*) FROM ({rows}) AS rows WHERE x = 'kept'")), "80");
    }
}

/// A scene whose role owns the database and its objects, and may not create databases.
struct Owned<'a> {
    scene: Scene<'a>,
    role: String,
}

impl Owned<'_> {
    fn new(name: &str) -> Owned<'static> {
        let scene = Scene::new(name);
        let name = scene.database.name().to_owned();
        let role = format!("{name}_owner");
        let admin = scene.database.server();
        admin.query(&format!("CREATE ROLE {role} LOGIN PASSWORD '{}'", PASSWORD.replace('\'', "''")));
        admin.query(&format!("ALTER DATABASE {name} OWNER TO {role}"));
        Owned { scene: scene.with("DB_USER", &role), role }
    }

    /// As the role.
    fn query(&self, sql: &str) -> String {
        self.scene.database.query(&format!("SET ROLE {}; {sql}", self.role))
    }
}

impl Drop for Owned<'_> {
    fn drop(&mut self) {
        let (database, admin) = (&self.scene.database, self.scene.database.server());
        admin.query(&format!("ALTER DATABASE {} OWNER TO postgres", database.name()));
        database.query(&format!("DROP OWNED BY {} CASCADE", self.role));
        admin.query(&format!("DROP ROLE {}", self.role));
    }
}

#[test]
fn a_partitioned_table_with_a_primary_key_is_restored_by_its_owner() {
    let owned = Owned::new("partitioned");
    owned.query(
        "CREATE TABLE events (at date, n integer, PRIMARY KEY (at, n)) PARTITION BY RANGE (at);
        CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        CREATE INDEX ON events (n);
        CREATE TABLE notes (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at date, n integer, FOREIGN KEY (at, n) REFERENCES events);
        INSERT INTO events SELECT '2025-05-05'::date + g, g FROM generate_series(1, 400) g;
        INSERT INTO notes (at, n) SELECT at, n FROM events",
    );
    let before = owned.scene.database.as_sql();
    owned.scene.agent.run(&["backup"]).succeeds();
    owned.query("DELETE FROM notes; DELETE FROM events; ALTER TABLE events ADD COLUMN newer serial");
    owned.scene.agent.run(&["restore", "latest", "--confirm"]).succeeds().mentions("in place, because");
    assert_eq!(owned.query("SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM notes)"), "400|400");
    assert_eq!(owned.scene.database.as_sql(), before);
}

#[test]
fn an_extension_and_a_schema_of_others_are_left_alone() {
    let owned = Owned::new("others");
    let role = &owned.role;
    owned.scene.database.query(&format!(
        "CREATE EXTENSION citext; COMMENT ON EXTENSION citext IS 'ours'; CREATE EXTENSION pg_stat_statements;
        CREATE SCHEMA theirs; COMMENT ON SCHEMA theirs IS 'theirs'; GRANT ALL ON SCHEMA theirs TO {role}"
    ));
    owned.query(
        "CREATE TABLE t (id integer, e public.citext); INSERT INTO t VALUES (1, 'A');
        CREATE TABLE theirs.t AS SELECT 1 AS id; CREATE SCHEMA mine; CREATE TABLE mine.t AS SELECT 1 AS id",
    );
    owned.scene.agent.run(&["backup"]).succeeds();
    owned.query("DELETE FROM t; DELETE FROM theirs.t; CREATE TABLE mine.newer (id integer); DROP TABLE mine.t");
    let owner_of = "SELECT string_agg(nspname || ' ' || nspowner::regrole, ',' ORDER BY nspname) FROM pg_namespace WHERE nspname IN ('theirs', 'mine')";
    let owners = owned.scene.database.query(owner_of);
    owned.scene.agent.run(&["restore", "latest", "--dry-run"]).succeeds();
    owned.scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    assert_eq!(owned.query("SELECT (SELECT e FROM t), (SELECT id FROM theirs.t), (SELECT id FROM mine.t)"), "A|1|1");
    assert_eq!(owned.query("SELECT count(*) FROM mine.newer"), "0");
    assert_eq!(owned.scene.database.query(owner_of), owners);
    owned
        .scene
        .database
        .query("DROP SCHEMA theirs CASCADE; DROP EXTENSION citext CASCADE; DROP EXTENSION pg_stat_statements");
}

#[test]
fn whatever_would_go_with_what_is_replaced_is_refused_before_services_stop() {
    let scene = Scene::new("hanging");
    scene.database.query(
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
        CREATE TYPE pair AS (a integer, b integer); CREATE SEQUENCE numbers; CREATE SCHEMA app;
        CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)",
    );
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("CREATE TABLE newer (id integer)");
    let stopped = scene.folder.path().join("stopped");
    let scene = scene.with("RESTORE_STOP_COMMAND", &format!("touch {}", stopped.display()));
    for (object, undone, named) in [
        (
            "CREATE TRIGGER touch BEFORE UPDATE ON newer FOR EACH ROW EXECUTE FUNCTION touch()",
            "DROP TRIGGER touch ON newer",
            "trigger touch on table public.newer",
        ),
        (
            "ALTER TABLE newer ALTER id SET DEFAULT nextval('numbers')",
            "ALTER TABLE newer ALTER id DROP DEFAULT",
            "public.numbers",
        ),
        ("ALTER SEQUENCE numbers OWNED BY newer.id", "ALTER SEQUENCE numbers OWNED BY NONE", "public.numbers its own"),
        ("CREATE POLICY p ON newer USING (twice(id) = 2)", "DROP POLICY p ON newer", "policy p on table public.newer"),
        ("CREATE INDEX i ON newer (twice(id))", "DROP INDEX i", "index public.i"),
        (
            "ALTER TABLE newer ADD g integer GENERATED ALWAYS AS (twice(id)) STORED",
            "ALTER TABLE newer DROP g",
            "column g",
        ),
        (
            "ALTER TABLE newer ADD CONSTRAINT c CHECK (twice(id) > 2)",
            "ALTER TABLE newer DROP CONSTRAINT c",
            "constraint c",
        ),
        ("ALTER TABLE newer ADD p pair", "ALTER TABLE newer DROP p", "public.pair"),
        (
            "CREATE FUNCTION f(t) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            "DROP FUNCTION f(t)",
            "function public.f(public.t)",
        ),
        ("CREATE VIEW v AS SELECT twice(1)", "DROP VIEW v", "view public.v"),
        (
            "CREATE RULE r AS ON INSERT TO newer DO ALSO DELETE FROM t",
            "DROP RULE r ON newer",
            "rule r on table public.newer",
        ),
        (
            "CREATE OPERATOR <+> (FUNCTION = twice, RIGHTARG = integer)",
            "DROP OPERATOR <+> (NONE, integer)",
            "operator public.<+>",
        ),
        ("CREATE DOMAIN d AS integer CHECK (twice(VALUE) > 1)", "DROP DOMAIN d", "constraint d_check"),
        ("CREATE VIEW vt AS SELECT * FROM t", "DROP VIEW vt", "view public.vt"),
    ] {
        scene.database.query(object);
        for run in [&["restore", "latest", "--in-place", "--dry-run"], &IN_PLACE] {
            scene.agent.run(run).exits(1).mentions("a restore in place would fail").mentions(named).mentions("by swap");
        }
        assert!(!stopped.exists(), "{object}");
        scene.database.query(undone);
    }
    scene.database.query("CREATE TABLE app.newer (id integer); DELETE FROM t");
    scene.agent.run(&IN_PLACE).succeeds();
    assert!(stopped.exists());
    assert_eq!(scene.rows(), "100");
    assert_eq!(scene.database.query("SELECT count(*) FROM app.newer"), "0");
}

#[test]
fn a_publication_keeps_its_tables_and_is_named_beforehand() {
    let scene = Scene::backed_up("published");
    scene.database.query("CREATE PUBLICATION newer FOR TABLE t (id) WHERE (id > 3)");
    let members =
        "SELECT string_agg(tablename || attnames::text || coalesce(rowfilter, ''), ',') FROM pg_publication_tables";
    let before = scene.database.query(members);
    scene
        .agent
        .run(&["restore", "latest", "--in-place", "--dry-run"])
        .succeeds()
        .mentions("publications name these tables again")
        .mentions("public.t in newer");
    scene.agent.run(&IN_PLACE).succeeds();
    assert_eq!(scene.rows(), "100");
    assert_eq!(scene.database.query(members), before);
}

#[test]
fn large_objects_come_back_around_an_extension() {
    let scene = Scene::new("large_and_extended");
    scene.database.query(
        "CREATE EXTENSION citext; CREATE TABLE t (id integer, e citext); INSERT INTO t SELECT g, g FROM generate_series(1, 100) g;
        SELECT lo_from_bytea(4711, 'one'), lo_from_bytea(4712, 'two'); COMMENT ON LARGE OBJECT 4711 IS 'first'",
    );
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("DELETE FROM t; SELECT lo_unlink(4711), lo_put(4712, 0, 'xxx'), lo_from_bytea(4713, 'three')");
    scene.agent.run(&IN_PLACE).succeeds();
    assert_eq!(scene.rows(), "100");
    let content = "SELECT string_agg(loid || convert_from(data, 'UTF8'), ',' ORDER BY loid) FROM pg_largeobject";
    assert_eq!(scene.database.query(content), "4711one,4712two,4713three");
    assert_eq!(scene.database.query("SELECT obj_description(4711, 'pg_largeobject')"), "first");
}

#[test]
fn default_privileges_stay_and_keep_out_of_what_is_restored() {
    let owned = Owned::new("defaults");
    owned.query(
        "CREATE TABLE t (id serial); CREATE TYPE mood AS ENUM ('ok'); CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1;
        CREATE SCHEMA app; CREATE TABLE app.t (id int); ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO PUBLIC",
    );
    let archived = owned.scene.database.as_sql();
    owned.scene.agent.run(&["backup"]).succeeds();
    // Neither may be in what is restored: rights that are added, and rights that are missing.
    owned.query(
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC; ALTER DEFAULT PRIVILEGES GRANT INSERT ON TABLES TO pg_monitor WITH GRANT OPTION;
        ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; ALTER DEFAULT PRIVILEGES REVOKE UPDATE ON TABLES FROM CURRENT_USER;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON TYPES TO pg_monitor; ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO pg_monitor;
        ALTER DEFAULT PRIVILEGES REVOKE USAGE ON SEQUENCES FROM PUBLIC; ALTER DEFAULT PRIVILEGES GRANT SELECT ON SEQUENCES TO pg_monitor",
    );
    let default_privileges =
        "SELECT string_agg(concat_ws(' ', defaclnamespace::regnamespace, defaclobjtype, i), E'\\n' ORDER BY defaclnamespace, defaclobjtype, i::text)
        FROM pg_default_acl, unnest(defaclacl) i WHERE defaclobjtype <> 'S' AND defaclnamespace <> coalesce(to_regnamespace('app'), 0)";
    let before = owned.query(default_privileges);
    owned.scene.agent.run(&["restore", "latest", "--in-place", "--confirm"]).succeeds();
    assert_eq!(owned.query(default_privileges), before);
    // Those of sequences are the archive's; those in a schema went with the schema.
    owned.query("ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC, pg_monitor; ALTER DEFAULT PRIVILEGES GRANT UPDATE ON TABLES TO CURRENT_USER");
    owned.query("ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC; ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TYPES FROM pg_monitor");
    assert_eq!(owned.scene.database.as_sql(), archived);
}

#[test]
fn a_role_that_may_not_make_temporary_tables_restores_in_place_as_well() {
    let owned = Owned::new("no_temporary");
    owned.query("CREATE TABLE t AS SELECT generate_series(1, 100) AS id");
    owned.scene.agent.run(&["backup"]).succeeds();
    let name = owned.scene.database.name();
    owned.scene.database.query(&format!("REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC, {}", owned.role));
    owned.query("DELETE FROM t");
    owned.scene.agent.run(&["restore", "latest", "--in-place", "--confirm"]).succeeds();
    assert_eq!(owned.query("SELECT count(*) FROM t"), "100");
}
