//! The TOML file: settings under their names in lower case, a `[[database]]` entry for each database of several, and a `[[bucket]]`
//! entry for each bucket of several.

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
    let mut buckets = None;
    for (key, value) in document.get_ref() {
        let source = place(key.span());
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("database", DeValue::Array(entries)) => {
                for entry in entries.iter() {
                    read_entry(entry, &place, &mut file);
                }
            }
            // Which number an entry has depends on what stands outside of them.
            ("bucket", DeValue::Array(entries)) => buckets = Some(entries),
            ("bucket", _) => file.mistakes.push(format!("bucket ({source}): expected `[[bucket]]`, with two brackets")),
            ("database", _) => {
                file.mistakes.push(format!("database ({source}): expected `[[database]]`, with two brackets"))
            }
            (key, value) => match text_of(key, value, false) {
                Ok(text) => file.general.set(key.to_ascii_uppercase(), text, source),
                Err(why) => file.mistakes.push(format!("{key} ({source}): {why}")),
            },
        }
    }
    read_buckets(buckets.into_iter().flat_map(|entries| entries.iter()), &place, &mut file);
    file
}

/// The entries are the buckets after that of `backup_s3_bucket`; where there is none, the first one is the first bucket.
fn read_buckets<'e>(
    entries: impl Iterator<Item = &'e Spanned<DeValue<'e>>>,
    place: &dyn Fn(std::ops::Range<usize>) -> Source,
    file: &mut TomlFile,
) {
    let first = if file.general.has(table::BACKUP_S3_BUCKET.definition.name) { 2 } else { 1 };
    for (number, entry) in (first..).zip(entries) {
        let source = place(entry.span());
        let Some(fields) = entry.get_ref().as_table() else {
            file.mistakes.push(format!("bucket ({source}): expected a table, `[[bucket]]`"));
            continue;
        };
        if number > 4 {
            file.mistakes.push(format!("[[bucket]] ({source}): there are four buckets at most"));
            continue;
        }
        for (key, value) in fields {
            let (key, source) = (key.get_ref().as_ref(), place(key.span()));
            match numbered(key, number).and_then(|name| Ok((name, text_of(key, value.get_ref(), false)?))) {
                Ok((name, _)) if file.general.has(&name) => {
                    let name = name.to_ascii_lowercase();
                    file.mistakes.push(format!("{key} ({source}): it is set outside of the entry as well, as {name}"));
                }
                Ok((name, text)) => file.general.set(name, text, source),
                Err(why) => file.mistakes.push(format!("{key} ({source}): {why}")),
            }
        }
    }
}

/// What a setting in the entry of this bucket is called outside of it.
fn numbered(key: &str, number: usize) -> Result<String, String> {
    let name = key.to_ascii_uppercase();
    let (base, end) = match names::of_file(&name) {
        Some(base) => (base, "_FILE"),
        None => (name.as_str(), ""),
    };
    let Some(definition) = names::definition_of(base) else { return Ok(name) };
    let own = definition.twin(number).filter(|_| definition.name == base && definition.numbered);
    match own {
        Some(own) => Ok(format!("{own}{end}")),
        None => Err("cannot differ between buckets; move it above the first entry".to_owned()),
    }
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
    // `db_password_file` may stand where `db_password` may.
    let base = names::of_file(&name).filter(|base| names::is_known(base));
    let definition = names::definition_of(&name).or_else(|| names::definition_of(base?));
    let known = definition.is_some() || libpq::PARAMETERS.iter().any(|(_, variable)| *variable == name);
    if let Some(why) = names::misnumbered(&name) {
        return Err(why);
    }
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
