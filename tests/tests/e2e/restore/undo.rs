//! `restore --undo`: what a restore put aside gets its name back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use e2e::bounds::wait_until;
use e2e::postgres::{Installation, PASSWORD, Postgres};
use e2e::process::output;
use rustix::process::Signal;

use super::Scene;

const UNDO: [&str; 3] = ["restore", "--undo", "--confirm"];

/// A database of a role that is no superuser, with a hundred rows in its backup and ten in it.
fn scene(server: &'static Postgres, name: &str) -> (Scene<'static>, String) {
    let database = server.new_database_named(name);
    let role = format!("Besitzer \"{name}\"");
    let quoted = identifier(&role);
    server.query(&format!("CREATE ROLE {quoted} LOGIN CREATEDB PASSWORD '{}'", PASSWORD.replace('\'', "''")));
    server.query(&format!("ALTER DATABASE {} OWNER TO {quoted}", identifier(name)));
    let folder = tempfile::TempDir::new().unwrap();
    let agent = e2e::agent::Agent::new().database(&database).directory(folder.path()).setting("DB_USER", &role);
    let scene = Scene { database, agent, folder };
    scene.database.query(&format!(
        "SET ROLE {quoted}; CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)"
    ));
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("DELETE FROM t WHERE id > 10");
    (scene, role)
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What is in the only database beside.
fn beside(scene: &Scene<'_>, sql: &str) -> String {
    let beside = scene.beside();
    assert_eq!(beside.len(), 1, "{beside:?}");
    // Its end is for the test to say.
    std::mem::ManuallyDrop::new(scene.database.server().database(&beside[0])).query(sql)
}

#[test]
fn a_restore_is_undone_and_the_undo_as_well_while_an_application_writes() {
    let name = "Läden \"ü'ber\" 100%";
    let (scene, role) = scene(Postgres::shared(), name);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let mut psql = scene.database.client(scene.database.server().installation(), "psql");
                let insert = "INSERT INTO t SELECT max(id) + 1000 FROM t; SELECT pg_sleep(0.2)";
                // Ended in the middle, and back at once.
                output(psql.env("PGUSER", &role).env("PGPASSWORD", PASSWORD).args(["-X", "-c", insert]));
            }
        });
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            scene
                .agent
                .run(&["restore", "latest", "--confirm"])
                .succeeds()
                .mentions("to go back: lastgood restore --undo --database \"Läden");
            assert_eq!(scene.database.query("SELECT count(*) FROM t WHERE id BETWEEN 11 AND 100"), "90");
            wait_until("the application has written since the restore", || {
                scene.database.query("SELECT count(*) FROM t WHERE id > 1000") != "0"
            });
            scene
                .agent
                .run(&["restore", "--undo", "--dry-run"])
                .succeeds()
                .mentions("those written since the restore stay in")
                .mentions("nothing was changed");
            assert_eq!(scene.database.query("SELECT count(*) FROM t WHERE id BETWEEN 11 AND 100"), "90");
            scene.agent.run(&["restore", "--undo"]).exits(1).mentions("cannot ask for confirmation");
            scene.agent.run(&UNDO).succeeds().mentions("is again the database that was kept as");
        }));
        done.store(true, Ordering::Relaxed);
        run.unwrap();
    });
    // The application may write here again; of the ninety that the restore brought none is here, and all are kept.
    assert_eq!(scene.database.query("SELECT count(*) FROM t WHERE id BETWEEN 1 AND 100"), "10");
    assert_eq!(beside(&scene, "SELECT count(*) FROM t WHERE id BETWEEN 1 AND 100"), "100");
    assert_ne!(beside(&scene, "SELECT count(*) FROM t WHERE id > 1000"), "0");
    // Users are kept out of what went wrong, and so is its owner.
    scene.database.query(&format!("ALTER DATABASE {} CONNECTION LIMIT 0", identifier(name)));
    scene.agent.run(&UNDO).succeeds();
    assert_eq!(scene.database.query("SELECT count(*) FROM t WHERE id BETWEEN 1 AND 100"), "100");
    assert_eq!(beside(&scene, "SELECT count(*) FROM t WHERE id BETWEEN 1 AND 100"), "10");
    scene.agent.run(&["restore", "--drop-old", "--confirm"]).succeeds().mentions("dropped 1 old database");
    scene.agent.run(&UNDO).exits(5).mentions("no old database to go back to");
    assert_eq!(scene.database.query("SELECT count(*) FROM t WHERE id BETWEEN 1 AND 100"), "100");
}

#[test]
fn any_old_database_can_be_named_and_nothing_else() {
    let scene = Scene::backed_up("several_old");
    let name = scene.database.name().to_owned();
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    let first = scene.beside().remove(0);
    scene.database.query("DELETE FROM t WHERE id > 50");
    wait_until("the next second has come, from which names are made", || {
        std::thread::sleep(Duration::from_millis(100));
        scene
            .database
            .query(&format!("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD_HH24MISS') > right('{first}', 15)"))
            == "t"
    });
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    let server = scene.database.server();
    for (other, exit, why) in [
        (format!("{name}_before_20200101_000000"), 5, "there is no database"),
        (format!("{name}_restoring_20200101_000000"), 1, "a restore that was killed"),
        (format!("{name}_before_lunch"), 1, "no restore gives such a name"),
        (name.clone(), 1, "no restore gives such a name"),
    ] {
        let made = exit == 1 && other != name;
        if made {
            server.query(&format!("CREATE DATABASE {other}"));
        }
        scene.agent.run(&["restore", "--undo", &other, "--confirm"]).exits(exit).mentions(why).mentions(&first);
        if made {
            server.query(&format!("DROP DATABASE {other}"));
        }
    }
    assert_eq!(scene.rows(), "100");
    scene.agent.run(&["restore", "--undo", "--dry-run"]).succeeds().mentions(&format!("others    {first}"));
    scene.agent.run(&["restore", "--undo", &first, "--confirm"]).succeeds();
    assert_eq!((scene.rows().as_str(), scene.beside().len()), ("10", 2));
    // The one that had the name last is the newest of them; without it too, the way back is open.
    server.query(&format!("DROP DATABASE {name} WITH (FORCE)"));
    scene.agent.run(&UNDO).succeeds();
    assert_eq!((scene.rows().as_str(), scene.beside().len()), ("100", 1));
    scene.agent.run(&UNDO).succeeds();
    assert_eq!(scene.rows(), "50");
}

#[test]
fn the_old_database_comes_back_as_it_was_and_what_differs_is_named() {
    let server = Postgres::start_with(Installation::debian(), &["wal_level=logical", "max_prepared_transactions=2"]);
    let scene = Scene::on(&server, "as_it_was");
    let name = scene.database.name().to_owned();
    scene.database.query(&format!(
        "CREATE ROLE leaver; CREATE TABLE t (id integer); ALTER DATABASE {name} SET work_mem = '7MB';
         REVOKE CONNECT ON DATABASE {name} FROM PUBLIC; GRANT CONNECT ON DATABASE {name} TO leaver"
    ));
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("SELECT pg_create_logical_replication_slot('feed', 'pgoutput')");
    server.query(&format!("ALTER DATABASE {name} IS_TEMPLATE true"));
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    scene.database.query(&format!(
        "ALTER DATABASE {name} SET work_mem = '9MB'; REVOKE CONNECT ON DATABASE {name} FROM leaver;
         ALTER DATABASE {name} CONNECTION LIMIT 3"
    ));
    scene.database.query("BEGIN; CREATE TABLE u (id integer); PREPARE TRANSACTION 'half''way'");
    scene.agent.run(&UNDO).exits(1).mentions("a prepared transaction (half'way) holds database");
    scene.database.query("ROLLBACK PREPARED 'half''way'");
    scene
        .agent
        .run(&UNDO)
        .succeeds()
        .mentions(&format!(
            "run it after the undo if it shall hold: ALTER DATABASE \"{name}\" SET \"work_mem\" TO '9MB'"
        ))
        .mentions("CONNECTION LIMIT 3")
        .mentions(&format!("the old database still has this: GRANT CONNECT ON DATABASE \"{name}\" TO \"leaver\""))
        .mentions("replication slot feed belongs to the old database");
    assert_eq!(scene.database.query("SHOW work_mem"), "7MB");
    assert_eq!(
        scene.database.query("SELECT datconnlimit, datistemplate FROM pg_database WHERE datname = current_database()"),
        "-1|t"
    );
    // A role that is let into no other database can't rename this one from there.
    server.query(&format!(
        "CREATE ROLE here LOGIN CREATEDB PASSWORD '{}'; GRANT CONNECT ON DATABASE {name} TO here;
         REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC",
        PASSWORD.replace('\'', "''")
    ));
    let scene = scene.with("DB_USER", "here");
    scene.agent.run(&UNDO).exits(1).mentions("the role here may connect to no other database");
    let scene = scene.with("DB_USER", e2e::postgres::USER);
    scene.agent.run(&["restore", "--drop-old", "--confirm"]).succeeds().mentions("dropped 1 old database");
    assert_eq!(scene.beside(), Vec::<String>::new());
}

#[test]
fn a_role_that_may_not_rename_both_is_told_before_anything_stops() {
    let scene = Scene::backed_up("not_both");
    let (name, role) = (scene.database.name().to_owned(), format!("{}_role", scene.database.name()));
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    let server = scene.database.server();
    server.query(&format!("CREATE ROLE {role} LOGIN PASSWORD '{}'", PASSWORD.replace('\'', "''")));
    server.query(&format!("ALTER DATABASE {name} OWNER TO {role}"));
    let scene = scene.with("DB_USER", &role).with("RESTORE_STOP_COMMAND", "exit 3");
    scene.agent.run(&UNDO).exits(1).mentions("may not rename a database, which takes CREATEDB");
    server.query(&format!("ALTER ROLE {role} CREATEDB"));
    scene.agent.run(&UNDO).exits(1).mentions("which belongs to postgres").keeps_silent_about("RESTORE_STOP_COMMAND");
    let old = scene.beside().remove(0);
    server.query(&format!("ALTER DATABASE {old} OWNER TO {role}"));
    scene.agent.run(&UNDO).exits(1).mentions("RESTORE_STOP_COMMAND failed");
    // A superuser's connection is not this role's to end.
    let mut sleeper = scene.database.client(server.installation(), "psql");
    let mut sleeper = sleeper.args(["-X", "-c", "SELECT pg_sleep(600)"]).spawn().unwrap();
    wait_until("a superuser is connected", || {
        server.query(&format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE '%pg_sleep(600)%'"
        )) == "1"
    });
    scene
        .agent
        .run(&["restore", "--undo", "--confirm", "--skip-services"])
        .exits(1)
        .mentions("stop the clients that are connected");
    sleeper.kill().unwrap();
    wait_until("the superuser's psql has ended", || sleeper.try_wait().unwrap().is_some());
    assert_eq!((scene.rows().as_str(), scene.beside()), ("100", vec![old]));
    server.query(&format!("ALTER DATABASE {name} OWNER TO postgres"));
}

#[test]
fn an_undo_that_is_told_to_stop_is_done_or_has_changed_nothing() {
    for (step, expected) in [("stopping services", (1, "100")), ("starting services", (0, "10"))] {
        let scene = Scene::backed_up("undo_stopped");
        scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
        let scene = scene.with_services_held();
        let mut run = scene.agent.start(&UNDO);
        if step == "starting services" {
            scene.let_services_stop();
        }
        run.wait_for(step);
        // Nothing else may work on these names meanwhile.
        scene.agent.run(&["restore", "--drop-old", "--confirm"]).exits(3).mentions("a restore of");
        run.signal(Signal::TERM);
        run.wait_for_or_end("send it again to quit at once");
        scene.let_services_go();
        let outcome = run.wait();
        assert_eq!((outcome.code.unwrap(), scene.rows().as_str()), expected, "{step}\n{outcome}");
        assert_eq!(scene.beside().len(), 1);
        assert!(scene.services().ends_with("start\n"), "{step}: {}", scene.services());
    }
}
