//! What the keys and manifests of a hostile repository reach: nothing outside of it.

use std::path::{Path, PathBuf};

use e2e::agent::Agent;
use e2e::bucket::Bucket;
use e2e::ministack::Ministack;
use e2e::seaweedfs::Seaweedfs;
use serde_json::Value;
use tempfile::TempDir;

use crate::backup::small;
use crate::secrets::files;

/// Every file below, with its content.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).unwrap());
    files(folder).into_iter().map(read).collect()
}

/// A backup in a directory, and the names of its archive and manifest.
fn backed_up(agent: &Agent, directory: &Path) -> (String, String) {
    agent.run(&["backup", "--name", "own"]).succeeds();
    let names: Vec<String> =
        tree(directory).iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    let ending = |end: &str| names.iter().find(|name| name.ends_with(end)).unwrap().clone();
    (ending("own.sql.gz"), ending("own.manifest.json"))
}

/// Names of files that aren't the repository's.
const OUTSIDE: [&str; 4] = ["../outside.sql.gz", "./../outside.sql.gz", "deep/../../outside.sql.gz", "/etc/passwd"];

#[test]
fn a_forged_manifest_of_a_directory_names_nothing_outside() {
    let above = TempDir::new().unwrap();
    let directory = above.path().join("backups");
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    let agent = Agent::new().database(small()).directory(&directory);
    let (archive, manifest) = backed_up(&agent, &directory);
    let secret = b"what nobody is to read".to_vec();
    std::fs::write(above.path().join("outside.sql.gz"), &secret).unwrap();
    let genuine: Value = serde_json::from_slice(&std::fs::read(directory.join(&manifest)).unwrap()).unwrap();
    let agent = agent.bucket(bucket.name(), bucket.access());
    let id = archive.strip_suffix(".sql.gz").unwrap();
    for outside in
        OUTSIDE.map(str::to_owned).into_iter().chain([above.path().join("outside.sql.gz").display().to_string()])
    {
        let mut forged = genuine.clone();
        for part in ["archive", "globals", "index"] {
            forged[part]["key"] = outside.clone().into();
        }
        std::fs::write(directory.join(&manifest), forged.to_string()).unwrap();
        for arguments in [
            &["show", id, "--repository", "directory"][..],
            &["verify", id, "--repository", "directory"],
            &["rows", id, "--table", "pair", "--repository", "directory"],
            &["restore", id, "--into", "escaped", "--create-roles", "--repository", "directory", "--confirm"],
            &["copy", id, "--from", "directory", "--to", "1"],
            &["prune", "--force", "--repository", "directory"],
        ] {
            agent.run(arguments).keeps_silent_about("what nobody").keeps_silent_about("root:x:0");
        }
        assert_eq!(std::fs::read(above.path().join("outside.sql.gz")).unwrap(), secret, "{outside}");
        for key in bucket.keys() {
            let bytes = bucket.get(&key);
            let holds = |text: &[u8]| memchr::memmem::find(&bytes, text).is_some();
            assert!(!holds(&secret) && !holds(b"root:x:0"), "{key} holds what {outside} is");
        }
        small().server().query("DROP DATABASE IF EXISTS escaped");
    }
}

/// Stems that lead elsewhere where a key is taken for a path.
const STEMS: [&str; 8] = [
    "../../evil_backup_20260101_030000",
    "../evil_backup_20260101_030000",
    "..%2F..%2Fevil_backup_20260101_030000",
    "..\\evil_backup_20260101_030000",
    "/evil_backup_20260101_030000",
    ".evil_backup_20260101_030000",
    "-evil_backup_20260101_030000",
    "evil\n_backup_20260101_030000",
];

#[test]
fn keys_of_a_hostile_bucket_write_nothing_outside_and_command_nothing() {
    let above = TempDir::new().unwrap();
    let directory = above.path().join("deep/backups");
    let agent = Agent::new().database(small()).directory(&directory);
    let (archive, manifest) = backed_up(&agent, &directory);
    let bytes = std::fs::read(directory.join(&archive)).unwrap();
    let genuine = String::from_utf8(std::fs::read(directory.join(&manifest)).unwrap()).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    let bucket = Bucket::new(&Ministack::shared().root());
    let stem = archive.strip_suffix(".sql.gz").unwrap();
    for hostile in STEMS {
        let in_json = serde_json::to_string(hostile).unwrap();
        let forged = genuine.replace(stem, in_json.trim_matches('"'));
        bucket.put(&format!("backups/20260101/{hostile}.sql.gz"), &bytes);
        bucket.put(&format!("backups/20260101/{hostile}.manifest.json"), forged.as_bytes());
    }
    let trace = above.path().join("trace");
    let command = format!("$(touch {0});`touch {0}`\u{1b}]0;owned\u{7}_backup_20260101_030000", trace.display())
        .replace('/', "%2F");
    bucket.put(&format!("backups/20260101/{command}.sql.gz"), &bytes);
    let agent = agent.bucket(bucket.name(), bucket.access()).setting("BACKUP_MIN_GOOD", "1");
    for arguments in [
        &["list", "--all-databases"][..],
        &["verify", "--all", "--all-databases"],
        &["check", "--all-databases"],
        &["adopt", "--all", "--all-databases"],
        &["copy", "--missing", "--from", "1", "--to", "directory", "--all-databases"],
        &["copy", "--missing", "--from", "1", "--to", "directory", "--database", "../../evil"],
        &["restore", "latest", "--into", "escaped_keys", "--database", "../../evil", "--confirm", "--force"],
        &["prune", "--all-databases", "--force"],
    ] {
        let outcome = agent.run(arguments);
        if arguments.contains(&"--missing") && arguments.contains(&"--all-databases") {
            assert!(outcome.stdout.contains("4 backups copied"), "{outcome}");
        }
        let is_raw = |text: &str| text.contains('\u{1b}') || text.contains('\u{7}');
        assert!(!is_raw(&outcome.stdout) && !is_raw(&outcome.stderr), "{outcome}");
    }
    let strays: Vec<_> =
        tree(above.path()).into_iter().map(|(path, _)| path).filter(|path| !path.starts_with(&directory)).collect();
    assert!(strays.is_empty() && !trace.exists(), "{strays:?}");
    assert!(!above.path().join("deep/evil_backup_20260101_030000.sql.gz").exists());
    small().server().query("DROP DATABASE IF EXISTS escaped_keys");
}
