//! How cost grows with the database: each size against its own floor. What is left above it at 10 MB is the start, at 1 GB the road.

use super::backup::{To, floor, ours};
use crate::effort::Effort;
use crate::ground::Ground;
use crate::race::{Contest, Standing, race};

const QUICK: [u32; 2] = [10, 100];
const WHOLE: [u32; 5] = [10, 100, 500, 2_000, 10_000];
/// Long runs scatter less.
const LONG: (u32, usize) = (10_000, 3);

pub(super) fn hold(ground: &Ground, effort: &Effort) -> Contest {
    let sizes: &[u32] = if effort.quick { &QUICK } else { &WHOLE };
    let grown = sizes.iter().flat_map(|&megabytes| {
        let database = ground.sized(megabytes);
        let contestants = vec![floor(ground, database), ours(ground, database, "zstd", To::Bucket)];
        let rounds = if megabytes < LONG.0 { effort.rounds } else { effort.rounds.min(LONG.1) };
        race("", contestants, rounds).results.into_iter().map(move |s: Standing| s.at(f64::from(megabytes), "MB"))
    });
    Contest { title: "Cost as the database grows".to_owned(), measure: "time", results: grown.collect() }
}
