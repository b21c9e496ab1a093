//! How each backup stands in every place, for settings with several buckets.

use std::collections::{HashMap, HashSet};

use catalog::words;
use catalog::{Catalog, Entry, State, Stem};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::answers::table::{Column, Table};
use crate::places::Spot;
use crate::settings::Settings;
use crate::together::{self, One};

/// One of the places.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PlaceLine {
    /// What `--repository` calls it.
    pub(super) place: String,
    pub(super) repository: String,
    /// Why it could not be listed; null otherwise.
    error: Option<String>,
}

/// How a backup stands in one place.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PlaceState {
    place: String,
    /// As `state` of a backup; `absent`: it is not there; `unknown`: the place could not be listed.
    state: &'static str,
}

/// All places, and what they have. Empty where there are not several buckets.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) lines: Vec<PlaceLine>,
    /// The states of what each has, by name; `None` where it could not be listed.
    states: Vec<Option<HashMap<Stem, State>>>,
    /// The backups of all of them.
    backups: Vec<Entry>,
}

impl Places {
    /// Lists every place but the first one, of which `first` is known already. One that cannot be listed is said.
    pub(super) async fn ask(settings: &Settings, first: &[Catalog]) -> Self {
        let all = Spot::all(settings);
        let asking = all.iter().map(|spot| -> One<'_, Result<Vec<Catalog>, String>> {
            Box::pin(async move {
                if *spot == Spot::first(settings) {
                    return Ok(first.to_vec());
                }
                let repository = spot.open(settings).await.map_err(|error| error.to_string())?;
                repository.catalogs().await.map_err(|error| error.to_string())
            })
        });
        let asked = together::all(asking.collect()).await;
        let mut places = Self::default();
        for (spot, asked) in all.into_iter().zip(asked) {
            if let Err(error) = &asked {
                tracing::warn!("{} could not be listed: {error}", spot.name(settings));
            }
            let (place, repository) = (spot.label(settings), spot.address(settings));
            places.lines.push(PlaceLine { place, repository, error: asked.as_ref().err().cloned() });
            places.states.push(asked.as_deref().ok().map(states));
            let entries = asked.into_iter().flatten().flat_map(|catalog| catalog.entries);
            places.backups.extend(entries.filter(Entry::is_backup));
        }
        places
    }

    /// How a backup stands in each of them.
    pub(super) fn states(&self, stem: &Stem) -> Vec<PlaceState> {
        let state = |states: &Option<HashMap<Stem, State>>| match states {
            None => "unknown",
            Some(states) => states.get(stem).map_or("absent", |state| word(*state)),
        };
        let lines = self.lines.iter().zip(&self.states);
        lines.map(|(line, states)| PlaceState { place: line.place.clone(), state: state(states) }).collect()
    }

    /// The newest `limit` backups of a database that this catalog lacks and another place has, the newest first.
    pub(super) fn elsewhere(&self, catalog: &Catalog, limit: usize) -> Vec<Entry> {
        let mut seen: HashSet<&Stem> = catalog.entries.iter().map(|entry| &entry.id.stem).collect();
        let of_database = self.backups.iter().filter(|entry| entry.id.stem.database() == catalog.database.as_str());
        let mut lacking: Vec<Entry> = of_database.filter(|entry| seen.insert(&entry.id.stem)).cloned().collect();
        lacking.sort_by_key(|entry| std::cmp::Reverse(entry.instant));
        lacking.truncate(limit);
        lacking
    }
}

/// What one place has. A name that occurs twice counts by its newest backup.
fn states(catalogs: &[Catalog]) -> HashMap<Stem, State> {
    let mut states = HashMap::new();
    for entry in catalogs.iter().flat_map(|catalog| &catalog.entries) {
        states.entry(entry.id.stem.clone()).or_insert(entry.state);
    }
    states
}

fn word(state: State) -> &'static str {
    match state {
        State::Good => "good",
        State::Damaged => "damaged",
        State::Uploaded => "uploaded",
        State::Alone => "alone",
        State::Unfinished => "unfinished",
        State::Guest => "guest",
        State::Missing => "missing",
    }
}

impl PlaceState {
    /// What its column is called.
    pub(super) fn title(&self) -> &'static str {
        match self.place.as_str() {
            "directory" => "DIR",
            "1" => "1",
            "2" => "2",
            "3" => "3",
            _ => "4",
        }
    }

    /// As a narrow column has it.
    pub(super) fn short(&self) -> &'static str {
        match self.state {
            "good" => "good",
            "uploaded" => "new",
            "damaged" => "BAD",
            "guest" => "gst",
            "alone" | "unfinished" => "cut",
            "missing" => "gone",
            "unknown" => "?",
            _ => "-",
        }
    }
}

impl PlaceLine {
    /// What its column is called.
    pub(super) fn heading(&self) -> &str {
        if self.place == "directory" { "DIR" } else { &self.place }
    }
}

/// A backup that only other places have.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ElsewhereLine {
    id: String,
    #[serde(skip)]
    name: String,
    instant: Timestamp,
    age_seconds: i64,
    size: u64,
    places: Vec<PlaceState>,
}

impl ElsewhereLine {
    pub(super) fn new(entry: &Entry, places: &Places, now: Timestamp) -> Self {
        Self {
            id: entry.id.to_string(),
            name: entry.name(),
            instant: entry.instant,
            age_seconds: entry.age(now).as_secs(),
            size: entry.size(),
            places: places.states(&entry.id.stem),
        }
    }

    pub(super) fn narrow(&self) -> Narrow<'_> {
        Narrow { name: &self.name, age_seconds: self.age_seconds, size: self.size, places: &self.places }
    }
}

/// A row that leaves room for five places.
pub(super) struct Narrow<'a> {
    pub(super) name: &'a str,
    pub(super) age_seconds: i64,
    pub(super) size: u64,
    pub(super) places: &'a [PlaceState],
}

/// The rows, the youngest first, with a column for each place.
pub(super) fn table(mut rows: Vec<Narrow<'_>>) -> Table<8> {
    rows.sort_by_key(|row| row.age_seconds);
    let places = rows.first().map(|row| row.places).unwrap_or_default();
    let mut titles = places.iter().map(PlaceState::title);
    let mut next = || Column::Left(titles.next().unwrap_or_default());
    let [first, second, third, fourth, fifth] = [next(), next(), next(), next(), next()];
    let (name, age, size) = (Column::Left("BACKUP"), Column::Right("AGE"), Column::Right("SIZE"));
    let mut table = Table::new([name, age, size, first, second, third, fourth, fifth]);
    for row in rows {
        let age = words::short_age(SignedDuration::from_secs(row.age_seconds));
        let mut states = row.places.iter().map(|state| state.short().to_owned());
        let mut next = || states.next().unwrap_or_default();
        table.row([row.name.to_owned(), age, words::size(row.size), next(), next(), next(), next(), next()]);
    }
    table
}
