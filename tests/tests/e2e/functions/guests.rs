//! A stack over a bucket in which the guide's scripts have left their backups: guests.

use std::path::Path;
use std::time::{Duration, Instant};

use e2e::bucket::{Bucket, Stored};
use e2e::functions;
use e2e::ministack::{Ministack, Rights};
use e2e::process::output;
use e2e::stack::Stack;
use serde_json::{Value, json};

use e2e::past::{agent, database, dump};

/// As the guide's uploader did, two years ago.
fn upload(ministack: &Ministack, bucket: &Bucket, name: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    let metadata = format!("backup_date=20240120,database=astro,size={},md5_checksum={}", bytes.len(), md5(&file));
    let mut copy = ministack.aws();
    copy.args(["s3", "cp", "--quiet", "--content-type", "application/gzip", "--metadata", &metadata]).arg(&file);
    let copied = output(copy.arg(format!("s3://{}/backups/20240120/{name}", bucket.name())));
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
}

fn md5(file: &Path) -> String {
    let output = output(std::process::Command::new("md5sum").arg(file));
    String::from_utf8(output.stdout).unwrap()[..32].to_owned()
}

/// Six whole ones and one that is cut in half.
fn fill(ministack: &Ministack, bucket: &Bucket) -> Vec<Stored> {
    upload(ministack, bucket, "astro_backup_initial.sql.gz", dump());
    for hour in 1..6 {
        upload(ministack, bucket, &format!("astro_backup_20240120_0{hour}0000.sql.gz"), dump());
    }
    upload(ministack, bucket, "astro_backup_20240120_060000.sql.gz", &dump()[..dump().len() / 2]);
    bucket.objects()
}

fn count(bucket: &Bucket, database: &str, ending: &str) -> usize {
    bucket.keys().iter().filter(|key| key.contains(&format!("/{database}_backup_")) && key.ends_with(ending)).count()
}

fn wait_until(stack: &Stack<'_>, bucket: &Bucket, what: &str, happened: impl Fn() -> bool) {
    let begun = Instant::now();
    while !happened() {
        let late = begun.elapsed() > Duration::from_secs(60);
        assert!(!late, "waited in vain until {what}: {:#?}\n{}", bucket.keys(), stack.ministack().log());
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn invoke(stack: &Stack<'_>, function: &str, event: &Value) {
    let request = json!({"FunctionName": stack.resource(function), "Payload": event.to_string()});
    let answer = stack.ask("lambda", "Invoke", request);
    assert_eq!(answer["FunctionError"], Value::Null, "{function}: {}", stack.ministack().log());
}

/// The policy keeps two backups of a database, and to show that it does, one of ours goes. Age alone would show nothing, and
/// the floor would keep all: to a store here everything was written today.
#[test]
fn guests_are_judged_and_stay_until_they_are_adopted() {
    let ministack = Ministack::start(Rights::Enforced);
    let bucket = Bucket::new(&ministack.root());
    let guests = fill(&ministack, &bucket);
    let stack = Stack::new(&ministack, "guests").functions(functions::folder());
    let existing = format!("BucketName={}", bucket.name());
    stack.deploy(&[
        &existing,
        "ExistingBucket=true",
        "MinimumGood=1",
        "KeepLast=2",
        "DeleteAfterDays=0",
        "NeverYoungerThanDays=0",
    ]);
    stack.gather_verdicts_for(1);
    let events: Value = serde_json::from_str(&stack.output("ExistingBucketEvents")).unwrap();
    let told = json!({"Bucket": bucket.name(), "NotificationConfiguration": events});
    stack.ask("s3", "PutBucketNotificationConfiguration", told);

    invoke(&stack, "Verify", &json!({"action": "sweep"}));
    let verdicts = || (count(&bucket, "astro", ".intact.json"), count(&bucket, "astro", ".damaged.json"));
    wait_until(&stack, &bucket, "the sweep has had all seven guests judged", || verdicts() == (6, 1));
    assert!(bucket.keys().contains(&"backups/status/sweep.json".to_owned()), "the sweep left no word of itself");

    let ours = agent().database(database()).setting("BACKUP_VERIFY", "none");
    let ours = ours.bucket(bucket.name(), &stack.user("backs-up", "AgentPolicyArn"));
    for name in ["one", "two", "three"] {
        ours.run(&["backup", "--name", name]).succeeds();
    }
    let left = || count(&bucket, database().name(), ".manifest.json");
    let judged = || count(&bucket, database().name(), ".intact.json");
    wait_until(&stack, &bucket, "two of our three are left, and judged", || (left(), judged()) == (2, 2));
    invoke(&stack, "Retention", &json!({"action": "prune"}));
    assert!(bucket.keys().contains(&"backups/status/prune.json".to_owned()), "retention left no word of itself");
    let now = bucket.objects();
    assert!(guests.iter().all(|guest| now.contains(guest)), "a guest was touched: {now:#?}");

    let operator = agent().setting("DB_NAME", "astro");
    let operator = operator.bucket(bucket.name(), &stack.user("operates", "OperatorPolicyArn"));
    operator.run(&["list"]).succeeds().mentions("guest");
    let adopted = operator.run(&["adopt", "--all"]).exits(4).mentions("DAMAGED  astro_backup_20240120_060000");
    assert_eq!(adopted.stdout.matches("adopted  ").count(), 6, "{adopted}");
    let listed = operator.run(&["list", "--json"]).succeeds().json();
    assert_eq!(listed["databases"][0]["good"], 6, "{listed:#}");
    assert!(guests.iter().all(|guest| bucket.objects().contains(guest)), "a guest's bytes were touched");
}
