//! What the environment and `.env` files name: an application's, and the guide's beside its scripts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::super::offer::{Lines, Offer, shown};
use super::crontabs::Crontab;
use crate::settings::{ALL, Section, is_read, of_env_file};

/// A database and a place of one file.
type Both = (Option<Offer>, Option<Offer>);

/// The settings whose values say where backups go.
const PLACES: [&str; 2] = ["BACKUP_DIR", "BACKUP_S3_BUCKET"];

/// What is set in the environment.
pub(super) fn of_environment(environment: &BTreeMap<String, OsString>) -> Option<Both> {
    let set = environment.iter().filter_map(|(name, value)| Some((name.clone(), value.to_str()?.to_owned())));
    let lines = set.filter(|(name, value)| is_read(name) && !value.is_empty()).collect();
    Some(both(lines, "the environment"))
}

/// What `.env` in the working folder sets, and what the guide's files do whose scripts a crontab runs.
pub(super) fn of_files(crontabs: &[Crontab]) -> Vec<Both> {
    let own = [(PathBuf::from(".env"), false)].into_iter();
    let guides = crontabs.iter().flat_map(Crontab::env_files).map(|path| (path, true));
    own.chain(guides).filter_map(|(path, is_guides)| of_file(&path, is_guides)).collect()
}

fn of_file(path: &Path, is_guides: bool) -> Option<Both> {
    let mut lines = of_env_file(path).ok()?;
    if is_guides && !lines.iter().any(|(name, _)| name == "LASTGOOD_DEFAULTS") {
        // As its scripts, which are shims now, have it.
        lines.push(("LASTGOOD_DEFAULTS".to_owned(), "guide".to_owned()));
    }
    Some(both(lines, &path.display().to_string()))
}

fn both(lines: Lines, from: &str) -> Both {
    let (database, rest): (Lines, Lines) = lines.into_iter().partition(|(name, _)| is_of_database(name));
    let database = shown(&database).map(|shown| Offer { shown, from: from.to_owned(), lines: database });
    (database, place(rest, from))
}

fn place(lines: Lines, from: &str) -> Option<Offer> {
    let value = |wanted: &str| lines.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let places: Vec<String> = PLACES.iter().filter_map(|name| Some(format!("{name}={}", value(name)?))).collect();
    (!places.is_empty()).then(|| Offer { shown: places.join(", "), from: from.to_owned(), lines })
}

/// Whether it says where the database is; what isn't a setting of ours is libpq's or another program's name for that.
fn is_of_database(name: &str) -> bool {
    let own = ALL.iter().find(|definition| definition.is_called(name));
    name == "LASTGOOD_DEFAULTS" || own.is_none_or(|definition| definition.section == Section::Database)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, is_guides: bool) -> (String, String) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let (database, place) = of_file(file.path(), is_guides).unwrap();
        let said = |offer: Option<Offer>| {
            let of = offer.map(|offer| offer.lines.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>());
            of.unwrap_or_default().join(" ")
        };
        (said(database), said(place))
    }

    #[test]
    fn a_file_gives_its_database_and_its_place_apart() {
        let both = read("SECRET_KEY=x\nDATABASE_URL=postgresql://a@h/b\nBACKUP_DIR=/b c\nBACKUP_KEEP_LAST=3\n", false);
        assert_eq!(
            both,
            ("DATABASE_URL=postgresql://a@h/b".to_owned(), "BACKUP_DIR=/b c BACKUP_KEEP_LAST=3".to_owned())
        );
        let none = read("AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=b\n", false);
        assert_eq!(none, (String::new(), String::new()), "an application's own keys are no place");
    }

    #[test]
    fn the_guides_file_keeps_its_names_and_defaults() {
        let (database, place) = read("POSTGRES_HOST=db\nBACKUP_S3_BUCKET=shop-b\nAWS_REGION=eu-west-1\n", true);
        assert_eq!(database, "POSTGRES_HOST=db LASTGOOD_DEFAULTS=guide");
        assert_eq!(place, "BACKUP_S3_BUCKET=shop-b AWS_REGION=eu-west-1");
    }
}
