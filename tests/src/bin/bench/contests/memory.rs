//! Memory must not grow with the database: dumps of a generator, for a hundred gigabytes of them need no disk.

use std::path::Path;

use e2e::generator::Generator;

use crate::effort::Effort;
use crate::ground::{Ground, stored_in_bucket};
use crate::race::{Contest, Contestant, compare};
use crate::stopwatch::{Lap, time};

/// Megabytes of the dumps. The first is the floor: the others may take a tenth more.
const QUICK: [u64; 2] = [600, 1_200];
const WHOLE: [u64; 2] = [600, 10_000];

pub(super) fn hold(ground: &Ground, effort: &Effort) -> Contest {
    let sizes: &[u64] = if effort.quick { &QUICK } else { &WHOLE };
    let contestants = sizes.iter().flat_map(|&megabytes| {
        ["gzip", "zstd"].map(|compression| {
            let name = format!("lastgood backup, {compression}, to S3 and a directory, {megabytes} MB");
            Contestant::new(name, move || {
                ground.in_folder(|folder| back_up(ground, folder, compression, megabytes * 1_000_000))
            })
            .goal(1.1)
        })
    });
    compare("peak memory", |lap| lap.peak as f64, "Peak memory as the dump grows", contestants.collect())
}

fn back_up(ground: &Ground, folder: &Path, compression: &str, bytes: u64) -> Lap {
    let dump = Generator::new(ground.postgres.installation(), &std::env::current_exe().unwrap(), bytes);
    ground.in_bucket(|bucket| {
        let agent = ground.agent(ground.sized(1)).bucket(bucket.name(), bucket.access()).directory(folder);
        let agent = agent.setting("PG_BIN_DIR", dump.programs().display().to_string());
        let lap = time(ground, agent.setting("BACKUP_COMPRESSION", compression).command(&["backup", "--quiet"]));
        Lap { stored: Some(stored_in_bucket(bucket)), ..lap }
    })
}
