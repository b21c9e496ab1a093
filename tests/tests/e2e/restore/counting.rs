//! Rows that get lost between the archive and the end of a restore are found, however they got lost, and none is counted for nothing.

use super::Scene;

const ALONE: &[&str] = &["restore", "latest", "--confirm", "--jobs", "1", "--verbose"];
const SIDE_BY_SIDE: &[&str] = &["restore", "latest", "--confirm", "--jobs", "2", "--verbose"];

/// What removes a row of `a`, and says that it does nothing.
const REMOVER: &str = "CREATE TABLE a (id integer);
     CREATE FUNCTION remover() RETURNS boolean LANGUAGE sql AS 'DELETE FROM public.a WHERE id = 7; SELECT true';
     CREATE FUNCTION harmless(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN public.remover(); END';";

#[test]
fn rows_are_not_counted_where_the_server_has_added_them_up() {
    let scene = Scene::new("added_up");
    scene.database.query(
        "CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000); CREATE TABLE none (id integer);
         CREATE TABLE p (id integer) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
         CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); INSERT INTO p SELECT generate_series(0, 19);
         CREATE TABLE child (more text) INHERITS (t); INSERT INTO child VALUES (1, 'x');
         CREATE UNLOGGED TABLE unlogged (id integer); INSERT INTO unlogged VALUES (1);
         CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER keep BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION keep()",
    );
    scene.agent.run(&["backup"]).succeeds();
    for way in [ALONE, SIDE_BY_SIDE] {
        let run = scene.agent.run(way).succeeds();
        run.mentions("the server has added up those of 6 tables")
            .keeps_silent_about("counting the rows of")
            .mentions("all checked");
    }
}

#[test]
fn rows_that_vanish_while_others_are_loaded_prevent_the_exchange() {
    let scene = Scene::new("vanishing");
    scene.database.query(REMOVER);
    scene.database.query(
        "CREATE TABLE b (id integer CHECK (harmless(id))); INSERT INTO b VALUES (1); INSERT INTO a SELECT generate_series(1, 10)",
    );
    scene.agent.run(&["backup"]).succeeds();
    scene.agent.run(ALONE).exits(1).mentions("table public.a has 9 rows where the backup has 10");
    assert_eq!(scene.database.query("SELECT count(*) FROM a"), "10");
    assert_eq!(scene.beside(), Vec::<String>::new());
}

#[test]
fn rows_that_vanish_while_indexes_are_made_prevent_the_exchange() {
    let scene = Scene::new("indexed");
    scene.database.query(REMOVER);
    scene.database.query(
        "CREATE TABLE b (id integer); CREATE INDEX ON b (harmless(id)); INSERT INTO b VALUES (1);
         INSERT INTO a SELECT generate_series(1, 10)",
    );
    scene.agent.run(&["backup"]).succeeds();
    for way in [ALONE, SIDE_BY_SIDE] {
        scene.agent.run(way).exits(1).mentions("table public.a has 9 rows where the backup has 10");
    }
}

#[test]
fn what_the_server_does_not_add_up_is_counted() {
    let scene = Scene::backed_up("uncounted");
    let name = scene.database.name().to_owned();
    scene.database.query(&format!("ALTER DATABASE {name} SET track_counts = off"));
    scene.agent.run(&["backup"]).succeeds();
    scene.database.server().query(&format!("DROP DATABASE {name} WITH (FORCE)"));
    for way in [ALONE, SIDE_BY_SIDE] {
        scene.agent.run(way).succeeds().mentions("counting the rows of 1 table").mentions("all checked");
    }
}
