//! The index: where the archive has which table, and which keys in each part of a large one. It is made in the dump's one pass and
//! stored beside the archive, before its manifest. A backup without it is a backup all the same: `lastgood rows` reads that from its front.

use ::archive::index::{Frames, Index, Marker};
use ::archive::{Damage, Digest, Observer, Outliner, Walk};
use bytes::Bytes;
use catalog::manifest::{Purpose, StoredIndex};
use catalog::{BackupId, Stem};
use repository::{Repository, Stored};

use crate::commands::backup::beside;
use crate::commands::backup::run::Run;
use crate::commands::backup::seal::{Sealing, seal};

/// What is noted of a dump while it goes by.
pub(super) struct Indexing {
    outliner: Option<Outliner>,
    marker: Marker,
}

/// What became of the index in one repository.
#[derive(Debug, Default)]
pub(crate) struct PutIndex {
    /// What the manifest names.
    pub(crate) named: Option<StoredIndex>,
    /// The same, as the repository knows it.
    pub(super) stored: Option<Stored>,
    pub(crate) warning: Option<String>,
}

/// What is stored: compressed, and encrypted where archives are.
pub(crate) type SealedIndex = Result<(Bytes, Digest), String>;

/// The index of this backup as it is stored, the same in every repository.
pub(crate) fn sealed(stem: &Stem, index: &Index, sealing: Sealing<'_>) -> SealedIndex {
    let document = catalog::index::Index { stem: stem.clone(), of: index.clone() };
    let json = document.to_json().map_err(|e| e.to_string())?;
    seal(&json, sealing).map_err(|failure| failure.error)
}

/// Stores it beside the archive, which is there already.
pub(crate) async fn put(repository: &Repository, id: &BackupId, sealed: &SealedIndex, is_encrypted: bool) -> PutIndex {
    let refused = match sealed {
        Ok((bytes, digest)) => {
            match put_sealed(repository, &repository.layout().index(id, is_encrypted), bytes, digest).await {
                Ok(put) => return put,
                Err(why) => why,
            }
        }
        Err(why) => why.clone(),
    };
    let warning = format!(
        "the index was not stored with this backup, so its rows are looked for from its archive's front: {refused} (BACKUP_INDEX=false leaves it out)"
    );
    tracing::warn!("{warning}");
    PutIndex { warning: Some(warning), ..PutIndex::default() }
}

async fn put_sealed(repository: &Repository, key: &str, bytes: &Bytes, digest: &Digest) -> Result<PutIndex, String> {
    let stored = beside::put(repository, key, bytes).await?;
    let named = StoredIndex {
        key: key.to_owned(),
        version_id: stored.version_id.clone(),
        etag: stored.etag.clone(),
        digest: digest.clone(),
    };
    Ok(PutIndex { named: Some(named), stored: Some(stored), warning: None })
}

impl Indexing {
    pub(super) fn new() -> Self {
        Self { outliner: Some(Outliner::default()), marker: Marker::new() }
    }

    /// Hands the dump's next bytes to the walk, and notes what they hold. What the index can't follow leaves it without keys.
    ///
    /// # Errors
    /// Those of the walk.
    pub(super) fn feed(&mut self, walk: &mut Walk, block: &[u8]) -> Result<(), Damage> {
        if let Some(outliner) = &mut self.outliner {
            let keys = self.marker.keys();
            if outliner.feed(block, &mut |entry| keys.note(&entry)).is_err() || outliner.has_ended() {
                keys.finish();
                self.outliner = None;
            }
        }
        walk.feed_to(block, self)
    }

    /// What the dump has where; `contents_end` and `dumped` are the walk's.
    pub(super) fn finish(self, contents_end: u64, dumped: u64) -> Index {
        Index { contents_end, dumped, frames: Frames::default(), tables: self.marker.finish() }
    }
}

impl Observer for Indexing {
    fn begin(&mut self, dump_id: i32, at: u64) {
        self.marker.begin(dump_id, at);
    }

    fn text(&mut self, chunk: u64, text: &[u8]) {
        self.marker.text(chunk, text);
    }

    fn end(&mut self, at: u64) {
        self.marker.end(at);
    }
}

impl Run<'_> {
    /// Whether an index is made. The way back from a restore needs none.
    pub(super) fn wants_index(&self) -> bool {
        self.settings.index && self.purpose == Purpose::Backup
    }

    /// The index as it is stored.
    pub(super) fn seal_index(&self, index: &Index) -> SealedIndex {
        sealed(&self.stem, index, Sealing::of(self.settings))
    }
}
