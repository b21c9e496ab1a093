//! One dump to several places: one more costs its own bytes, and no second dump.

use e2e::agent::Agent;
use e2e::bucket::Bucket;
use e2e::postgres::Database;

use super::backup::floor;
use crate::effort::Effort;
use crate::ground::{Ground, stored_in_bucket};
use crate::race::{Contest, Contestant, race};
use crate::stopwatch::{Lap, time};

/// Buckets that a dump goes to at most.
const MOST: usize = 4;

pub(super) fn hold(ground: &Ground, effort: &Effort) -> Contest {
    let database = ground.sized(effort.megabytes);
    let mut contestants = vec![floor(ground, database)];
    contestants.extend((1..=MOST).map(|places| ours(ground, database, places)));
    race(format!("{} MB to one to four buckets", effort.megabytes), contestants, effort.rounds)
}

fn ours<'a>(ground: &'a Ground, database: &'a Database<'_>, places: usize) -> Contestant<'a> {
    let word = if places == 1 { "bucket" } else { "buckets" };
    Contestant::new(format!("lastgood backup, zstd, to {places} {word}"), move || {
        let agent = ground.agent(database).setting("BACKUP_COMPRESSION", "zstd");
        into(ground, agent, places, &mut Vec::new())
    })
}

/// Into this many buckets more than those that are there.
fn into(ground: &Ground, agent: Agent, more: usize, buckets: &mut Vec<String>) -> Lap {
    let Some(left) = more.checked_sub(1) else {
        return time(ground, agent.command(&["backup", "--quiet"]));
    };
    ground.in_bucket(|bucket: &Bucket| {
        buckets.push(bucket.name().to_owned());
        let agent = match buckets.len() {
            1 => agent.bucket(bucket.name(), bucket.access()),
            number => agent.bucket_beside(number, bucket.name(), bucket.access()),
        };
        let lap = into(ground, agent, left, buckets);
        Lap { stored: Some(stored_in_bucket(bucket) + lap.stored.unwrap_or_default()), ..lap }
    })
}
