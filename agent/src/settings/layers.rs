//! Where values come from, nearest first: flag, environment, `.env` file, TOML file, default. Each remembers its place.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use super::definition::{Definition, Setting};
use super::form::Defaults;
use super::table;

/// The place of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Flag(&'static str),
    Environment,
    File {
        path: PathBuf,
        line: usize,
    },
    /// A file that another name names.
    Named {
        path: PathBuf,
        by: String,
        at: Box<Self>,
    },
    /// The default of the guide's scripts.
    Guide,
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Environment => f.write_str("environment"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Named { path, by, at } => write!(f, "{}, which {by} names, {at}", path.display()),
            Self::Guide => f.write_str("default of the guide"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value as it was written, and its place.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The name it stood under, which may be an alias.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) source: Source,
    /// How far away it is: flags are nearest.
    pub(crate) distance: usize,
}

/// The values of one place, by name.
#[derive(Clone, Default)]
pub(super) struct Layer(HashMap<String, (String, Source)>);

impl Layer {
    /// Sets a value; an empty one counts as not set.
    pub(super) fn set(&mut self, name: impl Into<String>, text: impl Into<String>, source: Source) {
        let (name, text) = (name.into(), text.into());
        if text.is_empty() {
            self.0.remove(&name);
        } else {
            self.0.insert(name, (text, source));
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.0.iter().map(|(name, (_, source))| (name.as_str(), source))
    }

    /// Every name with its text and place.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str, &Source)> {
        self.0.iter().map(|(name, (text, source))| (name.as_str(), text.as_str(), source))
    }
}

/// All places, nearest first.
#[derive(Clone, Default)]
pub(crate) struct Layers {
    layers: Vec<Layer>,
}

/// Whether a value has a login in it, as URLs may: it is then shown no more than a secret.
pub(crate) fn has_login(text: &str) -> bool {
    const NAMES: [&str; 5] = ["password=", "pwd=", "pass=", "secret=", "key="];
    let small = text.to_ascii_lowercase();
    let before = text.split_once('@').map_or("", |(before, _)| before);
    NAMES.iter().any(|name| small.contains(name))
        || before.contains("://")
        || (before.contains(':') && !before.contains(char::is_whitespace))
}

/// What is wrong with a text that was found for a setting, if anything is.
fn wrong(definition: &Definition, found: Found) -> Option<String> {
    let complaint = (definition.check)(&found.text).err()?;
    let Found { name, text, source, .. } = found;
    // A login may stand where none belongs.
    if definition.secret || text.contains('@') || has_login(&text) || matches!(source, Source::Named { .. }) {
        return Some(format!("{name} ({source}): {complaint}"));
    }
    Some(format!("{name}={text} ({source}): {complaint}"))
}

impl Layers {
    pub(super) fn new(layers: Vec<Layer>) -> Self {
        Self { layers }
    }

    /// The same, with a `[[database]]` entry's own values before all but the flags.
    pub(super) fn with_entry(&self, entry: &Layer) -> Self {
        let mut layers = self.layers.clone();
        layers.insert(layers.len().min(1), entry.clone());
        Self { layers }
    }

    /// What was set under this very name, without aliases and defaults.
    pub(crate) fn set(&self, name: &str) -> Option<Found> {
        self.layers.iter().enumerate().find_map(|(distance, layer)| {
            let (text, source) = layer.0.get(name)?;
            Some(Found { name: name.to_owned(), text: text.clone(), source: source.clone(), distance })
        })
    }

    /// What was set, under the setting's name or an alias; the nearer place wins, in one place the earlier name.
    pub(super) fn set_as(&self, definition: &Definition) -> Option<Found> {
        let found = definition.names().filter_map(|name| self.set(name));
        found.min_by_key(|found| found.distance)
    }

    /// The value that applies: what was set, otherwise the default.
    pub(crate) fn find(&self, definition: &Definition) -> Option<Found> {
        let default = |text: &str, source| Found {
            name: definition.name.to_owned(),
            text: text.to_owned(),
            source,
            distance: self.layers.len(),
        };
        let guide = || definition.guide.filter(|_| self.guide()).map(|text| default(text, Source::Guide));
        let own = || definition.default.map(|text| default(text, Source::Default));
        self.set_as(definition).or_else(guide).or_else(own)
    }

    /// The value that applies, if there is one. A text that is no valid value is a mistake, which [`Layers::mistakes`] names.
    pub(super) fn get<T>(&self, setting: &Setting<T>) -> Option<T> {
        (setting.form.parse)(&self.find(&setting.definition)?.text).ok()
    }

    /// What was set for the bucket of this number; for the first one as [`Layers::find`] has it.
    pub(crate) fn find_for(&self, definition: &Definition, number: usize) -> Option<Found> {
        if number == 1 { self.find(definition) } else { self.set(definition.twin(number)?) }
    }

    /// The value that was set for the bucket of this number, without a default for others than the first.
    pub(super) fn get_for<T>(&self, setting: &Setting<T>, number: usize) -> Option<T> {
        (setting.form.parse)(&self.find_for(&setting.definition, number)?.text).ok()
    }

    /// One line for every text that is not a valid value of its setting, with its place.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let further = |definition: &'static Definition| {
            let found = definition.further().filter_map(|(_, name)| self.set(name));
            found.filter_map(|found| wrong(definition, found))
        };
        table::ALL
            .iter()
            .flat_map(|definition| self.mistake(definition).into_iter().chain(further(definition)))
            .collect()
    }

    /// What is wrong with a setting's text, if anything is.
    pub(crate) fn mistake(&self, definition: &Definition) -> Option<String> {
        wrong(definition, self.find(definition)?)
    }

    /// Whether the guide's defaults hold.
    pub(super) fn guide(&self) -> bool {
        let set = self.set(table::LASTGOOD_DEFAULTS.definition.name);
        set.is_some_and(|found| (table::LASTGOOD_DEFAULTS.form.parse)(&found.text) == Ok(Defaults::Guide))
    }
}
