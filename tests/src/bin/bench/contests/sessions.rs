//! Dumping by several sessions: of several tables, of one, and over connections that are slow each.

use e2e::postgres::Database;
use e2e::proxy::{Fault, Proxy};

use super::backup::{To, floor, of};
use crate::effort::Effort;
use crate::ground::Ground;
use crate::race::{Contest, Contestant, race};

/// Rows of 1,100 bytes that compress as prose does: about a megabyte in 900 of them.
const ONE_TABLE: &str = "
    CREATE TABLE one (id bigint PRIMARY KEY, kind int, name text, body text);
    INSERT INTO one SELECT i, i % 7, md5(i::text), (SELECT string_agg(md5((i * 31 + n % 9)::text), ' ') FROM generate_series(1, 32) AS n)
    FROM generate_series(1::bigint, 900 * :megabytes) AS i;
    ANALYZE";
/// Bytes a second of one connection to a distant server.
const RATE: u64 = 20_000_000;

pub(super) fn hold(ground: &Ground, effort: &Effort) -> Contest {
    let database = ground.sized(effort.megabytes);
    race(
        format!("{} MB in several tables, by several sessions", effort.megabytes),
        all(ground, database),
        effort.rounds,
    )
}

pub(super) fn hold_one_table(ground: &Ground, effort: &Effort) -> Contest {
    let database = ground.database(format!("one_{}", effort.megabytes), |database| {
        database.query(&ONE_TABLE.replace(":megabytes", &effort.megabytes.to_string()));
    });
    race(format!("{} MB in one table, by several sessions", effort.megabytes), all(ground, database), effort.rounds)
}

/// The first session is the floor: so many are to take its time divided by their number.
pub(super) fn hold_distant(ground: &Ground, effort: &Effort) -> Contest {
    let database = ground.sized(effort.megabytes);
    let proxy = Proxy::start(&format!("127.0.0.1:{}", ground.postgres.port()));
    proxy.set(Fault::Rate(RATE));
    let port = proxy.address().port().to_string();
    let contestant = |jobs: u32| {
        let port = port.clone();
        let name = format!("lastgood backup, zstd, to a directory, {jobs} sessions of 20 MB/s each");
        let agent = move || {
            let agent = ground.agent(database).setting("BACKUP_COMPRESSION", "zstd");
            agent.database_at(&port, database.name()).setting("BACKUP_JOBS", jobs.to_string())
        };
        Contestant::new(name, move || of(ground, agent(), To::Folder)).goal(1.0 / (0.85 * f64::from(jobs)))
    };
    race("Over connections of 20 MB/s each", [1, 2, 4, 8].map(contestant).into(), effort.rounds)
}

fn all<'a>(ground: &'a Ground, database: &'a Database<'_>) -> Vec<Contestant<'a>> {
    let ours = |compression: &'static str, to, jobs: u32| {
        let place = if to == To::Folder { "to a directory" } else { "to S3" };
        let name = format!("lastgood backup, {compression}, {place}, BACKUP_JOBS={jobs}");
        Contestant::new(name, move || {
            let agent = ground.agent(database).setting("BACKUP_COMPRESSION", compression);
            of(ground, agent.setting("BACKUP_JOBS", jobs.to_string()), to)
        })
    };
    vec![
        floor(ground, database),
        ours("zstd", To::Folder, 1),
        ours("zstd", To::Folder, 2).goal(0.80),
        ours("zstd", To::Folder, 4),
        ours("zstd", To::Bucket, 1),
        ours("zstd", To::Bucket, 2),
        ours("gzip", To::Folder, 1),
        ours("gzip", To::Folder, 2),
        to_a_folder(ground, database),
    ]
}

/// What pg_dump offers itself: a directory, a session for each table.
fn to_a_folder<'a>(ground: &'a Ground, database: &'a Database<'_>) -> Contestant<'a> {
    Contestant::new("pg_dump -Fd -j2 -Z1", move || {
        ground.in_folder(|folder| {
            let place = [folder.join("dump").display().to_string()];
            let place = place.each_ref().map(String::as_str);
            crate::stopwatch::time(ground, ground.shell(database, "pg_dump -Fd -j2 -Z1 -f \"$1\"", &place))
        })
    })
}
