//! One row, and a small table, out of a large backup in S3, beside what people do by hand to the same end.

use e2e::bucket::Bucket;
use e2e::postgres::Database;
use e2e::proxy::{Direction, Proxy};

use crate::contests::restore::in_bucket_with_backup;
use crate::effort::Effort;
use crate::ground::Ground;
use crate::race::{Contest, Contestant, race};
use crate::stopwatch::{Lap, time};

/// A table of ten rows among large ones; names come first in an archive as in the alphabet, so it lies in the middle.
const SMALL: &str = "CREATE TABLE plans (id integer PRIMARY KEY, name text); INSERT INTO plans SELECT i, 'plan ' || i FROM generate_series(1, 10) AS i";

pub(super) fn hold(ground: &Ground, effort: &Effort) -> Contest {
    let database = ground.database(format!("rows_{}", effort.megabytes), |database| {
        database.fill_with_megabytes(effort.megabytes);
        database.query(SMALL);
    });
    // A user from the middle of the largest table by rows, of which there are 2,500 a megabyte.
    let id = format!("id={}", 1250 * effort.megabytes);
    in_bucket_with_backup(ground, database, |bucket| {
        let proxy = Proxy::start(&bucket.access().endpoint);
        let row = ["rows", "latest", "--table", "users", "--where", &id];
        let plans = ["rows", "latest", "--table", "plans"];
        let contestants = vec![
            by_hand(ground, database, bucket, &id[3..]),
            ours(ground, database, (bucket, &proxy), "rows: one row by its key", &row),
            ours(ground, database, (bucket, &proxy), "rows: a table of ten rows", &plans),
        ];
        let title = format!("Rows out of a backup of {} MB in S3 (last column: read from S3)", effort.megabytes);
        race(title, contestants, effort.rounds)
    })
}

fn ours<'a>(
    ground: &'a Ground,
    database: &'a Database<'_>,
    (bucket, proxy): (&'a Bucket, &'a Proxy),
    name: &str,
    arguments: &'a [&'a str],
) -> Contestant<'a> {
    Contestant::new(name, move || {
        let agent = ground.agent(database).bucket(bucket.name(), &bucket.access().through(proxy));
        let before = proxy.bytes(Direction::Down);
        let lap = time(ground, agent.command(arguments));
        Lap { stored: Some(proxy.bytes(Direction::Down) - before), ..lap }
    })
}

/// Nothing is left on the disk, which is the quickest way: pg_restore reads the archive to the table's end, and grep all of its rows.
fn by_hand<'a>(ground: &'a Ground, database: &'a Database<'_>, bucket: &'a Bucket, id: &'a str) -> Contestant<'a> {
    Contestant::new("by hand: aws s3 cp, zstd -d, pg_restore -t, grep", move || {
        let key = format!("s3://{}/{}", bucket.name(), bucket.key_ending_in(".sql.zst"));
        let script = r#"aws s3 cp --quiet "$1" - | zstd -q -d | pg_restore --data-only -t users -f - | grep "^$2	""#;
        time(ground, ground.shell(database, script, &[&key, id]))
    })
}
