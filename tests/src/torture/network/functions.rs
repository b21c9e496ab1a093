//! The functions of the cloud side: the real binaries, run as Lambda runs them, by a way to the store on which one request is struck.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use super::aim::{Aim, Stood};
use super::fault::Fault;
use super::grid::{Cell, count_kinds, grid};
use crate::bucket::{Access, Bucket, Stored};
use crate::functions::{Answer, Function, Setup};
use crate::ministack::{Ministack, Rights};
use crate::past::{SUFFIXES, days_ago, key, put_in_bucket, put_unjudged_in_bucket};
use crate::seaweedfs::Seaweedfs;
use crate::torture::case::{Case, Family};
use crate::torture::verdict::{Told, Verdict, lost, silent};

/// How many backups there are, by day, and how many of them retention keeps: it refuses to remove more than half at once.
const BACKUPS: i64 = 6;
const KEPT: i64 = 4;
const DATABASE: &str = "app";

/// Which function, and by what it is woken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Called {
    /// By the manifest that arrived last.
    Verify,
    Sweep,
    Retention,
    Freshness,
}

impl Called {
    const ALL: [Called; 4] = [Self::Verify, Self::Sweep, Self::Retention, Self::Freshness];

    fn name(self) -> &'static str {
        match self {
            Self::Verify => "function-verify",
            Self::Sweep => "function-verify-by-sweep",
            Self::Retention => "function-retention",
            Self::Freshness => "function-freshness",
        }
    }

    /// How long the template gives it.
    fn time(self) -> Duration {
        Duration::from_secs(match self {
            Self::Verify | Self::Sweep => 900,
            Self::Retention => 300,
            Self::Freshness => 120,
        })
    }

    fn program(self) -> &'static str {
        match self {
            Self::Verify | Self::Sweep => "verify",
            Self::Retention => "retention",
            Self::Freshness => "freshness",
        }
    }
}

/// Everything that the axes make. The fault varies fastest.
pub(super) fn cases() -> Vec<Case> {
    // A function reads an archive once, by TLS: what is spoilt on its way to it is taken for what is stored.
    let is_tried = |cell: &Cell| !(cell.fault.name == "flipped-answer" && cell.aim.kind == "GetObject-archive");
    let cells = |called| grid(&rehearse(called)).into_iter().filter(is_tried).map(move |cell| case(called, cell));
    Called::ALL.into_iter().flat_map(cells).collect()
}

fn case(called: Called, Cell { aim, moment, fault }: Cell) -> Case {
    let name = format!("network/{}/{}/{moment}/{}/{}", called.name(), aim.kind, fault.name, aim.lasts());
    let waits = fault.takes_a_minute() || aim.lasting;
    Case { family: Family::Network, name, waits, act: Box::new(move || strike(called, &aim, fault)) }
}

fn rehearse(called: Called) -> Vec<(String, usize)> {
    let scene = Scene::new(called);
    let stood = Stood::watching(scene.bucket.access(), |_| None);
    scene.invoke(&stood.access()).done();
    count_kinds(&stood.seen())
}

/// A bucket with good backups, of which the newest has no verdict yet where that is what is asked for.
struct Scene {
    called: Called,
    bucket: Bucket,
}

impl Scene {
    fn new(called: Called) -> Scene {
        let bucket = Bucket::versioned(&Seaweedfs::shared().admin());
        let made = (0..BACKUPS).map(days_ago);
        for (at, made) in made.enumerate() {
            match called {
                Called::Verify | Called::Sweep if at == 0 => put_unjudged_in_bucket(&bucket, DATABASE, made),
                _ => put_in_bucket(&bucket, DATABASE, made),
            }
        }
        let mark = json!({"version": 1, "database": DATABASE, "since": days_ago(30), "retired": null});
        bucket.put(&format!("backups/databases/{DATABASE}.json"), mark.to_string().as_bytes());
        Scene { called, bucket }
    }

    fn event(&self) -> Value {
        match self.called {
            Called::Verify => {
                let manifests = self.bucket.keys().into_iter().filter(|key| key.ends_with(".manifest.json"));
                json!({"detail-type": "Object Created", "source": "aws.s3", "detail": {
                    "bucket": {"name": self.bucket.name()}, "object": {"key": manifests.max(), "etag": ""}}})
            }
            Called::Sweep => json!({"action": "sweep"}),
            Called::Retention => json!({"action": "prune"}),
            Called::Freshness => json!({"action": "measure"}),
        }
    }

    fn invoke(&self, access: &Access) -> Answer {
        let setup = Setup::new(self.called.program(), access, self.bucket.name()).reports_to(&hearers().root());
        let setup = setup.setting("BACKUP_S3_DELETE_DAYS", "0").setting("BACKUP_MIN_GOOD", "1");
        Function::start(&setup.setting("BACKUP_KEEP_LAST", &KEPT.to_string())).invoke(&self.event(), self.called.time())
    }

    fn count(&self, suffix: &str) -> i64 {
        let keys = self.bucket.keys();
        keys.iter().filter(|key| key.ends_with(suffix) && !key.contains("/status/")).count().try_into().unwrap()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        Seaweedfs::shared().forget(&self.bucket);
    }
}

/// Who takes the metrics: signatures don't matter to it, because the functions' keys are the S3 server's.
fn hearers() -> &'static Ministack {
    static HEARERS: OnceLock<Ministack> = OnceLock::new();
    HEARERS.get_or_init(|| Ministack::start(Rights::Ignored))
}

/// Calls the function with the fault, judges, and calls it once more without.
fn strike(called: Called, aim: &Aim, fault: &'static Fault) -> Told {
    let scene = Scene::new(called);
    let before = scene.bucket.objects();
    let stood = Stood::striking(scene.bucket.access(), |_| None, aim.clone(), fault);
    let answer = scene.invoke(&stood.access());
    let (done, said) = match &answer {
        Answer::Done(value) => (true, value.to_string()),
        Answer::Failed(text) => (false, text.clone()),
    };
    if !stood.has_struck() {
        return Told { verdict: Verdict::Missed, said };
    }
    drop(stood);
    what_was_there(&scene, &before, &said);
    let again = scene.invoke(scene.bucket.access()).done();
    match answer {
        Answer::Done(value) => what_it_did(&scene, &value, &again),
        Answer::Failed(text) => is_named(fault, &text),
    }
    at_the_end(&scene, done, &said);
    Told { verdict: if done { Verdict::Done } else { Verdict::Failed }, said: format!("error: {said}") }
}

/// What is kept is as it was, and nothing good is called damaged.
fn what_was_there(scene: &Scene, before: &[Stored], said: &str) {
    let now = scene.bucket.objects();
    let kept: Vec<_> = (0..KEPT).flat_map(|days| SUFFIXES.map(|end| key(DATABASE, days_ago(days), end))).collect();
    let day = |key: &str| key.split('/').nth(1).unwrap_or_default().to_owned();
    let days: Vec<_> = kept.iter().map(|key| day(key)).collect();
    let stays = |object: &&Stored| scene.called != Called::Retention || days.contains(&day(&object.key));
    let gone: Vec<_> = before.iter().filter(stays).filter(|object| !now.contains(object)).collect();
    if !gone.is_empty() {
        lost(&format!("what was there is gone or changed: {gone:#?}\n{said}"));
    }
    if scene.count(".damaged.json") > 0 {
        lost(&format!("a good backup is called damaged\n{said}"));
    }
}

/// What answers that it is done has done it: another call finds nothing left to do, or says the same.
fn what_it_did(scene: &Scene, value: &Value, again: &Value) {
    let is_done = match scene.called {
        Called::Verify => again["backups"][0]["outcome"] == "skipped",
        Called::Sweep => again["backups"].as_array().is_some_and(Vec::is_empty),
        Called::Retention => again["databases"][0]["removed"].as_array().is_some_and(Vec::is_empty),
        Called::Freshness => without_numbers(value) == without_numbers(again),
    };
    if !is_done {
        silent(&format!("it answers that it is done, and it isn't\n{value:#}\n{again:#}"));
    }
}

/// Ages go on.
fn without_numbers(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), without_numbers(value))).collect(),
        Value::Array(items) => items.iter().map(without_numbers).collect(),
        Value::Number(_) => Value::Null,
        other => other.clone(),
    }
}

fn is_named(fault: &Fault, text: &str) {
    let text = text.to_lowercase();
    if !fault.words.is_empty() && !fault.words.iter().any(|word| text.contains(word)) {
        silent(&format!("nothing names the fault: {:?}\n{text}", fault.words));
    }
}

fn at_the_end(scene: &Scene, done: bool, said: &str) {
    let good = scene.count(".intact.json");
    let expected = if scene.called == Called::Retention { KEPT } else { BACKUPS };
    let manifests = scene.count(".manifest.json");
    // A removal that broke off behind the verdicts leaves backups without one, which stay until they are verified again.
    let most = if scene.called == Called::Retention && !done { BACKUPS } else { expected };
    assert!(
        good == expected && (expected..=most).contains(&manifests),
        "{good} verdicts, {manifests} manifests\n{said}"
    );
    assert_eq!(scene.count(".damaged.json"), 0, "{said}");
}
