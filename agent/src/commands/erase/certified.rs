//! What became of each backup, noted as it comes.

use std::collections::{BTreeMap, BTreeSet};

use catalog::erasure::{Certificate, Certified, Outcome, Remaining, Row};
use catalog::manifest::Agent;
use catalog::{BackupId, Unknown};
use jiff::Timestamp;
use repository::Leftover;

use crate::answers::failure::Failure;
use crate::commands::erase::asked::Request;
use crate::commands::erase::facts::Ground;
use crate::commands::erase::outcome::{Done, Replaced};
use crate::commands::erase::running::Past;
use crate::host;
use crate::logging;
use crate::settings::Settings;

/// The words with which a removal was refused end a run: see [`Book::is_refused`].
const NOT_REMOVED: &str = "was not removed: ";

/// What became of the backups so far.
pub(super) struct Book<'a> {
    ground: &'a Ground,
    request: &'a Request,
    past: Past,
    backups: BTreeMap<BackupId, Certified>,
    leftovers: Vec<Certified>,
    refused: bool,
}

impl<'a> Book<'a> {
    /// Nothing has been done yet.
    pub(super) fn new(ground: &'a Ground, request: &'a Request, rows: &[Row<'_>], past: Past) -> Self {
        let mut book = Self { ground, request, past, backups: BTreeMap::new(), leftovers: Vec::new(), refused: false };
        for row in rows {
            let reason = Some("the run has not come to it".to_owned());
            book.backups.insert(row.entry.id.clone(), Certified { reason, ..book.certified(row) });
        }
        book
    }

    /// What earlier runs say that broke off.
    pub(super) fn past(&self) -> &Past {
        &self.past
    }

    /// Whether the store has refused to remove an original.
    pub(super) fn is_refused(&self) -> bool {
        self.refused
    }

    fn certified(&self, row: &Row<'_>) -> Certified {
        Certified {
            backup: row.entry.id.to_string(),
            made: row.entry.instant,
            outcome: Outcome::Left,
            replaced_by: None,
            tables: Vec::new(),
            md5_before: self.ground.manifest(row.entry).map(|manifest| manifest.archive.digest.md5.to_string()),
            md5_after: None,
            reason: None,
            until: None,
        }
    }

    /// Notes one. Why it failed is said at once.
    pub(super) fn note(&mut self, row: &Row<'_>, done: Result<Done, Failure>, settings: &Settings) {
        let mut certified = self.certified(row);
        match done {
            Ok(Done::Erased(replaced)) => {
                certified.outcome = Outcome::Erased;
                certified.replace(*replaced);
            }
            Ok(Done::Before(before)) => {
                certified.outcome = Outcome::Erased;
                (certified.backup, certified.made) = (before.of.to_string(), before.made);
                certified.md5_before = Some(before.md5);
                certified.reason = Some("an earlier run of this request did it".to_owned());
                certified.replace(before.replaced);
            }
            Ok(Done::Clean { has_table }) => {
                certified.outcome = Outcome::Clean;
                certified.reason = (!has_table).then(|| "it has no such table".to_owned());
            }
            Ok(Done::Cleared) => certified.outcome = Outcome::Cleared,
            Ok(Done::Left(obstacle)) => {
                certified.reason = Some(format!("{obstacle}: {}", obstacle.remedy(&row.entry.name())));
                certified.until = obstacle.until();
            }
            Ok(Done::NotBegun(why)) => certified.reason = Some(why),
            Ok(Done::Locked(replaced, lock)) => {
                certified.replace(*replaced);
                certified.reason = Some("a lock keeps it: erase again when that has ended".to_owned());
                certified.until = lock.and_then(|lock| lock.until);
            }
            Err(failure) => {
                self.refused |= failure.error.contains(NOT_REMOVED);
                certified.reason = Some(reason(&failure));
                let failure = Failure { error: format!("{}: {}", row.entry.id, failure.error), ..failure };
                logging::failed(&failure);
                settings.report.say(&failure);
            }
        }
        self.backups.insert(row.entry.id.clone(), certified);
    }

    /// Notes what killed runs had left, and what is gone now.
    pub(super) fn clear(&mut self, gone: &[Leftover]) {
        let cleared = |leftover: &Leftover| Certified {
            backup: leftover.name.clone(),
            made: leftover.since,
            outcome: Outcome::Cleared,
            replaced_by: None,
            tables: Vec::new(),
            md5_before: None,
            md5_after: None,
            reason: Some("a run that broke off had left it".to_owned()),
            until: None,
        };
        self.leftovers.extend(gone.iter().map(cleared));
    }

    /// The certificate, newest first. One that isn't finished says what has been done so far.
    pub(super) fn certificate(&self, remains: Vec<Remaining>, finished: Option<Timestamp>) -> Certificate {
        let mut backups: Vec<Certified> = self.backups.values().chain(&self.leftovers).cloned().collect();
        let named: BTreeSet<String> = backups.iter().map(|one| one.backup.clone()).collect();
        backups.extend(self.past.done.iter().filter(|one| !named.contains(&one.backup)).cloned());
        backups.sort_by(|a, b| (b.made, &b.backup).cmp(&(a.made, &a.backup)));
        Certificate {
            database: self.ground.catalog.database.clone(),
            repository: self.ground.repository.display_name(),
            began: self.past.began.unwrap_or(self.ground.began),
            finished,
            asked: self.request.asked.clone(),
            backups,
            remains,
            earlier: self.past.others.clone(),
            agent: Agent { version: env!("CARGO_PKG_VERSION").to_owned(), host: host::name() },
            unknown: Unknown::default(),
        }
    }
}

/// Why, and what to do. What a server adds to its message may quote a row: a certificate is for everybody's eyes.
fn reason(failure: &Failure) -> String {
    let line = failure.error.lines().next().unwrap_or_default();
    let plain =
        ["DETAIL:", "CONTEXT:", "HINT:"].iter().fold(line, |line, from| line.split(from).next().unwrap_or(line));
    let error = plain.trim_end_matches([' ', ';', ':']);
    failure.hint.as_ref().map_or_else(|| error.to_owned(), |hint| format!("{error}: {hint}"))
}

/// Notes what took its place.
trait Replace {
    fn replace(&mut self, by: Replaced);
}

impl Replace for Certified {
    fn replace(&mut self, by: Replaced) {
        self.replaced_by = Some(by.by.to_string());
        self.tables = by.tables;
        self.md5_after = Some(by.md5_after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::failure::Exit;

    #[test]
    fn a_reason_says_what_to_do_and_quotes_no_row() {
        let failure =
            Failure::new(Exit::Failed, "pg_restore failed: ERROR: no; DETAIL: Key (email)=(ada) is there\nCOPY t");
        assert_eq!(reason(&failure), "pg_restore failed: ERROR: no");
        assert_eq!(reason(&failure.hint("erase again")), "pg_restore failed: ERROR: no: erase again");
    }
}
