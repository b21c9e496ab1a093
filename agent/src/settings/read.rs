//! Reading the places of settings: flags, environment, `.env` file, TOML file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::layers::{Layer, Layers, Source};
use super::toml_file::{self, Entry};
use super::twins::{self, Unread};
use super::{env_file, names};
use env_file::{BadLine, Broken};

/// The mark of a file in UTF-16, as Windows' Notepad writes it: no line of it can be read.
const UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Where root, and the package's user, keep what is remembered between runs.
pub(crate) const STATE: &str = "/var/lib/lastgood";

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
    /// The working folder, where `.env` is looked for.
    pub(crate) folder: PathBuf,
    /// Where the machine keeps its settings: `/etc`. None: nowhere.
    pub(crate) machine: Option<PathBuf>,
}

impl Given {
    /// The process's own environment.
    #[expect(clippy::disallowed_methods, reason = "the one place in which the settings' environment is read")]
    pub(crate) fn here() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let machine = Some(PathBuf::from("/etc"));
        Self { environment: variables.collect(), home: std::env::home_dir(), machine, ..Self::default() }
    }

    /// systemd's `STATE_DIRECTORY`, else `/var/lib/lastgood` of root, else the user's own below `XDG_STATE_HOME` or `~/.local/state`.
    pub(super) fn state_directory(&self) -> PathBuf {
        let set = |name| self.environment.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(folders) = set("STATE_DIRECTORY") {
            // Several, in a unit that has several: the first one is meant.
            return folders.to_string_lossy().split(':').next().map_or(folders.clone(), PathBuf::from);
        }
        if rustix::process::geteuid().is_root() {
            return PathBuf::from(STATE);
        }
        let of_home = || self.home.as_ref().map(|home| home.join(".local/state"));
        set("XDG_STATE_HOME").or_else(of_home).map_or_else(|| PathBuf::from(STATE), |of| of.join("lastgood"))
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
    /// Whether one of the files may not be read by who runs this.
    pub(super) is_closed: bool,
    /// What is doubtful but not wrong.
    pub(crate) warnings: Vec<String>,
    /// Values that can't be read: whether that is wrong depends on who else names them.
    pub(super) unread: Vec<Unread>,
    pub(super) hidden: Vec<Hidden>,
}

/// A file that isn't read because another one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hidden {
    /// The flag that would name it.
    pub(super) flag: &'static str,
    /// The file that is read instead.
    pub(super) by: PathBuf,
    pub(super) file: PathBuf,
}

/// Reads every place, and goes on where one of them is wrong.
pub(crate) fn read(given: &Given) -> Read {
    let mut read = Read::default();
    let flags = flags(given);
    let environment = environment(given, &mut read);
    let env_file = env_file(given, &mut read);
    let (toml, entries) = toml_file(given, &mut read);
    read.entries = entries;
    let mut layers = vec![flags, environment, env_file, toml];
    let entries = read.entries.iter_mut().map(|(entry, _)| entry);
    for layer in layers.iter_mut().chain(entries) {
        read.unread.extend(twins::read(layer, &mut read.warnings));
    }
    read.layers = Layers::new(layers);
    read
}

fn flags(given: &Given) -> Layer {
    let mut layer = Layer::default();
    for (name, flag, value) in &given.flags {
        layer.set(*name, value, Source::Flag(flag));
    }
    layer
}

fn environment(given: &Given, read: &mut Read) -> Layer {
    let mut layer = Layer::default();
    for (name, value) in &given.environment {
        match value.to_str() {
            _ if !names::is_read(name) => note_unread(name, &Source::Environment, read),
            Some(value) => layer.set(name, value, Source::Environment),
            None if names::is_known(name) => {
                read.mistakes.push(format!("{name} (environment): its value is not valid UTF-8"));
            }
            None => read.unread.push(Unread {
                base: name.clone(),
                name: name.clone(),
                source: Source::Environment,
                complaint: "its value is not valid UTF-8".into(),
            }),
        }
    }
    layer
}

/// What is to be said of a name that isn't read: a warning where it is one of ours but for a letter, and a mistake where it numbers a
/// bucket that can't be.
fn note_unread(name: &str, source: &Source, read: &mut Read) {
    if let Some(why) = names::misnumbered(name) {
        read.mistakes.push(format!("{name} ({source}): {why}"));
    } else if let Some(meant) = names::misspelt(name) {
        read.warnings.push(format!("{name} ({source}): not a setting; did you mean {meant}?"));
    }
}

fn env_file(given: &Given, read: &mut Read) -> Layer {
    let mut layer = Layer::default();
    let machine = given.machine.as_ref().map(|folder| folder.join("lastgood.env"));
    let usual: Vec<PathBuf> = [given.folder.join(".env")].into_iter().chain(machine).collect();
    let Some((path, bytes)) = open("--env-file", given.env_file.as_ref(), &usual, read) else { return layer };
    if UTF_16.iter().any(|mark| bytes.starts_with(mark)) {
        read.mistakes.push(format!("{}: it is in UTF-16; save it as UTF-8", path.display()));
        return layer;
    }
    let outer = |name: &str| given.environment.get(name)?.clone().into_string().ok();
    let (assignments, bad) = env_file::parse(&bytes, &outer);
    let place = |line| Source::File { path: path.clone(), line };
    let mut has_secret = false;
    let (assignments, unusable): (Vec<_>, Vec<_>) = assignments.into_iter().partition(|a| !a.value.contains('\0'));
    let bad = bad.into_iter().chain(unusable.into_iter().map(BadLine::with_zero_byte)).collect();
    for assignment in assignments {
        let source = place(assignment.line);
        if names::is_read(&assignment.name) {
            has_secret |= names::is_secret(&assignment.name) && !assignment.value.is_empty();
            layer.set(assignment.name, assignment.value, source);
        } else {
            note_unread(&assignment.name, &source, read);
        }
    }
    judge_lines(bad, &place, &outer, read);
    warn_if_open(&path, has_secret, &mut read.warnings);
    layer
}

/// Other programs share the file: a line of theirs is no reason to stop. One where a name that is read may be meant is, because
/// going on could take another database.
fn judge_lines(
    bad: Vec<BadLine>,
    place: &dyn Fn(usize) -> Source,
    outer: &dyn Fn(&str) -> Option<String>,
    read: &mut Read,
) {
    let mut strange = Vec::new();
    for BadLine { line, kind, names: words, complaint } in bad {
        match words.into_iter().find(|word| names::is_read(word)) {
            // Docker's files take a name alone from the environment, which is stronger anyway.
            Some(name) if kind == Broken::Bare && outer(&name).is_some() => {}
            Some(name) if names::is_known(&name) => {
                read.mistakes.push(format!("{name} ({}): {complaint}", place(line)));
            }
            Some(name) => read.unread.push(Unread { base: name.clone(), name, source: place(line), complaint }),
            None if kind == Broken::Value => {}
            None => strange.push((line, complaint)),
        }
    }
    if let [(line, complaint), more @ ..] = strange.as_slice() {
        let more = if more.is_empty() { String::new() } else { format!(", and {} more like it", more.len()) };
        read.warnings.push(format!("{}: ignored this line: {complaint}{more}", place(*line)));
    }
}

fn toml_file(given: &Given, read: &mut Read) -> (Layer, Vec<(Layer, Source)>) {
    let own = given.environment.get("XDG_CONFIG_HOME").map(PathBuf::from);
    let own = own.or_else(|| given.home.as_ref().map(|home| home.join(".config")));
    let own = own.map(|folder| folder.join("lastgood/lastgood.toml"));
    let machine = given.machine.as_ref().map(|folder| folder.join("lastgood.toml"));
    let usual: Vec<PathBuf> = own.into_iter().chain(machine).collect();
    let Some((path, bytes)) = open("--config", given.config.as_ref(), &usual, read) else { return Default::default() };
    let Ok(text) = String::from_utf8(bytes) else {
        read.mistakes.push(format!("{}: it is not valid UTF-8", path.display()));
        return Default::default();
    };
    let file = toml_file::parse(&text, &path);
    read.mistakes.extend(file.mistakes);
    let all = file.entries.iter().map(|entry| &entry.layer).chain([&file.general]);
    let has_secret = all.flat_map(Layer::names).any(|(name, _)| names::is_secret(name));
    warn_if_open(&path, has_secret, &mut read.warnings);
    (file.general, file.entries.into_iter().map(|Entry { layer, source }| (layer, source)).collect())
}

/// The content of the file that was named, which must exist, or of the first usual one that does.
fn open(flag: &'static str, named: Option<&PathBuf>, usual: &[PathBuf], read: &mut Read) -> Option<(PathBuf, Vec<u8>)> {
    let mut there = usual.iter().filter(|path| path.is_file());
    let path = named.or_else(|| there.next())?;
    match std::fs::read(path) {
        Ok(bytes) => {
            read.files.push(path.clone());
            if let Some(hidden) = there.next().filter(|_| named.is_none()) {
                read.hidden.push(Hidden { flag, by: path.clone(), file: hidden.clone() });
            }
            Some((path.clone(), bytes))
        }
        Err(error) => {
            let flag = if named.is_some() { format!("{flag} ") } else { String::new() };
            read.mistakes.push(format!("{flag}{}: {error}", path.display()));
            read.is_closed |= error.kind() == std::io::ErrorKind::PermissionDenied;
            None
        }
    }
}

fn warn_if_open(path: &Path, has_secret: bool, warnings: &mut Vec<String>) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if has_secret && mode & 0o004 != 0 {
        warnings.push(format!("{0} contains a secret and every user can read it: chmod o-r {0}", path.display()));
    }
}
