//! The network between Lastgood and PostgreSQL, its programs, its sessions and its server, while a backup is made: by pg_dump alone and
//! by two sessions, into one place and into three.

mod blow;
mod fault;
mod ground;
mod places;
mod strike;

use self::blow::Blow;
use self::fault::FAULTS;
use super::case::{Case, Family};

/// Of every so many cases one is tried at a scale of 1: no number of moments, sessions and places is a multiple of it.
const STRIDE: usize = 5;
/// Of the whole dump, where the fault falls, in thousandths.
const MOMENTS: [(&str, u64); 3] = [("first", 0), ("middle", 500), ("last", 995)];

/// Every fault at every moment, so many of each stride.
pub(super) fn cases(scale: usize) -> Vec<Case> {
    let chosen = blows().into_iter().enumerate().filter(|(number, _)| number % STRIDE < scale);
    chosen.map(|(number, blow)| case(number, blow)).collect()
}

/// Some faults once each.
pub(super) fn bounded() -> Vec<Case> {
    let chosen = ["cut-once/1", "garbage/2", "pg-dump-killed/1", "sessions-ended/2", "statement-timeout/2"];
    let is_meant =
        |blow: &Blow, beginning: &str| blow.name.starts_with(&format!("database/{beginning}-")) && blow.moment == 500;
    let blows = chosen.iter().filter_map(|beginning| blows().into_iter().find(|blow| is_meant(blow, beginning)));
    blows.map(|blow| case(1, blow)).collect()
}

fn case(number: usize, blow: Blow) -> Case {
    let name = blow.name.clone();
    Case { family: Family::Database, name, waits: false, act: Box::new(move || strike::strike(&blow, number)) }
}

fn blows() -> Vec<Blow> {
    let mut blows = Vec::new();
    for fault in FAULTS {
        for jobs in [1, 2] {
            for (buckets, place) in [(0, "one-place"), (2, "three-places")] {
                for (moment, share) in MOMENTS {
                    let name = format!("database/{}/{jobs}-sessions/{place}/{moment}", fault.name);
                    blows.push(Blow { fault, jobs, buckets, moment: share, name });
                }
            }
        }
    }
    blows
}
