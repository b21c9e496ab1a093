//! Retention under a hostile world: random histories, policies, clocks, listings and refusals of the store, and what has to hold whatever
//! they are. Nothing here repeats how retention decides: what was made is known, and each promise is held to that.
//!
//! `HISTORIES=n` takes so many, from `FROM` on (0 if it isn't set). A failure names its history, which `FROM=that HISTORIES=1` takes alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    missing_docs,
    reason = "a panic here is the report, and how many histories there are is a setting"
)]

mod act;
mod clocks;
mod generate;
mod lying;
mod planned;
mod policies;
mod rounds;
mod store;
mod tally;
mod together;
mod years;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use self::tally::Tally;

/// Some seconds of `make test`.
const DEFAULT: u64 = 3_000;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// One history: all that is random in it comes from its number.
fn live(number: u64, tally: &mut Tally) -> Result<(), String> {
    let mut random = StdRng::seed_from_u64(number);
    let history = generate::history(&mut random);
    tally.histories += 1;
    planned::what_must_stay_stays(&history, tally)?;
    clocks::a_wrong_clock_removes_nothing(&history, &mut random, tally)?;
    policies::a_richer_policy_removes_no_more(&history, &mut random, tally)?;
    lying::order_and_repetition_mean_nothing(&history, &mut random)?;
    match number % 4 {
        0 => rounds::what_breaks_off_goes_on(&history, &mut random, tally),
        1 => lying::what_a_listing_leaves_out_stays(&history, &mut random, tally),
        2 => together::two_at_once(&history, &mut random, tally),
        _ => years::as_time_goes_by(&history.policy, &mut random, tally),
    }
}

#[test]
fn whatever_comes_the_promises_hold() {
    let (count, from) = (setting("HISTORIES", DEFAULT), setting("FROM", 0));
    let (next, began) = (AtomicU64::new(from), Instant::now());
    let (all, broken) = (Mutex::new(Tally::default()), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut tally = Tally::default();
                while broken.lock().unwrap().is_empty() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= from + count {
                        break;
                    }
                    let lived = catch_unwind(AssertUnwindSafe(|| live(number, &mut tally)));
                    let lived = lived.unwrap_or_else(|_| Err("it panicked, as said above".to_owned()));
                    broken.lock().unwrap().extend(lived.err().map(|what| format!("history {number}: {what}")));
                }
                all.lock().unwrap().add(&tally);
            });
        }
    });
    let (broken, tally) = (broken.into_inner().unwrap(), all.into_inner().unwrap());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    println!("histories {from} to {}, in {:.0?}:\n{tally}", from + count - 1, began.elapsed());
    if count >= DEFAULT {
        tally.is_about_something();
    }
}
