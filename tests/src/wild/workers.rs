//! Trials side by side.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::case::Case;
use super::ground::Ground;
use super::judge;
use super::plan::Trial;
use super::results::{Record, Results};

/// Takes every trial that has no result yet, so many at once, and says each result when it is there.
pub fn run(
    cases: &[Case],
    trials: &[Trial<'_>],
    results: &Results,
    jobs: usize,
    say: impl Fn(&Record) + Sync,
) -> Vec<Record> {
    let ground = Ground::new(cases);
    let next = AtomicUsize::new(0);
    let records = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(trial) = trials.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let record = results.of(trial).unwrap_or_else(|| {
                        let began = Instant::now();
                        let verdict = judge::judge(&ground, trial);
                        let record = results.add(trial, verdict, began.elapsed().as_secs_f64());
                        say(&record);
                        record
                    });
                    records.lock().unwrap().push(record);
                }
            });
        }
    });
    records.into_inner().unwrap()
}
