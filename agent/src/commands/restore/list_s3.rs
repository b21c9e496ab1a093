//! `lastgood restore --list-s3`: the backups in the bucket with the URLs that `--from-s3` takes, newest first.

use std::fmt::Write as _;

use catalog::words;
use jiff::Timestamp;
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::cli::RestoreArgs;
use crate::commands::restore::choose;
use crate::settings::{DatabaseSettings, Settings};

#[derive(Serialize)]
struct BucketBackup {
    url: String,
    made: Timestamp,
    size: u64,
    status: String,
}

#[derive(Serialize)]
struct BucketBackups {
    backups: Vec<BucketBackup>,
}

/// Lists them.
///
/// # Errors
/// Exit 2 when no bucket is set, exit 5 when it has no backups.
pub(crate) async fn run(args: &RestoreArgs, settings: &Settings, database: &DatabaseSettings) -> Result<Exit, Failure> {
    let name = database.name.clone().unwrap_or_default();
    let (mut backups, now) = (Vec::new(), Timestamp::now());
    for repository in choose::repositories(args, settings).await? {
        let mut catalog = repository.catalog(&name).await?;
        repository.resolve(&mut catalog).await?;
        backups.extend(catalog.entries.iter().filter_map(|entry| {
            let archive = entry.archive.as_ref()?;
            let url = repository.object_name(&archive.key);
            Some(BucketBackup { url, made: entry.instant, size: archive.size, status: entry.status(now) })
        }));
    }
    if backups.is_empty() {
        return Err(Failure::new(Exit::NotFound, format!("No backups found in S3 of database {name}"))
            .hint("check the bucket's name and prefix; `lastgood backup` makes the first one"));
    }
    let mut words = String::new();
    for BucketBackup { url, made, size, status } in &backups {
        let made = made.strftime("%Y-%m-%d %H:%M:%S");
        // Writing into a String can't fail.
        let _ = writeln!(words, "{made}  {:>10}  {status:<10}  {url}", words::size(*size));
    }
    settings.report.answer(&BucketBackups { backups }, &words)?;
    Ok(Exit::Done)
}
