//! The few statements of a script that pg_dump writes for every dump alike, told by how they begin.

use crate::charset::Charset;
use crate::names::{identifier, is_word, qualified_name};

/// What a statement says beside an object's own SQL.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// `SET client_encoding`.
    Encoding(String),
    /// `SET standard_conforming_strings`: `on` or `off`.
    StandardStrings(String),
    /// `SELECT pg_catalog.set_config('search_path', …)`: names are whole from here on.
    SearchPath(String),
    /// `SET default_tablespace`, for what follows.
    Tablespace(String),
    /// `SET default_table_access_method`, for what follows.
    AccessMethod(String),
    /// `SET default_with_oids`, for what follows.
    WithOids(bool),
    /// `ALTER … OWNER TO …`: what it alters, and the role.
    Owner(String, String),
    /// What pg_restore sets by itself, or finds where an object belongs.
    Nothing,
}

/// Settings of a session that pg_restore sets as well.
const USUAL: [&str; 10] = [
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "transaction_timeout",
    "check_function_bodies",
    "xmloption",
    "client_min_messages",
    "row_security",
    "search_path",
    "escape_string_warning",
];

/// A schema, where it is named, and a name.
pub(super) type RawName = (Option<Vec<u8>>, Vec<u8>);

/// What stands before a table's name.
const STARTS: [&str; 5] = ["COPY ", "INSERT INTO ", "CREATE TABLE ", "CREATE UNLOGGED TABLE ", "CREATE FOREIGN TABLE "];
/// No two names with what stands before them are longer.
const LONGEST_HEAD: usize = 1 << 10;

/// What this statement says, if it is one of these.
pub(super) fn said(statement: &[u8]) -> Option<Said> {
    let text = std::str::from_utf8(statement).ok()?.trim().trim_end_matches(';').trim_end();
    if let Some(path) = text.strip_prefix("SELECT pg_catalog.set_config('search_path'") {
        let is_plain = path.trim_start().starts_with(',') && !path.contains('(');
        return is_plain.then(|| Said::SearchPath(format!("{text};\n")));
    }
    if let Some(altered) = text.strip_prefix("ALTER ") {
        let (what, role) = altered.rsplit_once(" OWNER TO ")?;
        return Some(Said::Owner(what.to_owned(), name(role)?));
    }
    let (setting, value) = text.strip_prefix("SET ")?.split_once(" = ")?;
    let value = value.trim().trim_matches('\'').to_owned();
    Some(match setting {
        "client_encoding" => Said::Encoding(value),
        "standard_conforming_strings" => Said::StandardStrings(value),
        "default_tablespace" => Said::Tablespace(name(&value).unwrap_or(value)),
        "default_table_access_method" => Said::AccessMethod(name(&value).unwrap_or(value)),
        "default_with_oids" => Said::WithOids(value == "true" || value == "on"),
        usual if USUAL.contains(&usual) => Said::Nothing,
        _ => return None,
    })
}

/// Whether this clears the way for what follows, which `--clean` does first.
pub(super) fn clears_the_way(statement: &[u8]) -> bool {
    let text = String::from_utf8_lossy(statement.trim_ascii());
    let begins = |start: &&str| text.starts_with(*start);
    ["DROP ", "ALTER ", "CREATE OR REPLACE VIEW ", "SELECT pg_catalog.lo_unlink(", "UPDATE pg_catalog."]
        .iter()
        .any(begins)
}

/// Its first word.
pub(super) fn first_word(statement: &[u8]) -> &[u8] {
    let text = statement.trim_ascii_start();
    let end = text.iter().position(|&byte| !is_word(byte)).unwrap_or(text.len());
    text.split_at(end).0
}

/// Whether rows follow it.
pub(super) fn is_copy_from_stdin(statement: &[u8]) -> bool {
    if !first_word(statement).eq_ignore_ascii_case(b"COPY") {
        return false;
    }
    let mut words =
        statement.split(|&byte| byte.is_ascii_whitespace() || byte == b';').filter(|word| !word.is_empty()).rev();
    let mut last = words.next();
    // `WITH (…)` may follow; pg_dump's own has nothing behind it.
    while let Some(word) = last {
        if word.eq_ignore_ascii_case(b"stdin") {
            return words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"FROM"));
        }
        last = words.next();
    }
    false
}

/// The schema and the name of what `ALTER` names: `TABLE app.orders`. `None` for what has more than a name.
pub(super) fn altered_object(what: &str) -> Option<(Option<String>, String)> {
    let kinds =
        what.split(' ').take_while(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase()));
    let length: usize = kinds.map(|word| word.len() + 1).sum();
    let (first, rest) = identifier(what.get(length..)?)?;
    match rest.strip_prefix('.') {
        None => rest.is_empty().then_some((None, first)),
        Some(rest) => name(rest).map(|second| (Some(first), second)),
    }
}

/// The table of an INSERT, as [`copied_table`] has it.
pub(super) fn inserted_table(statement: &[u8]) -> Option<(Option<String>, String)> {
    let into = statement.trim_ascii_start().get(b"INSERT ".len()..)?;
    copied_table(into)
}

/// The table of a COPY, and its schema where the statement names one.
pub(super) fn copied_table(statement: &[u8]) -> Option<(Option<String>, String)> {
    let text = String::from_utf8_lossy(statement);
    let text = text.trim_start().get(4..)?.trim_start();
    qualified_name(text).map(|(schema, name, _)| (schema, name))
}

/// The schema and the name of a table as bytes, of a COPY, an INSERT, a CREATE TABLE, or an ATTACH PARTITION; `None` where they are UTF-8.
pub(super) fn raw_table(statement: &[u8]) -> Option<RawName> {
    // Byte by byte: around names, SQL is ASCII in every character set of a database.
    let head = statement.trim_ascii_start();
    let text = Charset::Latin1.text(head.get(..LONGEST_HEAD).unwrap_or(head));
    let rest = match text.split_once(" ATTACH PARTITION ") {
        Some((altered, rest)) if altered.starts_with("ALTER TABLE ") => rest,
        _ => STARTS.iter().find_map(|start| text.strip_prefix(start))?,
    };
    let (schema, name, _) = qualified_name(rest)?;
    let schema = schema.and_then(|schema| Charset::Latin1.bytes(&schema));
    let name = Charset::Latin1.bytes(&name)?;
    let is_other = |name: &[u8]| std::str::from_utf8(name).is_err();
    (is_other(&name) || schema.as_deref().is_some_and(is_other)).then_some((schema, name))
}

/// Whether these bytes, taken for UTF-8, are this schema and name.
pub(super) fn looks_like((schema, name): &RawName, shown_schema: &str, shown_name: &str) -> bool {
    let schema = schema.as_deref().map(String::from_utf8_lossy);
    schema.is_none_or(|schema| schema == shown_schema) && String::from_utf8_lossy(name) == shown_name
}

/// A name that is all of the text.
fn name(text: &str) -> Option<String> {
    let (name, rest) = identifier(text.trim())?;
    rest.is_empty().then_some(name)
}
