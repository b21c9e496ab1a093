//! What must hold of any text that is read as one of the documents, and of any key. `make fuzz` looks for texts of which it doesn't; what
//! it kept is tried by the test of this file. A panic is a finding.

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the inputs that were kept are files")]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

use crate::drill::{Drill, DrillStatus};
use crate::erasure::Certificate;
use crate::index::Index;
use crate::retention::Removals;
use crate::shrink::{Acceptance, ShrinkRecord};
use crate::status::{Health, Run};
use crate::{DatabaseEntry, Layout, Manifest, Part, Stem, Verdict};

/// What was read of a text and written reads as what was written.
macro_rules! reads_back {
    ($kind:ty, $text:expr) => {
        if let Ok(document) = <$kind>::from_json($text) {
            let written = document.to_json();
            assert!(written.is_ok(), "what was read can be written: {:?}", written.err());
            let written = written.unwrap_or_default();
            let read = <$kind>::from_json(&written);
            assert!(read.is_ok(), "what was written reads: {:?}", read.err());
            assert_eq!(read.and_then(|read| read.to_json()).unwrap_or_default(), written);
        }
    };
}

/// A manifest.
pub fn manifest(text: &[u8]) {
    reads_back!(Manifest, text);
}

/// A verdict.
pub fn verdict(text: &[u8]) {
    reads_back!(Verdict, text);
}

/// The index beside an archive: what it says of a place never panics either.
pub fn index(text: &[u8]) {
    reads_back!(Index, text);
    let Ok(Index { of, .. }) = Index::from_json(text) else { return };
    for table in &of.tables {
        let field = table.key.as_ref().map_or(0, |key| key.field);
        let places = [table.whole(), 0..of.contents_end].into_iter().chain(table.places(&[(field, text)]));
        places.for_each(|place| _ = of.frames.place(&place));
    }
}

/// The smaller documents.
pub fn documents(text: &[u8]) {
    reads_back!(Acceptance, text);
    reads_back!(Certificate, text);
    reads_back!(DatabaseEntry, text);
    reads_back!(Drill, text);
    reads_back!(DrillStatus, text);
    reads_back!(Health, text);
    reads_back!(Removals, text);
    reads_back!(Run, text);
    reads_back!(ShrinkRecord, text);
}

/// What a key stands for is spelled as that key again. The text is a bucket's prefix, a newline and a key; a directory has the key alone.
pub fn keys(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (prefix, key) = text.split_once('\n').unwrap_or(("", text));
    for layout in [Layout::bucket(prefix), Layout::bucket(prefix).vault_of("222222222222"), Layout::directory()] {
        key_holds(&layout, key);
        key_holds(&layout, &format!("{}{key}", layout.prefix()));
    }
    if let Ok(stem) = key.parse::<Stem>() {
        assert_eq!(stem.as_str(), key);
        assert!(!stem.database().is_empty());
    }
}

fn key_holds(layout: &Layout, key: &str) {
    let part = layout.parse(key);
    let spelled = match &part {
        Part::Archive { id, compression, encrypted } => layout.archive(id, *compression, *encrypted),
        Part::Record { id, record } => layout.record(id, *record),
        Part::DatabaseEntry { database } => layout.database_entry(database),
        Part::Status(record) => layout.status(*record),
        Part::DrillStatus { database } => layout.drill_status(database),
        Part::History { database } => layout.history(database),
        Part::Elsewhere { id } => return assert!(key.starts_with(&layout.common_prefix(id)), "{key}"),
        Part::Foreign => return,
    };
    assert_eq!(spelled, key);
    if let Part::Archive { id, .. } | Part::Record { id, .. } = &part {
        assert!(key.starts_with(&layout.common_prefix(id)), "{key}");
    }
    assert_eq!(layout.parse(&spelled), part);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its name, and what must hold of any bytes.
    type Target = (&'static str, fn(&[u8]));

    #[test]
    fn what_fuzzing_kept_holds() {
        let targets: [Target; 5] =
            [("manifest", manifest), ("verdict", verdict), ("index", index), ("documents", documents), ("keys", keys)];
        targets.into_iter().for_each(|(name, holds)| super::replay::replay(name, holds));
    }
}
