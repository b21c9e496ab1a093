//! Bytes that something changed, at random places and in every way that we know of, in every form that an archive has: each gets a
//! verdict, in bounded memory, and none is called intact but with the very content that its manifest says.

mod change;
mod subject;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use archive::{Content, Inspected, Inspection, SavedInspection, inspect};
use catalog::Manifest;
use e2e::process::output_within;

use self::change::{KINDS, Random};
use self::subject::Subject;
use super::judged;

/// How many corruptions are tried: `make torture-bytes` tries ten thousand.
const CORRUPTIONS: usize = 500;
const CORRUPTIONS_SET: &str = "CORRUPTIONS";
/// Set, for the process that does nothing else, to the folder with what it corrupts.
const CONFINED: &str = "LASTGOOD_CORRUPTED";
/// Resident bytes of that process, which holds a few copies of what it corrupts: a function of the least memory has as many.
const MOST: u64 = 256_000_000;
const LIMIT: Duration = Duration::from_secs(3 * 3600);

/// What came of one corruption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Called damaged, whatever the manifest.
    Damaged,
    /// Nothing but what holds no content has changed: by its own digest it is intact.
    SameContent,
    /// Its content can't be read, for it is encrypted or beyond the reader's limits: its digest alone says what it is.
    ByDigest,
    /// Called intact, with other bytes than its manifest's digest says, or other content than its census.
    Silent,
    Panicked,
}

#[test]
fn whatever_happens_to_the_bytes_of_an_archive_is_told() {
    const NAME: &str = "damage::corruptions::whatever_happens_to_the_bytes_of_an_archive_is_told";
    if let Some(folder) = std::env::var_os(CONFINED) {
        return corrupt_all(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    subject::make_all(folder.path());
    Subject::read_all(folder.path()).iter().for_each(believe_no_forged_census);
    let mut test = Command::new(std::env::current_exe().unwrap());
    test.args(["--exact", NAME, "--nocapture"]).env(CONFINED, folder.path());
    let output = output_within(LIMIT, &mut test, None);
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{}", said.lines().filter(|line| line.contains("corruptions")).collect::<Vec<_>>().join("\n"));
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}\n{complaints}");
}

fn corrupt_all(folder: &Path) {
    let subjects = Subject::read_all(folder);
    let count = std::env::var(CORRUPTIONS_SET).map_or(CORRUPTIONS, |count| count.parse().unwrap());
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(BTreeMap::<(&str, Outcome), usize>::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    let subject = &subjects[number % subjects.len()];
                    let other = &subjects[(number / subjects.len()) % subjects.len()];
                    let outcome = try_one(number, subject, other);
                    *outcomes.lock().unwrap().entry((subject.form.as_str(), outcome)).or_default() += 1;
                }
            });
        }
    });
    let (outcomes, peak) = (outcomes.into_inner().unwrap(), peak_memory());
    for subject in &subjects {
        println!("corruptions of {}: {}", subject.form, told(&outcomes, Some(&subject.form)));
    }
    println!("corruptions: {}; at most {} MB of memory", told(&outcomes, None), peak / 1_000_000);
    let bad = outcomes.keys().filter(|(_, outcome)| matches!(outcome, Outcome::Silent | Outcome::Panicked)).count();
    assert_eq!(bad, 0, "{outcomes:?}");
    assert!(peak < MOST, "{peak} bytes");
}

fn told(outcomes: &BTreeMap<(&str, Outcome), usize>, form: Option<&str>) -> String {
    let of = |wanted: Option<Outcome>| -> usize {
        let counted = outcomes.iter().filter(|((of, outcome), _)| {
            form.is_none_or(|form| form == *of) && wanted.is_none_or(|wanted| wanted == *outcome)
        });
        counted.map(|(_, count)| count).sum()
    };
    use Outcome::{ByDigest, Damaged, Panicked, SameContent, Silent};
    format!(
        "{} tried, {} called damaged, {} intact with the same content, {} unread and proved by a digest alone, {} silent, {} panics",
        of(None),
        of(Some(Damaged)),
        of(Some(SameContent)),
        of(Some(ByDigest)),
        of(Some(Silent)),
        of(Some(Panicked))
    )
}

/// One change to one archive, judged with its manifest, without one, and with a manifest that was forged for the changed bytes.
fn try_one(number: usize, subject: &Subject, other: &Subject) -> Outcome {
    let mut random = Random::new(number as u64);
    let (kind, change) = KINDS[random.below(KINDS.len())];
    let bytes = change(&subject.bytes, &other.bytes, &mut random);
    if bytes == subject.bytes {
        return Outcome::SameContent;
    }
    let judging = catch_unwind(AssertUnwindSafe(|| judge_changed(subject, &bytes)));
    let outcome = judging.unwrap_or(Outcome::Panicked);
    if matches!(outcome, Outcome::Silent | Outcome::Panicked) {
        println!("corruption {number}, {kind} of {} with {}: {outcome:?}", subject.form, other.form);
    }
    outcome
}

fn judge_changed(subject: &Subject, bytes: &[u8]) -> Outcome {
    let inspected = inspect(bytes, 1).unwrap();
    let stopping = inspect_stopping(bytes);
    let forged = subject.forged(&inspected.digest);
    let verdicts = |inspected: &Inspected| {
        [Some(&subject.manifest), None, Some(&forged)]
            .map(|manifest: Option<&Manifest>| judged(&subject.name, manifest, inspected).is_intact())
    };
    let by_agent = verdicts(&inspected);
    assert_eq!(by_agent, verdicts(&stopping), "the agent and the function differ: {inspected:?} {stopping:?}");
    let [with_manifest, _, with_forged] = by_agent;
    match (&inspected.content, with_forged) {
        _ if with_manifest => Outcome::Silent,
        (_, false) => Outcome::Damaged,
        (Content::Walked(_), true) if subject.has_rows_of(bytes) => Outcome::SameContent,
        (Content::Walked(_), true) => Outcome::Silent,
        (_, true) => Outcome::ByDigest,
    }
}

/// As the function reads: in pieces, and on in another process where its time ran out.
fn inspect_stopping(bytes: &[u8]) -> Inspected {
    let mut inspection = Inspection::new();
    let middle = bytes.len() / 2;
    bytes[..middle].chunks(64 << 10).for_each(|piece| inspection.feed(piece));
    if let Some(saved) = inspection.save() {
        let json = serde_json::to_vec(&saved).unwrap();
        inspection = Inspection::resume(serde_json::from_slice::<SavedInspection>(&json).unwrap());
    }
    let at = usize::try_from(inspection.position()).unwrap();
    bytes[at..].chunks(64 << 10).for_each(|piece| inspection.feed(piece));
    inspection.finish()
}

/// proc_pid_status(5).
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// A manifest whose digest is right, and which says something else of the content, makes nothing intact.
fn believe_no_forged_census(subject: &Subject) {
    let inspected = inspect(subject.bytes.as_slice(), 2).unwrap();
    assert!(judged(&subject.name, Some(&subject.manifest), &inspected).is_intact(), "{}", subject.form);
    if inspected.content == Content::Unread {
        return;
    }
    for (what, forge) in change::FORGERIES {
        let mut manifest = subject.manifest.clone();
        forge(&mut manifest.census);
        assert_ne!(manifest.census, subject.manifest.census, "{what}");
        let verdict = judged(&subject.name, Some(&manifest), &inspected);
        assert!(!verdict.is_intact(), "{} with {what}", subject.form);
    }
}
