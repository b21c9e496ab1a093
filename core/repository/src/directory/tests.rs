use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use archive::{Compression, Digest, Digester};
use bytes::Bytes;
use catalog::{BackupId, Object, State};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::{Error, PutOutcome, Repository, Scope, UploadMetadata};

const STEM: &str = "app_backup_20260120_030000";
const ARCHIVE: &str = "app_backup_20260120_030000.sql.gz";
const MANIFEST: &str = "app_backup_20260120_030000.manifest.json";

fn repository() -> (TempDir, Repository) {
    let above = tempfile::tempdir().unwrap();
    let repository = Repository::directory(above.path().join("backups"));
    (above, repository)
}

fn metadata() -> UploadMetadata {
    UploadMetadata {
        lastgood_id: "run-1".into(),
        database: "app".into(),
        backup_date: Timestamp::UNIX_EPOCH,
        expected_size: None,
    }
}

fn digest(bytes: &[u8]) -> Digest {
    let mut digester = Digester::new();
    digester.update(bytes);
    digester.finish()
}

async fn store(repository: &Repository, bytes: &[u8]) -> Result<crate::Stored, Error> {
    let mut upload = repository.start_upload(ARCHIVE, &metadata()).await?;
    for block in bytes.chunks(1_000) {
        upload.write(Bytes::copy_from_slice(block)).await?;
    }
    upload.complete(&digest(bytes)).await
}

async fn listed(repository: &Repository) -> Vec<Object> {
    repository.objects(Scope::All).await.unwrap()
}

/// Every name, hidden ones too.
fn names(repository: &Repository) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(Path::new(&repository.display_name()))
        .unwrap()
        .map(|row| row.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

async fn state(repository: &Repository) -> State {
    let mut catalog = repository.catalog("app").await.unwrap();
    repository.resolve(&mut catalog).await.unwrap();
    catalog.entries[0].state
}

#[tokio::test]
async fn an_archive_shows_only_once_it_is_complete() {
    let (_above, repository) = repository();
    let mut upload = repository.start_upload(ARCHIVE, &metadata()).await.unwrap();
    upload.write(Bytes::from_static(b"half")).await.unwrap();
    assert_eq!(listed(&repository).await, []);
    upload.write(Bytes::from_static(b" and half")).await.unwrap();
    let stored = upload.complete(&digest(b"half and half")).await.unwrap();
    assert_eq!((stored.size, stored.crc64nvme), (13, Some(digest(b"half and half").crc64nvme)));
    assert_eq!(listed(&repository).await[0].key, ARCHIVE);
}

#[tokio::test]
async fn files_and_directory_are_for_the_owner_alone() {
    let (_above, repository) = repository();
    store(&repository, b"bytes").await.unwrap();
    repository.put_new(MANIFEST, "{}").await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let directory = repository.display_name();
    assert_eq!(mode(directory.as_ref()), 0o700);
    assert_eq!(mode(&Path::new(&directory).join(ARCHIVE)), 0o600);
    assert_eq!(mode(&Path::new(&directory).join(MANIFEST)), 0o600);
}

#[tokio::test]
async fn an_aborted_or_dropped_upload_leaves_nothing() {
    let (_above, repository) = repository();
    let mut upload = repository.start_upload(ARCHIVE, &metadata()).await.unwrap();
    upload.write(Bytes::from_static(b"half")).await.unwrap();
    upload.abort().await;
    assert_eq!(names(&repository), Vec::<String>::new());

    let upload = repository.start_upload(ARCHIVE, &metadata()).await.unwrap();
    assert_eq!(names(&repository).len(), 2);
    drop(upload);
    assert_eq!(names(&repository), Vec::<String>::new());
}

#[tokio::test]
async fn an_upload_aborted_in_the_middle_of_a_write_leaves_nothing() {
    let (_above, repository) = repository();
    let mut upload = repository.start_upload(ARCHIVE, &metadata()).await.unwrap();
    let much = Bytes::from(vec![b'x'; 64 << 20]);
    let is_written = tokio::select! {
        biased;
        _ = upload.write(much) => true,
        () = std::future::ready(()) => false,
    };
    assert!(!is_written, "nothing was broken off");
    upload.abort().await;
    assert_eq!(names(&repository), Vec::<String>::new());
}

#[tokio::test]
async fn bytes_other_than_those_digested_are_refused_and_leave_nothing() {
    let (_above, repository) = repository();
    let mut upload = repository.start_upload(ARCHIVE, &metadata()).await.unwrap();
    upload.write(Bytes::from_static(b"bytes")).await.unwrap();
    let refused = upload.complete(&digest(b"Bytes")).await;
    assert!(matches!(refused, Err(Error::Checksum { .. })), "{refused:?}");
    assert_eq!(names(&repository), Vec::<String>::new());
}

#[tokio::test]
async fn an_archive_is_never_overwritten() {
    let (_above, repository) = repository();
    let mut second = repository.start_upload(ARCHIVE, &metadata()).await.unwrap();
    second.write(Bytes::from_static(b"second")).await.unwrap();
    let path = Path::new(&repository.display_name()).join(ARCHIVE);
    fs::write(&path, "first").unwrap();
    let refused = second.complete(&digest(b"second")).await;
    assert!(matches!(refused, Err(Error::Exists { .. })), "{refused:?}");
    assert_eq!(fs::read(&path).unwrap(), b"first");
    assert_eq!(names(&repository), [ARCHIVE]);
    assert!(matches!(repository.start_upload(ARCHIVE, &metadata()).await, Err(Error::Exists { .. })));
    assert_eq!(state(&repository).await, State::Guest);
}

#[tokio::test]
async fn an_archive_whose_manifest_never_came_is_known_as_unfinished() {
    let (_above, repository) = repository();
    store(&repository, b"bytes").await.unwrap();
    assert_eq!(state(&repository).await, State::Unfinished);
    let head = repository.head(ARCHIVE).await.unwrap().unwrap();
    assert_eq!(head.lastgood_id(), Some("run-1"));

    repository.put_new(MANIFEST, "{}").await.unwrap();
    assert_eq!(state(&repository).await, State::Uploaded);
    assert_eq!(names(&repository), [MANIFEST, ARCHIVE]);
}

#[tokio::test]
async fn a_guest_s_archive_is_none_of_ours() {
    let (_above, repository) = repository();
    fs::create_dir(repository.display_name()).unwrap();
    fs::write(Path::new(&repository.display_name()).join(ARCHIVE), "PGDMP").unwrap();
    assert_eq!(state(&repository).await, State::Guest);
}

#[tokio::test]
async fn putting_the_same_record_again_is_a_success_and_another_is_refused() {
    let (_above, repository) = repository();
    let put = |bytes: &'static str| repository.put_new(MANIFEST, bytes);
    assert!(matches!(put("{}").await, Ok(PutOutcome::Stored(_))));
    assert!(matches!(put("{}").await, Ok(PutOutcome::Stored(_))));
    assert!(matches!(put("[]").await, Ok(PutOutcome::Exists)));
    assert_eq!(repository.read_key(MANIFEST).await.unwrap().unwrap(), "{}");
    repository.put_over(MANIFEST, "[]").await.unwrap();
    assert_eq!(repository.read_key(MANIFEST).await.unwrap().unwrap(), "[]");
    assert_eq!(names(&repository), [MANIFEST]);
}

#[tokio::test]
async fn a_missing_record_is_none_and_a_missing_directory_empty_and_told() {
    let (_above, repository) = repository();
    assert_eq!(repository.read_key(MANIFEST).await.unwrap(), None);
    assert_eq!(repository.head(MANIFEST).await.unwrap(), None);
    for scope in [Scope::All, Scope::Databases] {
        assert_eq!(repository.objects(scope).await.unwrap(), []);
    }
    assert!(matches!(repository.check_exists().await, Err(Error::NotFound { .. })));
}

/// In a key a letter outside of ASCII begins with a dot: such a database's backups were never listed, judged, or removed.
#[tokio::test]
async fn a_database_whose_key_begins_with_a_dot_is_listed() {
    let (_above, repository) = repository();
    let names = [".hidden", " edge", "Übersicht", "🐘"];
    for name in names {
        let encoded = catalog::encode_database(name);
        assert!(encoded.starts_with('.'), "{encoded}");
        let archive = format!("{encoded}_backup_20260120_030000.sql.gz");
        let mut upload = repository.start_upload(&archive, &metadata()).await.unwrap();
        upload.write(Bytes::from_static(b"bytes")).await.unwrap();
        assert!(repository.catalog(name).await.unwrap().entries.is_empty(), "{name}: not before it is complete");
        upload.complete(&digest(b"bytes")).await.unwrap();
        repository.put_over(&format!("{encoded}_backup_20260120_030000.manifest.json"), "{}").await.unwrap();
        repository.put_new(&format!("databases/{encoded}.json"), "{}").await.unwrap();
        let catalog = repository.catalog(name).await.unwrap();
        assert_eq!((catalog.entries.len(), catalog.expected.is_some()), (1, true), "{name}");
    }
    let mut found: Vec<String> = repository.catalogs().await.unwrap().into_iter().map(|one| one.database).collect();
    found.sort();
    let mut expected = names.map(str::to_owned);
    expected.sort();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_listing_shows_known_names_alone_and_follows_links() {
    let (above, repository) = repository();
    store(&repository, b"bytes").await.unwrap();
    repository.put_new("databases/app.json", "{}").await.unwrap();
    let directory = Path::new(&repository.display_name()).to_owned();
    fs::write(directory.join("notes.txt"), "x").unwrap();
    fs::create_dir(directory.join("app_backup_20260121_030000.sql.gz")).unwrap();
    fs::write(above.path().join("elsewhere"), "PGDMP").unwrap();
    symlink(above.path().join("elsewhere"), directory.join("app_backup_20260122_030000.sql.gz")).unwrap();
    symlink("nowhere", directory.join("app_backup_20260123_030000.sql.gz")).unwrap();
    let keys: Vec<String> = listed(&repository).await.into_iter().map(|object| object.key).collect();
    assert_eq!(keys, [ARCHIVE, "app_backup_20260122_030000.sql.gz", "databases/app.json"]);
    let databases = repository.objects(Scope::Databases).await.unwrap();
    assert_eq!(databases.len(), 1);
}

#[tokio::test]
async fn a_download_gives_the_same_bytes_to_async_and_to_read() {
    let (_above, repository) = repository();
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    store(&repository, &bytes).await.unwrap();
    let object = listed(&repository).await.remove(0);

    let mut download = repository.download(&object).await.unwrap();
    let mut read = Vec::new();
    while let Some(block) = download.next().await {
        read.extend_from_slice(&block.unwrap());
    }
    assert!(read == bytes);

    let mut reader = repository.download(&object).await.unwrap().into_reader();
    let mut read = Vec::new();
    reader.read_to_end(&mut read).unwrap();
    assert!(read == bytes);
}

#[tokio::test]
async fn a_file_that_changed_since_it_was_listed_is_not_read() {
    let (_above, repository) = repository();
    store(&repository, b"bytes").await.unwrap();
    let object = listed(&repository).await.remove(0);
    fs::write(Path::new(&repository.display_name()).join(ARCHIVE), "longer bytes").unwrap();
    assert!(matches!(repository.download(&object).await, Err(Error::Changed { .. })));
}

#[tokio::test]
async fn a_file_cut_while_it_is_read_is_an_error_not_an_end() {
    let (_above, repository) = repository();
    store(&repository, &[7; 2_000_000]).await.unwrap();
    let object = listed(&repository).await.remove(0);
    let mut reader = repository.download(&object).await.unwrap().into_reader();
    let path = Path::new(&repository.display_name()).join(ARCHIVE);
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(1_500_000).unwrap();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn removal_takes_a_backup_whole_and_leaves_others() {
    let (_above, repository) = repository();
    store(&repository, b"bytes").await.unwrap();
    let plan = listed(&repository).await;
    repository.put_new("app_backup_20260121_030000.manifest.json", "{}").await.unwrap();
    let removal = repository.remove(&plan).await.unwrap();
    assert!(removal.is_complete());
    assert_eq!(removal.removed, [ARCHIVE]);
    assert_eq!(names(&repository), ["app_backup_20260121_030000.manifest.json"]);
}

#[tokio::test]
async fn a_file_that_changed_since_the_plan_stays_and_so_does_its_archive() {
    let (_above, repository) = repository();
    store(&repository, b"bytes").await.unwrap();
    repository.put_new(MANIFEST, "{}").await.unwrap();
    let plan = listed(&repository).await;
    repository.put_over(MANIFEST, "{\"new\":1}").await.unwrap();
    let removal = repository.remove(&plan).await.unwrap();
    assert_eq!(
        (removal.changed.as_slice(), removal.held_back.as_slice()),
        (&[MANIFEST.into()][..], &[ARCHIVE.into()][..])
    );
    assert_eq!(names(&repository), [MANIFEST, ARCHIVE]);
}

/// Listed before its manifest came; and its parts, of which somebody knows what stays beside them.
#[tokio::test]
async fn a_backup_of_which_there_is_more_than_was_planned_stays_whole() {
    let (_above, repository) = repository();
    store(&repository, b"bytes").await.unwrap();
    let plan = listed(&repository).await;
    repository.put_new(MANIFEST, "{}").await.unwrap();
    let removal = repository.remove(&plan).await.unwrap();
    assert_eq!((removal.removed, removal.changed), (Vec::new(), vec![ARCHIVE.to_owned()]));
    assert_eq!(names(&repository), [MANIFEST, ARCHIVE]);
    assert!(repository.remove_parts(&plan).await.unwrap().is_complete());
    assert_eq!(names(&repository), [MANIFEST]);
}

#[tokio::test]
async fn a_sweep_takes_the_dead_runs_files_of_one_database_alone() {
    let (_above, repository) = repository();
    store(&repository, b"bytes").await.unwrap();
    let living = repository.start_upload("app_backup_20260121_030000.sql.gz", &metadata()).await.unwrap();
    // What SIGKILL leaves.
    for dead in [
        ".app_backup_20260122_030000.sql.gz.00000001.partial",
        ".app_backup_20260122_030000.sql.gz.metadata",
        ".app_backup_20260122_030000.manifest.json.00000002.partial",
        ".other_backup_20260122_030000.sql.gz.00000003.partial",
    ] {
        fs::write(Path::new(&repository.display_name()).join(dead), "lastgood-id=dead\n").unwrap();
    }

    assert_eq!(repository.leftovers("app").await.unwrap().len(), 3);
    // However young they are: nobody holds their locks.
    assert_eq!(repository.sweep("app", Timestamp::now(), Duration::from_secs(3600)).await.unwrap(), 3);
    let left = names(&repository);
    assert!(left.iter().all(|name| !name.contains("app_backup_20260122")), "{left:?}");
    assert_eq!(left.len(), 5, "{left:?}");
    let stays = repository.leftovers("app").await.unwrap();
    assert_eq!(stays.iter().map(|one| one.id.stem.as_str()).collect::<Vec<_>>(), ["app_backup_20260121_030000"]);
    let dead = crate::Dead { older_than: Duration::from_secs(3600), erasures: true };
    let swept = repository.sweep_dead("app", Timestamp::now(), dead).await.unwrap();
    assert_eq!(swept, crate::Swept { stays, ..crate::Swept::default() });
    living.abort().await;
    assert_eq!(names(&repository).len(), 3);
    assert_eq!(state(&repository).await, State::Unfinished);
}

#[tokio::test]
async fn a_removal_that_was_cut_short_is_finished_by_the_next_run() {
    let (_above, repository) = repository();
    store(&repository, b"bytes").await.unwrap();
    repository.put_new(MANIFEST, "{}").await.unwrap();
    // All that a removal is given but the archive, as if it had been killed before it came to that.
    let objects = listed(&repository).await;
    let Repository::Directory(directory) = &repository else { panic!("a directory") };
    directory.unmake(MANIFEST, ARCHIVE).unwrap();
    assert_eq!(objects.len(), 2);
    assert_eq!(state(&repository).await, State::Unfinished, "a guest would stay for ever");

    assert_eq!(repository.sweep("app", Timestamp::now(), Duration::from_secs(3600)).await.unwrap(), 1);
    assert_eq!(names(&repository), Vec::<String>::new());
}

#[tokio::test]
async fn an_archive_that_gets_no_manifest_is_taken_back() {
    let (_above, repository) = repository();
    let stored = store(&repository, b"bytes").await.unwrap();
    repository.take_back(&stored).await.unwrap();
    assert_eq!(names(&repository), Vec::<String>::new());
}

#[tokio::test]
async fn an_archive_whose_manifest_shows_after_all_is_not_taken_back() {
    let (_above, repository) = repository();
    let stored = store(&repository, b"bytes").await.unwrap();
    let manifest = format!(r#"{{"archive":{{"key":"{ARCHIVE}"}}}}"#);
    repository.put_new(MANIFEST, manifest).await.unwrap();
    repository.take_back(&stored).await.unwrap();
    assert!(names(&repository).contains(&ARCHIVE.to_owned()), "{:?}", names(&repository));
}

#[tokio::test]
async fn a_directory_that_may_not_be_written_says_so() {
    let repository = Repository::directory("/proc/lastgood");
    let refused = repository.start_upload(ARCHIVE, &metadata()).await;
    let error = refused.err().unwrap();
    assert!(error.to_string().contains("/proc/lastgood"), "{error}");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn layout_and_listing_agree_on_what_was_stored() {
    let (_above, repository) = repository();
    let id = BackupId { day: None, stem: STEM.parse().unwrap() };
    let key = repository.layout().archive(&id, Compression::Gzip, false);
    assert_eq!(key, ARCHIVE);
    assert_eq!(repository.layout().manifest(&id), MANIFEST);
}

#[tokio::test]
async fn the_verdict_written_last_counts_whatever_the_clock_said_before() {
    let (_above, repository) = repository();
    store(&repository, b"bytes").await.unwrap();
    repository.put_new(MANIFEST, "{}").await.unwrap();
    // The clock was an hour ahead when archive and first verdict were written.
    let ahead = std::time::SystemTime::now() + Duration::from_secs(3600);
    let later = |key: &str| {
        let file = fs::File::options().write(true).open(Path::new(&repository.display_name()).join(key)).unwrap();
        file.set_modified(ahead).unwrap();
    };
    later(ARCHIVE);
    repository.put_over(&format!("{STEM}.intact.json"), "{}").await.unwrap();
    assert_eq!(state(&repository).await, State::Good);
    later(&format!("{STEM}.intact.json"));
    repository.put_over(&format!("{STEM}.damaged.json"), "{}").await.unwrap();
    assert_eq!(state(&repository).await, State::Damaged);
    repository.put_over(&format!("{STEM}.intact.json"), "{}").await.unwrap();
    assert_eq!(state(&repository).await, State::Good);
}

#[tokio::test]
async fn a_link_that_leads_nowhere_can_not_be_written_to() {
    let (above, repository) = repository();
    repository.check_access().await.unwrap();
    symlink(above.path().join("nowhere"), above.path().join("backups")).unwrap();
    let refused = repository.check_access().await.unwrap_err();
    assert!(refused.to_string().contains("backups"), "{refused}");
    fs::create_dir(above.path().join("nowhere")).unwrap();
    repository.check_access().await.unwrap();
}
