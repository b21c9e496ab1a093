//! Which repository a command looks into, and the catalogs there of the databases that it is about.

mod spot;

use catalog::words;
use catalog::{BackupId, Catalog, Entry, Manifest, NotFound, going_back};
use jiff::Timestamp;
use repository::{Error, Repository};

use crate::answers::failure::{Exit, Failure};
use crate::cli::{Place, Which};
use crate::settings::{DatabaseSettings, Settings};
pub(crate) use spot::Spot;

/// What one whole listing of a repository shows.
#[derive(Debug)]
pub(crate) struct Catalogs {
    /// The catalogs of the chosen databases, in the order of the choice; empty for a database without backups.
    pub(crate) chosen: Vec<(DatabaseSettings, Catalog)>,
    /// Other databases that have backups there.
    pub(crate) others: Vec<String>,
}

/// The repository of a command: the first bucket where one is set, unless the command line says otherwise.
///
/// # Errors
/// Exit 2 when the one that is asked for is not set.
pub(crate) async fn repository(place: &Place, settings: &Settings) -> Result<Repository, Failure> {
    Ok(Spot::asked(place.repository.as_ref(), settings)?.open(settings).await?)
}

/// The directory and the first bucket, in this order, or the one that `which` names. Empty where none of them is set.
///
/// # Errors
/// When a bucket's settings are refused, and exit 2 where a number or an address is none of theirs.
pub(crate) async fn repositories(which: Option<&Which>, settings: &Settings) -> Result<Vec<Repository>, Failure> {
    let spots: Vec<Spot> = match which {
        None => Spot::all(settings).into_iter().filter(|spot| !matches!(spot, Spot::Bucket(2..))).collect(),
        Some(Which::Bucket | Which::Directory) => Spot::asked(which, settings).into_iter().collect(),
        Some(Which::Number(_) | Which::At(_)) => vec![Spot::asked(which, settings)?],
    };
    let mut repositories = Vec::new();
    for spot in spots {
        repositories.push(spot.open(settings).await?);
    }
    Ok(repositories)
}

/// The first bucket, where one is set.
///
/// # Errors
/// When its settings are refused.
pub(crate) async fn bucket(settings: &Settings) -> Result<Option<Repository>, Failure> {
    match settings.buckets.first() {
        Some(bucket) => Ok(Some(Repository::bucket(bucket.clone()).await?)),
        None => Ok(None),
    }
}

/// That the repository is there. A folder that isn't may be a disk that is not mounted, and then nothing is known of its backups.
///
/// # Errors
/// Exit 5 when there is no such folder.
pub(crate) async fn there(repository: &Repository) -> Result<(), Failure> {
    match repository.check_exists().await {
        Err(Error::NotFound { .. }) => {
            let error = format!("{} does not exist", repository.display_name());
            Err(Failure::new(Exit::NotFound, error)
                .hint("make the first backup with lastgood backup; if there were some, check that its disk is mounted"))
        }
        found => Ok(found?),
    }
}

/// How the command line names the repository, which is one of the settings'.
pub(crate) fn which(repository: &Repository, settings: &Settings) -> Which {
    let own = |spot: &Spot| spot.is(repository, settings);
    Spot::all(settings).iter().find(|spot| own(spot)).map_or(Which::Directory, |spot| spot.which(settings))
}

impl Catalogs {
    /// Sorts catalogs of a whole listing into those that were chosen and others. Chosen are all with `--all-databases`, and
    /// where no name was set.
    pub(crate) fn choose(all: Vec<Catalog>, settings: &Settings) -> Self {
        let names: Option<Vec<&String>> = settings.databases.iter().map(|database| database.name.as_ref()).collect();
        let Some(names) = names.filter(|names| !names.is_empty()) else {
            let chosen = all.into_iter().map(|catalog| (settings.database(&catalog.database), catalog));
            return Self { chosen: chosen.collect(), others: Vec::new() };
        };
        let (mut found, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|c| names.contains(&&c.database));
        let chosen = settings.databases.iter().zip(names).map(|(database, name)| {
            let at = found.iter().position(|catalog| catalog.database == *name);
            (database.clone(), at.map_or_else(|| empty(name), |at| found.swap_remove(at)))
        });
        Self { chosen: chosen.collect(), others: others.into_iter().map(|catalog| catalog.database).collect() }
    }
}

/// The backup called `name`, of any database: a name says its database. `latest` is the newest good one of the one database
/// that was chosen, and a label alone is of that one. `~N` behind it goes back by N good ones.
///
/// # Errors
/// Exit 5 when there is none, or no such folder; exit 2 when more than one database matches.
pub(crate) async fn find(repository: &Repository, settings: &Settings, name: &str) -> Result<Entry, Failure> {
    let missing = |error: NotFound| {
        Failure::new(Exit::NotFound, format!("{error} in {}", repository.display_name())).hint(error.hint())
    };
    there(repository).await?;
    let now = Timestamp::now();
    let (from, back) = going_back(name);
    let mut catalog = match (from, from.parse::<BackupId>()) {
        ("latest", _) => recent(repository, settings, back.saturating_add(1)).await?,
        (_, Ok(id)) => repository.catalog(&id.stem.database()).await?,
        (_, Err(error)) => match settings.databases.as_slice() {
            [DatabaseSettings { name: Some(database), .. }] => repository.catalog(database).await?,
            _ => return Err(missing(NotFound::Name(error))),
        },
    };
    let entry = catalog.find(name, now).map_err(missing)?.clone();
    if from == "latest" {
        passed_over(&catalog, &entry, now).iter().for_each(|note| tracing::warn!("{note}"));
    }
    catalog.entries = vec![entry.clone()];
    repository.resolve(&mut catalog).await?;
    Ok(catalog.entries.pop().unwrap_or(entry))
}

/// What is to be said of a `latest`: which good backups it isn't, because they lie in the future, and when it does itself.
pub(crate) fn passed_over(catalog: &Catalog, latest: &Entry, now: Timestamp) -> Vec<String> {
    let note = |entry: &Entry| {
        let by = words::age(entry.age(now));
        match entry.id == latest.id {
            true => format!("{} lies {by}: a clock was wrong, and others may be newer", entry.name()),
            false => format!("{} lies {by} and is not taken for the latest: a clock was wrong", entry.name()),
        }
    };
    catalog.good_ahead(now).map(note).collect()
}

/// The newest backups of the one database that was chosen, down to its newest `good` good ones.
///
/// # Errors
/// Exit 2 when several were chosen, exit 5 when there is nothing to choose from.
pub(crate) async fn recent(repository: &Repository, settings: &Settings, good: usize) -> Result<Catalog, Failure> {
    match settings.databases.as_slice() {
        [DatabaseSettings { name: Some(name), .. }] => Ok(repository.recent_good(name, Timestamp::now(), good).await?),
        _ => one(Catalogs::choose(repository.catalogs().await?, settings)),
    }
}

/// The only one of the chosen databases.
///
/// # Errors
/// Exit 2 when there are several, exit 5 when there is none.
fn one(mut catalogs: Catalogs) -> Result<Catalog, Failure> {
    match (catalogs.chosen.pop(), catalogs.chosen.as_slice()) {
        (Some((_, catalog)), []) => Ok(catalog),
        (Some((_, last)), others) => {
            let names: Vec<&str> =
                others.iter().map(|(_, other)| &other.database).chain([&last.database]).map(String::as_str).collect();
            Err(Failure::new(Exit::Usage, format!("more than one database matches: {}", names.join(", ")))
                .hint("choose one with --database NAME"))
        }
        (None, _) => {
            Err(Failure::new(Exit::NotFound, "there are no backups yet")
                .hint("make the first one with lastgood backup"))
        }
    }
}

/// Reads a backup's manifest; `None` where it has none.
///
/// # Errors
/// When it cannot be read, or is not a manifest.
pub(crate) async fn manifest(repository: &Repository, entry: &Entry) -> Result<Option<Manifest>, repository::Error> {
    let Some(object) = &entry.manifest else { return Ok(None) };
    Ok(Some(repository.manifest(object).await?))
}

/// The catalog of a database without backups.
pub(crate) fn empty(database: &str) -> Catalog {
    Catalog { database: database.to_owned(), entries: Vec::new(), expected: None }
}
