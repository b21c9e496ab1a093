//! A proposal: settings, in words, and where they stand.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::answers::report::Report;
use crate::settings::{DATABASE_URL, Given, Settings, read};

/// Names and values, as a settings file has them.
pub(super) type Lines = Vec<(String, String)>;

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    /// In words, without any secret.
    pub(super) shown: String,
    /// Where it stands.
    pub(super) from: String,
    pub(super) lines: Lines,
}

/// What these lines come to.
fn judged(lines: &Lines) -> Option<Settings> {
    let environment: BTreeMap<String, OsString> =
        lines.iter().map(|(name, value)| (name.clone(), value.into())).collect();
    // A folder in which there is no file.
    let given = Given { environment, folder: PathBuf::from("/dev/null"), ..Given::default() };
    Settings::judge(&given, read(&given), Report::default()).0
}

/// The database of these lines in words.
pub(super) fn shown(lines: &Lines) -> Option<String> {
    let settings = judged(lines)?;
    let connection = &settings.databases.first()?.connection;
    // A socket's folder alone names no database: every server that has its socket there is looked at anyway.
    let host = connection.get("PGHOST").filter(|host| !host.starts_with('/'));
    let is_named = host.or(connection.get("PGDATABASE")).or(connection.get("PGSERVICE")).is_some();
    is_named.then(|| connection.place())
}

/// The database's name, where these lines say it.
pub(super) fn database_name(lines: &Lines) -> Option<String> {
    let value = |wanted: &str| lines.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    value("DB_NAME").cloned().or_else(|| {
        let url = (DATABASE_URL.parse)(value("DATABASE_URL")?).ok()?;
        url.variables.get("PGDATABASE").map(|name| name.expose().to_owned())
    })
}
