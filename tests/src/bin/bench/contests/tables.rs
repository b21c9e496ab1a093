//! Ten thousand small tables: what each costs beside its rows.

use super::backup::{To, floor, ours};
use crate::effort::Effort;
use crate::ground::Ground;
use crate::race::{Contest, race};

/// 100 rows in each. Committed a thousand at a time, because a transaction holds a lock for every table it makes.
const FILL: &str = "
    DO $$ BEGIN
        FOR thousand IN 0 .. :thousands - 1 LOOP
            FOR n IN 1 .. 1000 LOOP
                EXECUTE format('CREATE TABLE t%s AS SELECT i AS id, md5(i::text) AS name FROM generate_series(1, 100) AS i', thousand * 1000 + n);
            END LOOP;
            COMMIT;
        END LOOP;
    END $$;
    ANALYZE;";

pub(super) fn hold(ground: &Ground, effort: &Effort) -> Contest {
    let thousands = if effort.quick { 1 } else { 10 };
    let database = ground.database(format!("tables_{thousands}000"), |database| {
        database.query(&FILL.replace(":thousands", &thousands.to_string()));
    });
    let contestants = vec![
        floor(ground, database),
        ours(ground, database, "gzip", To::Folder).goal(1.15),
        ours(ground, database, "zstd", To::Bucket),
    ];
    race(format!("Backup of {thousands},000 tables of 100 rows"), contestants, effort.rounds)
}
