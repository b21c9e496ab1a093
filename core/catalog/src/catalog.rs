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
pub use find::NotFound;

use crate::object::Object;

/// The backups of one database in one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    /// The PostgreSQL name.
    pub database: String,
    /// Newest first; equal instants in the order of their names.
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

    /// What `latest` means.
    #[must_use]
    pub fn newest_good(&self) -> Option<&Entry> {
        self.good().next()
    }

    /// The newest archive with a manifest, whatever its verdict; safety backups don't count.
    #[must_use]
    pub fn newest_uploaded(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.is_backup() && !entry.is_safety())
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
        self.entries.sort_by(|a, b| b.instant.cmp(&a.instant).then_with(|| a.id.cmp(&b.id)));
    }
}
