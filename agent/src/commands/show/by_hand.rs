//! How to restore a backup without Lastgood: the exact lines to type.

use archive::Compression;
use catalog::words::shell_word;
use catalog::{Entry, Manifest};
use repository::Repository;

/// Shell lines that restore this backup into a new database, on this server or on one that has none of its roles; `None` when
/// there is no archive.
pub(super) fn recipe(repository: &Repository, entry: &Entry, manifest: Option<&Manifest>) -> Option<String> {
    let archive = entry.archive.as_ref()?;
    let database = shell_word(&format!("{}_restored", entry.id.stem.database()));
    // Another tool's archive may be compressed or not, whatever its name says: `-f` passes on what is not.
    let expand = match manifest.map(|manifest| manifest.archive.compression) {
        None => Some("gunzip -cf"),
        Some(Compression::Gzip) => Some("gunzip -c"),
        Some(Compression::Zstd) => Some("zstd -dc"),
        Some(Compression::None) => None,
    };
    let is_script = manifest.is_some_and(|manifest| manifest.archive.format_version.as_deref() == Some("plain"));
    let restore = if is_script {
        format!("psql -X -q -1 -v ON_ERROR_STOP=1 -d {database}")
    } else {
        format!("pg_restore --no-owner --no-acl --exit-on-error -d {database}")
    };
    let steps: Vec<&str> = [open(manifest), expand, Some(&restore)].into_iter().flatten().collect();
    let steps = pipe(repository, &archive.key, &steps);
    let encoding = manifest.and_then(|manifest| manifest.database.encoding.as_deref());
    Some(format!("createdb -T template0{} {database}\n{steps}", character_set(encoding)))
}

/// The shell line that gives a new server the roles and tablespaces of the old one; `None` where they were not stored.
pub(super) fn globals(repository: &Repository, manifest: Option<&Manifest>) -> Option<String> {
    let key = &manifest?.globals.as_ref()?.key;
    let steps: Vec<&str> =
        [open(manifest), Some("gunzip -c"), Some("psql -X -d postgres")].into_iter().flatten().collect();
    Some(pipe(repository, key, &steps))
}

fn open(manifest: Option<&Manifest>) -> Option<&'static str> {
    let is_sealed = manifest.is_some_and(|manifest| manifest.archive.encryption.is_some());
    is_sealed.then_some("age -d -i KEY_FILE")
}

/// The object through these programs: a file is the first one's argument, and a bucket's object comes by the AWS CLI.
fn pipe(repository: &Repository, key: &str, steps: &[&str]) -> String {
    let mut steps: Vec<String> = steps.iter().map(|&step| step.to_owned()).collect();
    match (download(repository, key), steps.first_mut()) {
        (Some(download), _) => steps.insert(0, download),
        (None, Some(first)) => *first = format!("{first} {}", shell_word(&repository.object_name(key))),
        (None, None) => {}
    }
    steps.join(" | ")
}

/// Options for `createdb`. A server's own locale usually fits UTF-8; for any other character set only `C` always does.
fn character_set(encoding: Option<&str>) -> String {
    match encoding {
        None => String::new(),
        Some("UTF8") => " -E UTF8".to_owned(),
        Some(other) => format!(" -E {} --locale=C", shell_word(other)),
    }
}

/// The command that writes an object of a bucket to stdout; `None` for a file.
fn download(repository: &Repository, key: &str) -> Option<String> {
    let bucket = repository.bucket_settings()?;
    let option =
        |flag: &str, value: &Option<String>| value.as_ref().map(|value| format!(" --{flag} {}", shell_word(value)));
    let options = [
        option("endpoint-url", &bucket.endpoint),
        option("region", &bucket.region),
        option("profile", &bucket.profile),
    ];
    let options: String = options.into_iter().flatten().collect();
    Some(format!("aws s3 cp {} -{options}", shell_word(&repository.object_name(key))))
}
