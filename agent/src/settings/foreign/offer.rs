//! What one program's names say about its database.

use postgres::{Secret, libpq};

use super::groups::{Group, Part};
use crate::settings::address::{Claim, Claims, Origin, list};
use crate::settings::database_url::{self, DATABASE_URL};
use crate::settings::form::link;
use crate::settings::layers::{Found, Layers};

/// Words that name another kind of database, as Laravel's `mysql` or Django's `django.db.backends.sqlite3`.
const OTHER_KINDS: [&str; 13] = [
    "mysql",
    "mariadb",
    "sqlite",
    "sqlsrv",
    "sqlserver",
    "mssql",
    "oracle",
    "mongo",
    "cockroach",
    "firebird",
    "dynamo",
    "db2",
    "redis",
];

/// What a group says, before anybody has asked whether it is needed.
#[derive(Default)]
pub(in crate::settings) struct Offer {
    pub(super) claims: Claims,
    /// Whether its host is the address that Kubernetes or Docker have put beside a port: who names a host knows better.
    pub(super) is_link: bool,
    pub(super) refused: Vec<Refused>,
    /// Where it says that its database is not PostgreSQL.
    pub(super) other_kind: Option<Origin>,
    /// What of a URL is left out: doubtful, and merely the application's.
    pub(super) doubts: Vec<String>,
    pub(super) remarks: Vec<String>,
}

/// A value that can't be used.
pub(in crate::settings) struct Refused {
    pub(in crate::settings) origin: Origin,
    /// The variable that it would have set; none: it is a URL.
    pub(in crate::settings) variable: Option<&'static str>,
    pub(in crate::settings) complaint: String,
    /// Whether it is one of our own settings, which are never left out where they are needed.
    pub(in crate::settings) is_own: bool,
}

impl Offer {
    /// What a group's names say, where one of them is set.
    pub(super) fn of(group: &Group, layers: &Layers) -> Option<Self> {
        let found = |wanted: fn(&Part) -> bool| {
            let names = group.iter().filter(move |(_, part)| wanted(part));
            names.filter_map(|(name, part)| Some((layers.set(name)?, *part))).collect::<Vec<_>>()
        };
        let mut offer = Self::default();
        let urls = found(|part| *part == Part::Url);
        // The first of equal distance: of several it is the strongest.
        if let Some((url, _)) = urls.iter().min_by_key(|(found, _)| found.distance) {
            offer.take_url(url);
        }
        let mut parts = found(|part| matches!(part, Part::Variable(_)));
        parts.sort_by_key(|(found, _)| found.distance);
        for (found, part) in &parts {
            if let Part::Variable(variable) = part {
                offer.take_part(variable, found);
            }
        }
        let kinds = found(|part| *part == Part::Kind);
        let other = kinds.iter().find(|(kind, _)| is_other(&kind.text)).map(|(kind, _)| Origin::of(kind));
        offer.other_kind = offer.other_kind.or(other);
        let is_set = !urls.is_empty() || !parts.is_empty() || offer.other_kind.is_some();
        is_set.then_some(offer)
    }

    fn take_url(&mut self, found: &Found) {
        let origin = Origin::of(found);
        match (DATABASE_URL.parse)(&found.text) {
            Ok(url) => {
                self.doubts.extend(url.doubts.iter().map(|doubt| format!("{origin}: {doubt}")));
                self.remarks.extend(ignored(&origin, &url.ignored));
                for (variable, value) in url.variables {
                    self.claims.insert(variable, Claim { value, origin: origin.clone() });
                }
            }
            Err(complaint) if database_url::is_of_another(&complaint) => self.other_kind = Some(origin),
            Err(complaint) => self.refused.push(Refused { origin, variable: None, complaint, is_own: false }),
        }
    }

    fn take_part(&mut self, variable: &'static str, found: &Found) {
        if self.claims.contains_key(variable) {
            return;
        }
        if let Some((host, port)) = link(&found.text).filter(|_| variable == "PGPORT") {
            let claim = |text: &str| Claim { value: Secret::new(text), origin: Origin::of(found) };
            self.is_link = !self.claims.contains_key("PGHOST");
            self.claims.entry("PGHOST").or_insert_with(|| claim(host));
            self.claims.insert("PGPORT", claim(port));
            return;
        }
        match value(variable, &found.text) {
            Ok(None) => {}
            Ok(Some(value)) => {
                self.claims.insert(variable, Claim { value: Secret::new(value), origin: Origin::of(found) });
            }
            Err(complaint) => {
                let origin = Origin::of(found);
                self.refused.push(Refused { origin, variable: Some(variable), complaint, is_own: false });
            }
        }
    }
}

/// What `-v` says of a URL's parameters that mean nothing to libpq.
pub(in crate::settings) fn ignored(origin: &Origin, parameters: &[String]) -> Option<String> {
    let names = list(parameters);
    match parameters {
        [] => None,
        [_] => Some(format!("{origin}: its parameter {names} is the application's own, and was left out")),
        _ => Some(format!("{origin}: its parameters {names} are the application's own, and were left out")),
    }
}

/// Whether a kind's value names another database than PostgreSQL.
fn is_other(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    OTHER_KINDS.iter().any(|other| kind.contains(other)) && !kind.contains("://")
}

/// A part's value in libpq's words; none: it says what is so anyway.
fn value(variable: &str, text: &str) -> Result<Option<String>, String> {
    if variable == "PGSSLMODE" {
        let mode =
            libpq::ssl_mode(text).ok_or("expected one of disable, allow, prefer, require, verify-ca, verify-full")?;
        return Ok((mode != "disable" || text.starts_with('d')).then(|| mode.to_owned()));
    }
    libpq::check(variable, text)?;
    Ok(Some(text.to_owned()))
}
