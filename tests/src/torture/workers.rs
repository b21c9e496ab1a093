//! Cases side by side.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::case::Case;
use super::results::Record;
use super::verdict::Verdict;

/// So many of those that wait run at once beside the others.
const WAITING: usize = 12;

/// Runs every case, so many of those that work at once, and says each result when it is there; in the order of the cases.
pub fn run(cases: &[Case], jobs: usize, say: impl Fn(&Record) + Sync) -> Vec<Record> {
    let (waiting, working): (Vec<_>, Vec<_>) = cases.iter().enumerate().partition(|(_, case)| case.waits);
    let records = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for (cases, jobs) in [(waiting, WAITING), (working, jobs)] {
            let (cases, next) = (std::sync::Arc::new(cases), std::sync::Arc::new(AtomicUsize::new(0)));
            for _ in 0..jobs.min(cases.len()) {
                let (cases, next, records, say) = (cases.clone(), next.clone(), &records, &say);
                scope.spawn(move || {
                    while let Some((at, case)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let record = try_case(case);
                        say(&record);
                        records.lock().unwrap().push((*at, record));
                    }
                });
            }
        }
    });
    let mut records = records.into_inner().unwrap();
    records.sort_by_key(|(at, _)| *at);
    records.into_iter().map(|(_, record)| record).collect()
}

/// A panic is what was found.
fn try_case(case: &Case) -> Record {
    let began = Instant::now();
    let (verdict, said) = match catch_unwind(AssertUnwindSafe(|| (case.act)())) {
        Ok(told) => (told.verdict, told.said),
        Err(panic) => (Verdict::of_panic(&*panic), String::new()),
    };
    let (case, command) = (case.name.clone(), case.command());
    Record { case, verdict, said, seconds: began.elapsed().as_secs_f64(), command }
}
