//! What more cores bring. The client, PostgreSQL and the S3 server share as many as they are let have, the floor too.

use std::process::Command;

use e2e::process::output;

use super::backup::{To, floor, ours};
use crate::effort::Effort;
use crate::ground::Ground;
use crate::race::{Contest, Standing, race};

/// Of these, the ones that this machine has.
const CORES: [u32; 3] = [1, 2, 4];

pub(super) fn hold(ground: &Ground, effort: &Effort) -> Contest {
    let database = ground.sized(effort.megabytes);
    let there = std::thread::available_parallelism().map_or(1, usize::from) as u32;
    let mut results = Vec::new();
    for cores in CORES.into_iter().filter(|&cores| cores <= there) {
        restrict(ground, cores);
        let ours = |compression, to| ours(ground, database, compression, to);
        let contestants = vec![
            floor(ground, database),
            ours("zstd", To::Folder),
            ours("zstd", To::Bucket),
            ours("gzip", To::Folder),
            ours("gzip", To::Bucket),
        ];
        let on_cores = |standing: Standing| standing.at(f64::from(cores), if cores == 1 { "core" } else { "cores" });
        results.extend(race("", contestants, effort.rounds).results.into_iter().map(on_cores));
    }
    restrict(ground, there);
    Contest { title: format!("Backup of {} MB on few cores", effort.megabytes), measure: "time", results }
}

/// Keeps everybody on the first cores: the servers, and this process with what it starts.
fn restrict(ground: &Ground, cores: u32) {
    let postgres = ground.postgres.pid();
    let mut processes = children(postgres);
    processes.extend([postgres, ground.seaweedfs.pid(), std::process::id()].map(|pid| pid.to_string()));
    for process in processes {
        let mut taskset = Command::new("taskset");
        taskset.args(["--all-tasks", "--cpu-list", "--pid", &format!("0-{}", cores - 1), &process]);
        let pinned = output(&mut taskset).status;
        // A backend may end in this moment.
        assert!(pinned.success() || !std::path::Path::new("/proc").join(&process).exists(), "{taskset:?}");
    }
}

fn children(process: u32) -> Vec<String> {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    children.split_whitespace().map(str::to_owned).collect()
}
