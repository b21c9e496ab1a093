//! What people use instead, as they would type it. Who isn't installed doesn't take part, and is named.

use std::path::Path;

use e2e::postgres::Database;
use e2e::process::output;

use crate::ground::{Ground, stored_in_bucket};
use crate::race::Contestant;
use crate::stopwatch::{Lap, time};

struct Peer {
    name: &'static str,
    /// What is made ready while nobody takes the time; the same arguments.
    before: &'static str,
    /// `$1` is `s3://bucket`, `$2` a folder.
    script: &'static str,
    needs: &'static [&'static str],
    /// It takes several times the floor: not for a quick bench.
    slow: bool,
}

const BACKING_UP: [Peer; 5] = [
    Peer {
        name: "pg_dump -Z0 | zstd -1 -T2 | aws s3 cp",
        before: "",
        script: r#"pg_dump -Fc -Z0 | zstd -q -1 -T2 | aws s3 cp - "$1/archive""#,
        needs: &["zstd"],
        slow: false,
    },
    Peer {
        name: "pg_dump -Z0 | pigz -9 | aws s3 cp",
        before: "",
        script: r#"pg_dump -Fc -Z0 | pigz -9 | aws s3 cp - "$1/archive""#,
        needs: &["pigz"],
        slow: true,
    },
    Peer {
        name: "pg_dump -Z0 | gzip -9 | aws s3 cp",
        before: "",
        script: r#"pg_dump -Fc -Z0 | gzip -9 | aws s3 cp - "$1/archive""#,
        needs: &[],
        slow: true,
    },
    Peer {
        name: "the usual script: pg_dump -Z9, --list, md5sum twice, upload",
        before: "",
        script: r#"
            pg_dump -Fc -Z9 -f "$2/archive" && pg_restore --list "$2/archive" > /dev/null
            md5sum "$2/archive" && aws s3 cp --quiet "$2/archive" "$1/archive" && md5sum "$2/archive""#,
        needs: &[],
        slow: true,
    },
    // A physical copy of the whole server, without its WAL: another kind of backup, and what many weigh pg_dump against.
    Peer {
        name: "pgBackRest, full, zst 1, 2 processes, to a directory",
        before: r#"
            cat > "$2/conf" << end
[global]
repo1-path=$2/repository
log-level-file=off
log-level-console=off
lock-path=$2/lock
compress-type=zst
compress-level=1
process-max=2
start-fast=y
archive-check=n
repo1-retention-full=1
[bench]
pg1-path=$(psql -Atc 'SHOW data_directory')
pg1-socket-path=$(psql -Atc 'SHOW unix_socket_directories')
pg1-port=$PGPORT
pg1-user=$PGUSER
end
            pgbackrest --config="$2/conf" --stanza=bench stanza-create"#,
        script: r#"pgbackrest --config="$2/conf" --stanza=bench --type=full backup"#,
        needs: &["pgbackrest"],
        slow: true,
    },
];

/// The peers of `lastgood backup` to S3.
pub(crate) fn backing_up<'a>(ground: &'a Ground, database: &'a Database<'_>, quick: bool) -> Vec<Contestant<'a>> {
    let taking_part = BACKING_UP.iter().filter(|peer| !(quick && peer.slow)).filter(|peer| peer.is_installed());
    let contestant = |peer: &'static Peer| {
        Contestant::new(peer.name, move || {
            ground.in_folder(|folder| {
                ground.in_bucket(|bucket| {
                    let place = [format!("s3://{}", bucket.name()), folder.display().to_string()];
                    let place = place.each_ref().map(String::as_str);
                    let ready = output(&mut ground.shell(database, peer.before, &place));
                    assert!(ready.status.success(), "{}: {}", peer.name, String::from_utf8_lossy(&ready.stderr));
                    let lap = time(ground, ground.shell(database, peer.script, &place));
                    let stored = stored_in_bucket(bucket);
                    Lap { stored: Some(if stored > 0 { stored } else { size(&folder.join("repository")) }), ..lap }
                })
            })
        })
    };
    taking_part.map(contestant).collect()
}

impl Peer {
    fn is_installed(&self) -> bool {
        let missing = self.needs.iter().find(|program| !is_installed(program));
        if let Some(missing) = missing {
            println!("{missing} isn't installed (tests/tools.sh peers): without `{}`\n", self.name);
        }
        missing.is_none()
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file())
}

/// Bytes of all files below a folder.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| if entry.path().is_dir() { size(&entry.path()) } else { entry.metadata().unwrap().len() }).sum()
}
