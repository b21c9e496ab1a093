//! Memory must not grow with the database. A dump of any length is only time, so a generator stands in for pg_dump: it
//! speaks the format, and a hundred gigabytes need no disk.

use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Effort;
use crate::ground::{Ground, stored_in_bucket};
use crate::race::{Contest, Contestant, compare_peaks};
use crate::stopwatch::{Lap, time};

#[path = "../../../../../core/archive/benches/parts/sample.rs"]
mod sample;

/// Megabytes of the dumps. The first is the floor: the others may take a tenth more.
const QUICK: [u64; 2] = [600, 1_200];
const WHOLE: [u64; 2] = [600, 10_000];

pub(super) fn hold(ground: &Ground, effort: &Effort) -> Contest {
    let database = ground.sized(1);
    let sizes: &[u64] = if effort.quick { &QUICK } else { &WHOLE };
    let contestants = sizes.iter().flat_map(|&megabytes| {
        ["gzip", "zstd"].map(|compression| {
            Contestant::new(
                format!("lastgood backup, {compression}, to S3 and a directory, {megabytes} MB"),
                move || {
                    let programs = generator(ground, megabytes);
                    ground.in_folder(|folder| {
                        ground.in_bucket(|bucket| {
                            let agent = ground.agent(database).bucket(bucket.name(), bucket.access()).directory(folder);
                            let agent = agent.setting("PG_BIN_DIR", programs.display().to_string());
                            let agent = agent.setting("BACKUP_COMPRESSION", compression);
                            let lap = time(ground, agent.command(&["backup", "--quiet"]));
                            Lap { stored: Some(stored_in_bucket(bucket)), ..lap }
                        })
                    })
                },
            )
            .goal(1.1)
        })
    });
    compare_peaks("Peak memory as the dump grows", contestants.collect())
}

/// What `bench --generate BYTES` does.
pub(crate) fn generate(bytes: u64) {
    let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    sample::write(bytes, &mut out).and_then(|()| out.flush()).unwrap();
}

/// A folder of client programs in which pg_dump is the generator.
fn generator(ground: &Ground, megabytes: u64) -> PathBuf {
    let folder = ground.file(&format!("generator-{megabytes}"));
    if folder.exists() {
        return folder;
    }
    std::fs::create_dir(&folder).unwrap();
    let programs = ground.postgres.installation().programs();
    std::os::unix::fs::symlink(programs.join("psql"), folder.join("psql")).unwrap();
    let (version, bench) = (programs.join("pg_dump"), std::env::current_exe().unwrap());
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = --version ]; then exec {} --version; fi\nexec {} --generate {}\n",
        version.display(),
        bench.display(),
        megabytes * 1_000_000
    );
    put_program(&folder.join("pg_dump"), &script);
    folder
}

fn put_program(path: &Path, script: &str) {
    std::fs::write(path, script).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
