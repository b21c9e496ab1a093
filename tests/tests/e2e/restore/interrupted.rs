//! Interrupting a restore at any step leaves the old or the new database under the name, whole.

use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::Scene;

/// The steps of a swap, by what is said when they begin.
const STEPS: [&str; 4] =
    ["restoring into the new database", "counting every table", "stopping services", "starting services"];

#[test]
fn a_swap_that_is_told_to_stop_leaves_nothing_behind_or_is_done() {
    for (signal, to_all) in [(Signal::INT, true), (Signal::TERM, false), (Signal::HUP, true)] {
        for step in STEPS {
            let scene = slow();
            let mut run = scene.agent.start(&["restore", "latest", "--confirm"]);
            run.wait_for(step);
            if to_all {
                // As a terminal does it: to whoever is in the foreground.
                let group = Pid::from_raw(run.pid().cast_signed()).unwrap();
                kill_process_group(group, signal).unwrap();
            } else {
                run.signal(signal);
            }
            let outcome = run.wait();
            let exchanged = step == "starting services";
            let expected = if exchanged { (0, "100", 1) } else { (1, "10", 0) };
            assert_eq!(
                (outcome.code.unwrap(), scene.rows().as_str(), scene.beside().len()),
                expected,
                "{step}\n{outcome}"
            );
            let log = std::fs::read_to_string(scene.agent.home().join("services")).unwrap_or_default();
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
            let scene = slow();
            let mut run = scene.agent.start(&["restore", "latest", "--confirm"]);
            run.wait_for(step);
            std::thread::sleep(Duration::from_millis(delay));
            run.signal(Signal::KILL);
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
        for step in ["stopping services", "counting every table"] {
            let scene = slow();
            let mut run = scene.agent.start(&["restore", "latest", "--in-place", "--skip-backup", "--confirm"]);
            run.wait_for(step);
            run.signal(signal);
            let outcome = run.wait();
            // A COMMIT that was sent before the signal came is done; nothing in between may be seen.
            std::thread::sleep(Duration::from_millis(100));
            let whole: &[&str] = match (outcome.code, step) {
                (Some(0), _) => &["100"],
                (None, "counting every table") => &["10", "100"],
                _ => &["10"],
            };
            assert!(whole.contains(&scene.rows().as_str()), "{step}, {signal:?}: {} rows\n{outcome}", scene.rows());
        }
    }
}

/// Services take their time, so that there is a moment to interrupt.
fn slow() -> Scene<'static> {
    let scene = Scene::backed_up("stopped");
    let log = scene.agent.home().join("services").display().to_string();
    scene
        .with("RESTORE_STOP_COMMAND", &format!("sleep 0.6; echo stop >> '{log}'"))
        .with("RESTORE_START_COMMAND", &format!("sleep 0.6; echo start >> '{log}'"))
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
        let output = shell.current_dir(scene.agent.home()).stdin(Stdio::null()).output().unwrap();
        (output.status.code(), scene.rows())
    };
    assert_eq!(restored("trap '' HUP;"), (Some(0), "100".into()));
    assert_eq!(restored(""), (Some(1), "10".into()));
}

#[test]
fn a_second_signal_ends_at_once_and_services_start_again_all_the_same() {
    let scene = Scene::backed_up("impatient");
    let log = scene.agent.home().join("services").display().to_string();
    let scene = scene
        .with("RESTORE_STOP_COMMAND", &format!("echo stop >> '{log}'; exec > /dev/null 2>&1; sleep 20"))
        .with("RESTORE_START_COMMAND", &format!("echo start >> '{log}'"));
    let told = std::time::Instant::now();
    let mut run = scene.agent.start(&["restore", "latest", "--confirm"]);
    run.wait_for("stopping services");
    run.wait_until("services stop", |_| std::fs::read_to_string(&log).is_ok());
    run.signal(Signal::TERM);
    run.wait_for("send it again to quit at once");
    run.signal(Signal::TERM);
    run.wait().exits(1);
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "stop\nstart\n");
    assert!(told.elapsed() < Duration::from_secs(15), "{:?}", told.elapsed());
    assert_eq!(scene.rows(), "10");
    // What was being filled is named in a way that is dropped when asked.
    scene.agent.run(&["restore", "--drop-old", "--confirm"]).succeeds().mentions("_restoring_");
}
