//! Which backups are to be copied.

use catalog::copies::{Standing, standing};
use catalog::{Catalog, Entry};
use jiff::{SignedDuration, Timestamp};

use super::way::Way;
use crate::answers::failure::{Exit, Failure};
use crate::cli::CopyArgs;
use crate::places::{self, Catalogs};

/// A backup that was asked for.
pub(super) struct Found {
    pub(super) database: String,
    pub(super) entry: Entry,
    pub(super) wanted: Wanted,
}

/// What is to be done with it.
pub(super) enum Wanted {
    Copy,
    /// One of this name is there.
    There(Box<Entry>),
    /// Nothing, for this reason.
    No(String),
}

/// All of them.
pub(super) struct All {
    pub(super) backups: Vec<Found>,
    /// Other databases that have backups at the source, where the chosen ones were asked for.
    pub(super) others: Vec<String>,
    /// So many archives at the source have no manifest, and are no backups that could be copied.
    pub(super) bare: u64,
}

pub(super) async fn backups(args: &CopyArgs, way: &Way<'_>) -> Result<All, Failure> {
    match &args.id {
        Some(id) => Ok(All { backups: vec![named(id, way).await?], others: Vec::new(), bare: 0 }),
        None => missing(args, way).await,
    }
}

/// The one of this name. What must not be copied is an error.
async fn named(id: &str, way: &Way<'_>) -> Result<Found, Failure> {
    let entry = places::find(&way.from, way.settings, id).await?;
    let database = entry.id.stem.database().into_owned();
    let there = way.to.catalog(&database).await?;
    let (name, from, to) = (entry.name(), way.source(), way.target());
    let wanted = match standing(&entry, &there) {
        Standing::Missing => Wanted::Copy,
        Standing::There(there) => Wanted::There(Box::new(there.clone())),
        Standing::Damaged => {
            return Err(Failure::new(Exit::Damaged, format!("{name} in {from} is damaged, and is not copied"))
                .hint("copy another backup, or back up again; lastgood show says what is wrong with it"));
        }
        Standing::Erased(successor) => {
            let error = format!("rows were erased from {name} in {to}: a copy would bring them back");
            return Err(Failure::new(Exit::Failed, error)
                .hint(format!("erase in {from} as well; {} has its place", successor.name())));
        }
        Standing::NoBackup => {
            return Err(Failure::new(Exit::NotFound, format!("{name} in {from} has no manifest, and is not copied"))
                .hint("if another tool made it, take it over first: lastgood adopt"));
        }
    };
    Ok(Found { database, entry, wanted })
}

/// Every one that lacks, the newest first, and what is left out for a reason.
async fn missing(args: &CopyArgs, way: &Way<'_>) -> Result<All, Failure> {
    let found = Catalogs::choose(way.from.catalogs().await?, way.settings);
    let there = way.to.catalogs().await?;
    let since = args.max_age.map(|hours| Timestamp::now() - SignedDuration::from_hours(hours.into()));
    let (mut backups, mut bare) = (Vec::new(), 0);
    for (_, catalog) in found.chosen {
        let database = catalog.database.clone();
        let theirs = there.iter().find(|other| other.database == database).cloned();
        let theirs = theirs.unwrap_or_else(|| places::empty(&database));
        let is_young = |entry: &Entry| since.is_none_or(|since| entry.instant >= since);
        let wanted: Vec<Entry> = catalog.entries.into_iter().filter(is_young).collect();
        bare += wanted.iter().filter(|entry| entry.archive.is_some() && entry.manifest.is_none()).count() as u64;
        backups.extend(wanted.into_iter().filter_map(|entry| {
            let wanted = wanted_of(&entry, &theirs)?;
            Some(Found { database: database.clone(), entry, wanted })
        }));
    }
    backups.sort_by_key(|found| std::cmp::Reverse(found.entry.instant));
    Ok(All { backups, others: found.others, bare })
}

fn wanted_of(entry: &Entry, there: &Catalog) -> Option<Wanted> {
    match standing(entry, there) {
        Standing::Missing if entry.archive.as_ref().is_some_and(|archive| !archive.readable) => {
            Some(Wanted::No("it is in Glacier".to_owned()))
        }
        Standing::Missing => Some(Wanted::Copy),
        Standing::Damaged => Some(Wanted::No("it is damaged".to_owned())),
        Standing::Erased(successor) => {
            Some(Wanted::No(format!("rows were erased from it there: {} has its place", successor.name())))
        }
        // A copy that is damaged is none, and only a person can make room for another.
        Standing::There(there) if there.state == catalog::State::Damaged => {
            Some(Wanted::There(Box::new(there.clone())))
        }
        Standing::There(_) | Standing::NoBackup => None,
    }
}
