//! What `list` answers.

use std::fmt;

use catalog::words;
use catalog::{Catalog, Entry, Manifest, Outcome, State, Stem};
use jiff::{SignedDuration, Timestamp};
use repository::Repository;
use serde::Serialize;

use crate::answers::report::columns;
use crate::answers::table::{Column, Table};
use crate::commands::list::kind::Kind;
use crate::commands::list::several::{ElsewhereLine, Narrow, PlaceLine, PlaceState, Places, table};
use crate::commands::list::short;
use crate::commands::list::state::{DrillState, ShrunkState};
use crate::folder;
use crate::settings::Settings;

/// How many folders are named.
const NAMED: usize = 5;

/// `lastgood list --json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListAnswer {
    repository: String,
    databases: Vec<Listed>,
    /// Databases that were not chosen but have backups in the same repository.
    other_databases: Vec<String>,
    /// Folders of `pg_dump --format=directory`, which are not listed: each a path, or an address without a slash behind it.
    folders: Vec<String>,
    /// Every place, where there are several buckets and none was asked for; otherwise empty.
    places: Vec<PlaceLine>,
    /// A directory of local copies beside the bucket that was listed.
    #[serde(skip)]
    directory_too: Option<String>,
    /// Whether nothing at all is set.
    #[serde(skip)]
    is_unset: bool,
}

/// One database. The counts are of all its backups, whatever the limit.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    pub(super) database: String,
    /// Whether backups of it were made here: if none is left, they were removed.
    expected: bool,
    total: usize,
    good: usize,
    newest_good: Option<Newest>,
    #[serde(skip)]
    unverified: usize,
    #[serde(skip)]
    manifestless: usize,
    /// Whether no other database is chosen.
    #[serde(skip)]
    pub(super) is_only: bool,
    pub(super) backups: Vec<BackupLine>,
    /// Backups that this place lacks and another one has.
    elsewhere: Vec<ElsewhereLine>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Newest {
    id: String,
    instant: Timestamp,
    age_seconds: i64,
}

/// One backup in the list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BackupLine {
    id: String,
    #[serde(skip)]
    name: String,
    state: State,
    verdict: Option<Outcome>,
    #[serde(skip)]
    status: String,
    kind: Kind,
    instant: Timestamp,
    age_seconds: i64,
    /// A clock was wrong, or is: nothing tells how old it is.
    in_the_future: bool,
    size: u64,
    /// The archive's key or file; null when it is missing.
    archive: Option<String>,
    /// False: it must be brought back from Glacier before it can be read.
    readable: bool,
    tables: Option<usize>,
    rows: Option<u64>,
    /// Whether it was restored and compared; null where it wasn't.
    drill: Option<DrillState>,
    /// Whether it has lost rows or tables since the one before it; null where it hasn't.
    shrunk: Option<ShrunkState>,
    /// How it stands in each place; empty where there are not several buckets, or one place was asked for.
    places: Vec<PlaceState>,
    #[serde(skip)]
    stem: Stem,
}

impl ListAnswer {
    pub(super) fn new(
        repository: &Repository,
        databases: Vec<Listed>,
        (other_databases, folders): (Vec<String>, Vec<String>),
        settings: &Settings,
    ) -> Self {
        let directory = settings.directory.as_ref().filter(|_| repository.is_bucket());
        let directory_too = directory.map(|path| path.display().to_string());
        let folders = folders.iter().map(|folder| repository.object_name(folder)).collect();
        let (repository, places) = (repository.display_name(), Vec::new());
        let is_unset = settings.are_none();
        Self { repository, databases, other_databases, folders, places, directory_too, is_unset }
    }

    /// The same of several places.
    pub(super) fn over(mut self, places: Places) -> Self {
        if !places.lines.is_empty() {
            self.directory_too = None;
        }
        self.places = places.lines;
        self
    }
}

impl Listed {
    /// Everything but the rows.
    pub(super) fn counting(catalog: &Catalog, now: Timestamp) -> Self {
        let unverified = |entry: &&Entry| entry.is_backup() && entry.judged().is_none();
        Self {
            database: catalog.database.clone(),
            expected: catalog.expected.is_some(),
            total: catalog.entries.len(),
            good: catalog.good().count(),
            newest_good: catalog.newest_good(now).map(|entry| Newest {
                id: entry.id.to_string(),
                instant: entry.instant,
                age_seconds: entry.age(now).as_secs(),
            }),
            manifestless: catalog.alone().count(),
            unverified: catalog.entries.iter().filter(unverified).count(),
            is_only: false,
            backups: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    /// Adds how its backups stand in each place, and those that only `others` have.
    pub(super) fn place(&mut self, places: &Places, others: &[Entry], now: Timestamp) {
        for line in &mut self.backups {
            line.places = places.states(&line.stem);
        }
        let line = |entry: &Entry| ElsewhereLine::new(entry, places, now);
        self.elsewhere = others.iter().map(line).collect();
    }
}

impl BackupLine {
    pub(super) fn new(entry: &Entry, manifest: Option<&Manifest>, drill: Option<DrillState>, now: Timestamp) -> Self {
        let census = manifest.map(|manifest| &manifest.census);
        Self {
            id: entry.id.to_string(),
            name: entry.name(),
            state: entry.state,
            verdict: entry.judged(),
            status: entry.status(now),
            kind: Kind::of(entry, manifest),
            instant: entry.instant,
            age_seconds: entry.age(now).as_secs(),
            in_the_future: entry.is_in_the_future(now),
            size: entry.size(),
            archive: entry.archive.as_ref().map(|archive| archive.key.clone()),
            readable: entry.archive.as_ref().is_some_and(|archive| archive.readable),
            tables: census.map(|census| census.tables.len()),
            rows: census.and_then(archive::Census::counted_rows),
            drill,
            shrunk: entry.shrunk.as_ref().map(|_| ShrunkState::of(entry)),
            places: Vec::new(),
            stem: entry.id.stem.clone(),
        }
    }

    fn cells(&self, name: &str) -> [String; 7] {
        let glacier = if self.archive.is_some() && !self.readable { ", in Glacier" } else { "" };
        let drill = self.drill.map_or("", DrillState::in_words);
        let shrunk = if self.shrunk == Some(ShrunkState::Open) { ", SHRUNK" } else { "" };
        let status = format!("{}{glacier}{drill}{shrunk}", self.status);
        let count = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), words::grouped);
        let size = if self.archive.is_some() { words::size(self.size) } else { "-".to_owned() };
        let age = words::short_age(SignedDuration::from_secs(self.age_seconds));
        let tables = count(self.tables.map(|tables| tables as u64));
        [name.to_owned(), status, self.kind.to_string(), age, size, tables, count(self.rows)]
    }
}

impl fmt::Display for ListAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.databases.iter().all(|database| database.total == 0 && !database.expected) {
            writeln!(f, "There are no backups{} in {}.", self.of_whom(), self.repository)?;
            let first = if self.is_unset {
                "Nothing is set here yet: begin with sudo lastgood init."
            } else {
                "Make the first one with lastgood backup."
            };
            writeln!(f, "{first}")?;
        } else {
            match self.places.as_slice() {
                [] => writeln!(f, "{}", self.repository)?,
                places => {
                    places.iter().try_for_each(|line| writeln!(f, "{:<4}  {}", line.heading(), line.repository))?
                }
            }
            self.databases.iter().try_for_each(|database| write!(f, "\n{database}"))?;
        }
        if !self.other_databases.is_empty() {
            let names = self.other_databases.join(", ");
            writeln!(f, "\nOther databases with backups here: {names} (--database NAME, or --all-databases)")?;
        }
        if !self.folders.is_empty() {
            let folders = words::first_of(&self.folders, NAMED, ", ");
            writeln!(f, "\nFolders of pg_dump --format=directory, which are not listed: {folders}")?;
            writeln!(f, "  {}", folder::INTO_A_FILE)?;
        }
        if let Some(directory) = &self.directory_too {
            writeln!(f, "\nLocal copies are in {directory}: lastgood list --repository directory")?;
        }
        Ok(())
    }
}

impl ListAnswer {
    fn of_whom(&self) -> String {
        let names: Vec<&str> = self.databases.iter().map(|database| database.database.as_str()).collect();
        if names.is_empty() { String::new() } else { format!(" of {}", names.join(", ")) }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.database, self.summary())?;
        let is_of_several = self.backups.iter().any(|backup| !backup.places.is_empty());
        if is_of_several || !self.elsewhere.is_empty() {
            self.rows_of_places().fmt(f)?;
            writeln!(
                f,
                "  new: not verified yet; BAD: damaged; cut: not finished; -: not there; ?: could not be listed"
            )?;
        } else if self.backups.is_empty() {
            return Ok(());
        } else {
            self.rows().fmt(f)?;
        }
        let hidden = self.total.saturating_sub(self.backups.len());
        if hidden > 0 {
            writeln!(f, "  … and {} older", words::grouped(hidden as u64))?;
        }
        self.remarks(f)
    }
}

impl Listed {
    /// One place's rows, in a terminal as narrow as it has to be.
    fn rows(&self) -> Table<7> {
        let whole = self.rows_named(false);
        let Some(columns) = columns().filter(|columns| whole.width() > *columns) else { return whole };
        let mut rows = self.rows_named(true);
        if rows.width() > columns {
            rows.hide("TABLES");
        }
        rows
    }

    fn rows_named(&self, shortly: bool) -> Table<7> {
        let header = [
            Column::Left("BACKUP"),
            Column::Left("STATE"),
            Column::Left("KIND"),
            Column::Right("AGE"),
            Column::Right("SIZE"),
            Column::Right("TABLES"),
            Column::Right("ROWS"),
        ];
        let mut table = Table::new(header);
        for backup in &self.backups {
            table.row(backup.cells(if shortly { self.short(&backup.name) } else { &backup.name }));
        }
        table.hide_if_all("KIND", &Kind::Backup.to_string());
        table
    }

    /// The rows of several places, each of them a narrow column.
    fn rows_of_places(&self) -> Table<8> {
        let named = |shortly: bool| {
            let name = |name| if shortly { self.short(name) } else { name };
            let own = self.backups.iter().map(|backup| Narrow {
                name: name(&backup.name),
                age_seconds: backup.age_seconds,
                size: backup.size,
                places: &backup.places,
            });
            let others = self.elsewhere.iter().map(ElsewhereLine::narrow);
            let others = others.map(|line| Narrow { name: name(line.name), ..line });
            table(own.chain(others).collect())
        };
        let whole = named(false);
        if columns().is_some_and(|columns| whole.width() > columns) { named(true) } else { whole }
    }

    /// As a narrow terminal shows it.
    fn short<'a>(&self, name: &'a str) -> &'a str {
        if self.is_only { short::name(name, &self.database) } else { name }
    }

    fn remarks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.backups.iter().any(|backup| backup.in_the_future) {
            writeln!(
                f,
                "  in the future: made while a clock was wrong, or this machine's is; never `latest` while another is good"
            )?;
        }
        if let Some(shrunk) = self.backups.iter().find(|backup| backup.shrunk == Some(ShrunkState::Open)) {
            let id = &shrunk.id;
            writeln!(
                f,
                "  SHRUNK: it has lost rows or tables (lastgood diff {id}~1 {id}); if that is right: lastgood accept {id}"
            )?;
        }
        if self.backups.iter().any(|backup| backup.state == State::Alone) {
            writeln!(
                f,
                "  alone: an archive without a manifest, from another tool or from a run that was cut off (not looked up here)"
            )?;
        }
        Ok(())
    }
}

impl Listed {
    /// The most important sentence about one database.
    fn summary(&self) -> String {
        let total = words::count(self.total as u64, "backup");
        match &self.newest_good {
            Some(newest) => {
                let age = words::age(SignedDuration::from_secs(newest.age_seconds));
                format!("{total}, {} good, the newest good one made {age}", self.good)
            }
            None if self.total == 0 && self.expected => {
                "NO BACKUPS: some were made here, but they have been removed".to_owned()
            }
            None if self.total == 0 => "no backups yet; make the first one with lastgood backup".to_owned(),
            None => format!("{total}, NONE OF THEM GOOD; {}", self.remedy()),
        }
    }

    fn remedy(&self) -> String {
        match (self.unverified, self.manifestless) {
            (0, 0) => "make a new one with lastgood backup".to_owned(),
            (0, guests) => format!("read back the {guests} without a manifest with lastgood adopt --all"),
            (unverified, _) => format!("verify the {unverified} that are not verified yet with lastgood verify --all"),
        }
    }
}
