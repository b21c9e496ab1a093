//! The TOML file: settings under their names in lower case, and a `[[database]]` entry for each database of several.

use std::path::Path;

use postgres::libpq;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::layers::{Layer, Source};
use super::{names, table};

/// What a file says.
#[derive(Default)]
pub(super) struct TomlFile {
    pub(super) general: Layer,
    pub(super) entries: Vec<Entry>,
    /// One line for every mistake, with its place.
    pub(super) mistakes: Vec<String>,
}

/// One `[[database]]`.
pub(super) struct Entry {
    pub(super) layer: Layer,
    pub(super) source: Source,
}

/// Reads a file's text; `path` is its name in places.
pub(super) fn parse(text: &str, path: &Path) -> TomlFile {
    let mut file = TomlFile::default();
    let place = |span: std::ops::Range<usize>| Source::File { path: path.to_owned(), line: line_at(text, span.start) };
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        file.mistakes.push(format!("{}: {}", place(error.span().unwrap_or_default()), error.message()));
    }
    for (key, value) in document.get_ref() {
        let source = place(key.span());
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("database", DeValue::Array(entries)) => {
                for entry in entries.iter() {
                    read_entry(entry, &place, &mut file);
                }
            }
            ("database", _) => {
                file.mistakes.push(format!("database ({source}): expected `[[database]]`, with two brackets"))
            }
            (key, value) => match text_of(key, value, false) {
                Ok(text) => file.general.set(key.to_ascii_uppercase(), text, source),
                Err(why) => file.mistakes.push(format!("{key} ({source}): {why}")),
            },
        }
    }
    file
}

fn read_entry(entry: &Spanned<DeValue<'_>>, place: &dyn Fn(std::ops::Range<usize>) -> Source, file: &mut TomlFile) {
    let source = place(entry.span());
    let Some(table) = entry.get_ref().as_table() else {
        file.mistakes.push(format!("database ({source}): expected a table, `[[database]]`"));
        return;
    };
    let mut layer = Layer::default();
    for (key, value) in table {
        let (key, source) = (key.get_ref().as_ref(), place(key.span()));
        match text_of(key, value.get_ref(), true) {
            Ok(text) => layer.set(key.to_ascii_uppercase(), text, source),
            Err(why) => file.mistakes.push(format!("{key} ({source}): {why}")),
        }
    }
    file.entries.push(Entry { layer, source });
}

/// The value of the setting `key` as it would be written in the environment, or why there is none.
fn text_of(key: &str, value: &DeValue<'_>, in_entry: bool) -> Result<String, String> {
    let name = key.to_ascii_uppercase();
    let definition = table::ALL.iter().find(|definition| definition.names().any(|own| own == name));
    // `db_password_file` may stand where `db_password` may.
    let base = names::of_file(&name).filter(|base| names::is_known(base));
    let definition =
        definition.or_else(|| table::ALL.iter().find(|definition| definition.names().any(|own| Some(own) == base)));
    let known = definition.is_some() || libpq::PARAMETERS.iter().any(|(_, variable)| *variable == name);
    if !known || key.chars().any(|c| c.is_ascii_uppercase()) {
        let meant = names::nearest(&name)
            .map_or(String::new(), |near| format!("; did you mean {}?", near.to_ascii_lowercase()));
        return Err(format!("not a setting{meant}"));
    }
    if in_entry && definition.is_some_and(|definition| !definition.per_database) {
        return Err("cannot differ between databases; move it above the first [[database]]".to_owned());
    }
    let text = match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Boolean(switch) => Some(switch.to_string()),
        DeValue::Array(list) => joined(list, definition.and_then(|definition| definition.parts)),
        _ => None,
    };
    text.ok_or_else(|| "expected a string, a whole number, true, false or a list of strings".to_owned())
}

/// A list as one text: with what parts its elements, or quoted as a shell quotes words.
fn joined(list: &DeArray<'_>, parts: Option<&str>) -> Option<String> {
    let elements: Option<Vec<&str>> = list.iter().map(|word| word.get_ref().as_str()).collect();
    match parts {
        Some(parts) => Some(elements?.join(parts)),
        None => shlex::try_join(elements?).ok(),
    }
}

fn line_at(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|b| *b == b'\n').count() + 1
}
