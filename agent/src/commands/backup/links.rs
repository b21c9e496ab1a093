//! The links: places in the stored archive, a few gibibytes apart, from each of which a part of it can be verified by itself. They are noted
//! in the dump's one pass and stored beside the archive, before its manifest. A backup without them is a backup all the same.
//!
//! Two threads know what a place needs: the one that reads the dump knows the walk's state, frames later the one that stores knows the
//! digest's. So the storing one asks, the reading one keeps the state at the next frame's end and its number, and when that frame
//! is stored the place is whole.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use ::archive::{Chain, Compression, Digester, Inspection, SavedInspection, SavedWalk, Walk};
use bytes::Bytes;
use catalog::manifest::Purpose;
use catalog::{BackupId, Record, Stem, links};
use repository::{Repository, Stored};

use crate::commands::backup::beside;
use crate::commands::backup::run::Run;
use crate::commands::backup::seal::{Sealing, seal};

/// The largest place of which a chain is made, in JSON. A place names every table, and the chain holds two of them as trees, which take
/// ten times as much: a backup's memory must not grow with the schema.
const LARGEST: usize = 2 << 20;

/// What the two threads say to each other.
pub(super) struct Linking {
    every: u64,
    wanted: AtomicBool,
    /// Numbers of frames on their way between the two, counted from 1, each with the walk behind it.
    kept: Mutex<VecDeque<(u64, SavedWalk)>>,
}

/// The storing side.
pub(super) struct Linker<'a> {
    linking: &'a Linking,
    compression: Compression,
    /// The stored byte behind which the next place is asked for.
    next: u64,
    frames: u64,
    /// The beginning of an encrypted archive, until it is known as one.
    head: Inspection,
    /// The place in an encrypted archive, of which no more is known than that it is one.
    encrypted: Option<SavedInspection>,
    chain: Chain,
    largest: usize,
}

/// What became of the links in one repository.
#[derive(Debug, Default)]
pub(crate) struct PutLinks {
    pub(super) stored: Option<Stored>,
    pub(crate) warning: Option<String>,
}

impl Linking {
    pub(super) fn every(every: u64) -> Self {
        Self { every, wanted: AtomicBool::new(false), kept: Mutex::default() }
    }

    /// The reading side has come to this frame's end.
    pub(super) fn read(&self, frame: u64, walk: &Walk) {
        // In the middle of a compressed stream there is no place: the next frame may have one.
        if self.wanted.load(Ordering::Acquire)
            && let Some(walk) = walk.save()
        {
            self.wanted.store(false, Ordering::Release);
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).push_back((frame, walk));
        }
    }

    /// The walk behind this frame, if it was kept.
    fn behind(&self, frame: u64) -> Option<SavedWalk> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.pop_front_if(|(number, _)| *number == frame).map(|(_, walk)| walk)
    }
}

impl<'a> Linker<'a> {
    pub(super) fn new(linking: &'a Linking, compression: Compression) -> Self {
        let (next, chain) = (linking.every, Chain::default());
        let head = Inspection::new();
        Self { linking, compression, next, frames: 0, head, encrypted: None, chain, largest: LARGEST }
    }

    /// One more frame is stored, and so has `digester` taken it.
    pub(super) fn stored(&mut self, digester: &Digester) {
        self.frames += 1;
        if let Some(walk) = self.linking.behind(self.frames) {
            self.push(&SavedInspection::behind_frame(digester.clone(), self.compression, walk));
        }
        if digester.size() >= self.next {
            self.next = digester.size().saturating_add(self.linking.every);
            self.linking.wanted.store(true, Ordering::Release);
        }
    }

    /// These encrypted bytes are stored, and `digester` has taken them.
    pub(super) fn sealed(&mut self, bytes: &[u8], digester: &Digester) {
        if self.encrypted.is_none() {
            self.head.feed(bytes);
            self.encrypted = self.head.save().filter(|place| place.further(Digester::new()).is_some());
        }
        if digester.size() >= self.next
            && let Some(place) = self.encrypted.as_ref().and_then(|place| place.further(digester.clone()))
        {
            self.next = digester.size() + self.linking.every;
            self.push(&place);
        }
    }

    /// More than can be handed out are none, and so are those of a schema too large for them.
    fn push(&mut self, place: &SavedInspection) {
        let is_small = || serde_json::to_vec(place).is_ok_and(|json| json.len() <= self.largest);
        if self.chain.len() < links::MOST && (!self.chain.is_empty() || is_small()) {
            self.chain.push(place);
        } else {
            (self.chain, self.next) = (Chain::default(), u64::MAX);
        }
    }

    pub(super) fn finish(self) -> Chain {
        self.chain
    }
}

impl Run<'_> {
    /// After how many stored bytes a place is noted. Nobody reads them in a directory, nor asks for them on the way back from a restore.
    pub(super) fn link_size(&self) -> Option<u64> {
        let wanted = self.purpose == Purpose::Backup && self.repositories.iter().any(Repository::is_bucket);
        self.settings.link_size.filter(|_| wanted)
    }
}

/// The links as they are stored, the same in every repository. They aren't encrypted: of an encrypted archive they know nothing.
pub(crate) type SealedLinks = Result<Bytes, String>;

/// `None` where there are none, as in a short archive.
pub(crate) fn sealed(stem: &Stem, places: &Chain) -> Option<SealedLinks> {
    if places.is_empty() {
        return None;
    }
    let document = links::Links { stem: stem.clone(), places: places.clone() };
    let json = document.to_json().map_err(|error| error.to_string());
    let sealing = Sealing { recipients: &[], level: None };
    Some(json.and_then(|json| seal(&json, sealing).map(|(bytes, _)| bytes).map_err(|failure| failure.error)))
}

/// Stores them beside the archive in a bucket.
pub(crate) async fn put(repository: &Repository, id: &BackupId, sealed: Option<&SealedLinks>) -> PutLinks {
    let Some(sealed) = sealed.filter(|_| repository.is_bucket()) else { return PutLinks::default() };
    let key = repository.layout().record(id, Record::Links);
    let refused = match sealed {
        Ok(bytes) => match beside::put(repository, &key, bytes).await {
            Ok(stored) => return PutLinks { stored: Some(stored), warning: None },
            Err(why) => why,
        },
        Err(why) => why.clone(),
    };
    let warning = format!(
        "the links were not stored with this backup, so it is verified in one piece: {refused} (BACKUP_LINK_SIZE=0 leaves them out)"
    );
    tracing::warn!("{warning}");
    PutLinks { stored: None, warning: Some(warning) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_too_large_is_none_and_neither_is_any_behind_it() {
        let noted = |largest: usize| {
            let linking = Linking::every(1);
            let mut linker = Linker { largest, ..Linker::new(&linking, Compression::None) };
            let mut digester = Digester::new();
            for bytes in [&b"age-encryption.org/v1\n-> X25519 x\n"[..], &[7; 4096], &[8; 4096]] {
                digester.update(bytes);
                linker.sealed(bytes, &digester);
            }
            linker.finish().len()
        };
        assert!(noted(LARGEST) >= 2, "{}", noted(LARGEST));
        assert_eq!(noted(10), 0);
    }
}
