#![expect(clippy::disallowed_methods, reason = "these children are the tests' own")]

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::thread::{scope, sleep};
use std::time::Instant;

use super::*;

const MOMENT: Duration = Duration::from_millis(100);
const QUIET: Manner = Manner { patience: Duration::from_millis(300), stderr: Stderr::Kept };

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    command
}

fn start(name: &'static str, script: &str, stop: &Stop) -> (Program, ChildStdout) {
    let (program, pipes) = Program::start_as(QUIET, name, &mut shell(script), stop).unwrap();
    (program, pipes.stdout.unwrap())
}

fn read(mut stdout: ChildStdout) -> String {
    let mut text = String::new();
    stdout.read_to_string(&mut text).unwrap();
    text
}

/// Reads the first line, which the script writes when it is ready.
fn wait_for_line(stdout: &mut ChildStdout) {
    let mut byte = [0];
    while byte != *b"\n" {
        stdout.read_exact(&mut byte).unwrap();
    }
}

/// Threads of this process that the system shows under this name.
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks.filter(|task| std::fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim() == name)).count()
}

fn exists(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

#[test]
fn a_program_that_ends_by_itself_tells_how() {
    let stop = Stop::new().unwrap();
    let (program, stdout) = start("done", "echo out; echo warning >&2", &stop);
    assert_eq!(read(stdout), "out\n");
    assert_eq!(program.finish().unwrap(), Ended { failure: None, lines: vec!["warning".to_owned()] });
    let (program, _) = start("failed", "echo 'pg: error: no such thing' >&2; echo later >&2; exit 3", &stop);
    assert_eq!(program.end().unwrap_err().to_string(), "failed failed with exit status 3: pg: error: no such thing");
    let (program, _) = start("killed", "kill -9 $$", &stop);
    assert_eq!(program.end().unwrap_err().to_string(), "killed was killed by signal 9");
    let missing = Program::start("missing", &mut Command::new("/no/such/program"), &stop).unwrap_err();
    assert!(missing.to_string().starts_with("cannot run missing: "), "{missing}");
}

#[test]
fn of_many_lines_the_last_are_kept() {
    let (program, _) = start("talks", "i=0; while [ $i -lt 200 ]; do echo $i >&2; i=$((i+1)); done", &Stop::never());
    let lines = program.finish().unwrap().lines;
    assert_eq!((lines.len(), lines[0].as_str(), lines[49].as_str()), (50, "150", "199"));
}

#[test]
fn a_stop_reaches_a_program_while_a_thread_blocks_on_its_stdout() {
    let stop = Stop::new().unwrap();
    let (program, stdout) = start("blocks", "exec sleep 60", &stop);
    let told = Instant::now();
    scope(|scope| {
        scope.spawn(|| {
            sleep(MOMENT);
            stop.set("SIGTERM");
        });
        assert_eq!(read(stdout), "");
    });
    assert_eq!(program.end(), Err(ProgramError::Interrupted("SIGTERM")));
    assert!(told.elapsed() < Duration::from_secs(30), "{:?}", told.elapsed());
}

#[test]
fn one_stop_ends_all_that_run() {
    let stop = Stop::new().unwrap();
    let running: Vec<_> = (0..8).map(|_| start("several", "exec sleep 60", &stop)).collect();
    stop.set("SIGINT");
    for (program, _) in running {
        assert_eq!(program.end(), Err(ProgramError::Interrupted("SIGINT")));
    }
}

#[test]
fn a_program_that_ignores_sigterm_is_killed_after_the_patience() {
    let stop = Stop::new().unwrap();
    let deaf = "trap '' TERM; echo ready; while :; do sleep 0.05; done";
    let (program, mut stdout) = start("deaf", deaf, &stop);
    wait_for_line(&mut stdout);
    let told = Instant::now();
    stop.set("SIGTERM");
    let ended = program.finish().unwrap();
    assert_eq!(ended.failure, Some(BadEnd::Killed(9)));
    assert!(told.elapsed() >= QUIET.patience, "{:?}", told.elapsed());
}

#[test]
fn a_program_may_use_its_patience_to_end_in_its_own_way() {
    let stop = Stop::new().unwrap();
    let tidy = "trap 'echo tidied; exit 7' TERM; echo ready; while :; do sleep 0.02; done";
    let (program, mut stdout) = start("tidies", tidy, &stop);
    wait_for_line(&mut stdout);
    program.stopper().stop();
    assert_eq!(read(stdout), "tidied\n");
    assert_eq!(program.finish().unwrap().failure, Some(BadEnd::Exited(7)));
}

#[test]
fn after_a_stop_nothing_is_started() {
    let folder = tempfile::tempdir().unwrap();
    let stop = Stop::new().unwrap();
    stop.set("SIGHUP");
    stop.set("SIGTERM");
    let touched = folder.path().join("touched");
    let started = Program::start("late", &mut shell(&format!("touch '{}'", touched.display())), &stop);
    assert_eq!(started.unwrap_err(), ProgramError::Interrupted("SIGHUP"), "the first signal counts");
    sleep(MOMENT);
    assert!(!touched.exists());
}

#[test]
fn a_program_that_never_stops_runs_to_its_end() {
    let (program, stdout) = start("unstopped", "echo done", &Stop::never());
    assert_eq!((read(stdout).as_str(), program.end()), ("done\n", Ok(())));
}

#[test]
fn neither_a_thread_nor_a_zombie_is_left() {
    let stop = Stop::new().unwrap();
    let ways: [fn(Program); 4] =
        [|program| drop(program.end()), |program| program.stop(), drop, |program| program.stopper().stop()];
    for (way, script) in ways.into_iter().zip(["true", "exec sleep 60", "exec sleep 60", "exec sleep 60"]) {
        let (program, stdout) = start("leaves-none", script, &stop);
        let pid = program.child.id();
        assert!(exists(pid), "it can't be gone before it was waited for");
        drop(stdout);
        way(program);
        assert!(!exists(pid), "{script}");
        // The system takes a moment to forget a thread that was joined; a stopper's ends by itself.
        let until = Instant::now() + Duration::from_secs(10);
        while threads("leaves-none") > 0 && Instant::now() < until {
            sleep(Duration::from_millis(5));
        }
        assert_eq!(threads("leaves-none"), 0);
    }
}
