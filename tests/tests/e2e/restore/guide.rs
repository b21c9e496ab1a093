//! `restore-db.sh` stopped the guide's services by docker-compose, where there is one.

use e2e::agent::Outcome;

use super::{Scene, script};

const RESTORE: [&str; 3] = ["restore", "latest", "--confirm"];

fn scene(name: &str) -> Scene<'static> {
    let scene = Scene::backed_up(name).with("LASTGOOD_DEFAULTS", "guide");
    let log = scene.agent.home().join("log").display().to_string();
    scene.with("RESTORE_LOG_FILE", &log)
}

/// The command itself, which is shown too, holds these words as well.
fn warns(run: &Outcome) -> bool {
    run.stderr.lines().any(|line| line.starts_with("warning: no services were stopped"))
}

#[test]
fn services_of_a_compose_file_stop_and_start() {
    let scene = scene("composed");
    let programs = tempfile::tempdir().unwrap();
    let calls = programs.path().join("calls");
    script(programs.path(), "docker-compose", &format!("echo \"$*\" >> '{}'", calls.display()));
    let run = scene.agent.programs_in(programs.path()).run(&RESTORE).succeeds();
    assert!(!warns(&run), "{run}");
    let calls = std::fs::read_to_string(calls).unwrap();
    assert_eq!(calls, "config -q\nstop api celery_worker web\nconfig -q\nstart api celery_worker web\n");
    assert_eq!(scene.database.query("SELECT count(*) FROM t"), "100");
}

#[test]
fn without_a_compose_file_nothing_is_stopped_and_that_is_said() {
    let scene = scene("alone");
    let programs = tempfile::tempdir().unwrap();
    script(programs.path(), "docker-compose", "echo no configuration file >&2; exit 14");
    let run = scene.agent.programs_in(programs.path()).run(&RESTORE).succeeds();
    assert!(warns(&run), "{run}");
    assert_eq!(scene.database.query("SELECT count(*) FROM t"), "100");
}
