//! Values that stand in a file of their own: `DB_PASSWORD_FILE=/run/secrets/password`, as images and orchestrators have it.

use std::io::Read as _;
use std::path::Path;

use super::layers::{Layer, Source};
use super::names;

/// More than any secret has.
const LARGEST: u64 = 64 << 10;

/// A value that can't be read, from a file that is named or from a broken line of another program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unread {
    /// The name that is set, such as `DB_PASSWORD_FILE`.
    pub(super) name: String,
    /// The setting whose value it would be.
    pub(super) base: String,
    pub(super) source: Source,
    pub(super) complaint: String,
}

/// Sets what is in files, in the place that names them. A value that stands in the same place itself is stronger.
/// Where both are set and differ, `doubts` gets a line.
pub(super) fn read(layer: &mut Layer, doubts: &mut Vec<String>) -> Vec<Unread> {
    let named = layer.texts().filter_map(|(name, text, source)| {
        let base = names::of_file(name)?;
        Some((name.to_owned(), base.to_owned(), text.to_owned(), source.clone()))
    });
    let mut named: Vec<_> = named.collect();
    named.sort_by(|one, other| one.0.cmp(&other.0));
    let mut unread = Vec::new();
    for (name, base, path, source) in named {
        let beside = layer.texts().find(|(known, ..)| *known == base).map(|(_, text, _)| text);
        match content(Path::new(&path)) {
            Ok(text) if beside.is_some_and(|beside| beside != text) => {
                doubts.push(format!("{name} ({source}) names another value than {base} beside it, which wins"));
            }
            _ if beside.is_some() => {}
            Ok(text) => layer.set(base, text, Source::Named { path: path.into(), by: name, at: Box::new(source) }),
            Err(complaint) => unread.push(Unread { name, base, source, complaint }),
        }
    }
    unread
}

/// A file's text without the end of its line.
fn content(path: &Path) -> Result<String, String> {
    let mut text = Vec::new();
    let file = std::fs::File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut text));
    file.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let text = String::from_utf8(text).map_err(|_| format!("{} is not valid UTF-8", path.display()))?;
    let text = text.trim_end_matches(['\r', '\n']);
    match text {
        "" => Err(format!("{} is empty", path.display())),
        _ if text.contains('\0') => Err(format!("{} contains a zero byte", path.display())),
        text => Ok(text.to_owned()),
    }
}
