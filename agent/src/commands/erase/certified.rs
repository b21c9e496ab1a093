//! What became of each backup, noted as it comes.

use catalog::Unknown;
use catalog::erasure::{Certificate, Certified, Outcome, Remaining, Row};
use catalog::manifest::Agent;
use jiff::Timestamp;

use crate::answers::failure::Failure;
use crate::commands::erase::asked::Request;
use crate::commands::erase::facts::Ground;
use crate::commands::erase::outcome::{Done, Replaced};
use crate::host;
use crate::logging;
use crate::settings::Settings;

/// The words with which a removal was refused end a run: see [`Book::is_refused`].
const NOT_REMOVED: &str = "was not removed: ";

/// What became of the backups so far.
pub(super) struct Book<'a> {
    pub(super) ground: &'a Ground,
    pub(super) request: &'a Request,
    backups: Vec<Certified>,
    refused: bool,
    /// Whether any had the table.
    pub(super) seen_table: bool,
    /// Whether any was looked into and had none.
    pub(super) missed_table: bool,
}

impl<'a> Book<'a> {
    pub(super) fn new(ground: &'a Ground, request: &'a Request) -> Self {
        Self { ground, request, backups: Vec::new(), refused: false, seen_table: false, missed_table: false }
    }

    /// Whether the store has refused to remove an original.
    pub(super) fn is_refused(&self) -> bool {
        self.refused
    }

    /// Notes one. Why it failed is said at once; the certificate names no more than that it did.
    pub(super) fn note(&mut self, row: &Row<'_>, done: Result<Done, Failure>, settings: &Settings) {
        let before = self.ground.manifest(row.entry).map(|manifest| manifest.archive.digest.md5.to_string());
        let mut certified = Certified {
            backup: row.entry.id.to_string(),
            made: row.entry.instant,
            outcome: Outcome::Left,
            replaced_by: None,
            tables: Vec::new(),
            md5_before: before,
            md5_after: None,
            reason: None,
            until: None,
        };
        match done {
            Ok(Done::Erased(replaced)) => {
                self.seen_table = true;
                certified.outcome = Outcome::Erased;
                certified.replace(*replaced);
            }
            Ok(Done::Clean { has_table }) => {
                self.seen_table |= has_table;
                self.missed_table |= !has_table;
                certified.outcome = Outcome::Clean;
                certified.reason = (!has_table).then(|| "it has no such table".to_owned());
            }
            Ok(Done::Cleared) => certified.outcome = Outcome::Cleared,
            Ok(Done::Left(obstacle)) => {
                certified.reason = Some(format!("{obstacle}: {}", obstacle.remedy(&row.entry.name())));
                certified.until = obstacle.until();
            }
            Ok(Done::Locked(replaced, lock)) => {
                certified.replace(*replaced);
                certified.reason = Some("a lock keeps it: erase again when that has ended".to_owned());
                certified.until = lock.and_then(|lock| lock.until);
            }
            Err(failure) => {
                self.refused |= failure.error.contains(NOT_REMOVED);
                certified.reason = Some("it could not be erased from: the run's messages say why".to_owned());
                let failure = Failure { error: format!("{}: {}", row.entry.id, failure.error), ..failure };
                logging::failed(&failure);
                settings.report.say(&failure);
            }
        }
        self.backups.push(certified);
    }

    /// The certificate, newest first.
    pub(super) fn certificate(&mut self, remains: Vec<Remaining>, finished: Timestamp) -> Certificate {
        let mut backups = self.backups.clone();
        backups.sort_by(|a, b| (b.made, &b.backup).cmp(&(a.made, &a.backup)));
        Certificate {
            database: self.ground.catalog.database.clone(),
            repository: self.ground.repository.display_name(),
            began: self.ground.began,
            finished,
            asked: self.request.asked.clone(),
            backups,
            remains,
            agent: Agent { version: env!("CARGO_PKG_VERSION").to_owned(), host: host::name() },
            unknown: Unknown::default(),
        }
    }
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
