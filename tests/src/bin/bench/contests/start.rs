//! How long until work begins. The floor is a number here: what a goal allows.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use e2e::agent::Agent;

use crate::effort::Effort;
use crate::ground::Ground;
use crate::race::{Contest, Contestant, race};
use crate::stopwatch::Lap;

/// Short runs scatter more, and cost nothing.
const ROUNDS: usize = 30;

/// In place of pg_dump: says when it was started, and ends.
const WITNESS: &str = r#"#!/bin/bash
if [[ $1 == --version ]]; then exec "$(dirname "$0")/real_pg_dump" --version; fi
echo "$EPOCHREALTIME" > "$(dirname "$0")/started"
exit 1
"#;

pub(super) fn hold(ground: &Ground, _: &Effort) -> Contest {
    let database = ground.sized(1);
    let folder = ground.file("witness");
    put_witness(&folder, ground.postgres.installation().programs());
    let psql = ground.postgres.installation().programs().join("psql");
    let asking = || {
        let mut psql = database.client(ground.postgres.installation(), "psql");
        psql.args(["-X", "-c", "SELECT 1"]);
        lap(psql)
    };
    assert!(psql.exists());
    let starting = || {
        let kept = tempfile::tempdir().unwrap();
        let agent = ground.agent(database).setting("PG_BIN_DIR", folder.display().to_string()).directory(kept.path());
        // What an earlier round left would be taken for this one's.
        let _ = std::fs::remove_file(folder.join("started"));
        let begin = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        lap(agent.command(&["backup", "--quiet"]));
        let started: f64 = std::fs::read_to_string(folder.join("started")).unwrap().trim().parse().unwrap();
        Lap { wall: started - begin, ..Lap::default() }
    };
    let contestants = vec![
        limit(0.030),
        Contestant::new("lastgood backup, until pg_dump runs", starting).goal(1.0),
        Contestant::new("psql, one question", asking),
    ];
    race("From start to pg_dump", contestants, ROUNDS)
}

pub(super) fn hold_help(_: &Ground, _: &Effort) -> Contest {
    let agent = Agent::new();
    let contestants = vec![
        limit(0.005),
        Contestant::new("lastgood --help", || lap(agent.command(&["--help"]))).goal(1.0),
        Contestant::new("true", || lap(Command::new("true"))),
    ];
    race("lastgood --help", contestants, ROUNDS)
}

/// A goal in place of a floor.
pub(super) fn limit<'a>(seconds: f64) -> Contestant<'a> {
    let name = if seconds < 1.0 { format!("{} ms", seconds * 1e3) } else { format!("{seconds} s") };
    Contestant::new(name, move || Lap { wall: seconds, ..Lap::default() })
}

fn lap(mut command: Command) -> Lap {
    let start = Instant::now();
    #[expect(clippy::disallowed_methods, reason = "what is waited for here is the time that it takes")]
    let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    Lap { wall: start.elapsed().as_secs_f64(), ..Lap::default() }
}

fn put_witness(folder: &Path, programs: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    std::os::unix::fs::symlink(programs.join("psql"), folder.join("psql")).unwrap();
    std::os::unix::fs::symlink(programs.join("pg_dump"), folder.join("real_pg_dump")).unwrap();
    let witness = folder.join("pg_dump");
    std::fs::write(&witness, WITNESS).unwrap();
    std::fs::set_permissions(&witness, std::fs::Permissions::from_mode(0o755)).unwrap();
}
