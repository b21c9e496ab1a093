//! What the other places have of the newest good backup, and which part of 3-2-1 does not hold.

use catalog::three_two_one::{Holder, gaps};
use catalog::{Entry, State};
use repository::Repository;
use serde::Serialize;

use crate::places::Spot;
use crate::settings::{DatabaseSettings, Settings, store};
use crate::together::{self, One};

/// What begins the note about 3-2-1.
pub(super) const UNHELD: &str = "3-2-1 does not hold";

/// The names of this machine.
const HERE: &str = "this machine";
const LOCAL: [&str; 4] = ["localhost", "127.0.0.1", "::1", "[::1]"];

/// One place's copy of a backup.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PlaceLine {
    /// What `--repository` calls it.
    place: String,
    repository: String,
    /// `good`, `uploaded` (not verified yet), `damaged`, `missing`, or `unknown`.
    state: &'static str,
}

/// The places of one database, and what is to be said of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Elsewhere {
    pub(super) places: Vec<PlaceLine>,
    /// Which parts of 3-2-1 do not hold.
    pub(super) gaps: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl Elsewhere {
    /// Asks each place for this backup, which the first one has.
    pub(super) async fn ask(settings: &Settings, database: &DatabaseSettings, newest: &Entry) -> Self {
        let all = Spot::all(settings);
        let asking = all.iter().map(|spot| -> One<'_, Result<State, String>> {
            Box::pin(async move { ask(*spot, settings, newest).await })
        });
        let states = together::all(asking.collect()).await;
        let mut this = Self::default();
        let mut copies = Vec::new();
        for (spot, state) in all.into_iter().zip(states) {
            this.notes.extend(note(spot, settings, newest, &state));
            if matches!(state, Ok(State::Good | State::Uploaded)) {
                copies.push(holder(spot, settings));
            }
            let state = word(&state);
            this.places.push(PlaceLine { place: spot.label(settings), repository: spot.address(settings), state });
        }
        this.gaps = gaps(&own(database), &copies).iter().map(ToString::to_string).collect();
        if !this.gaps.is_empty() {
            this.notes.push(format!("{UNHELD}: {}", this.gaps.join(", ")));
        }
        this
    }
}

async fn ask(spot: Spot, settings: &Settings, newest: &Entry) -> Result<State, String> {
    if spot == Spot::first(settings) {
        return Ok(newest.state);
    }
    let repository = spot.open(settings).await.map_err(|error| error.to_string())?;
    let id = match (&repository, newest.id.day) {
        (Repository::Bucket(_), Some(_)) => newest.id.clone(),
        _ => repository.layout().place(newest.id.stem.clone(), newest.instant),
    };
    let entry = repository.entry(&id).await.map_err(|error| error.to_string())?;
    Ok(entry.map_or(State::Missing, |entry| entry.state))
}

fn word(state: &Result<State, String>) -> &'static str {
    match state {
        Ok(State::Good) => "good",
        Ok(State::Uploaded) => "uploaded",
        Ok(State::Damaged) => "damaged",
        Ok(_) => "missing",
        Err(_) => "unknown",
    }
}

/// What is wrong with one place, and what mends it.
fn note(spot: Spot, settings: &Settings, newest: &Entry, state: &Result<State, String>) -> Option<String> {
    let (name, stem) = (spot.name(settings), &newest.id.stem);
    let (from, to) = (Spot::first(settings).label(settings), spot.label(settings));
    match state {
        Ok(State::Good | State::Uploaded) => None,
        Ok(State::Damaged) => Some(format!("{stem} is damaged in {name}: lastgood show {stem} --repository {to}")),
        Ok(_) => Some(format!("{stem} is missing in {name}: lastgood copy {stem} --from {from} --to {to}")),
        Err(error) => Some(format!("{name} could not be asked: {error}")),
    }
}

/// The database itself.
fn own(database: &DatabaseSettings) -> Holder {
    let host = database.connection.get("PGHOST").map(str::to_owned).unwrap_or_default();
    let is_here = host.is_empty() || host.starts_with('/') || host.starts_with('@') || LOCAL.contains(&host.as_str());
    Holder { kind: "disk".to_owned(), location: if is_here { HERE.to_owned() } else { host } }
}

fn holder(spot: Spot, settings: &Settings) -> Holder {
    let Some(bucket) = spot.bucket(settings) else {
        return Holder { kind: "disk".to_owned(), location: HERE.to_owned() };
    };
    let kind = store(bucket);
    let host = bucket.endpoint.as_deref().and_then(|url| url::Url::parse(url).ok());
    let host = host.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let location = if LOCAL.contains(&host.as_str()) { HERE.to_owned() } else { kind.clone() };
    Holder { kind, location }
}
