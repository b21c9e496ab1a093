//! What a backup was asked to leave out, and what of that a restore says, keeps or refuses.

use e2e::bounds::wait_until;
use e2e::postgres::PASSWORD;

use super::Scene;

/// For a text in single quotes.
fn password() -> String {
    PASSWORD.replace('\'', "''")
}

#[test]
fn rows_that_the_backup_lacks_are_named_and_the_safety_backup_has_them() {
    let scene = Scene::new("left_out").with("BACKUP_PG_DUMP_OPTIONS", "--exclude-table-data=logs --no-sync");
    scene.database.query("CREATE TABLE t AS SELECT 1 AS id; CREATE TABLE logs AS SELECT generate_series(1, 1000) AS n");
    scene.database.query("CREATE TABLE sessions (id integer); CREATE TABLE parted (id integer) PARTITION BY LIST (id)");
    scene.agent.run(&["backup"]).succeeds();
    let said = "which have some now and will be empty; the safety backup has them: public.logs\n";
    scene.agent.run(&["restore", "latest", "--in-place", "--dry-run"]).succeeds().mentions(said);
    scene
        .agent
        .run(&["restore", "latest", "--dry-run"])
        .succeeds()
        .mentions("the old database keeps them: public.logs");
    let run = scene.agent.run(&["restore", "latest", "--in-place", "--confirm"]).succeeds();
    assert_eq!(scene.database.query("SELECT count(*) FROM logs"), "0");
    let back = run.stdout.lines().find_map(|line| line.split("to go back: lastgood restore ").nth(1)).unwrap();
    scene.agent.run(&["restore", back, "--confirm"]).succeeds();
    assert_eq!(scene.database.query("SELECT count(*) FROM logs"), "1000");
}

#[test]
fn the_safety_backup_is_of_the_database_that_is_restored_into() {
    let scene = Scene::backed_up("source");
    let role = format!("{}_modest", scene.database.name());
    let other = scene.database.server().new_database("empty");
    scene.database.query(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD '{}'; GRANT pg_read_all_data TO {role}; ALTER DATABASE {} OWNER TO {role}",
        password(),
        other.name()
    ));
    let run = scene.agent.setting("DB_USER", &role).run(&["restore", "latest", "--into", other.name(), "--confirm"]);
    let run = run.succeeds().mentions(&format!("to go back: lastgood restore {}_backup_pre_restore_", other.name()));
    assert_eq!(other.query("SELECT count(*) FROM t"), "100");
    run.mentions(&format!(" --database {}", other.name()));
}

#[test]
fn rows_may_be_in_another_partition_than_they_were() {
    let scene = Scene::new("paint");
    scene.database.query(
        "CREATE TYPE color AS ENUM ('red', 'green', 'blue', 'cyan', 'magenta', 'yellow', 'black', 'white');
         CREATE TABLE stock (id int, c color) PARTITION BY HASH (c);
         CREATE TABLE stock_0 PARTITION OF stock FOR VALUES WITH (MODULUS 3, REMAINDER 0);
         CREATE TABLE stock_1 PARTITION OF stock FOR VALUES WITH (MODULUS 3, REMAINDER 1);
         CREATE TABLE stock_2 PARTITION OF stock FOR VALUES WITH (MODULUS 3, REMAINDER 2);
         INSERT INTO stock SELECT n, v.c FROM unnest(enum_range(NULL::color)) WITH ORDINALITY v(c, o), generate_series(1, (3 ^ o)::int) n",
    );
    scene.agent.run(&["backup"]).succeeds();
    for way in [
        &["restore", "latest", "--confirm"][..],
        &["restore", "latest", "--in-place", "--confirm"],
        &["restore", "latest", "--jobs=2", "--confirm"],
    ] {
        scene.agent.run(way).succeeds().mentions("9,840 rows");
        assert_eq!(scene.database.query("SELECT count(*) FROM stock"), "9840");
    }
}

#[test]
fn what_hides_rows_from_their_owner_does_not_keep_them_from_being_counted() {
    let scene = Scene::new("forced");
    let (name, role) = (scene.database.name(), format!("{}_owner", scene.database.name()));
    scene.database.query(&format!(
        "CREATE ROLE {role} LOGIN CREATEDB PASSWORD '{}'; ALTER DATABASE {name} OWNER TO {role}; GRANT CREATE ON TABLESPACE pg_default TO {role};
         CREATE SCHEMA shut AUTHORIZATION {role}; SET ROLE {role}; CREATE TABLE shut.t AS SELECT generate_series(1, 9) AS id; CREATE TABLE shut.u (id int); INSERT INTO shut.u VALUES (1);
         ALTER TABLE shut.t ENABLE ROW LEVEL SECURITY; ALTER TABLE shut.t FORCE ROW LEVEL SECURITY; CREATE POLICY p ON shut.t USING (id < 5);
         REVOKE SELECT ON shut.u FROM {role}",
        password()
    ));
    scene.agent.run(&["backup"]).succeeds();
    let before = scene.database.as_sql();
    let agent = scene.agent.setting("DB_USER", &role);
    for way in [
        &["restore", "latest", "--confirm"][..],
        &["restore", "latest", "--jobs=2", "--confirm"],
        &["restore", "latest", "--in-place", "--skip-backup", "--confirm"],
    ] {
        agent.run(way).succeeds().mentions("10 rows");
        assert_eq!(scene.database.as_sql(), before, "{way:?}");
    }
}

#[test]
fn rows_that_need_others_before_them_are_filled_in_the_archives_order() {
    let scene = Scene::new("kinds");
    scene.database.query(
        "CREATE TABLE a_kinds (k text PRIMARY KEY); INSERT INTO a_kinds SELECT g::text FROM generate_series(1, 300000) g;
         CREATE FUNCTION known(text) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM public.a_kinds WHERE k = $1)';
         CREATE TABLE b_items (id int, k text CHECK (known(k))); INSERT INTO b_items VALUES (1, '299999')",
    );
    scene.agent.run(&["backup"]).succeeds();
    let before = scene.database.as_sql();
    let run = scene.agent.run(&["restore", "latest", "--jobs=2", "--confirm"]).succeeds();
    run.mentions("in the archive's order").mentions("300,001 rows");
    assert_eq!(scene.database.as_sql(), before);
    assert_eq!(scene.beside().len(), 1, "the old one alone");
}

#[test]
fn a_table_brings_its_partitions_and_children_along() {
    let scene = Scene::new("parted");
    scene.database.query(
        "CREATE TABLE events (at date, n int) PARTITION BY RANGE (at);
         CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (n);
         CREATE TABLE \"Events 1\" PARTITION OF events_2025 FOR VALUES IN (1);
         INSERT INTO events SELECT '2025-05-05', 1 FROM generate_series(1, 999);
         CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent); INSERT INTO child SELECT generate_series(1, 7);
         CREATE TABLE other AS SELECT generate_series(1, 50) AS id; CREATE TABLE hollow (id int) PARTITION BY LIST (id)",
    );
    scene.agent.run(&["backup"]).succeeds();
    for (table, said, count) in [
        ("events", "public.Events 1", "999 rows"),
        ("parent", "public.child", "7 rows"),
        ("public.other", "public.other", "1 table, 50 rows"),
    ] {
        let rescue =
            scene.database.server().database(&format!("{}_{}", scene.database.name(), table.replace('.', "_")));
        let run = scene.agent.run(&["restore", "latest", "--table", table, "--into", rescue.name(), "--confirm"]);
        run.succeeds().mentions(said).mentions(count);
        assert_eq!(
            rescue.query(&format!("SELECT count(*) || ' rows' FROM {table}")),
            count.rsplit(", ").next().unwrap()
        );
    }
    let hollow = ["restore", "latest", "--table", "hollow", "--into", "x", "--confirm"];
    scene.agent.run(&hollow).exits(5).mentions("no rows of table hollow");
}

#[test]
fn rows_that_could_not_be_counted_are_not_called_zero() {
    let scene = Scene::new("inserts").with("BACKUP_PG_DUMP_OPTIONS", "--inserts");
    scene.database.query("CREATE TABLE t AS SELECT generate_series(1, 20) AS id");
    scene.agent.run(&["backup"]).succeeds().mentions("1 table, rows not counted").keeps_silent_about("0 rows");
    let run = scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    run.mentions("1 table, rows not counted").mentions("all else checked").keeps_silent_about("0 rows");
    assert_eq!(scene.rows(), "20");
}

#[test]
fn a_schema_public_of_the_archives_own_takes_the_place_of_the_empty_one() {
    let scene = Scene::new("public").with("BACKUP_PG_DUMP_OPTIONS", "--schema=public");
    scene
        .database
        .query("CREATE TABLE t AS SELECT generate_series(1, 10) AS id; GRANT USAGE ON SCHEMA public TO PUBLIC");
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("DELETE FROM t");
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    assert_eq!(scene.rows(), "10");
}

#[test]
fn a_backup_of_a_part_is_warned_of_and_refused_beforehand() {
    for (options, said) in [
        ("--table=app.t", "tables in schema app and not the schema itself"),
        ("--data-only", "rows and no tables to put them into"),
        ("--section=data", "rows and no tables to put them into"),
        ("--section=post-data", "indexes and constraints of tables that it lacks"),
        ("--schema-only", "tables and the rows of none"),
    ] {
        let scene = Scene::new("part").with("BACKUP_PG_DUMP_OPTIONS", options);
        scene
            .database
            .query("CREATE SCHEMA app; CREATE TABLE app.t (id integer PRIMARY KEY); INSERT INTO app.t VALUES (1)");
        let warning = format!("BACKUP_PG_DUMP_OPTIONS has {options}: lastgood restore cannot bring the database back");
        scene.agent.run(&["backup", "--dry-run"]).succeeds().mentions(&warning);
        scene.agent.run(&["backup"]).succeeds().mentions(&warning);
        assert!(std::fs::read_to_string(scene.file(".manifest.json")).unwrap().contains(&warning));
        for dry_run in ["--dry-run", "--confirm"] {
            scene.agent.run(&["restore", "latest", dry_run]).exits(1).mentions(said).mentions("by hand");
        }
        assert_eq!(scene.database.query("SELECT count(*) FROM app.t"), "1");
    }
}

#[test]
fn old_databases_go_whatever_is_in_them_and_those_that_stay_are_named() {
    let scene = Scene::backed_up("old");
    let old = |second: u32| {
        scene.database.server().new_database_named(&format!("{}_before_20260101_00000{second}", scene.database.name()))
    };
    let (used, subscribed, template) = (old(1), old(2), old(3));
    subscribed.query("CREATE SUBSCRIPTION feed CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH (connect = false, slot_name = 'feed')");
    scene.database.query(&format!("ALTER DATABASE {} IS_TEMPLATE true", template.name()));
    let mut client = used.client(scene.database.server().installation(), "psql");
    let mut client = client.args(["-XAtq", "-c", "SELECT pg_sleep(600)"]).spawn().unwrap();
    let connected = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}'", used.name());
    wait_until("a client is connected", || scene.database.query(&connected) != "0");
    let run = scene.agent.run(&["restore", "--drop-old", "--confirm"]);
    run.exits(1).mentions(&format!("cannot drop {}", used.name())).mentions("dropped 2 old databases");
    assert_eq!(scene.beside(), [used.name()]);
    client.kill().unwrap();
    wait_until("the client has ended", || client.try_wait().unwrap().is_some());
    scene
        .database
        .query(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", used.name()));
    scene.agent.run(&["restore", "--drop-old", "--confirm"]).succeeds();
    assert_eq!(scene.beside().len(), 0);
}

#[test]
fn a_second_that_another_restore_takes_is_left_to_it() {
    let scene = Scene::backed_up("second");
    let folder = tempfile::tempdir().unwrap();
    let real = scene.database.server().installation().programs().join("psql");
    // Another restore commits its database of the same name just before ours is created.
    let body = format!(
        "case \"$*\" in *--version*) exec {real} \"$@\";; esac
         exec 3<&0; mkfifo {folder}/fifo.$$
         while IFS= read -r line; do
             name=$(printf '%s\n' \"$line\" | sed -n 's/^CREATE DATABASE \\([^ ]*\\) .*/\\1/p')
             if [ -n \"$name\" ] && mkdir {folder}/taken 2>/dev/null; then printf 'CREATE DATABASE %s;' \"$name\" | {real} -XAtq -f - >&2; fi
             printf '%s\n' \"$line\"
         done <&3 > {folder}/fifo.$$ &
         exec {real} \"$@\" < {folder}/fifo.$$ 3<&-",
        real = real.display(),
        folder = folder.path().display()
    );
    super::script(folder.path(), "psql", &body);
    let agent = scene.agent.programs_in(folder.path());
    let run = agent.run(&["restore", "latest", "--confirm"]).succeeds();
    assert_eq!(scene.database.query("SELECT count(*) FROM t"), "100");
    let old =
        run.stdout.lines().find_map(|line| line.strip_prefix("the old database stays as ")?.split(';').next()).unwrap();
    assert_eq!(scene.database.server().database(old).query("SELECT count(*) FROM t"), "10");
}
