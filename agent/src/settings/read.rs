//! Reading the places of settings: flags, environment, `.env` file, TOML file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use postgres::libpq;

use super::layers::{Layer, Layers, Source};
use super::toml_file::{self, Entry};
use super::{env_file, names};

/// What the command line says about settings, and the process's surroundings. A value, so that tests choose it.
#[derive(Clone, Default)]
pub(crate) struct Given {
    /// Settings that a flag sets: the setting's name, the flag, the value.
    pub(crate) flags: Vec<(&'static str, &'static str, String)>,
    /// `--env-file`: must exist. Otherwise `.env` in the working folder, or `/etc/lastgood.env`, where there is one.
    pub(crate) env_file: Option<PathBuf>,
    /// `--config`: must exist. Otherwise the user's own file or the machine's, where there is one.
    pub(crate) config: Option<PathBuf>,
    /// `--database`.
    pub(crate) databases: Vec<String>,
    /// `--all-databases`.
    pub(crate) all_databases: bool,
    pub(crate) environment: BTreeMap<String, OsString>,
    pub(crate) home: Option<PathBuf>,
}

impl Given {
    /// The process's own environment.
    #[expect(clippy::disallowed_methods, reason = "the one place in which the settings' environment is read")]
    pub(crate) fn here() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self { environment: variables.collect(), home: std::env::home_dir(), ..Self::default() }
    }

    /// `TMPDIR`, else `/var/tmp`: systems keep /tmp in memory, and /var/tmp on a disk.
    pub(super) fn spool_directory(&self) -> PathBuf {
        self.environment.get("TMPDIR").map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from)
    }
}

/// Every value that was given, by place.
#[derive(Clone, Default)]
pub(crate) struct Read {
    /// Flags, environment, `.env` and the general part of the TOML file.
    pub(crate) layers: Layers,
    /// The `[[database]]` entries: their own values, and where each begins.
    pub(super) entries: Vec<(Layer, Source)>,
    /// The files that were read.
    pub(crate) files: Vec<PathBuf>,
    /// What cannot be read or is not a setting, one line each, with its place.
    pub(crate) mistakes: Vec<String>,
    /// What is doubtful but not wrong.
    pub(crate) warnings: Vec<String>,
}

/// Reads every place, and goes on where one of them is wrong.
pub(crate) fn read(given: &Given) -> Read {
    let mut read = Read::default();
    let flags = flags(given);
    let environment = environment(given, &mut read.mistakes);
    let env_file = env_file(given, &mut read);
    let (toml, entries) = toml_file(given, &mut read);
    read.entries = entries;
    read.layers = Layers::new(vec![flags, environment, env_file, toml]);
    read
}

fn flags(given: &Given) -> Layer {
    let mut layer = Layer::default();
    for (name, flag, value) in &given.flags {
        layer.set(*name, value, Source::Flag(flag));
    }
    layer
}

fn environment(given: &Given, mistakes: &mut Vec<String>) -> Layer {
    let mut layer = Layer::default();
    for (name, value) in &given.environment {
        if names::is_known(name) {
            match value.to_str() {
                Some(value) => layer.set(name, value, Source::Environment),
                None => mistakes.push(format!("{name} (environment): its value is not valid UTF-8")),
            }
        } else if let Some(meant) = names::misspelt(name) {
            mistakes.push(format!("{name} (environment): not a setting; did you mean {meant}?"));
        }
    }
    layer
}

fn env_file(given: &Given, read: &mut Read) -> Layer {
    let mut layer = Layer::default();
    let usual = [PathBuf::from(".env"), PathBuf::from("/etc/lastgood.env")];
    let Some((path, text)) = open("--env-file", given.env_file.as_ref(), &usual, read) else { return layer };
    let (assignments, bad) = env_file::parse(&text, &|name| given.environment.get(name)?.clone().into_string().ok());
    for line in bad {
        let place = Source::File { path: path.clone(), line: line.line };
        match line.name {
            // Other programs share the file: a line of theirs is no reason to stop.
            Some(name) if names::is_known(&name) => read.mistakes.push(format!("{name} ({place}): {}", line.complaint)),
            Some(_) => {}
            None => read.warnings.push(format!("{place}: ignored this line: {}", line.complaint)),
        }
    }
    let mut has_secret = false;
    for assignment in assignments {
        let source = Source::File { path: path.clone(), line: assignment.line };
        if names::is_known(&assignment.name) {
            has_secret |= is_secret(&assignment.name) && !assignment.value.is_empty();
            layer.set(assignment.name, assignment.value, source);
        } else if let Some(meant) = names::misspelt(&assignment.name) {
            read.mistakes.push(format!("{} ({source}): not a setting; did you mean {meant}?", assignment.name));
        }
    }
    warn_if_open(&path, has_secret, &mut read.warnings);
    layer
}

fn toml_file(given: &Given, read: &mut Read) -> (Layer, Vec<(Layer, Source)>) {
    let own = given.environment.get("XDG_CONFIG_HOME").map(PathBuf::from);
    let own = own.or_else(|| given.home.as_ref().map(|home| home.join(".config")));
    let own = own.map(|folder| folder.join("lastgood/lastgood.toml"));
    let usual: Vec<PathBuf> = own.into_iter().chain([PathBuf::from("/etc/lastgood.toml")]).collect();
    let Some((path, text)) = open("--config", given.config.as_ref(), &usual, read) else { return Default::default() };
    let file = toml_file::parse(&text, &path);
    read.mistakes.extend(file.mistakes);
    let all = file.entries.iter().map(|entry| &entry.layer).chain([&file.general]);
    let has_secret = all.flat_map(Layer::names).any(|(name, _)| is_secret(name));
    warn_if_open(&path, has_secret, &mut read.warnings);
    (file.general, file.entries.into_iter().map(|Entry { layer, source }| (layer, source)).collect())
}

/// The text of the file that was named, which must exist, or of the first usual one that does.
fn open(flag: &str, named: Option<&PathBuf>, usual: &[PathBuf], read: &mut Read) -> Option<(PathBuf, String)> {
    let path = named.or_else(|| usual.iter().find(|path| path.is_file()))?;
    match std::fs::read_to_string(path) {
        Ok(text) => {
            read.files.push(path.clone());
            Some((path.clone(), text))
        }
        Err(error) if named.is_some() => {
            read.mistakes.push(format!("{flag} {}: {error}", path.display()));
            None
        }
        Err(error) => {
            read.mistakes.push(format!("{}: {error}", path.display()));
            None
        }
    }
}

fn is_secret(name: &str) -> bool {
    let secret =
        super::table::ALL.iter().any(|definition| definition.secret && definition.names().any(|own| own == name));
    secret || libpq::is_secret(name)
}

fn warn_if_open(path: &Path, has_secret: bool, warnings: &mut Vec<String>) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if has_secret && mode & 0o004 != 0 {
        warnings.push(format!("{0} contains a secret and every user can read it: chmod o-r {0}", path.display()));
    }
}
