//! `lastgood config`: every setting, its value and its place. Secrets are masked.

use std::fmt;

use postgres::{Secret, libpq};
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::answers::report::{Report, columns};
use crate::cli::ConfigArgs;
use crate::places::Spot;
use crate::settings::{
    ALL, Definition, Given, Layers, Section, Settings, Source, foreign_names, has_login, is_secret, read,
};

/// The room that the place of a value has, with the gaps between columns.
const SOURCE: usize = 6 + 24;

/// `lastgood config --json`.
#[derive(Serialize)]
struct ConfigAnswer {
    /// The files that were read.
    files: Vec<String>,
    settings: Vec<SettingLine>,
    /// The addresses of the chosen databases, in words.
    databases: Vec<String>,
    /// Where backups go, the directory first.
    places: Vec<PlaceLine>,
    /// Everything that is wrong, with its place.
    mistakes: Vec<String>,
    /// What is doubtful, with its place: every run says it.
    warnings: Vec<String>,
}

/// One place that backups go to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlaceLine {
    /// What `--repository` calls it.
    place: String,
    /// `s3://bucket/prefix`, or a path.
    repository: String,
    /// The URL of a store that is not AWS; null of AWS and of a directory.
    endpoint: Option<String>,
    /// Whose credentials are used, in words; null of a directory.
    identity: Option<String>,
}

#[derive(Serialize)]
struct SettingLine {
    name: String,
    value: Option<String>,
    /// Where the value came from; `None`: it has none.
    source: Option<String>,
    /// How a value is written.
    form: &'static str,
    meaning: &'static str,
    #[serde(skip)]
    section: Section,
}

/// Shows every setting's value, and every mistake.
pub(crate) fn run(args: &ConfigArgs, given: &Given, report: Report) -> Result<Exit, Failure> {
    let read = read(given);
    let settings = rows(&read.layers, args.set);
    let files = read.files.iter().map(|path| path.display().to_string()).collect();
    let (judged, mistakes) = Settings::judge(given, read, report);
    let exit = if mistakes.is_empty() { Exit::Done } else { Exit::Usage };
    // What is wrong may be the address, with a login in it.
    let databases = judged.as_ref().filter(|_| mistakes.is_empty()).map_or_else(Vec::new, places);
    let places = judged.as_ref().filter(|_| mistakes.is_empty()).map_or_else(Vec::new, destinations);
    let warnings = judged.map_or_else(Vec::new, |settings| settings.warnings);
    let answer = ConfigAnswer { files, settings, databases, places, mistakes, warnings };
    report.answer(&answer, &answer)?;
    Ok(exit)
}

fn rows(layers: &Layers, only_set: bool) -> Vec<SettingLine> {
    let rows = ALL.iter().flat_map(|definition| {
        let first = Some(row(layers, definition)).filter(|(_, is_set)| *is_set || !only_set).map(|(row, _)| row);
        first.into_iter().chain(further(layers, definition))
    });
    others(layers).chain(rows).collect()
}

/// The variables of libpq that are set, and other programs' names for the same.
fn others(layers: &Layers) -> impl Iterator<Item = SettingLine> {
    let libpqs = libpq::PARAMETERS.iter().map(|(_, name)| (*name, "A variable of libpq."));
    let foreign = foreign_names().map(|name| (name, "Another program's name for a part of the address."));
    libpqs.chain(foreign).filter_map(|(name, meaning)| {
        let found = layers.set(name)?;
        let value = shown(&found.text, is_secret(name));
        Some(SettingLine {
            name: name.to_owned(),
            value: Some(value),
            source: Some(found.source.to_string()),
            form: "text",
            meaning,
            section: Section::Database,
        })
    })
}

/// A value as it may be seen. A URL with a login may stand where none belongs.
fn shown(text: &str, is_secret: bool) -> String {
    if is_secret || has_login(text) { Secret::new(text).to_string() } else { text.to_owned() }
}

/// The lines of a setting that was set for other buckets than the first.
fn further(layers: &Layers, definition: &'static Definition) -> impl Iterator<Item = SettingLine> {
    definition.further().filter_map(|(number, name)| {
        let found = layers.find_for(definition, number)?;
        Some(SettingLine {
            name: name.to_owned(),
            value: Some(shown(&found.text, definition.secret)),
            source: Some(found.source.to_string()),
            form: definition.form,
            meaning: definition.doc.trim(),
            section: definition.section,
        })
    })
}

/// A setting's line, and whether it was set.
fn row(layers: &Layers, definition: &Definition) -> (SettingLine, bool) {
    let found = layers.find(definition);
    let is_set = found.as_ref().is_some_and(|found| !matches!(found.source, Source::Default | Source::Guide));
    let value = found.as_ref().map(|found| shown(&found.text, definition.secret));
    let source = found.map(|found| {
        if found.name == definition.name {
            found.source.to_string()
        } else {
            format!("{} ({})", found.source, found.name)
        }
    });
    (
        SettingLine {
            name: definition.name.to_owned(),
            value,
            source,
            form: definition.form,
            meaning: definition.doc.trim(),
            section: definition.section,
        },
        is_set,
    )
}

fn places(settings: &Settings) -> Vec<String> {
    if settings.all_databases {
        return vec![format!("every database of the server: {}", settings.server().connection.place())];
    }
    settings.databases.iter().map(|database| database.connection.place()).collect()
}

fn destinations(settings: &Settings) -> Vec<PlaceLine> {
    let line = |spot: Spot| {
        let bucket = spot.bucket(settings);
        let identity = bucket.map(|bucket| match (&bucket.keys, &bucket.profile) {
            (Some(keys), _) => format!("the access key {}", keys.id),
            (None, Some(profile)) => format!("the profile {profile}"),
            (None, None) => "what the AWS SDK finds".to_owned(),
        });
        PlaceLine {
            place: spot.label(settings),
            repository: spot.address(settings),
            endpoint: bucket.and_then(|bucket| bucket.endpoint.as_deref()).map(|url| shown(url, false)),
            identity,
        }
    };
    Spot::all(settings).into_iter().map(line).collect()
}

impl fmt::Display for PlaceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.repository, self.place)?;
        self.endpoint.iter().try_for_each(|endpoint| write!(f, ", at {endpoint}"))?;
        self.identity.iter().try_for_each(|identity| write!(f, ", with {identity}"))
    }
}

impl fmt::Display for ConfigAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            |column: fn(&SettingLine) -> &str| self.settings.iter().map(|row| column(row).chars().count()).max();
        let names = width(|row| &row.name).unwrap_or(0);
        // Long values would push every place out of sight.
        let values = width(|row| row.value.as_deref().unwrap_or("-")).unwrap_or(0).min(40);
        let room = columns().map_or(values, |columns| columns.saturating_sub(names + SOURCE));
        let values = values.min(room.max(12));
        let mut section = None;
        for row in &self.settings {
            if section != Some(row.section) {
                let gap = if section.is_none() { "" } else { "\n" };
                writeln!(f, "{gap}{}", row.section.title())?;
                if let Some(note) = row.section.note() {
                    writeln!(f, "  ({})", note.replace('`', ""))?;
                }
                section = Some(row.section);
            }
            let value = row.value.as_deref().unwrap_or("-");
            let source = row.source.as_deref().unwrap_or("not set");
            writeln!(f, "  {:names$}  {value:values$}  {source}", row.name)?;
        }
        writeln!(f, "\nFiles read: {}", if self.files.is_empty() { "none".into() } else { self.files.join(", ") })?;
        for place in &self.databases {
            writeln!(f, "Database: {place}")?;
        }
        for place in &self.places {
            writeln!(f, "Backups go to: {place}")?;
        }
        for mistake in &self.mistakes {
            writeln!(f, "Wrong: {mistake}")?;
        }
        for warning in &self.warnings {
            writeln!(f, "Warning: {warning}")?;
        }
        Ok(())
    }
}
