//! The verify function as it is deployed, beside one in Python that does the same check with AWS's own client: what it
//! weighs, how long it takes to its first event, and then to judge a backup.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use e2e::bucket::{Access, Bucket};
use e2e::functions::{self, Function, Setup};
use e2e::generator::Generator;
use e2e::ministack::{Ministack, Rights};
use e2e::process::output;
use e2e::tools;
use serde_json::{Value, json};

use super::start::limit;
use super::verify::{on_one_core, stored_backup};
use crate::effort::Effort;
use crate::ground::{Ground, stored_in_bucket};
use crate::race::{Contest, Contestant, compare, race};
use crate::stopwatch::{Lap, time};

const FUNCTIONS: [&str; 3] = ["verify", "retention", "freshness"];
/// Short runs scatter more, and cost nothing.
const STARTS: usize = 30;
const AMPLE: Duration = Duration::from_secs(900);

/// One of ours. Its metrics go to a server of their own.
pub(super) fn function(name: &str, access: &Access, bucket: &Bucket) -> Setup {
    static HEARERS: OnceLock<Ministack> = OnceLock::new();
    let hearers = HEARERS.get_or_init(|| Ministack::start(Rights::Ignored));
    Setup::new(name, access, bucket.name()).reports_to(&hearers.root())
}

fn in_python(access: &Access, bucket: &Bucket) -> Setup {
    let program = tools::root().join("tests/src/bin/bench/verify_function.py");
    let words = vec![tools::python_command("python").into(), program.into()];
    Setup::of_program("verify in Python, botocore", words, access, bucket.name())
}

/// As `infra/pack.py` packs them: by Python's zipfile.
pub(super) fn hold_size(ground: &Ground, _: &Effort) -> Contest {
    let most = Contestant::new("5 MB", || Lap { stored: Some(5_000_000), ..Lap::default() });
    let zips = FUNCTIONS.map(|name| {
        let zip = move || ground.in_folder(|folder| zip(&functions::folder().join(name), &folder.join("zip")));
        Contestant::new(format!("{name}, zipped"), move || Lap { stored: Some(zip()), ..Lap::default() }).goal(1.0)
    });
    let contestants = [most].into_iter().chain(zips).collect();
    compare("size", |lap| lap.stored.unwrap_or(0) as f64, "What is uploaded", contestants)
}

fn zip(file: &Path, into: &Path) -> u64 {
    let mut python = Command::new(tools::python_command("python"));
    assert!(output(python.args(["-m", "zipfile", "-c"]).args([into, file])).status.success());
    into.metadata().unwrap().len()
}

pub(super) fn hold_start(ground: &Ground, _: &Effort) -> Contest {
    ground.in_bucket(|bucket| {
        let start = |setup: Setup| {
            move || {
                let start = Instant::now();
                let _function = Function::start(&setup);
                Lap { wall: start.elapsed().as_secs_f64(), ..Lap::default() }
            }
        };
        let ours =
            FUNCTIONS.map(|name| Contestant::new(name, start(function(name, bucket.access(), bucket))).goal(1.0));
        let python = Contestant::new("in Python, botocore", start(in_python(bucket.access(), bucket)));
        let contestants = [limit(0.020)].into_iter().chain(ours).chain([python]).collect();
        race("A function's cold start: from spawn to the first event asked for", contestants, STARTS)
    })
}

/// The functions read from S3, whose server is on the other core; the floor reads a local file, and checks no more than
/// Python's function does.
pub(super) fn hold_verify(ground: &Ground, effort: &Effort) -> Contest {
    let database = ground.sized(effort.megabytes);
    ground.in_bucket(|bucket| {
        let agent = ground.agent(database).bucket(bucket.name(), bucket.access());
        agent.setting("BACKUP_COMPRESSION", "gzip").run(&["backup", "--quiet"]).succeeds();
        let file = stored_backup(ground, database, "gzip").display().to_string();
        let script = r#"md5sum "$1"; gunzip -t "$1""#;
        let floor = || time(ground, on_one_core(ground.shell(database, script, &[&file])));
        let judging = |setup: Setup| move || judge(&mut Function::start(&setup), bucket).0;
        let ours = judging(function("verify", bucket.access(), bucket).on_one_core());
        let python = judging(in_python(bucket.access(), bucket).on_one_core());
        let contestants = vec![
            Contestant::new(script, floor),
            Contestant::new("the verify function, from S3", ours).goal(0.8),
            Contestant::new("the same in Python, botocore, without walk and census", python),
        ];
        race(format!("Judging a {} MB dump on one core", effort.megabytes), contestants, effort.rounds)
    })
}

/// A gigabyte stored, in a function of 256 MB.
pub(super) fn hold_memory(ground: &Ground, effort: &Effort) -> Contest {
    let contestants = [("gzip", 3_800), ("zstd", 3_600), ("none", 1_000)].map(|(compression, megabytes)| {
        let bytes = megabytes * if effort.quick { 100_000 } else { 1_000_000 };
        let name = format!("the verify function, {compression}, a dump of {} MB", bytes / 1_000_000);
        Contestant::new(name, move || peak(ground, compression, bytes)).goal(1.0)
    });
    let most = Contestant::new("64 MiB", || Lap { peak: 64 << 20, ..Lap::default() });
    let contestants = [most].into_iter().chain(contestants).collect();
    compare("peak memory", |lap| lap.peak as f64, "Peak memory of judging a large archive", contestants)
}

fn peak(ground: &Ground, compression: &str, bytes: u64) -> Lap {
    let dump = Generator::new(ground.postgres.installation(), &std::env::current_exe().unwrap(), bytes);
    ground.in_bucket(|bucket| {
        let agent = ground.agent(ground.sized(1)).bucket(bucket.name(), bucket.access());
        let agent = agent.setting("PG_BIN_DIR", dump.programs().display().to_string());
        agent.setting("BACKUP_COMPRESSION", compression).run(&["backup", "--quiet"]).succeeds();
        let mut verify = Function::start(&function("verify", bucket.access(), bucket));
        let (lap, answer) = judge(&mut verify, bucket);
        assert_eq!(answer["backups"][0]["outcome"], "intact", "{answer}");
        Lap { peak: verify.peak_memory(), stored: Some(stored_in_bucket(bucket)), ..lap }
    })
}

/// Has the bucket's only backup judged, and takes its verdict away again.
fn judge(function: &mut Function, bucket: &Bucket) -> (Lap, Value) {
    let manifest = bucket.key_ending_in(".manifest.json");
    let event = json!({"detail-type": "Object Created", "source": "aws.s3",
        "detail": {"bucket": {"name": bucket.name()}, "object": {"key": manifest}}});
    let start = Instant::now();
    let answer = function.invoke(&event, AMPLE).done();
    let lap = Lap { wall: start.elapsed().as_secs_f64(), peak: function.peak_memory(), ..Lap::default() };
    bucket.delete(&bucket.key_ending_in(".intact.json"));
    (lap, answer)
}
