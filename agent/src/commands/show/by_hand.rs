//! How to restore a backup without Lastgood: the exact lines to type.

use archive::Compression;
use catalog::words::shell_word;
use catalog::{Entry, Manifest, Object};
use repository::Repository;

use crate::settings::Settings;

/// Shell lines that restore this backup into a new database, on this server or on one that has none of its roles; `None` when
/// there is no archive.
pub(super) fn recipe(
    repository: &Repository,
    settings: &Settings,
    entry: &Entry,
    manifest: Option<&Manifest>,
) -> Option<String> {
    let archive = entry.archive.as_ref()?;
    let database = shell_word(&format!("{}_restored", entry.id.stem.database()));
    // Another tool's archive may be compressed or not, whatever its name says: `-f` passes on what is not.
    let expand = match manifest.map(|manifest| manifest.archive.compression) {
        None => Some("gunzip -cf"),
        Some(Compression::Gzip) => Some("gunzip -c"),
        Some(Compression::Zstd) => Some("zstd -dc"),
        Some(Compression::None) => None,
    };
    let is_sealed = manifest.is_some_and(|manifest| manifest.archive.encryption.is_some());
    let open = is_sealed.then_some("age -d -i KEY_FILE");
    let restore = format!("pg_restore --no-owner --no-acl --exit-on-error -d {database}");
    let mut steps: Vec<String> = [open, expand, Some(&restore)].into_iter().flatten().map(str::to_owned).collect();
    match (download(repository, settings, archive), steps.first_mut()) {
        (Some(download), _) => steps.insert(0, download),
        (None, Some(first)) => *first = format!("{first} {}", shell_word(&repository.object_name(&archive.key))),
        (None, None) => {}
    }
    let encoding = manifest.and_then(|manifest| manifest.database.encoding.as_deref());
    Some(format!("createdb -T template0{} {database}\n{}", character_set(encoding), steps.join(" | ")))
}

/// Options for `createdb`. A server's own locale usually fits UTF-8; for any other character set only `C` always does.
fn character_set(encoding: Option<&str>) -> String {
    match encoding {
        None => String::new(),
        Some("UTF8") => " -E UTF8".to_owned(),
        Some(other) => format!(" -E {} --locale=C", shell_word(other)),
    }
}

/// The command that writes an archive of a bucket to stdout; `None` for a file.
fn download(repository: &Repository, settings: &Settings, archive: &Object) -> Option<String> {
    let bucket = settings.bucket.as_ref().filter(|_| matches!(repository, Repository::Bucket(_)))?;
    let option =
        |flag: &str, value: &Option<String>| value.as_ref().map(|value| format!(" --{flag} {}", shell_word(value)));
    let options = [
        option("endpoint-url", &bucket.endpoint),
        option("region", &bucket.region),
        option("profile", &bucket.profile),
    ];
    let options: String = options.into_iter().flatten().collect();
    Some(format!("aws s3 cp {} -{options}", shell_word(&repository.object_name(&archive.key))))
}
