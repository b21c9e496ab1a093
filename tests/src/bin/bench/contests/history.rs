//! A hundred thousand backups of three databases, in a real bucket: what the functions that look at all of them take.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use e2e::bucket::Bucket;
use e2e::functions::{Function, Setup};
use e2e::history;
use e2e::proxy::Proxy;
use serde_json::{Value, json};

use super::functions::function;
use super::start::limit;
use crate::effort::Effort;
use crate::ground::Ground;
use crate::race::{Contest, Contestant, race};
use crate::stopwatch::Lap;

const DATABASES: [&str; 3] = ["app", "shop", "site"];
/// Backups of each database where there are few: with three, a hundred.
const FEW: u32 = 33;

/// Requests grow with the databases and not with the backups, which is asserted; so time hardly does.
pub(super) fn hold_freshness(ground: &Ground, effort: &Effort) -> Contest {
    let few = Bucket::new(&ground.access());
    history::fill(&few, &DATABASES, FEW);
    let many = many(ground, effort);
    let requests = [&few, many].map(|bucket| {
        let proxy = Proxy::start(&ground.access().endpoint);
        invoke(&function("freshness", &ground.access().through(&proxy), bucket), &json!({"action": "measure"}));
        proxy.requests().len()
    });
    assert_eq!(requests[0], requests[1], "requests grow with the backups");
    let contestants = [(&few, FEW), (many, each(effort))].map(|(bucket, count)| {
        let setup = function("freshness", &ground.access(), bucket);
        let name = format!("freshness over {} backups", count * 3);
        Contestant::new(name, move || invoke(&setup, &json!({"action": "measure"})).0)
    });
    let [floor, ours] = contestants;
    let title = format!("Measuring freshness of three databases: {} requests to S3 either way", requests[0]);
    race(title, vec![floor, ours.goal(1.2)], effort.rounds)
}

/// What is removed stays below the half from where on retention refuses its own plan.
pub(super) fn hold_retention(ground: &Ground, effort: &Effort) -> Contest {
    let setup = function("retention", &ground.access(), many(ground, effort));
    let setup = setup.setting("BACKUP_KEEP_LAST", &(each(effort) / 3 * 2).to_string());
    let planning = || {
        let (lap, answer) = invoke(&setup, &json!({"action": "prune", "dryRun": true}));
        for database in answer["databases"].as_array().unwrap() {
            assert_eq!(database["refused"], Value::Null);
            assert_ne!(database["removed"], json!([]));
        }
        lap
    };
    let ours = Contestant::new("retention: list all versions, plan, say why", planning).goal(1.0);
    race(format!("Planning retention of {} backups", each(effort) * 3), vec![limit(30.0), ours], effort.rounds)
}

/// One invocation in a process of its own, start and all.
fn invoke(setup: &Setup, event: &Value) -> (Lap, Value) {
    let start = Instant::now();
    let mut function = Function::start(setup);
    let answer = function.invoke(event, Duration::from_secs(300)).done();
    let wall = start.elapsed().as_secs_f64();
    (Lap { wall, peak: function.peak_memory(), ..Lap::default() }, answer)
}

fn each(effort: &Effort) -> u32 {
    if effort.quick { 999 } else { 33_333 }
}

/// Made once, for both contests.
fn many(ground: &Ground, effort: &Effort) -> &'static Bucket {
    static MANY: OnceLock<Bucket> = OnceLock::new();
    MANY.get_or_init(|| {
        eprintln!("  putting {} backups …", each(effort) * 3);
        let bucket = Bucket::new(&ground.access());
        history::fill(&bucket, &DATABASES, each(effort));
        bucket
    })
}
