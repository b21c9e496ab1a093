//! The mark that backups of a database are expected in a repository: put before its first dump, so that a database whose
//! backups stop, vanish, or never succeed is still reported. It stays until a person retires the database.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::document::{DocumentError, Kind, Unknown};

const KIND: Kind = Kind { what: "database entry", version: 1 };

/// Database entry version 1. In JSON, times are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseEntry {
    /// The PostgreSQL name.
    pub database: String,
    /// When a backup was first tried.
    pub since: Timestamp,
    /// When a person said that no more backups will come; null while they are expected.
    pub retired: Option<Timestamp>,
    /// The age in hours from which its newest good backup raises an alarm, where a person set one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_hours: Option<u32>,
    /// The stored bytes below which a good backup raises an alarm, where a person set a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_size: Option<u64>,
    /// Fields of a later version, kept when the entry is written again.
    #[serde(skip)]
    pub unknown: Unknown,
}

impl DatabaseEntry {
    /// The mark of a database whose backups are expected from `since` on, with no limits of its own.
    #[must_use]
    pub fn new(database: &str, since: Timestamp) -> Self {
        let (retired, max_age_hours, min_size) = (None, None, None);
        Self { database: database.to_owned(), since, retired, max_age_hours, min_size, unknown: Unknown::default() }
    }

    /// Since when backups are expected, if the mark was stored at `stored`: whoever marked it may have a clock that is ahead.
    #[must_use]
    pub fn expected_since(&self, stored: Timestamp) -> Timestamp {
        self.since.min(stored)
    }

    /// Whether backups are expected at `now`: not after it was retired, unless one came later all the same. It was retired when its mark
    /// was stored at the latest: the clock of who did it may be ahead.
    #[must_use]
    pub fn is_expected(&self, catalog: &Catalog, now: Timestamp) -> bool {
        let newest = catalog.newest_uploaded(now).map(|entry| entry.instant);
        let stored = catalog.expected.as_ref().map_or(Timestamp::MAX, |mark| mark.last_modified);
        self.retired.is_none_or(|retired| newest.is_some_and(|newest| newest > retired.min(stored)))
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// When it is of a newer version, or isn't a database entry.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        let (entry, unknown) = KIND.read::<Self>(json)?;
        Ok(Self { unknown, ..entry })
    }

    /// The entry as it is stored.
    ///
    /// # Errors
    /// Only when a value can't be put into JSON, which none of these can.
    pub fn to_json(&self) -> Result<Vec<u8>, DocumentError> {
        KIND.write(self, &self.unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::State;
    use crate::testing::{Listing, time};

    fn entry(retired: Option<&str>) -> DatabaseEntry {
        let retired = retired.map(time);
        DatabaseEntry { retired, ..DatabaseEntry::new("my app", time("2026-01-20T03:00:00Z")) }
    }

    #[test]
    fn the_entry_is_this_document() {
        let json = String::from_utf8(entry(None).to_json().unwrap()).unwrap();
        insta::assert_snapshot!(json, @r#"
        {
          "version": 1,
          "database": "my app",
          "since": "2026-01-20T03:00:00Z",
          "retired": null
        }
        "#);
        assert_eq!(DatabaseEntry::from_json(json.as_bytes()).unwrap(), entry(None));
    }

    #[test]
    fn limits_of_its_own_stand_in_the_entry() {
        let limited = DatabaseEntry { max_age_hours: Some(2), min_size: Some(1_048_576), ..entry(None) };
        let json = String::from_utf8(limited.to_json().unwrap()).unwrap();
        insta::assert_snapshot!(json, @r#"
        {
          "version": 1,
          "database": "my app",
          "since": "2026-01-20T03:00:00Z",
          "retired": null,
          "maxAgeHours": 2,
          "minSize": 1048576
        }
        "#);
        assert_eq!(DatabaseEntry::from_json(json.as_bytes()).unwrap(), limited);
    }

    #[test]
    fn a_mark_of_a_clock_that_is_ahead_counts_from_when_it_was_stored() {
        let stored = time("2026-01-20T04:00:00Z");
        assert_eq!(entry(None).expected_since(stored), time("2026-01-20T03:00:00Z"));
        assert_eq!(DatabaseEntry::new("app", time("9999-01-01T00:00:00Z")).expected_since(stored), stored);
    }

    #[test]
    fn a_retired_database_is_not_expected_until_a_backup_comes_all_the_same() {
        let (mut listing, now) = (Listing::bucket(), time("2026-01-23T00:00:00Z"));
        assert!(entry(None).is_expected(&listing.catalog(), now), "backups that vanished are missed");
        listing.at(State::Good, "2026-01-20T03:00:00Z");
        let retired = entry(Some("2026-01-21T00:00:00Z"));
        assert!(entry(None).is_expected(&listing.catalog(), now));
        assert!(!retired.is_expected(&listing.catalog(), now));
        assert!(
            !entry(Some("2026-01-20T03:00:00Z")).is_expected(&listing.catalog(), now),
            "the last one, retired at once"
        );
        listing.at(State::Good, "2036-01-22T03:00:00Z");
        assert!(
            !retired.is_expected(&listing.catalog(), now),
            "one made by a wrong clock before is none that came after"
        );
        listing.at(State::Uploaded, "2026-01-22T03:00:00Z");
        assert!(retired.is_expected(&listing.catalog(), now));
        // By a clock that was months ahead.
        let ahead = entry(Some("2026-03-21T00:00:00Z"));
        assert!(!ahead.is_expected(&listing.catalog(), now), "nothing says better");
        let mark = listing.layout.database_entry("app");
        listing.objects.push(crate::testing::object(&mark, 100, time("2026-01-21T00:00:00Z")));
        assert!(ahead.is_expected(&listing.catalog(), now), "it was stored before that backup came");
    }
}
