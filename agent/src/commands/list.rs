//! `lastgood list`: which backups there are, newest first, and which of them are good.
//!
//! It costs one listing of the repository, however many backups there are. Where few are shown, one small read of each tells
//! more: its tables and rows from its manifest, or whether an archive without one is a guest.

mod answer;
mod kind;
mod several;
mod short;
mod state;

use std::collections::HashMap;

use catalog::{BackupId, Catalog, Entry, Manifest};
use jiff::Timestamp;
use repository::Repository;
use tokio::task::JoinSet;

use crate::answers::failure::{Exit, Failure};
use crate::cli::ListArgs;
use crate::commands::list::answer::{BackupLine, ListAnswer, Listed};
use crate::commands::list::several::Places;
use crate::commands::list::state::DrillState;
use crate::places::{self, Catalogs};
use crate::settings::Settings;

/// With more backups than this to show, none of them is looked up: requests would outnumber the listing's.
const FEW: usize = 50;
/// The largest manifest that is read for its counts alone, in bytes. It grows by the table: this is about a thousand tables.
const CHEAP: u64 = 256 * 1024;

/// Lists the chosen databases' backups.
///
/// # Errors
/// When the repository cannot be listed completely; exit 5 when its folder does not exist.
pub(crate) async fn run(args: &ListArgs, settings: &Settings) -> Result<Exit, Failure> {
    let repository = places::repository(&args.place, settings).await?;
    places::there(&repository).await?;
    let (catalogs, folders) = repository.survey().await?;
    let is_about_all = settings.buckets.len() > 1 && args.place.repository.is_none();
    let places = if is_about_all { Places::ask(settings, &catalogs).await } else { Places::default() };
    let found = Catalogs::choose(catalogs, settings);
    let now = Timestamp::now();
    let limit = args.limit.unwrap_or(usize::MAX);
    let asks = found.chosen.iter().map(|(_, catalog)| catalog.entries.len().min(limit)).sum::<usize>() <= FEW;
    let mut databases = Vec::new();
    for (_, catalog) in found.chosen {
        let others = places.elsewhere(&catalog, limit);
        let mut listed = listed(&repository, catalog, limit, asks, now).await?;
        listed.is_only = is_only(&listed.database, settings);
        listed.place(&places, &others, now);
        databases.push(listed);
    }
    let answer = ListAnswer::new(&repository, databases, (found.others, folders), settings).over(places);
    settings.report.answer(&answer, &answer)?;
    Ok(Exit::Done)
}

/// Whether the settings choose this database alone: every command finds a backup of it by its time or label then.
fn is_only(database: &str, settings: &Settings) -> bool {
    matches!(settings.databases.as_slice(), [one] if one.name.as_deref() == Some(database))
}

/// One database's newest `limit` backups; the counts are of all its backups.
async fn listed(
    repository: &Repository,
    mut catalog: Catalog,
    limit: usize,
    asks: bool,
    now: Timestamp,
) -> Result<Listed, Failure> {
    let mut listed = Listed::counting(&catalog, now);
    catalog.entries.truncate(limit);
    let mut manifests = HashMap::new();
    if asks {
        repository.resolve(&mut catalog).await?;
        manifests = read_manifests(repository, &catalog).await;
    }
    let drills = if asks { read_drills(repository, &catalog).await } else { HashMap::new() };
    let line = |entry: &Entry| {
        let drill = entry.drill.as_ref().map(|_| DrillState::of(drills.get(&entry.id).copied()));
        BackupLine::new(entry, manifests.get(&entry.id), drill, now)
    };
    let backups = catalog.entries.iter().map(line);
    listed.backups = backups.collect();
    Ok(listed)
}

/// Reads whether the drills of these backups passed. One that cannot be read only leaves that open.
async fn read_drills(repository: &Repository, catalog: &Catalog) -> HashMap<BackupId, bool> {
    let mut reads = JoinSet::new();
    for (id, object) in catalog.entries.iter().filter_map(|entry| Some((entry.id.clone(), entry.drill.clone()?))) {
        let repository = repository.clone();
        reads.spawn(async move { (id, repository.drill(&object).await) });
    }
    let mut passed = HashMap::new();
    for (id, read) in reads.join_all().await {
        match read {
            Ok(drill) => drop(passed.insert(id, drill.passed)),
            Err(error) => tracing::warn!("whether the drill of {id} passed is not known: {error}"),
        }
    }
    passed
}

/// Reads the small manifests, all at once. One that cannot be read only leaves its line without counts.
async fn read_manifests(repository: &Repository, catalog: &Catalog) -> HashMap<BackupId, Manifest> {
    let is_cheap = |entry: &&Entry| entry.manifest.as_ref().is_some_and(|manifest| manifest.size <= CHEAP);
    let mut reads = JoinSet::new();
    for entry in catalog.entries.iter().filter(is_cheap) {
        let (repository, entry) = (repository.clone(), entry.clone());
        reads.spawn(async move { (entry.id.clone(), places::manifest(&repository, &entry).await) });
    }
    let mut manifests = HashMap::new();
    for (id, read) in reads.join_all().await {
        match read {
            Ok(manifest) => manifests.extend(manifest.map(|manifest| (id, manifest))),
            Err(failure) => tracing::warn!("{id} is shown without its tables: {failure}"),
        }
    }
    manifests
}
