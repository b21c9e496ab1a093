//! A large archive is read in parts by the links beside it: each part proves where the next begins, and whatever is wrong with the
//! links, or the archive, comes out as it does in one piece.

use std::io::Read as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use e2e::aws::ask;
use e2e::bounds::MOMENT;
use e2e::bucket::Bucket;
use e2e::functions::{self, Function, Setup};
use e2e::generator::Generator;
use e2e::ministack::{Ministack, Rights};
use e2e::postgres::Installation;
use e2e::stack::Stack;
use serde_json::{Value, json};

use super::{AMPLE, Ground, hearers};
use e2e::past::{agent, database};

/// It only keeps what it was started with: the test does its work, in whatever order it likes.
const KEEPS: &str = r#"{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": true}}}"#;

/// A backup of so many bytes of dump, as they are or compressed, with links this far apart; its manifest's key.
fn back_up(bucket: &Bucket, bytes: u64, (compression, link): (&str, &str)) -> String {
    let dump = Generator::new(&Installation::debian(), Path::new(env!("CARGO_BIN_EXE_bench")), bytes);
    let agent = agent().database(database()).bucket(bucket.name(), bucket.access());
    let agent = agent.setting("PG_BIN_DIR", dump.programs().display().to_string()).setting("BACKUP_VERIFY", "none");
    let agent = agent.setting("BACKUP_S3_PREFIX", "backups").setting("BACKUP_LINK_SIZE", link);
    agent.setting("BACKUP_COMPRESSION", compression).run(&["backup"]).succeeds();
    bucket.key_ending_in(".manifest.json")
}

/// A verify function that has archives read in parts, the machine that it starts, and who reads them.
struct Parts<'a> {
    ground: &'a Ground,
    verify: Setup,
    prove: Setup,
    machine: String,
}

impl<'a> Parts<'a> {
    fn new(ground: &'a Ground) -> Self {
        let root = hearers().root();
        let named = json!({"name": format!("{}-parts", ground.bucket.name()), "definition": KEEPS,
            "roleArn": "arn:aws:iam::000000000000:role/parts"});
        let made = ask(&root, "stepfunctions", "CreateStateMachine", named);
        let machine = made["stateMachineArn"].as_str().unwrap().to_owned();
        let verify = ground.function("verify").setting("LASTGOOD_PARTS_MACHINE", &machine);
        let verify = verify.setting("LASTGOOD_PARTS_ABOVE_GIGABYTES", "0");
        let verify = verify.setting("AWS_ENDPOINT_URL_SFN", &root.endpoint);
        let prove = ground.function("verify").setting("LASTGOOD_PROVES_PARTS", "true");
        Self { ground, verify, prove, machine }
    }

    /// What the machine was started with by the manifest's arrival, once.
    fn errand(&self, manifest: &str) -> Value {
        let answer = super::invoke(&self.verify, &self.ground.arrival(manifest)).done();
        assert_eq!(answer["backups"][0]["outcome"], "inParts", "{answer}");
        let which = json!({"stateMachineArn": self.machine});
        let listed = ask(&hearers().root(), "stepfunctions", "ListExecutions", which);
        let executions = listed["executions"].as_array().unwrap();
        assert_eq!(executions.len(), 1, "however many events: {listed}");
        let which = json!({"executionArn": executions[0]["executionArn"]});
        let started = ask(&hearers().root(), "stepfunctions", "DescribeExecution", which);
        serde_json::from_str(started["input"].as_str().unwrap()).unwrap()
    }

    /// Which parts don't end where the next one begins, by so many workers at once.
    fn refuted(&self, errand: &Value, workers: usize) -> Vec<u64> {
        let numbers = errand["numbers"].as_array().unwrap().iter().map(|number| number.as_u64().unwrap());
        let (left, refuted) = (Mutex::new(numbers), Mutex::new(Vec::new()));
        let work = || {
            let mut prove = Function::start(&self.prove);
            // In a statement of its own: the lock isn't held while a part is read.
            while let Some(number) = { left.lock().unwrap().next() } {
                let mut wish = errand.clone();
                (wish["action"], wish["link"]) = (json!("prove"), json!(number));
                if prove.invoke(&wish, AMPLE).done()["agrees"] == json!(false) {
                    refuted.lock().unwrap().push(number);
                }
            }
        };
        std::thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
        let mut refuted = refuted.into_inner().unwrap();
        refuted.sort_unstable();
        refuted
    }

    /// Has the verify function go on, as the machine does; its answer.
    fn conclude(&self, errand: &Value, proved: bool) -> Value {
        let mut wish = errand.clone();
        (wish["action"], wish["proved"], wish["begun"]) =
            (json!("conclude"), json!(proved), json!("2026-01-20T03:00:00Z"));
        super::invoke(&self.prove, &wish).done();
        let place = self.ground.bucket.key_ending_in(".verifying.json");
        super::invoke(&self.verify, &self.ground.arrival(&place)).done()["backups"][0].take()
    }

    /// All of it, and what was refuted.
    fn judge(&self, manifest: &str) -> (Value, Vec<u64>) {
        let errand = self.errand(manifest);
        let refuted = self.refuted(&errand, 2);
        (self.conclude(&errand, refuted.is_empty()), refuted)
    }
}

/// The verdict that lies there, without what depends on the time; it is removed.
fn verdict(bucket: &Bucket) -> Value {
    let key = bucket.keys().into_iter().find(|key| key.ends_with(".intact.json") || key.ends_with(".damaged.json"));
    let key = key.unwrap_or_else(|| panic!("no verdict: {:?}", bucket.keys()));
    let mut verdict = bucket.get_json(&key);
    verdict.as_object_mut().unwrap().remove("verified");
    bucket.delete(&key);
    bucket.delete(&key.replace(".intact.", ".verifying.").replace(".damaged.", ".verifying."));
    verdict
}

/// What one function says that reads it through.
fn in_one_piece(ground: &Ground, manifest: &str) -> Value {
    super::invoke(&ground.function("verify"), &ground.arrival(manifest)).done();
    verdict(&ground.bucket)
}

/// `make parts` has a longer archive, and prints what it takes.
#[test]
fn verdict_in_parts_is_the_one_in_one_piece() {
    let long = std::env::var("PARTS_BYTES").ok().map(|bytes| bytes.parse().unwrap());
    let first = long.map_or((268_435_456, ("none", "4MiB")), |bytes| (bytes, ("none", "64MiB")));
    for (bytes, how) in [first, (60_000_000, ("zstd", "1MiB"))] {
        let ground = Ground::new();
        let manifest = back_up(&ground.bucket, bytes, how);
        let parts = Parts::new(&ground);
        let errand = parts.errand(&manifest);
        assert_eq!(parts.errand(&manifest), errand, "a second event starts nothing");
        let count = errand["links"]["count"].as_u64().unwrap();
        let size = errand["bytes"]["size"].as_u64().unwrap();
        let apart = size / (count + 1);
        assert!(
            count > 5 && (how.0 != "none" || apart < 9 << (if long.is_some() { 23 } else { 19 })),
            "{how:?}: {count} links of {size} bytes"
        );
        for workers in if long.is_some() { vec![1, 2, 1, 2] } else { vec![2] } {
            let begun = Instant::now();
            assert_eq!(parts.refuted(&errand, workers), Vec::<u64>::new());
            println!("{count} links of {bytes} bytes by {workers}: {:.1?}", begun.elapsed());
        }
        let begun = Instant::now();
        let judged = parts.conclude(&errand, true);
        println!("the rest: {:.1?}", begun.elapsed());
        assert_eq!((&judged["outcome"], judged["bytes"].as_u64()), (&json!("intact"), Some(size)), "{judged}");
        let begun = Instant::now();
        assert_eq!(verdict(&ground.bucket), in_one_piece(&ground, &manifest));
        println!("in one piece: {:.1?}", begun.elapsed());
    }
}

/// Links as they lie in the bucket, in words.
fn links(bucket: &Bucket) -> (String, Value) {
    let key = bucket.key_ending_in(".links.json.gz");
    let mut json = String::new();
    flate2::read::MultiGzDecoder::new(bucket.get(&key).as_slice()).read_to_string(&mut json).unwrap();
    (key, serde_json::from_str(&json).unwrap())
}

fn put_links(bucket: &Bucket, key: &str, links: &Value) {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, links.to_string().as_bytes()).unwrap();
    bucket.put(key, &packed.finish().unwrap());
}

#[test]
fn whatever_is_wrong_comes_out_as_it_does_in_one_piece() {
    type Wrong = fn(&Bucket, &str);
    let cases: [(&str, Wrong, bool); 7] = [
        (
            "a flipped bit",
            |bucket, archive| {
                let mut bytes = bucket.get(archive);
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                bucket.put(archive, &bytes);
            },
            true,
        ),
        (
            "cut off",
            |bucket, archive| {
                let bytes = bucket.get(archive);
                bucket.put(archive, &bytes[..bytes.len() / 2]);
            },
            true,
        ),
        ("another backup's bytes", |bucket, archive| bucket.put(archive, &vec![7; 9 << 20]), true),
        (
            "a forged digest",
            |bucket, _| {
                let (key, mut links) = links(bucket);
                let digest = links.pointer_mut("/places/first/digester/crc64nvme").unwrap();
                *digest = json!("AAAAAAAAAAA=");
                put_links(bucket, &key, &links);
            },
            true,
        ),
        (
            "two places exchanged",
            |bucket, _| {
                let (key, mut links) = links(bucket);
                links["places"]["then"].as_array_mut().unwrap().swap(0, 1);
                put_links(bucket, &key, &links);
            },
            true,
        ),
        (
            "links that are a bomb",
            |bucket, _| {
                let key = links(bucket).0;
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                let bomb = "[],".repeat(20 << 20);
                std::io::Write::write_all(&mut packed, bomb.as_bytes()).unwrap();
                bucket.put(&key, &packed.finish().unwrap());
            },
            false,
        ),
        (
            "no links at all",
            |bucket, _| {
                let key = links(bucket).0;
                bucket.put(&key, b"nothing");
            },
            false,
        ),
    ];
    for (what, spoil, starts) in cases {
        let ground = Ground::new();
        let manifest = back_up(&ground.bucket, 12_000_000, ("none", "1MiB"));
        let archive = ground.bucket.key_ending_in(".sql");
        spoil(&ground.bucket, &archive);
        let parts = Parts::new(&ground);
        if starts {
            let (judged, refuted) = parts.judge(&manifest);
            assert!(!refuted.is_empty(), "{what}: nothing was refuted");
            assert_eq!(judged["invocations"], 1, "{what}: it was not begun again: {judged}");
        } else {
            let read = super::invoke(&parts.verify, &ground.arrival(&manifest)).done();
            assert_eq!(read["backups"][0]["outcome"], "intact", "{what}: {read}");
        }
        let found = verdict(&ground.bucket);
        assert_eq!(found, in_one_piece(&ground, &manifest), "{what}");
        let is_damaged = ["a flipped bit", "cut off", "another backup's bytes"].contains(&what);
        assert_eq!(found["outcome"], if is_damaged { "damaged" } else { "intact" }, "{what}");
    }
}

/// Its workers can't be had, or somebody stops it: the next who looks reads it in one piece.
#[test]
fn machine_that_ended_without_a_place_is_not_waited_for() {
    let ground = Ground::new();
    let manifest = back_up(&ground.bucket, 12_000_000, ("none", "1MiB"));
    let parts = Parts::new(&ground);
    parts.errand(&manifest);
    let which = json!({"stateMachineArn": parts.machine});
    let listed = ask(&hearers().root(), "stepfunctions", "ListExecutions", which);
    let which = json!({"executionArn": listed["executions"][0]["executionArn"]});
    ask(&hearers().root(), "stepfunctions", "StopExecution", which);
    let read = super::invoke(&parts.verify, &ground.arrival(&manifest)).done();
    assert_eq!(read["backups"][0]["outcome"], "intact", "{read}");
}

/// The archive is replaced while its parts are read: none of what was read says anything of the new one.
#[test]
fn archive_that_is_replaced_meanwhile_is_read_in_one_piece() {
    let ground = Ground::versioned();
    let manifest = back_up(&ground.bucket, 12_000_000, ("gzip", "500KiB"));
    let parts = Parts::new(&ground);
    let errand = parts.errand(&manifest);
    let archive = ground.bucket.key_ending_in(".sql.gz");
    ground.bucket.put(&archive, b"something else");
    assert_eq!(parts.refuted(&errand, 2).len() as u64, errand["links"]["count"].as_u64().unwrap());
    let judged = parts.conclude(&errand, true);
    assert_eq!((&judged["outcome"], &judged["bytes"]), (&json!("damaged"), &json!(14)), "{judged}");
}

#[test]
fn encrypted_archive_has_links_over_its_stored_bytes_alone() {
    let ground = Ground::new();
    let dump = Generator::new(&Installation::debian(), Path::new(env!("CARGO_BIN_EXE_bench")), 12_000_000);
    let agent = agent().database(database()).bucket(ground.bucket.name(), ground.bucket.access());
    let agent = agent.setting("PG_BIN_DIR", dump.programs().display().to_string()).setting("BACKUP_VERIFY", "none");
    let recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let agent = agent.setting("BACKUP_AGE_RECIPIENTS", recipient).setting("BACKUP_LINK_SIZE", "1MiB");
    agent.setting("BACKUP_COMPRESSION", "none").run(&["backup"]).succeeds();
    let manifest = ground.bucket.key_ending_in(".manifest.json");
    let (_, links) = links(&ground.bucket);
    assert!(!links.to_string().contains("walk"), "{links}");
    let parts = Parts::new(&ground);
    let (judged, refuted) = parts.judge(&manifest);
    assert_eq!((refuted, &judged["outcome"]), (vec![], &json!("intact")), "{judged}");
    assert_eq!(verdict(&ground.bucket), in_one_piece(&ground, &manifest));
}

/// Disks forget: what was verified long ago is read again, in parts as the first time.
#[test]
fn archive_whose_verdict_is_old_is_read_in_parts_again() {
    let ground = Ground::new();
    let manifest = back_up(&ground.bucket, 12_000_000, ("none", "1MiB"));
    let parts = Parts::new(&ground);
    assert_eq!(parts.judge(&manifest).0["outcome"], "intact");
    let sweep = json!({"action": "sweep"});
    let rested = super::invoke(&parts.verify, &sweep).done();
    assert_eq!(rested["backups"], json!([]), "its verdict is young");
    let old = parts.verify.clone().setting("LASTGOOD_REVERIFY_AFTER_DAYS", "0");
    let again = super::invoke(&old, &sweep).done();
    assert_eq!(again["backups"][0]["outcome"], "inParts", "{again}");
    let listed = ask(&hearers().root(), "stepfunctions", "ListExecutions", json!({"stateMachineArn": parts.machine}));
    assert_eq!(listed["executions"].as_array().unwrap().len(), 2, "another one, for another verdict: {listed}");
    assert!(ground.bucket.keys().iter().any(|key| key.ends_with(".intact.json")), "what was said stands meanwhile");
}

/// Nobody but the machine may say what is proved: a message in the queue is as good as a person's.
#[test]
fn verify_function_takes_no_word_for_what_is_proved() {
    let ground = Ground::new();
    let verify = ground.function("verify");
    for action in ["prove", "conclude"] {
        let refused = super::invoke(&verify, &json!({"action": action, "backup": "20260120/app_backup_x"})).failed();
        assert!(refused.contains(&format!("verify has no action `{action}`")), "{refused}");
    }
    let prove = ground.function("verify").setting("LASTGOOD_PROVES_PARTS", "true");
    let refused = super::invoke(&prove, &json!({"action": "sweep"})).failed();
    assert!(refused.contains("no wish of the state machine"), "{refused}");
}

/// The whole road, by the template: arrival, queue, verify, machine, workers, and verify again.
#[test]
fn stack_reads_an_archive_in_parts() {
    let ministack = Ministack::start(Rights::Enforced);
    let stack = Stack::new(&ministack, "parts").functions(functions::folder());
    stack.deploy(&["PartsAboveGigabytes=0", "PartsConcurrency=3"]);
    let bucket = Bucket::existing(&stack.ministack().root(), &stack.bucket());
    let manifest = back_up(&bucket, 12_000_000, ("none", "1MiB"));
    let has = |ending: &str| bucket.keys().iter().any(|key| key.ends_with(ending));
    let wait = |what: &str| {
        let begun = Instant::now();
        while !has(".intact.json") {
            assert!(begun.elapsed() < MOMENT, "no {what}: {:#?}\n{}", bucket.keys(), stack.ministack().log());
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    wait("verdict in parts");
    let machine = json!({"stateMachineArn": stack.resource("Parts")});
    let listed = stack.ask("stepfunctions", "ListExecutions", machine.clone());
    assert_eq!(listed["executions"].as_array().unwrap().len(), 1, "{listed}");
    let place = bucket.get_json(&bucket.key_ending_in(".verifying.json"));
    assert!(place["rounds"].as_u64() > Some(1), "it went on behind the parts: {place}");

    // With a forged link two neighbours disagree, and the archive is read in one piece.
    let (key, mut forged) = links(&bucket);
    forged["places"]["first"]["digester"]["crc64nvme"] = json!("AAAAAAAAAAA=");
    put_links(&bucket, &key, &forged);
    bucket.delete(&bucket.key_ending_in(".verifying.json"));
    bucket.delete(&bucket.key_ending_in(".intact.json"));
    let backup = manifest.trim_start_matches("backups/").trim_end_matches(".manifest.json");
    let wish = json!({"action": "verify", "backup": backup}).to_string();
    stack.ask("lambda", "Invoke", json!({"FunctionName": stack.resource("Verify"), "Payload": wish}));
    wait("verdict in one piece");
    let listed = stack.ask("stepfunctions", "ListExecutions", machine);
    assert_eq!(listed["executions"].as_array().unwrap().len(), 2, "{listed}");
    let place = bucket.get_json(&bucket.key_ending_in(".verifying.json"));
    assert_eq!(place["inspection"], Value::Null, "{place}");
    let failed = stack.ask("sqs", "ReceiveMessage", json!({"QueueUrl": stack.output("DeadLettersUrl")}));
    assert_eq!(failed["Messages"], Value::Null);
}
