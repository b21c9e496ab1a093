//! The exchange of names: services, connections, the way back, and the end of the old database.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use e2e::bounds::wait_until;
use e2e::process::output;

use super::{Scene, script};

/// Says that the restore is over, however it ends: until then applications come back.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn applications_that_reconnect_at_once_do_not_stop_the_exchange() {
    let scene = Scene::backed_up("busy");
    let (done, ended) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let mut psql = scene.database.client(scene.database.server().installation(), "psql");
                    // Ended in the middle, and back at once.
                    output(psql.args(["-c", "SELECT pg_sleep(30)"]));
                }
                ended.fetch_add(1, Ordering::Relaxed);
            });
        }
        let over = Over(&done);
        let run = scene.agent.run(&["restore", "latest", "--confirm"]);
        drop(over);
        // The last ones sleep in the new database: end them, or the test waits for them.
        let admin = scene.database.server();
        wait_until("the applications have gone", || {
            admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()");
            ended.load(Ordering::Relaxed) == 3
        });
        run.succeeds();
    });
    assert_eq!(scene.rows(), "100");
}

#[test]
fn services_stop_for_the_exchange_alone_and_start_again() {
    let scene = Scene::backed_up("services");
    let log = scene.agent.home().join("services");
    let scene = scene
        .with("RESTORE_STOP_COMMAND", &format!("echo stop >> '{}'", log.display()))
        .with("RESTORE_START_COMMAND", &format!("echo start >> '{}'", log.display()));
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "stop\nstart\n");
    scene.agent.run(&["restore", "latest", "--confirm", "--skip-services"]).succeeds();
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "stop\nstart\n");
}

#[test]
fn services_start_again_when_the_restore_fails_after_they_were_stopped() {
    for way in
        [&["restore", "latest", "--confirm"][..], &["restore", "latest", "--confirm", "--in-place", "--skip-backup"]]
    {
        let scene = Scene::backed_up("fails");
        let log = scene.agent.home().join("services");
        // What was dropped can't be exchanged; whose table is gone half way can't be replaced.
        let programs = tempfile::tempdir().unwrap();
        let real = scene.database.server().installation().programs().join("pg_restore");
        let in_place = format!(
            "case \"$*\" in *--single-transaction*) echo 'pg_restore: error: no' >&2; exit 1;; *) exec {} \"$@\";; esac",
            real.display()
        );
        script(programs.path(), "pg_restore", &in_place);
        let sql = scene.agent.home().join("drop.sql");
        std::fs::write(&sql, drop_new(scene.database.name())).unwrap();
        let stop = format!("echo stop >> '{}'; psql -d postgres -X -q -f '{}'", log.display(), sql.display());
        let agent = scene
            .agent
            .setting("RESTORE_STOP_COMMAND", stop)
            .setting("RESTORE_START_COMMAND", format!("echo start >> '{}'", log.display()))
            .setting("PGHOST", "127.0.0.1")
            .setting("PGPORT", scene.database.server().port().to_string())
            .setting("PGUSER", "postgres")
            .setting("PGPASSWORD", e2e::postgres::PASSWORD)
            .programs_in(programs.path());
        agent.run(way).exits(1);
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "stop\nstart\n", "{way:?}");
        assert_eq!(scene.database.query("SELECT count(*) FROM t"), "10");
    }
}

#[test]
fn services_that_do_not_stop_keep_everything_as_it_was() {
    let scene = Scene::backed_up("stubborn").with("RESTORE_STOP_COMMAND", "exit 3");
    scene
        .agent
        .run(&["restore", "latest", "--confirm"])
        .exits(1)
        .mentions("RESTORE_STOP_COMMAND")
        .mentions("--skip-services");
    assert_eq!((scene.rows().as_str(), scene.beside().len()), ("10", 0));
}

#[test]
fn services_that_do_not_start_again_fail_the_run_after_the_report() {
    for way in
        [&["restore", "latest", "--confirm"][..], &["restore", "latest", "--confirm", "--in-place", "--skip-backup"]]
    {
        let scene = Scene::backed_up("down").with("RESTORE_START_COMMAND", "exit 3");
        scene.agent.run(way).exits(1).mentions("all checked").mentions("RESTORE_START_COMMAND failed");
        assert_eq!(scene.rows(), "100");
    }
}

#[test]
fn the_way_back_is_what_the_report_says() {
    let scene = Scene::backed_up("back");
    let run = scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    assert_eq!(scene.rows(), "100");
    let back = run.stdout.lines().find_map(|line| line.split("to go back: lastgood ").nth(1)).unwrap();
    let back: Vec<&str> = back.split(' ').chain(["--confirm"]).collect();
    scene.agent.run(&back).succeeds();
    assert_eq!(scene.rows(), "10");
}

#[test]
fn old_databases_go_when_asked_and_no_others() {
    let scene = Scene::backed_up("dropped");
    let name = scene.database.name();
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    let admin = scene.database.server();
    let bystanders = [format!("{name}_before_lunch"), format!("{name}_x_before_20260101_000000")];
    for bystander in &bystanders {
        admin.query(&format!("CREATE DATABASE {bystander}"));
    }
    assert_eq!(scene.beside().len(), 3);
    scene.agent.run(&["restore", "--drop-old"]).exits(1).mentions("--confirm");
    scene.agent.run(&["restore", "--drop-old", "--dry-run"]).succeeds().mentions("_before_2");
    assert_eq!(scene.beside().len(), 3);
    scene.agent.run(&["restore", "--drop-old", "--confirm"]).succeeds().mentions("dropped 1 old database");
    assert_eq!(scene.beside(), bystanders);
    scene.agent.run(&["restore", "--drop-old", "--confirm"]).succeeds().mentions("no old database");
    assert_eq!(scene.rows(), "100");
    for bystander in &bystanders {
        admin.query(&format!("DROP DATABASE {bystander}"));
    }
}

#[test]
fn two_restores_of_one_database_exclude_each_other() {
    let scene = Scene::backed_up("locked").with_services_held();
    let mut first = scene.agent.start(&["restore", "latest", "--confirm"]);
    first.wait_for("stopping services");
    scene.agent.run(&["restore", "latest", "--confirm"]).exits(3).mentions("a restore of");
    scene.let_services_go();
    first.wait().succeeds();
}

#[test]
fn old_databases_do_not_go_while_a_restore_is_under_way() {
    let scene = Scene::backed_up("underway").with_services_held();
    let mut restore = scene.agent.start(&["restore", "latest", "--confirm"]);
    restore.wait_for("stopping services");
    scene.agent.run(&["restore", "--drop-old", "--confirm"]).exits(3).mentions("a restore of");
    scene.let_services_go();
    restore.wait().succeeds();
    assert_eq!(scene.rows(), "100");
}

/// Whoever finds that a restore takes long, and drops what it replaces, has made the way free.
#[test]
fn a_live_database_that_was_dropped_before_the_exchange_costs_nothing() {
    let scene = Scene::backed_up("dropped_live");
    let drop = format!("DROP DATABASE {} WITH (FORCE)", scene.database.name());
    let scene = with_sql_before_the_exchange(scene, &drop);
    let run = scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    assert_eq!((scene.rows().as_str(), scene.beside().len()), ("100", 0), "{}", run.stdout);
    assert!(!run.stdout.contains("to go back") && !run.stdout.contains("--drop-old"), "{}", run.stdout);
}

#[test]
fn a_restored_database_that_was_dropped_before_an_undo_is_no_hindrance() {
    let scene = Scene::backed_up("dropped_new");
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    let drop = format!("DROP DATABASE {} WITH (FORCE)", scene.database.name());
    let scene = with_sql_before_the_exchange(scene, &drop);
    let run = scene.agent.run(&["restore", "--undo", "--confirm"]).succeeds();
    assert_eq!((scene.rows().as_str(), scene.beside().len()), ("10", 0), "{}", run.stdout);
}

/// psql's words that drop what is being restored beside `name`.
fn drop_new(name: &str) -> String {
    format!(
        "SELECT format('DROP DATABASE %I', datname) FROM pg_database WHERE starts_with(datname, '{name}_restoring_')\n\\gexec\n"
    )
}

/// The scene, whose RESTORE_STOP_COMMAND sends `sql` to the server.
fn with_sql_before_the_exchange<'a>(scene: Scene<'a>, sql: &str) -> Scene<'a> {
    let file = scene.agent.home().join("before.sql");
    std::fs::write(&file, sql).unwrap();
    let port = scene.database.server().port().to_string();
    scene
        .with("RESTORE_STOP_COMMAND", &format!("psql -d postgres -X -q -f '{}'", file.display()))
        .with("PGHOST", "127.0.0.1")
        .with("PGPORT", &port)
        .with("PGUSER", "postgres")
        .with("PGPASSWORD", e2e::postgres::PASSWORD)
}

#[test]
fn a_new_database_that_was_dropped_before_the_exchange_is_no_success() {
    let scene = Scene::backed_up("robbed");
    let drop = drop_new(scene.database.name());
    let scene = with_sql_before_the_exchange(scene, &drop);
    scene.agent.run(&["restore", "latest", "--confirm"]).exits(1).mentions("dropped or renamed the new one");
    assert_eq!(scene.database.query("SELECT count(*) FROM t"), "10");
}
