//! The table whose rows go by, as a restore tells it while it reads.

use ::archive::{Entry, Walk};

use crate::answers::progress::Progress;
use crate::answers::report::printable;

/// The table whose rows are being read.
#[derive(Debug, Default)]
pub(super) struct CurrentTable {
    /// Index into the table of contents of the first entry whose data hasn't ended.
    entry: usize,
    shown: Option<usize>,
}

impl CurrentTable {
    /// Shows it, where it is another one than before. `walk` has just read on.
    pub(super) fn show(&mut self, walk: &Walk, progress: &Progress) {
        let Some(contents) = walk.contents().filter(|_| progress.is_shown()) else { return };
        let is_over = |entry: &&Entry| !entry.has_data() || entry.data_end().is_some();
        self.entry += contents.iter().skip(self.entry).take_while(is_over).count();
        let Some(entry) = contents.get(self.entry).filter(|_| self.shown != Some(self.entry)) else { return };
        self.shown = Some(self.entry);
        match entry.kind.as_str() {
            "TABLE DATA" => progress.at(&format!("{}.{}", printable(&entry.schema), printable(&entry.name))),
            _ => progress.at("large objects"),
        }
    }
}
