//! `lastgood report`: one page that says how the last good backups are, what the last year was like, and what proves each backup.
//!
//! It reads what is stored and judges nothing that `check` doesn't. A page is for this user alone: it names tables and machines.

mod answer;
mod link;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use catalog::{DatabaseEntry, Policy};
use jiff::Timestamp;
use report::{Asked, Report, Wanted};
use repository::Repository;

use crate::all_at_once;
use crate::answers::failure::{Exit, Failure};
use crate::cli::ReportArgs;
use crate::commands::report::answer::PageAnswer;
use crate::commands::{check, cost};
use crate::marks;
use crate::places;
use crate::settings::Settings;
use crate::shell;

/// The page's name, where none is given.
const PAGE: &str = "lastgood-report.html";

/// Writes the page, or gives a link to the one that the AWS stack has made.
///
/// # Errors
/// Exit 1 when the place cannot be asked or the page not be written.
pub(crate) async fn run(args: &ReportArgs, settings: &Settings) -> Result<Exit, Failure> {
    let repository = places::repository(&args.place, settings).await?;
    if args.link {
        return link::give(&repository, args.expires, settings).await;
    }
    let found = look(&repository, settings).await?;
    let wants_file = args.output.is_some() || args.open || !settings.report.json;
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(PAGE));
    if wants_file {
        write(&output, &report::page(&found))?;
    }
    if args.open {
        open(&output);
    }
    settings.report.answer(&found, &PageAnswer::new(&output, &found))?;
    Ok(Exit::Done)
}

async fn look(repository: &Repository, settings: &Settings) -> Result<Report, Failure> {
    places::there(repository).await?;
    let named: Vec<String> = settings.databases.iter().filter_map(|database| database.name.clone()).collect();
    let shows_all = named.is_empty();
    let chosen = |name: &str| shows_all || named.iter().any(|one| one == name);
    let is_bucket = repository.is_bucket();
    let asked = |name: &str, mark: Option<&DatabaseEntry>| asked(name, mark, settings, is_bucket);
    let now = Timestamp::now();
    let wanted = Wanted {
        chosen: &chosen,
        named: named.clone(),
        asked: &asked,
        records: usize::MAX,
        stack: check::stack(repository, now).await,
    };
    let catalogs = repository.catalogs().await?;
    // A directory, and another store, have no price that could be looked up.
    let is_aws = repository.bucket_settings().is_some_and(|bucket| bucket.endpoint.is_none());
    let months = if is_aws { cost::months(&catalogs, settings, now) } else { BTreeMap::new() };
    let mut found = report::gather(repository, catalogs, &wanted, now).await?;
    for database in &mut found.databases {
        database.month_dollars = months.get(&database.database).copied();
    }
    Ok(found)
}

fn asked(name: &str, mark: Option<&DatabaseEntry>, settings: &Settings, is_bucket: bool) -> Asked {
    let database = settings.database(name);
    let policy: Policy = match (is_bucket, settings.buckets.is_empty()) {
        (true, _) => database.policy.clone(),
        (false, true) => database.directory_policy.clone(),
        // Local copies go when the bucket has them: nothing that can be told of this place alone.
        (false, false) => return Asked { policy: None, ..limits(&database, mark) },
    };
    Asked { policy: Some(policy), ..limits(&database, mark) }
}

fn limits(database: &crate::settings::DatabaseSettings, mark: Option<&DatabaseEntry>) -> Asked {
    Asked {
        thresholds: marks::thresholds(database, mark),
        counts_days: database.counts_days,
        max_drill_age: database.max_drill_age,
        policy: None,
    }
}

/// Writes a file all at once, for its owner alone.
fn write(path: &Path, html: &str) -> Result<(), Failure> {
    let refused = |error: std::io::Error| {
        Failure::new(Exit::Failed, format!("cannot write the page into {}: {error}", path.display()))
            .hint("choose a file in a folder that you may write to: --output FILE")
    };
    all_at_once::write(path, html, 0o600).map_err(refused)
}

/// Shows the page in the browser, where there is one.
fn open(path: &Path) {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let command = format!("xdg-open {}", catalog::words::shell_word(&path.display().to_string()));
    if let Err(why) = shell::in_words("xdg-open", shell::status(&command, &[])) {
        tracing::warn!("cannot open the page: {why}; open {} in a browser", path.display());
    }
}
