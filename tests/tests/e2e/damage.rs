//! An archive that was cut anywhere, or in which any one bit has flipped, is called damaged; and a copy that is whole isn't.

mod corruptions;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use archive::Inspected;
use catalog::verdict::{Evidence, Expected, Verdict, Verifier, judge};
use catalog::{Manifest, Object};
use e2e::agent::Agent;
use e2e::postgres::Postgres;
use e2e::process::{output, output_given};
use jiff::Timestamp;

/// How many places are tried, of each kind; `make torture-bytes` tries ten times as many (`PLACES`).
const PLACES: u64 = 300;
/// How many of them by the real `lastgood verify`; the others by what it judges with.
const BY_THE_BINARY: u64 = 12;

/// A backup of at least 5 MB, as `lastgood backup` left it.
struct Backup {
    agent: Agent,
    folder: tempfile::TempDir,
    name: String,
    bytes: Vec<u8>,
    manifest: Manifest,
}

fn backup() -> &'static Backup {
    static BACKUP: OnceLock<Backup> = OnceLock::new();
    BACKUP.get_or_init(|| {
        let database = Postgres::shared().new_database("damage");
        database.fill_with_megabytes(20);
        let folder = tempfile::tempdir().unwrap();
        let agent = Agent::new().database(&database).directory(folder.path());
        agent.run(&["backup", "--name", "whole"]).succeeds();
        let archive = file_ending_in(folder.path(), "_whole.sql.gz");
        let bytes = std::fs::read(&archive).unwrap();
        assert!(bytes.len() >= 5_000_000, "only {} bytes", bytes.len());
        let manifest = std::fs::read(file_ending_in(folder.path(), ".manifest.json")).unwrap();
        let manifest = Manifest::from_json(&manifest).unwrap();
        let name = archive.file_name().unwrap().to_str().unwrap().to_owned();
        Backup { agent, folder, name, bytes, manifest }
    })
}

pub(crate) fn file_ending_in(folder: &Path, suffix: &str) -> PathBuf {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.into_iter().find(|path| path.to_string_lossy().ends_with(suffix)).unwrap()
}

/// As `lastgood verify` judges, without its start-up: the same reading, the same decision.
fn verdict(backup: &Backup, bytes: &[u8], manifest: Option<&Manifest>) -> Verdict {
    judged(&backup.name, manifest, &archive::inspect(bytes, 1).unwrap())
}

/// Of a file of this name in which this was found.
fn judged(name: &str, manifest: Option<&Manifest>, inspected: &Inspected) -> Verdict {
    let object = Object {
        key: name.to_owned(),
        size: inspected.digest.size,
        last_modified: Timestamp::UNIX_EPOCH,
        etag: None,
        version_id: None,
        readable: true,
    };
    let by = Verifier { name: "test".into(), version: "0".into(), host: "here".into() };
    judge(manifest, Evidence { object: &object, expected: &Expected::default(), inspected }, Timestamp::UNIX_EPOCH, by)
}

/// Places that look random and are the same each time (splitmix64).
fn places(below: usize, seed: u64) -> impl Iterator<Item = usize> {
    let asked = std::env::var("PLACES").ok().and_then(|number| number.parse().ok());
    (0..asked.unwrap_or(PLACES)).map(move |n| {
        let mut z = (seed + n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % below as u64).unwrap()
    })
}

/// Runs `try_place` for every place, on two threads.
fn at_every(places: impl Iterator<Item = usize>, try_place: impl Fn(usize) + Sync) {
    let places: Vec<usize> = places.collect();
    std::thread::scope(|scope| {
        for half in places.chunks(places.len().div_ceil(2)) {
            scope.spawn(|| half.iter().copied().for_each(&try_place));
        }
    });
}

#[test]
fn a_whole_copy_is_intact() {
    let backup = backup();
    assert!(verdict(backup, &backup.bytes, Some(&backup.manifest)).is_intact());
    assert!(verdict(backup, &backup.bytes, None).is_intact());
    backup.agent.run(&["verify", &backup.folder.path().join(&backup.name).display().to_string()]).succeeds();
}

#[test]
fn an_archive_cut_anywhere_is_damaged_even_without_its_manifest() {
    let backup = backup();
    at_every(places(backup.bytes.len(), 1), |length| {
        let verdict = verdict(backup, &backup.bytes[..length], None);
        assert!(!verdict.is_intact(), "cut at {length} of {} and not noticed", backup.bytes.len());
    });
}

#[test]
fn an_archive_with_one_bit_flipped_anywhere_is_damaged() {
    let backup = backup();
    at_every(places(backup.bytes.len() * 8, 2), |bit| {
        let mut bytes = backup.bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let verdict = verdict(backup, &bytes, Some(&backup.manifest));
        assert!(!verdict.is_intact(), "bit {bit} flipped and not noticed");
    });
}

#[test]
fn lastgood_verify_says_so_and_exits_with_four() {
    let backup = backup();
    let folder = tempfile::tempdir().unwrap();
    let stem = backup.manifest.stem.as_str();
    std::fs::copy(
        file_ending_in(backup.folder.path(), ".manifest.json"),
        folder.path().join(format!("{stem}.manifest.json")),
    )
    .unwrap();
    let file = folder.path().join(&backup.name);
    for place in places(backup.bytes.len(), 3).take(BY_THE_BINARY as usize) {
        std::fs::write(&file, &backup.bytes[..place]).unwrap();
        backup.agent.run(&["verify", &file.display().to_string()]).exits(4).mentions("DAMAGED");
        let mut bytes = backup.bytes.clone();
        bytes[place] ^= 0x10;
        std::fs::write(&file, &bytes).unwrap();
        backup.agent.run(&["verify", &file.display().to_string()]).exits(4).mentions("DAMAGED");
    }
}

/// What people do today, for comparison: reading the table of contents calls half a backup fine. It is why the walk exists.
#[test]
fn pg_restore_list_passes_half_an_archive_and_lastgood_does_not() {
    let backup = backup();
    let plain = output_given(Command::new("gunzip").arg("-c"), &backup.bytes).stdout;
    let half = &plain[..plain.len() / 2];
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), half).unwrap();
    let list = output(Postgres::shared().installation().program("pg_restore").arg("--list").arg(file.path()));
    assert!(list.status.success(), "{}", String::from_utf8_lossy(&list.stderr));
    assert!(!verdict(backup, half, None).is_intact());
}
