//! What a copy of backups from one repository to another is about: which of them lack there, and which must not go there.

use crate::catalog::{Catalog, Entry, State};

/// How a backup stands in the repository that it would be copied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'t> {
    /// It lacks there.
    Missing,
    /// A backup of this name is there.
    There(&'t Entry),
    /// Rows were erased from it there, and this one has its place: a copy would bring the rows back.
    Erased(&'t Entry),
    /// Its newest verdict says that it is damaged: there is nothing good to copy.
    Damaged,
    /// There is no backup: no archive, or none with a manifest.
    NoBackup,
}

/// How `entry`, which is in another repository, stands in the one of this catalog, which is of the same database.
#[must_use]
pub fn standing<'t>(entry: &Entry, there: &'t Catalog) -> Standing<'t> {
    let backups = || there.entries.iter().filter(|other| other.is_backup());
    let successor = |other: &&Entry| {
        let (own, others) = (&entry.id.stem, &other.id.stem);
        others.base() == own.base() && others.erased() > own.erased()
    };
    match entry.state {
        State::Alone | State::Unfinished | State::Guest | State::Missing => Standing::NoBackup,
        _ if backups().any(|other| other.id.stem == entry.id.stem) => {
            backups().find(|other| other.id.stem == entry.id.stem).map_or(Standing::Missing, Standing::There)
        }
        State::Damaged => Standing::Damaged,
        State::Good | State::Uploaded => backups().find(successor).map_or(Standing::Missing, Standing::Erased),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::{Stem, Tag};
    use crate::testing::{Listing, time};

    const NIGHT: &str = "2026-01-20T03:00:00Z";

    fn source(state: State) -> Entry {
        let mut listing = Listing::bucket();
        listing.at(state, NIGHT);
        listing.catalog().entries.remove(0)
    }

    fn word(entry: &Entry, there: &Listing) -> &'static str {
        match standing(entry, &there.catalog()) {
            Standing::Missing => "missing",
            Standing::There(_) => "there",
            Standing::Erased(_) => "erased",
            Standing::Damaged => "damaged",
            Standing::NoBackup => "no backup",
        }
    }

    #[test]
    fn a_backup_lacks_where_no_other_has_its_name() {
        for (state, expected) in [
            (State::Good, "missing"),
            (State::Uploaded, "missing"),
            (State::Damaged, "damaged"),
            (State::Guest, "no backup"),
            (State::Alone, "no backup"),
            (State::Unfinished, "no backup"),
            (State::Missing, "no backup"),
        ] {
            assert_eq!(word(&source(state), &Listing::directory()), expected, "{state}");
        }
    }

    #[test]
    fn what_is_there_is_not_missing_whatever_it_is_worth_and_what_a_killed_copy_left_is() {
        for (state, expected) in [
            (State::Good, "there"),
            (State::Uploaded, "there"),
            (State::Damaged, "there"),
            (State::Unfinished, "missing"),
            (State::Missing, "missing"),
        ] {
            let mut there = Listing::directory();
            there.at(state, NIGHT);
            assert_eq!(word(&source(State::Good), &there), expected, "{state}");
        }
    }

    #[test]
    fn rows_that_were_erased_there_are_not_brought_back() {
        let stem = Stem::new("app", &Tag::At(time(NIGHT))).unwrap();
        let mut there = Listing::bucket();
        let id = there.layout.place(stem.as_erased(2, time(NIGHT)).unwrap(), time(NIGHT));
        there.archive(&id, 7, time(NIGHT));
        there.record(&id, crate::Record::Manifest, time(NIGHT));
        assert_eq!(word(&source(State::Good), &there), "erased");
        // What was erased from more often may go there.
        let mut later = source(State::Good);
        later.id.stem = stem.as_erased(3, time(NIGHT)).unwrap();
        assert_eq!(word(&later, &there), "missing");
        later.id.stem = stem.as_erased(1, time(NIGHT)).unwrap();
        assert_eq!(word(&later, &there), "erased");
    }
}
