//! Listing ten thousand backups: the floor is the LIST requests that it takes, sent by AWS's SDK in this process.

use std::time::Instant;

use e2e::bucket::Bucket;
use e2e::history;

use crate::effort::Effort;
use crate::ground::Ground;
use crate::race::{Contest, Contestant, race};
use crate::stopwatch::{Lap, time};

pub(super) fn hold(ground: &Ground, effort: &Effort) -> Contest {
    let count = if effort.quick { 1_000 } else { 10_000 };
    let database = ground.sized(1);
    ground.in_bucket(|bucket| {
        ground.in_bucket(|few| {
            history::fill(bucket, &[database.name()], count);
            history::fill(few, &[database.name()], count / 10);
            let run = |command: &'static str, bucket: &Bucket| {
                let agent = ground.agent(database).bucket(bucket.name(), bucket.access());
                // `check` has an opinion on these backups: what it costs is all that is asked here.
                move || time(ground, tolerant(agent.command(&[command, "--json"])))
            };
            let contestants = vec![
                Contestant::new("the LIST requests", || list(bucket)),
                Contestant::new("lastgood list", run("list", bucket)).goal(1.2),
                Contestant::new("lastgood check", run("check", bucket)),
                Contestant::new(format!("lastgood check, of {} backups", count / 10), run("check", few)),
            ];
            race(format!("Listing {count} backups"), contestants, effort.rounds)
        })
    })
}

fn list(bucket: &Bucket) -> Lap {
    let start = Instant::now();
    assert!(!bucket.keys().is_empty());
    Lap { wall: start.elapsed().as_secs_f64(), ..Lap::default() }
}

/// Whatever the exit code says, as long as it ran.
fn tolerant(command: std::process::Command) -> std::process::Command {
    let mut shell = std::process::Command::new("bash");
    shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.args(["-c", r#""$@" || true"#, "bash"]).arg(command.get_program()).args(command.get_args());
    shell
}
