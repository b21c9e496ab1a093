//! Interrupting a restore at any step leaves the old or the new database under the name, whole.

use std::process::Command;
use std::time::Duration;

use e2e::agent::Running;
use e2e::bounds::wait_until;
use e2e::process::output;
use rustix::process::{Pid, Signal, kill_process_group};

use super::Scene;

/// The steps of a swap, by what is said when they begin.
const STEPS: [&str; 4] =
    ["restoring into the new database", "counting every table", "stopping services", "starting services"];

/// What a run says that was told to stop and clears up.
const HEARD: &str = "send it again to quit at once";

/// Starts a restore whose services take their time, and returns when it has come to this step.
fn at(step: &str, more: &[&str]) -> (Scene<'static>, Running) {
    let scene = Scene::backed_up("stopped").with_services_held();
    let mut run = scene.agent.start(&[&["restore", "latest", "--confirm"], more].concat());
    if step == "starting services" {
        scene.let_services_stop();
    }
    run.wait_for(step);
    (scene, run)
}

#[test]
fn a_swap_that_is_told_to_stop_leaves_nothing_behind_or_is_done() {
    for (signal, to_all) in [(Signal::INT, true), (Signal::TERM, false), (Signal::HUP, true)] {
        for step in STEPS {
            let (scene, mut run) = at(step, &[]);
            if to_all {
                // As a terminal does it: to whoever is in the foreground.
                let group = Pid::from_raw(run.pid().cast_signed()).unwrap();
                kill_process_group(group, signal).unwrap();
            } else {
                run.signal(signal);
            }
            run.wait_for_or_end(HEARD);
            scene.let_services_go();
            let outcome = run.wait();
            let exchanged = step == "starting services";
            let expected = if exchanged { (0, "100", 1) } else { (1, "10", 0) };
            assert_eq!(
                (outcome.code.unwrap(), scene.rows().as_str(), scene.beside().len()),
                expected,
                "{step}\n{outcome}"
            );
            let log = scene.services();
            // A signal to all may end the command that stops them before it has begun; they are started again all the same.
            assert!(log.is_empty() || log.ends_with("start\n"), "{step}: services\n{log}");
            assert!(log.matches("stop").count() <= log.matches("start").count(), "{step}: services\n{log}");
        }
    }
}

#[test]
fn a_swap_that_is_killed_leaves_the_old_or_the_new_database_whole_and_the_next_one_works() {
    for step in STEPS {
        for delay in [0, 40] {
            let (scene, run) = at(step, &[]);
            std::thread::sleep(Duration::from_millis(delay));
            run.signal(Signal::KILL);
            scene.let_services_go();
            assert_eq!(run.wait().code, None);
            let rows = scene.rows();
            let exchanged = step == "starting services";
            assert_eq!(rows, if exchanged { "100" } else { "10" }, "{step}");
            scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
            assert_eq!(scene.rows(), "100");
            scene.agent.run(&["restore", "--drop-old", "--confirm"]).succeeds();
            assert_eq!(scene.beside(), Vec::<String>::new(), "what the killed one left goes with the old ones");
        }
    }
}

#[test]
fn a_restore_in_place_that_is_stopped_or_killed_changes_nothing() {
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let told = if signal == Signal::KILL { None } else { Some(1) };
        for step in ["stopping services", "counting every table"] {
            let more = ["--in-place", "--skip-backup"];
            let (scene, mut run) = at("stopping services", &more);
            if step != "stopping services" {
                scene.let_services_stop();
                run.wait_for(step);
            }
            run.signal(signal);
            run.wait_for_or_end(HEARD);
            scene.let_services_go();
            let outcome = run.wait();
            // The server finishes what was sent to it before the signal came: a COMMIT is done, or it isn't.
            wait_until("the restore's sessions have ended", || sessions(&scene) == "0");
            let whole: &[&str] = match (outcome.code, step) {
                // Nothing has begun while services stop.
                (code, "stopping services") => {
                    assert_eq!(code, told, "{signal:?}\n{outcome}");
                    &["10"]
                }
                (Some(0), _) => &["100"],
                (None, _) => &["10", "100"],
                _ => &["10"],
            };
            assert!(whole.contains(&scene.rows().as_str()), "{step}, {signal:?}: {} rows\n{outcome}", scene.rows());
        }
    }
}

/// Sessions in the database but the one that asks.
fn sessions(scene: &Scene<'_>) -> String {
    scene.database.query(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND backend_type = 'client backend'",
    )
}

#[test]
fn a_signal_that_was_ignored_from_the_start_stays_ignored() {
    // As `nohup` does it. The signal comes in the middle of the restore.
    let restored = |before: &str| {
        let scene = Scene::backed_up("nohup").with("RESTORE_STOP_COMMAND", "kill -HUP $PPID; sleep 0.3");
        let command = scene.agent.command(&["restore", "latest", "--confirm"]);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{before} exec \"$@\""), "sh"]).arg(command.get_program()).args(command.get_args());
        shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = output(shell.current_dir(scene.agent.home()));
        (output.status.code(), scene.rows())
    };
    assert_eq!(restored("trap '' HUP;"), (Some(0), "100".into()));
    assert_eq!(restored(""), (Some(1), "10".into()));
}

#[test]
fn a_second_signal_ends_at_once_and_services_start_again_all_the_same() {
    let scene = Scene::backed_up("impatient");
    let home = scene.agent.home().display().to_string();
    // For ever, but for a bound; it holds no stream of ours.
    let stop = format!(
        "echo stop >> '{home}/services'; exec > /dev/null 2>&1; for i in $(seq 12000); do [ -e '{home}/stop' ] && break; sleep 0.05; done"
    );
    let scene = scene
        .with("RESTORE_STOP_COMMAND", &stop)
        .with("RESTORE_START_COMMAND", &format!("echo start >> '{home}/services'"));
    let mut run = scene.agent.start(&["restore", "latest", "--confirm"]);
    run.wait_for("stopping services");
    run.wait_until("services stop", |_| !scene.services().is_empty());
    run.signal(Signal::TERM);
    run.wait_for(HEARD);
    run.signal(Signal::TERM);
    // It ends though the command that it waited for goes on.
    run.wait().exits(1);
    scene.let_services_go();
    assert_eq!(scene.services(), "stop\nstart\n");
    assert_eq!(scene.rows(), "10");
    // What was being filled is named in a way that is dropped when asked.
    scene.agent.run(&["restore", "--drop-old", "--confirm"]).succeeds().mentions("_restoring_");
}
