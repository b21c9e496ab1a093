//! The texts of some of the archive's entries, read from its head once more: only those that have no equal in the copy are needed, and
//! all of them together may be large.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use ::archive::{Described, Outliner};

use crate::answers::failure::Failure;
use crate::commands::restore::archive::Archive;
use crate::commands::restore::failure;
use crate::commands::restore::reading::{self, ReadingError, filled};
use crate::commands::restore::watch::View;

/// The entries of these numbers, as they are restored.
///
/// # Errors
/// When the archive can't be read.
pub(super) fn entries(
    archive: &Archive,
    view: &View,
    wanted: &BTreeSet<i32>,
) -> Result<BTreeMap<i32, Described>, Failure> {
    let mut found = BTreeMap::new();
    if !wanted.is_empty() {
        each(archive, view, &mut |entry| {
            if wanted.contains(&entry.dump_id) {
                found.insert(entry.dump_id, entry);
            }
        })?;
    }
    Ok(found)
}

/// Every entry, as it is restored, in the archive's order.
///
/// # Errors
/// When the archive can't be read.
pub(super) fn each(archive: &Archive, view: &View, take: &mut dyn FnMut(Described)) -> Result<(), Failure> {
    let unreadable = |error: ReadingError| failure::reading(&archive.place, error);
    let mut expander = reading::open(archive.open()?, archive).map_err(unreadable)?;
    let mut outliner = Outliner::default();
    let mut editor = view.edits.begin();
    let mut block = vec![0; 256 << 10];
    while !outliner.is_done() {
        let length = expander.read(&mut block).map_err(|e| unreadable(reading::reading(e)))?;
        let bytes = filled(&block, length).map_err(|e| unreadable(ReadingError::Read(e)))?;
        if bytes.is_empty() {
            break;
        }
        let mut seen = |entry: Described| take(view.of(entry));
        outliner.feed(&editor.pass(bytes), &mut seen).map_err(|damage| unreadable(ReadingError::Damaged(damage)))?;
    }
    Ok(())
}
