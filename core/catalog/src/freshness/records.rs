//! What the records of a backup say of the bytes that are listed. Only what they contradict is a finding: a copied repository has
//! other keys, times and versions.

use archive::Digest;

use super::Finding;
use crate::catalog::Entry;
use crate::document::DocumentError;
use crate::verdict::Verdict;

/// A record that was looked for.
pub type Read<T> = Result<Option<T>, DocumentError>;

/// What is wrong with the records of a backup that counts as good, or with its bytes by what they say. Of its manifest the archive's
/// digest is asked for.
#[must_use]
pub fn contradicted(entry: &Entry, manifest: &Read<Digest>, verdict: &Read<Verdict>) -> Option<Finding> {
    let broken = |which: &str, error: &DocumentError| {
        Some(Finding::BrokenRecord { id: entry.id.clone(), how: format!("its {which} cannot be used: {error}") })
    };
    let (manifest, verdict) = match (manifest, verdict) {
        (Err(error), _) => return broken("manifest", error),
        (_, Err(error)) => return broken("verdict", error),
        (Ok(manifest), Ok(verdict)) => (manifest.as_ref(), verdict.as_ref()),
    };
    let archive = entry.archive.as_ref()?;
    let promised = manifest.map(|digest| ("manifest", digest.size));
    let verified = verdict.map(|verdict| ("verdict", verdict.identity.size));
    let mut sizes = promised.into_iter().chain(verified).filter(|(_, size)| *size != archive.size);
    let differs =
        sizes.next().map(|(which, size)| format!("{} bytes are there, its {which} says {size}", archive.size));
    let replaced = || {
        let identity = verdict.map(|verdict| &verdict.identity).filter(|identity| identity.key == archive.key)?;
        let (before, now) = (identity.etag.as_deref()?, archive.bare_etag()?);
        (before != now).then(|| format!("the store's ETag was {before} and is {now}"))
    };
    // A verdict is about the bytes that its manifest was found to describe.
    let rewritten = || {
        let (promised, read) = (manifest?.md5, verdict?.digest.as_ref()?.md5);
        (promised != read).then(|| format!("its manifest says that its MD5 is {promised}, its verdict {read}"))
    };
    let how = differs.or_else(replaced).or_else(rewritten)?;
    Some(Finding::Changed { id: entry.id.clone(), how })
}
