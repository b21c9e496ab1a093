//! A backup by the name a person types.

use jiff::Timestamp;

use super::{Catalog, Entry, newness};
use crate::backup::{BackupId, InvalidName};
use crate::words;

/// Why a name finds no backup.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// `latest`, and no backup is good.
    #[error("database `{database}` has no good backup")]
    NoneGood {
        /// The database whose catalog was asked.
        database: String,
    },
    /// The name isn't one.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A name such as `latest~3`, and fewer good backups come before.
    #[error("`{name}` is not there: database `{database}` has {} before `{from}`", words::count(*before as u64, "good backup"))]
    NoneBefore {
        /// The database whose catalog was asked.
        database: String,
        /// What was asked for.
        name: String,
        /// The name that it counts back from.
        from: String,
        /// How many good backups are older than that one.
        before: usize,
    },
    /// There is no such backup.
    #[error("database `{database}` has no backup `{name}`")]
    Absent {
        /// The database whose catalog was asked.
        database: String,
        /// What was asked for.
        name: String,
    },
    /// A label that occurs in several date folders.
    #[error("`{name}` is the name of {} backups: {}", places.len(), places.join(", "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The full names, newest first.
        places: Vec<String>,
    },
}

impl NotFound {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoneGood { .. } => "`lastgood list` shows what there is; `lastgood verify` judges unverified backups",
            Self::NoneBefore { .. } => "`lastgood list` shows what there is; each ~1 goes back by one good backup",
            Self::Name(_) | Self::Absent { .. } => "`lastgood list` shows the names; `latest` is the newest good one",
            Self::Ambiguous { .. } => "name it with its date folder, as YYYYMMDD/NAME",
        }
    }
}

/// A name and how many good backups it goes back from there: `latest~2` is two before `latest`. One without such an end is itself, and
/// goes back by none: no name of ours ends so.
#[must_use]
pub fn going_back(name: &str) -> (&str, usize) {
    let counted = name.rsplit_once('~').and_then(|(from, back)| {
        let is_number = !from.is_empty() && !back.is_empty() && back.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { Some((from, back.parse().unwrap_or(usize::MAX))) } else { None }
    });
    counted.unwrap_or((name, 0))
}

impl Catalog {
    /// The backup called `name`: `latest` (the newest good one at `now`), a stem, its label alone, or one of them behind its
    /// date folder, as `YYYYMMDD/STEM`. With `~N` behind it, the N-th good backup before that one.
    ///
    /// # Errors
    /// When there is none, or the stem occurs in several date folders.
    pub fn find(&self, name: &str, now: Timestamp) -> Result<&Entry, NotFound> {
        let (from, back) = going_back(name);
        let found = self.named(from, now)?;
        let Some(nth) = back.checked_sub(1) else { return Ok(found) };
        let older = || self.good().filter(|entry| newness(entry) < newness(found));
        older().nth(nth).ok_or_else(|| NotFound::NoneBefore {
            database: self.database.clone(),
            name: name.to_owned(),
            from: from.to_owned(),
            before: older().count(),
        })
    }

    fn named(&self, name: &str, now: Timestamp) -> Result<&Entry, NotFound> {
        if name == "latest" {
            return self.newest_good(now).ok_or_else(|| NotFound::NoneGood { database: self.database.clone() });
        }
        let (id, no_name) = match name.parse::<BackupId>() {
            Ok(id) => (id, None),
            Err(error) => (BackupId::of_tag(name, &self.database).ok_or_else(|| error.clone())?, Some(error)),
        };
        let named = |entry: &&Entry| entry.id.stem == id.stem && (id.day.is_none() || entry.id.day == id.day);
        let found: Vec<&Entry> = self.entries.iter().filter(named).collect();
        match found.as_slice() {
            [] => Err(no_name.map_or_else(
                || NotFound::Absent { database: self.database.clone(), name: name.to_owned() },
                NotFound::Name,
            )),
            [entry] => Ok(entry),
            several => {
                let places = several.iter().map(|entry| entry.id.to_string()).collect();
                Err(NotFound::Ambiguous { name: name.to_owned(), places })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::Tag;
    use crate::testing::{Listing, time};
    use crate::{Record, State};

    const NOW: &str = "2026-01-25T12:00:00Z";

    fn listing() -> Listing {
        let mut listing = Listing::bucket();
        for (state, day) in
            [(State::Good, 20), (State::Good, 21), (State::Damaged, 22), (State::Good, 23), (State::Uploaded, 24)]
        {
            listing.at(state, &format!("2026-01-{day}T03:00:00Z"));
        }
        listing.add(State::Good, &Tag::Label("initial".into()), time("2026-01-19T03:00:00Z"));
        listing.at(State::Good, "2027-01-20T03:00:00Z");
        let safety = time("2026-01-22T05:00:00Z");
        listing.add(State::Good, &Tag::Safety(safety), safety);
        listing
    }

    #[test]
    fn of_two_labels_of_one_second_the_one_that_was_whole_later_is_newer() {
        let mut listing = Listing::bucket();
        let stored = time("2026-01-20T03:00:00Z");
        for (label, seconds) in [("b", 1), ("a", 2)] {
            let id = listing.id(&Tag::Label(label.into()), stored);
            listing.archive(&id, 1_000, stored);
            for record in [Record::Manifest, Record::Intact] {
                listing.record(&id, record, stored + jiff::SignedDuration::from_secs(seconds));
            }
        }
        let catalog = listing.catalog();
        let found = |name: &str| catalog.find(name, time(NOW)).map(|entry| entry.id.stem.to_string());
        assert_eq!(found("latest").as_deref(), Ok("app_backup_a"));
        assert_eq!(found("latest~1").as_deref(), Ok("app_backup_b"));
        assert!(found("latest~2").is_err());
    }

    #[test]
    fn a_name_goes_back_by_good_backups_and_skips_everything_else() {
        let catalog = listing().catalog();
        let found = |name: &str| catalog.find(name, time(NOW)).map(|entry| entry.id.stem.to_string());
        for (name, stem) in [
            ("latest", "app_backup_20260123_030000"),
            ("latest~0", "app_backup_20260123_030000"),
            ("latest~1", "app_backup_20260121_030000"),
            ("latest~2", "app_backup_20260120_030000"),
            ("latest~3", "app_backup_initial"),
            ("app_backup_20260122_030000~1", "app_backup_20260121_030000"),
            ("app_backup_20260124_030000~1", "app_backup_20260123_030000"),
            ("20260121/app_backup_20260121_030000~01", "app_backup_20260120_030000"),
            ("20260122_030000~2", "app_backup_20260120_030000"),
        ] {
            assert_eq!(found(name).as_deref(), Ok(stem), "{name}");
        }
    }

    #[test]
    fn one_step_too_many_says_how_many_there_are() {
        let catalog = listing().catalog();
        let error = catalog.find("latest~4", time(NOW)).unwrap_err();
        insta::assert_snapshot!(error, @"`latest~4` is not there: database `app` has 3 good backups before `latest`");
        let far = catalog.find("initial~99999999999999999999999999", time(NOW)).unwrap_err();
        assert!(matches!(far, NotFound::NoneBefore { before: 0, .. }), "{far}");
        assert!(matches!(catalog.find("latest~", time(NOW)), Err(NotFound::Name(_))));
        assert!(matches!(catalog.find("latest~x", time(NOW)), Err(NotFound::Name(_))));
        let none = Listing::bucket().catalog();
        assert!(matches!(none.find("latest~1", time(NOW)), Err(NotFound::NoneGood { .. })));
    }

    #[test]
    fn only_a_number_behind_the_sign_goes_back() {
        for (name, split) in [
            ("latest", ("latest", 0)),
            ("latest~12", ("latest", 12)),
            ("a~b_backup_x", ("a~b_backup_x", 0)),
            ("a~b_backup_x~1", ("a~b_backup_x", 1)),
            ("~1", ("~1", 0)),
            ("latest~+1", ("latest~+1", 0)),
        ] {
            assert_eq!(going_back(name), split);
        }
    }
}
