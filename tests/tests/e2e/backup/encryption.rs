//! Archives for those alone who hold an age key.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::postgres::Postgres;
use e2e::process::output;

use super::{Places, agent, through};

/// A new key file, and its public key.
pub(crate) fn key(folder: &Path) -> (PathBuf, String) {
    let file = folder.join("key.txt");
    let made = output(Command::new("age-keygen").arg("-o").arg(&file));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let public = output(Command::new("age-keygen").arg("-y").arg(&file)).stdout;
    (file, String::from_utf8(public).unwrap().trim().to_owned())
}

#[test]
fn an_encrypted_archive_restores_by_hand_and_only_a_key_holder_reads_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let (identity, public) = key(folder.path());
    let database = Postgres::shared().new_database("sealed");
    database.fill_with_megabytes(2);
    for (has_identity, content) in [(false, "unread"), (true, "read")] {
        let places = Places::new();
        let mut agent = places.both(agent().database(&database)).setting("BACKUP_AGE_RECIPIENTS", &public);
        if has_identity {
            agent = agent.setting("BACKUP_AGE_IDENTITY_FILE", identity.display().to_string());
        }
        agent.run(&["backup"]).succeeds().mentions("good");
        places.directory_holds_one_good_backup();
        places.bucket_holds_one_backup();
        let verdict = std::fs::read(places.file_ending_in(".intact.json")).unwrap();
        let verdict: serde_json::Value = serde_json::from_slice(&verdict).unwrap();
        assert_eq!((&verdict["outcome"], &verdict["content"]), (&"intact".into(), &content.into()));

        let key = places.bucket.key_ending_in(".sql.gz.age");
        let manifest = places.bucket.get_json(&places.bucket.key_ending_in(".manifest.json"));
        assert_eq!(manifest["archive"]["encryption"]["recipients"][0], public);
        assert_eq!(places.bucket.head(&key).content_type(), Some("application/octet-stream"));
        let sealed = places.bucket.get(&key);
        assert!(sealed.starts_with(b"age-encryption.org/v1"));
        let opened = through(Command::new("age").arg("-d").arg("-i").arg(&identity), &sealed);
        let restored = database.server().new_database("opened");
        restored.restore(&through(Command::new("gunzip").arg("-c"), &opened));
        assert!(restored.as_sql() == database.as_sql());
    }
}

#[test]
fn a_key_that_does_not_open_what_it_encrypts_is_refused_before_anything_is_dumped() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ((identity, _), (_, public)) = (key(ours.path()), key(theirs.path()));
    let database = Postgres::shared().new_database("mismatched");
    let places = Places::new();
    let agent = places.both(agent().database(&database)).setting("BACKUP_AGE_RECIPIENTS", &public);
    let agent = agent.setting("BACKUP_AGE_IDENTITY_FILE", identity.display().to_string());
    agent.run(&["backup"]).exits(2).mentions("BACKUP_AGE_IDENTITY_FILE").mentions("age-keygen -y");
    places.hold_nothing();
}
