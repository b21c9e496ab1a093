//! A burst of arrivals, as of a night in which every database is backed up at three: through a stack's own queues, with five
//! verifications at a time. `make scale` has a thousand of them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use e2e::alerts::{look_at, state};
use e2e::aws::ask_all;
use e2e::bucket::Bucket;
use e2e::functions;
use e2e::ministack::{Ministack, Rights};
use e2e::proxy::Request;
use e2e::stack::Stack;
use serde_json::{Value, json};

use super::scale;
use e2e::past::{days_ago, put_unjudged_in_bucket};

/// What comes of one burst.
struct Burst {
    backups: usize,
    /// Requests to S3 of all functions.
    requests: usize,
    /// Runs of retention.
    prunes: usize,
    seconds: f64,
}

fn burst(backups: usize) -> Burst {
    let (ministack, proxy) = Ministack::seen(Rights::Enforced);
    let stack = Stack::new(&ministack, "burst").functions(functions::folder());
    stack.deploy(&["VerifyConcurrency=5", "MinimumGood=1"]);
    stack.gather_verdicts_for(5);
    let bucket = Bucket::existing(&ministack.root(), &stack.bucket());
    let begun = Instant::now();
    for number in 0..backups {
        put_unjudged_in_bucket(&bucket, &format!("shop{number}"), days_ago(0));
    }
    let requests =
        |wanted: &dyn Fn(&Request) -> bool| proxy.requests().iter().filter(|request| wanted(request)).count();
    let put =
        |ending: &'static str| move |request: &Request| request.method == "PUT" && path(request).ends_with(ending);
    let (judged, pruned) = (put(".intact.json"), put("/status/prune.json"));
    let limit = Duration::from_secs(60) + Duration::from_secs(3) * u32::try_from(backups).unwrap();
    while requests(&judged) < backups || requests(&pruned) == 0 {
        let late = begun.elapsed() > limit;
        assert!(!late, "{} of {backups} were judged in {limit:?}:\n{}", requests(&judged), ministack.log());
        std::thread::sleep(Duration::from_millis(200));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let requests_so_far = proxy.requests();
    let verdicts: Vec<&str> = requests_so_far.iter().filter(|request| judged(request)).map(path).collect();
    let different: BTreeSet<&str> = verdicts.iter().copied().collect();
    assert_eq!((verdicts.len(), different.len()), (backups, backups), "some were judged twice");
    nothing_is_throttled_or_left(&stack);
    Burst { backups, requests: proxy.requests().len(), prunes: requests(&pruned), seconds }
}

fn path(request: &Request) -> &str {
    request.target.split('?').next().unwrap()
}

fn nothing_is_throttled_or_left(stack: &Stack<'_>) {
    let depth = |queue: String| {
        let question = json!({"QueueUrl": queue, "AttributeNames": ["All"]});
        let count =
            stack.ask("sqs", "GetQueueAttributes", question)["Attributes"]["ApproximateNumberOfMessages"].clone();
        count.as_str().unwrap().parse::<usize>().unwrap()
    };
    assert_eq!((depth(stack.resource("Arrived")), depth(stack.output("DeadLettersUrl"))), (0, 0));
    let alarms = ["burst-verify-waiting", "burst-verify-errors", "burst-dead-letters"];
    for (alarm, answer) in alarms.iter().zip(ask_all(&stack.ministack().root(), &alarms.map(look_at))) {
        assert_ne!(state(&answer), "ALARM", "{alarm}");
    }
    let mapping = stack.ask("lambda", "GetEventSourceMapping", json!({"UUID": stack.resource("ArrivedStartsVerify")}));
    assert_eq!(mapping["ScalingConfig"], json!({"MaximumConcurrency": 5}), "{mapping}");
    assert_eq!(mapping["State"], Value::from("Enabled"));
}

#[test]
fn burst_is_judged_by_five_at_a_time_each_backup_once_and_retention_runs_a_few_times() {
    let sizes: &[usize] = if scale::is_full() { &[10, 100, 1_000] } else { &[50] };
    let bursts: Vec<Burst> = sizes.iter().map(|backups| burst(*backups)).collect();
    for Burst { backups, requests, prunes, seconds } in &bursts {
        // A window of five seconds, and one run for what came before the first.
        assert!((*prunes as f64) < seconds / 5.0 + 2.0, "{backups} backups: {prunes} runs of retention in {seconds} s");
        assert!(*requests < backups * 16 + prunes * 10 + 50, "{backups} backups: {requests} requests");
    }
    let row = |burst: &Burst| {
        let Burst { backups, requests, prunes, seconds } = burst;
        format!("| {backups} | {requests} | {:.1} | {prunes} | {seconds:.0} s |", *requests as f64 / *backups as f64)
    };
    let head = "| backups at once | requests to S3 | each | runs of retention | until all are judged and counted |\n|--:|--:|--:|--:|--:|";
    scale::report("burst", head, bursts.iter().map(row));
}
