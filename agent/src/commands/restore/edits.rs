//! Changes to an archive's table of contents on its way to `pg_restore`: owners that nobody can be, and privileges that nobody
//! can give, are taken out of it one by one. `pg_restore` itself can only leave out all of them.
//!
//! Nothing needs the places after a changed text: `pg_restore` reads the archive from a pipe, or its head alone.

use std::borrow::Cow;

use ::archive::Place;

/// Another text for one that the table of contents has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) place: Place,
    pub(crate) text: String,
}

/// The changes to one archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edits {
    /// In the archive's order.
    edits: Vec<Edit>,
    /// Bytes of an integer in the archive without its sign.
    int_size: u8,
}

impl Edits {
    /// `int_size`: the archive's own, from its header.
    pub(crate) fn new(mut edits: Vec<Edit>, int_size: u8) -> Self {
        edits.sort_by_key(|edit| edit.place.at);
        Self { edits, int_size }
    }

    /// The same, and these as well.
    pub(crate) fn and(&self, more: Vec<Edit>) -> Self {
        Self::new(self.edits.iter().cloned().chain(more).collect(), self.int_size)
    }

    /// Whether the text in this place is replaced.
    pub(crate) fn replace(&self, place: Place) -> bool {
        self.edits.binary_search_by_key(&place.at, |edit| edit.place.at).is_ok()
    }

    /// Applies them to one reading of the archive.
    pub(crate) fn begin(&self) -> Editor<'_> {
        Editor { rest: &self.edits, int_size: self.int_size, position: 0, skipped_to: 0 }
    }
}

/// Changes a dump that goes by.
#[derive(Debug)]
pub(crate) struct Editor<'a> {
    rest: &'a [Edit],
    int_size: u8,
    /// Bytes of the dump so far.
    position: u64,
    /// What comes before this byte has been replaced.
    skipped_to: u64,
}

impl Editor<'_> {
    /// The dump's next bytes, changed.
    pub(crate) fn pass<'b>(&mut self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        let end = self.position + bytes.len() as u64;
        let is_untouched =
            self.skipped_to <= self.position && self.rest.first().is_none_or(|edit| edit.place.at >= end);
        if is_untouched {
            self.position = end;
            return Cow::Borrowed(bytes);
        }
        let mut changed = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some((edit, later)) = self.rest.split_first().filter(|(edit, _)| edit.place.at < end) {
            rest = self.copy(&mut changed, rest, edit.place.at);
            changed.extend(self.text(&edit.text));
            self.skipped_to = edit.place.at + edit.place.length;
            self.rest = later;
        }
        self.copy(&mut changed, rest, end);
        Cow::Owned(changed)
    }

    /// Copies what comes before the byte `to` and isn't replaced, and answers with the rest.
    fn copy<'b>(&mut self, into: &mut Vec<u8>, bytes: &'b [u8], to: u64) -> &'b [u8] {
        let length =
            |from: u64, to: u64, most: usize| usize::try_from(to.saturating_sub(from)).unwrap_or(most).min(most);
        let skipped = length(self.position, self.skipped_to, bytes.len());
        let (_, kept) = bytes.split_at_checked(skipped).unwrap_or_default();
        self.position += skipped as u64;
        let (copied, rest) = kept.split_at_checked(length(self.position, to, kept.len())).unwrap_or_default();
        into.extend(copied);
        self.position += copied.len() as u64;
        rest
    }

    /// As the format has a text (`WriteStr` in pg_backup_archiver.c): a sign, its length with the lowest byte first, and itself.
    fn text(&self, text: &str) -> Vec<u8> {
        let length = (text.len() as u64).to_le_bytes();
        let length = length.iter().take(self.int_size.into());
        std::iter::once(&0).chain(length).copied().chain(text.bytes()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edit(at: u64, length: u64, text: &str) -> Edit {
        Edit { place: Place { at, length }, text: text.to_owned() }
    }

    #[test]
    fn a_text_is_replaced_with_its_length() {
        let edits = Edits::new(vec![edit(9, 6, ""), edit(2, 7, "ab")], 4);
        let dump = [b"..".as_slice(), b"\0\x02\0\0\0xy", b"\0\x01\0\0\0x", b"rest"].concat();
        let expected = [b"..".as_slice(), b"\0\x02\0\0\0ab", b"\0\0\0\0\0", b"rest"].concat();
        assert_eq!(edits.begin().pass(&dump), expected);
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_come_to_the_same(
            gaps in prop::collection::vec((0_u64..20, 5_u64..30, "[a-z]{0,9}"), 0..8),
            piece in 1_usize..40,
        ) {
            let mut at = 0;
            let edits = gaps.iter().map(|(gap, length, text)| {
                let edit = edit(at + gap, *length, text);
                at += gap + length;
                edit
            });
            let edits = Edits::new(edits.collect(), 4);
            let dump: Vec<u8> = (0..at + 50).map(|byte| byte as u8).collect();
            let whole = edits.begin().pass(&dump).into_owned();
            let mut editor = edits.begin();
            let pieces: Vec<u8> = dump.chunks(piece).flat_map(|piece| editor.pass(piece).into_owned()).collect();
            prop_assert_eq!(pieces, whole);
        }
    }
}
