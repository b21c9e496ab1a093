use catalog::Object;

use super::*;

const STEM: &str = "app_backup_20260120_030000";

/// The only backup of a directory, as a listing would show it.
fn candidate(repository: &Repository, objects: &[(&str, bool)]) -> Candidate {
    let objects = objects.iter().map(|(suffix, readable)| Object {
        key: format!("{STEM}{suffix}"),
        size: 7,
        last_modified: "2026-01-20T03:00:00Z".parse().unwrap(),
        etag: None,
        version_id: None,
        readable: *readable,
    });
    let entry = catalogs(repository.layout(), objects).remove(0).entries.remove(0);
    Candidate { repository: repository.clone(), entry, other: None, notes: Vec::new(), by_file: false }
}

#[tokio::test]
async fn an_archive_in_glacier_is_chosen_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::directory(folder.path());
    let (backup, stored) = candidate(&repository, &[(".sql.gz", false)]).chosen().await.unwrap();
    assert!(backup.place.contains(STEM), "{backup:?}");
    assert!(matches!(stored, StoredBytes::Object(_, Object { readable: false, .. })), "{stored:?}");
}

#[tokio::test]
async fn an_archive_that_is_gone_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::directory(folder.path());
    let failure = candidate(&repository, &[(".manifest.json", true)]).chosen().await.unwrap_err();
    assert_eq!(failure.exit, Exit::NotFound);
}
