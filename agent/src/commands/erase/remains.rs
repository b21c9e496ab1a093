//! Where copies remain that an erasure doesn't reach, as far as is known, and until when.

use std::collections::BTreeSet;

use catalog::erasure::{Remaining, Row};
use catalog::{Entry, words};
use jiff::{SignedDuration, Timestamp};
use repository::{Leftover, Repository, Swept};

use crate::commands::erase::facts::Ground;
use crate::commands::erase::outcome::One;
use crate::host;
use crate::places::{self, Spot};
use crate::settings::Settings;

/// All of them; `swept` is what became of what killed runs had left.
pub(super) async fn of(one: One<'_>, rows: &[Row<'_>], swept: Option<Swept>) -> Vec<Remaining> {
    let One { ground, settings, .. } = one;
    let database = &ground.catalog.database;
    let mut remains =
        vec![remaining(format!("the rows in the live database {database}, unless they were deleted there first"))];
    remains.extend(unfinished(swept));
    remains.extend(large_objects(ground, rows));
    remains.extend(hidden(ground).await);
    remains.extend(beside(ground, settings).await);
    remains.extend(elsewhere(ground));
    remains.extend(unchosen(ground, rows));
    remains.push(remaining(format!(
        "old databases that restores kept ({database}_before_…), on each server, until lastgood restore --drop-old drops them"
    )));
    if ground.repository.is_bucket() {
        remains.push(remaining(
            "replicas of the bucket in other regions or accounts, if a replication rule makes any".to_owned(),
        ));
    }
    remains
        .push(remaining("files that somebody downloaded, and databases that somebody restored elsewhere".to_owned()));
    remains
}

fn remaining(what: String) -> Remaining {
    Remaining { what, until: None }
}

/// What a run may still be writing.
fn unfinished(swept: Option<Swept>) -> Vec<Remaining> {
    let Some(swept) = swept else {
        return vec![remaining(
            "what killed backups left of uploads, if there is any: it could not be listed".to_owned(),
        )];
    };
    let named = |leftover: Leftover| {
        let since = words::second(leftover.since);
        remaining(format!(
            "{}, of {since}, which a run may still be writing: if none is, the next backup a day later removes it",
            leftover.name
        ))
    };
    swept.stays.into_iter().map(named).collect()
}

/// They are compared, and never changed.
fn large_objects(ground: &Ground, rows: &[Row<'_>]) -> Option<Remaining> {
    let counts = rows.iter().filter_map(|row| Some(ground.manifest(row.entry)?.census.large_objects.count));
    let most = counts.max().filter(|most| *most > 0)?;
    let said = words::count(most, "large object");
    Some(remaining(format!(
        "{said} in a backup, or fewer, which erasing leaves as they are: if they hold what is to go, restore, remove them and back up by hand"
    )))
}

/// Versions of backups that were deleted before, which a bucket keeps for a while.
async fn hidden(ground: &Ground) -> Option<Remaining> {
    let hidden = match ground.repository.hidden(&ground.catalog.database).await {
        Ok(hidden) if hidden.is_empty() => return None,
        Ok(hidden) => hidden,
        Err(error) => {
            tracing::debug!("{error}");
            return Some(remaining(
                "versions of deleted backups, if the bucket keeps any: they could not be listed".to_owned(),
            ));
        }
    };
    let days = ground.repository.noncurrent_days().await;
    let newest: Option<Timestamp> = hidden.iter().map(|hidden| hidden.since).max();
    let until = days
        .zip(newest)
        .and_then(|(days, newest)| newest.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok());
    let said = words::count(hidden.len() as u64, "version");
    Some(Remaining {
        what: format!("{said} of archives that were deleted before, until the bucket's lifecycle removes them"),
        until,
    })
}

/// The other places of the settings.
async fn beside(ground: &Ground, settings: &Settings) -> Vec<Remaining> {
    let own = places::which(&ground.repository, settings);
    let mut remaining = Vec::new();
    for spot in Spot::all(settings).into_iter().filter(|spot| spot.which(settings) != own) {
        remaining.extend(there(ground, spot, settings).await);
    }
    remaining
}

async fn there(ground: &Ground, spot: Spot, settings: &Settings) -> Option<Remaining> {
    let database = &ground.catalog.database;
    let which = spot.label(settings);
    let unseen = |place: &str, what: &str| {
        Some(remaining(format!(
            "backups of {database} in {place}, which could not be {what}: erase there too, with --repository {which}"
        )))
    };
    let other = match spot.open(settings).await {
        Ok(other) => other,
        Err(failure) => {
            tracing::debug!("{failure}");
            return unseen(&format!("place {which}"), "opened");
        }
    };
    let name = other.display_name();
    let catalog = match other.check_exists().await {
        Ok(()) => other.catalog(database).await,
        Err(error) => Err(error),
    };
    match catalog {
        Ok(catalog) if catalog.entries.is_empty() => None,
        Ok(catalog) => {
            let count = words::count(catalog.entries.len() as u64, "backup");
            Some(remaining(format!("{count} of {database} in {name}: erase there too, with --repository {which}")))
        }
        Err(error) => {
            tracing::debug!("{error}");
            unseen(&name, "listed")
        }
    }
}

/// Local copies of the hosts that made the backups.
fn elsewhere(ground: &Ground) -> Option<Remaining> {
    let here = host::name();
    let manifests = ground.known.values().filter_map(|known| known.manifest.as_ref()?.as_ref().ok());
    let hosts: BTreeSet<&str> =
        manifests.map(|manifest| manifest.agent.host.as_str()).filter(|host| *host != here).collect();
    if hosts.is_empty() || matches!(ground.repository, Repository::Directory(_)) {
        return None;
    }
    let named = words::first_of(&hosts, 5, ", ");
    Some(remaining(format!(
        "local copies in BACKUP_DIR of {named}, if it is set there, for as many days as BACKUP_RETENTION_DAYS says: erase there too, with --repository directory"
    )))
}

/// Backups of the database that weren't asked for.
fn unchosen(ground: &Ground, rows: &[Row<'_>]) -> Option<Remaining> {
    let is_meant = |entry: &&Entry| rows.iter().any(|row| row.entry.id == entry.id);
    let others = ground.catalog.entries.iter().filter(|entry| !is_meant(entry)).count();
    let said = words::count(others as u64, "backup");
    (!ground.all && others > 0)
        .then(|| remaining(format!("{said} of {} that were not chosen: --all takes them too", ground.catalog.database)))
}
