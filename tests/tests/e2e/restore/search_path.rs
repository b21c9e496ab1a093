//! Functions that name things without their schemas, and an archive that is restored with an empty search_path.

use super::Scene;

const FIX: &str = "--search-path-fix";

/// A CHECK calls a function; `body` is what it does.
fn scene(name: &str, body: &str) -> Scene<'static> {
    let scene = Scene::new(name);
    scene.database.query(&format!(
        "CREATE FUNCTION is_odd(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 2 = 1';
         CREATE FUNCTION is_fine(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $body$
             DECLARE fine boolean; BEGIN {body}; RETURN fine; END $body$;
         CREATE TABLE t (id int CHECK (is_fine(id))); INSERT INTO t SELECT g FROM generate_series(1, 99, 2) g"
    ));
    scene.agent.run(&["backup"]).succeeds();
    scene
}

#[test]
fn a_name_without_its_schema_is_refused_before_anything_starts_and_restored_by_the_option() {
    let scene = scene("trap", "fine := is_odd($1)");
    let named = "a CHECK of table public.t evaluates public.is_fine(integer), which names is_odd";
    for last in ["--dry-run", "--confirm"] {
        scene.agent.run(&["restore", "latest", last]).exits(1).mentions(named).mentions(FIX);
    }
    assert!(scene.beside().is_empty());
    for way in [&["--jobs", "2"][..], &["--jobs", "1"], &["--in-place", "--skip-backup"]] {
        scene.database.query("DELETE FROM t");
        let run = [&["restore", "latest", "--confirm", FIX], way].concat();
        scene.agent.run(&run).succeeds().mentions("a search_path for 2 functions").mentions("all checked");
        let settings =
            scene.database.query("SELECT count(*) FROM pg_proc WHERE proconfig IS NOT NULL AND oid >= 16384");
        assert_eq!((scene.rows().as_str(), settings.as_str()), ("50", "0"), "{way:?}");
    }
}

#[test]
fn one_table_is_restored_by_the_option_as_well() {
    let scene = scene("trap_table", "fine := is_odd($1)");
    let into = format!("{}_copy", scene.database.name());
    let run = ["restore", "latest", "--into", &into, "--table", "t", FIX, "--confirm"];
    scene.agent.run(&run).succeeds().mentions("all checked");
}

#[test]
fn a_name_that_only_shows_when_it_is_run_leads_to_the_option() {
    let scene = scene("trap_hidden", "EXECUTE 'SELECT is_odd($1)' INTO fine USING $1");
    for way in [&[][..], &["--in-place", "--skip-backup"]] {
        let run = [&["restore", "latest", "--confirm"], way].concat();
        scene.agent.run(&run).exits(1).mentions("is_odd").mentions(FIX);
        scene.agent.run(&[&run[..], &[FIX]].concat()).succeeds();
    }
}
