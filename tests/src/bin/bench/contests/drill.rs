//! A drill beside a plain restore, and beside what people do by hand to the same end: restore, dump again, compare two files of SQL.

use e2e::bucket::Bucket;
use e2e::postgres::Database;

use crate::contests::restore::{in_bucket_with_backup, into_new, into_target, ours};
use crate::effort::Effort;
use crate::ground::Ground;
use crate::race::{Contest, Contestant, race};
use crate::stopwatch::time;

pub(super) fn hold(ground: &Ground, effort: &Effort) -> Contest {
    let database = ground.sized(effort.megabytes);
    in_bucket_with_backup(ground, database, |bucket| {
        let restore = ["--from-s3-latest", "--into", "target", "--confirm", "--skip-services"];
        let contestants = vec![
            by_hand(ground, database, bucket),
            ours(ground, database, bucket, "by swap, for comparison", &restore, into_new),
            drill(ground, database, bucket, "drill", &["drill", "--quiet"]),
            drill(ground, database, bucket, "drill --temporary-server", &["drill", "--quiet", "--temporary-server"]),
        ];
        race(format!("Drill of {} MB", effort.megabytes), contestants, effort.rounds)
    })
}

fn drill<'a>(
    ground: &'a Ground,
    database: &'a Database<'_>,
    bucket: &'a Bucket,
    name: &str,
    arguments: &'a [&'a str],
) -> Contestant<'a> {
    Contestant::new(name, move || {
        let agent = ground.agent(database).bucket(bucket.name(), bucket.access());
        time(ground, agent.command(arguments))
    })
}

/// Both dumps as SQL, because two archives of one database differ in their bytes.
fn by_hand<'a>(ground: &'a Ground, database: &'a Database<'_>, bucket: &'a Bucket) -> Contestant<'a> {
    Contestant::new("by hand: aws s3 cp, zstd -d, pg_restore -j2, pg_dump, cmp", move || {
        let key = format!("s3://{}/{}", bucket.name(), bucket.key_ending_in(".sql.zst"));
        into_target(ground, &mut |target| {
            ground.in_folder(|folder| {
                let script = r#"aws s3 cp --quiet "$1" "$2/a.zst" && zstd -q -d "$2/a.zst" && pg_restore -j2 -d "$3" "$2/a" &&
                    pg_restore -f - "$2/a" | grep -v restrict > "$2/a.sql" && pg_dump -d "$3" | grep -v restrict > "$2/b.sql" && { cmp -s "$2/a.sql" "$2/b.sql" || true; }"#;
                time(ground, ground.shell(database, script, &[&key, &folder.display().to_string(), target]))
            })
        })
    })
}
