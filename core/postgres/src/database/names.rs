//! The names of the databases that stand beside the living one: `NAME_restoring_TIME` while it is filled,
//! `NAME_before_TIME` after the exchange, and `NAME_drill_TIME` for a drill. The time is the restore's own, in UTC, as in a backup's name.

use archive::Digester;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// PostgreSQL's limit for a name, in bytes (`NAMEDATALEN` - 1).
const LONGEST: usize = 63;
const RESTORING: &str = "_restoring_";
const BEFORE: &str = "_before_";
const DRILL: &str = "_drill_";
const TIME: &str = "%Y%m%d_%H%M%S";
/// Hexadecimal digits that keep shortened names apart.
const HASH_DIGITS: usize = 8;

/// The new database's name while it is being filled.
#[must_use]
pub fn restoring(database: &str, at: Timestamp) -> String {
    beside(database, RESTORING, at)
}

/// The old database's name after the exchange.
#[must_use]
pub fn before(database: &str, at: Timestamp) -> String {
    beside(database, BEFORE, at)
}

/// Whether `name` is one that [`before`] makes for `database`.
#[must_use]
pub fn is_before(database: &str, name: &str) -> bool {
    is_beside(database, BEFORE, name)
}

/// When the database `name` was put aside, where it is one that [`before`] makes for `database`.
#[must_use]
pub fn put_aside(database: &str, name: &str) -> Option<Timestamp> {
    let time = time_beside(database, BEFORE, name)?;
    jiff::civil::DateTime::strptime(TIME, time).ok()?.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
}

/// Whether `name` is one that [`restoring`] makes for `database`: what a killed restore left behind.
#[must_use]
pub fn is_restoring(database: &str, name: &str) -> bool {
    is_beside(database, RESTORING, name)
}

/// The scratch database's name during a drill.
#[must_use]
pub fn drill(database: &str, at: Timestamp) -> String {
    beside(database, DRILL, at)
}

/// Whether `name` is one that [`drill`] makes for any database.
#[must_use]
pub fn is_drill(name: &str) -> bool {
    name.rsplit_once(DRILL).is_some_and(|(_, time)| is_time(time))
}

/// A time as names have it: `20261122_194500`.
#[must_use]
pub fn spell_time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime(TIME).to_string()
}

fn beside(database: &str, mark: &str, at: Timestamp) -> String {
    format!("{}{mark}{}", shortened(database, mark), spell_time(at))
}

fn is_beside(database: &str, mark: &str, name: &str) -> bool {
    time_beside(database, mark, name).is_some_and(is_time)
}

fn is_time(text: &str) -> bool {
    jiff::civil::DateTime::strptime(TIME, text).is_ok() && text.len() == "YYYYMMDD_HHMMSS".len()
}

fn time_beside<'a>(database: &str, mark: &str, name: &'a str) -> Option<&'a str> {
    name.strip_prefix(&shortened(database, mark)).and_then(|rest| rest.strip_prefix(mark))
}

/// The name, or its beginning and a digest of all of it where mark and time would make it too long.
fn shortened(database: &str, mark: &str) -> String {
    let room = LONGEST - mark.len() - "YYYYMMDD_HHMMSS".len();
    if database.len() <= room {
        return database.to_owned();
    }
    let mut digester = Digester::new();
    digester.update(database.as_bytes());
    let digest: String = format!("~{}", digester.finish().md5).chars().take(HASH_DIGITS + 1).collect();
    let kept: String = database
        .char_indices()
        .take_while(|(at, letter)| at + letter.len_utf8() + digest.len() <= room)
        .map(|(_, letter)| letter)
        .collect();
    kept + &digest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time() -> Timestamp {
        "2026-11-22T19:45:00Z".parse().unwrap()
    }

    #[test]
    fn names_carry_the_restores_time() {
        assert_eq!(restoring("app", time()), "app_restoring_20261122_194500");
        assert_eq!(before("app", time()), "app_before_20261122_194500");
        assert_eq!(put_aside("app", "app_before_20261122_194500"), Some(time()));
        assert_eq!(put_aside("app", "app_restoring_20261122_194500"), None);
    }

    #[test]
    fn another_databases_copies_are_not_ours() {
        assert!(is_before("app", "app_before_20261122_194500"));
        for other in ["app_staging_before_20261122_194500", "app_before_later", "app_before_20261322_194500", "app"] {
            assert!(!is_before("app", other), "{other}");
        }
        assert!(!is_before("app", &restoring("app", time())));
        let (one, other) = ("x".repeat(60), "x".repeat(61));
        assert!(!is_before(&one, &before(&other, time())));
    }

    #[test]
    fn a_scratch_database_is_known_by_its_name() {
        assert_eq!(drill("app", time()), "app_drill_20261122_194500");
        assert!(is_drill("app_drill_20261122_194500") && is_drill(&drill(&"ü".repeat(40), time())));
        for other in
            ["app", "app_drill_", "app_drill_20261122_19450", "app_drill_20261122_194500x", "drill_20261122_194500"]
        {
            assert!(!is_drill(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_name_fits_and_is_found_again(database in "\\PC{1,63}") {
            for (name, is) in [(before(&database, time()), is_before(&database, &before(&database, time()))),
                (restoring(&database, time()), is_restoring(&database, &restoring(&database, time())))] {
                prop_assert!(is);
                prop_assert!(name.len() <= LONGEST, "{name}");
            }
        }
    }
}
