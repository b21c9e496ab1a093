//! Which good bytes are read again, because disks forget: those whose verdict is old, a little at a time.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use crate::catalog::Entry;
use crate::clock::SKEW;

/// A run reads at most this part of the bytes again, so that no night is longer than the others.
const PART: u64 = 30;

/// What one run reads again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rereading<'a> {
    /// In this order: the one first that was read the longest time ago.
    pub due: Vec<&'a Entry>,
    /// How many more are due, and left to later runs.
    pub left: usize,
    /// How many would be due, and are in Glacier.
    pub in_glacier: usize,
}

/// What is to be read again of `entries`: what was found intact longer ago than `after`, the oldest first, up to a thirtieth of
/// the bytes that can be read; one where that is less than one.
///
/// A verdict of the future says nothing about its age, and so is due, after all others.
#[must_use]
pub fn rereading<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    now: Timestamp,
    after: SignedDuration,
) -> Rereading<'a> {
    let is_due = |read: Timestamp| now.duration_since(read) > after || read.duration_since(now) > SKEW;
    let (mut bytes, mut due, mut in_glacier) = (0_u64, Vec::new(), 0);
    for entry in entries {
        let is_readable = entry.archive.as_ref().is_some_and(|archive| archive.readable);
        bytes = bytes.saturating_add(if is_readable { entry.size() } else { 0 });
        match entry.found_intact().filter(|read| is_due(*read)) {
            Some(read) if is_readable => due.push((read, entry)),
            Some(_) => in_glacier += 1,
            None => {}
        }
    }
    due.sort_by(|(read, a), (other, b)| read.cmp(other).then_with(|| a.id.cmp(&b.id)));
    let mut room = bytes / PART;
    let fits = |(place, entry): &(usize, &Entry)| {
        let left = room.checked_sub(entry.size());
        room = left.unwrap_or(0);
        left.is_some() || *place == 0
    };
    let all = due.len();
    let due: Vec<&Entry> =
        due.into_iter().map(|(_, entry)| entry).enumerate().take_while(fits).map(|(_, entry)| entry).collect();
    Rereading { left: all - due.len(), due, in_glacier }
}

/// When the bytes that were read the longest time ago were found intact. What is in Glacier can't be read, and is left out.
pub fn oldest_verdict<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Option<(&'a Entry, Timestamp)> {
    let is_readable = |entry: &&Entry| entry.archive.as_ref().is_some_and(|archive| archive.readable);
    let read = entries.into_iter().filter(is_readable).filter_map(|entry| Some((entry, entry.found_intact()?)));
    read.min_by(|(a, read), (b, other)| read.cmp(other).then_with(|| a.id.cmp(&b.id)))
}
