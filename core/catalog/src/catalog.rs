//! One database's backups, newest first, as a listing alone tells them: no object is read.
//!
//! Archive and manifest make a backup; the newer of its two verdicts makes it good or damaged, and a tie is damaged.
//! A verdict written before the archive's present bytes says nothing about them and doesn't count.

mod assemble;
mod entry;
mod find;
#[cfg(test)]
mod tests;

pub use assemble::catalogs;
pub use entry::{Entry, Origin, State};
pub use find::{NotFound, going_back};

use jiff::Timestamp;

use crate::backup::BackupId;
use crate::object::Object;
use crate::verdict::Outcome;

/// The backups of one database in one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    /// The database's PostgreSQL name.
    pub database: String,
    /// Newest first; of equal instants the one with the later name first.
    pub entries: Vec<Entry>,
    /// The mark that backups of this database are expected here. With it and no entries, a database's backups vanished.
    pub expected: Option<Object>,
}

impl Catalog {
    /// The good backups that count: neither safety backups nor anything unverified. Newest first.
    #[must_use]
    pub fn good(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.counts_as_good())
    }

    /// The newest good backup, which is what `latest` means. One that lies in the future of `now` only where all do.
    #[must_use]
    pub fn newest_good(&self, now: Timestamp) -> Option<&Entry> {
        newest(|| self.good(), now)
    }

    /// The newest archive with a manifest, whatever its verdict; safety backups don't count. One that lies in the future of
    /// `now` only where all do.
    #[must_use]
    pub fn newest_uploaded(&self, now: Timestamp) -> Option<&Entry> {
        newest(|| self.entries.iter().filter(|entry| entry.is_backup() && !entry.is_safety()), now)
    }

    /// The good backups that lie in the future of `now`, the farthest first: nothing tells how old they are.
    pub fn good_ahead(&self, now: Timestamp) -> impl Iterator<Item = &Entry> {
        self.good().filter(move |entry| entry.is_in_the_future(now))
    }

    /// What was found damaged, has lost its archive, or has other bytes than those that were judged; guests too, but for the last,
    /// because their files may change. Safety backups don't count.
    pub fn damaged(&self) -> impl Iterator<Item = &Entry> {
        let is_damaged = |entry: &&Entry| {
            entry.is_lost() || entry.judged() == Some(Outcome::Damaged) || (entry.is_backup() && entry.has_changed())
        };
        self.entries.iter().filter(|entry| !entry.is_safety()).filter(is_damaged)
    }

    /// The archives without a manifest whose origin isn't known yet; one HEAD each tells, see [`Catalog::resolve`].
    pub fn alone(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.state == State::Alone)
    }

    /// Says of archives without a manifest whether they are ours. Those of unknown origin (None) stay alone.
    pub fn resolve(&mut self, origin: impl Fn(&Entry) -> Option<Origin>) {
        for entry in self.entries.iter_mut().filter(|entry| entry.state == State::Alone) {
            if let Some(origin) = origin(entry) {
                entry.resolve(origin);
            }
        }
        self.sort();
    }

    fn sort(&mut self) {
        self.entries.sort_by(|a, b| newness(b).cmp(&newness(a)));
    }
}

/// Copies often bear one time: then their names tell which is newer. Of two labels of one second it is the one that was whole later.
fn newness(entry: &Entry) -> (Timestamp, Option<Timestamp>, [Option<Timestamp>; 2], &BackupId) {
    let time = entry.id.stem.time();
    let records = [&entry.manifest, &entry.intact].map(|record| record.as_ref().filter(|_| time.is_none()));
    let whole = records.map(|record| record.map(|record| record.last_modified));
    (entry.instant, time, whole, &entry.id)
}

fn newest<'a, I: Iterator<Item = &'a Entry>>(newest_first: impl Fn() -> I, now: Timestamp) -> Option<&'a Entry> {
    newest_first().find(|entry| !entry.is_in_the_future(now)).or_else(|| newest_first().next())
}
