//! What re-reading the stored bytes finds: their digest, and a walk through what they expand to.
//!
//! [`inspect`] pulls and uses all cores; [`Inspection`] is fed, uses one, and saves its place. Damage never stops them
//! before the digest over all stored bytes is whole: it tells damage of storage from damage of the dump.

mod chain;
mod inspection;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Cursor, Read};

use serde::{Deserialize, Serialize};

use crate::digest::DigestReader;
use crate::frame::Expander;
use crate::{Damage, Digest, Kind, SNIFF_LEN, Walk, Walked, damage, sniff};

pub use chain::{BrokenChain, Chain};
pub use inspection::{Inspection, SavedInspection};

/// What stored bytes were found to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspected {
    /// Of all stored bytes, as they are stored.
    pub digest: Digest,
    /// What they are, from the outside in: `[Age, Gzip, CustomArchive]`, as far as could be seen.
    pub kinds: Vec<Kind>,
    /// What is in them.
    pub content: Content,
}

/// What is in the stored bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// An archive, whole to its very end.
    Walked(Walked),
    /// Encrypted, and no key was at hand: the digest alone speaks.
    Unread,
    /// No whole archive.
    Damaged(Damage),
}

impl Content {
    /// The same, of stored bytes that were found to be of these kinds.
    fn inside(self, kinds: &[Kind]) -> Self {
        let layers = kinds.split_last().map_or(&[][..], |(_, layers)| layers);
        match self {
            Self::Damaged(damage) => Self::Damaged(damage.inside(layers)),
            content => content,
        }
    }
}

/// Stored bytes, decrypted or not.
pub type StoredReader<'a> = Box<dyn Read + Send + 'a>;

/// Inspects stored bytes on `threads` threads, and with more than one digests on another. What is encrypted stays unread.
///
/// # Errors
/// The stored bytes can't be read to their end, or a thread can't be started. Never damage: that is a finding.
pub fn inspect<'a>(stored: impl Read + Send + 'a, threads: usize) -> io::Result<Inspected> {
    inspect_with(stored, threads, |_| Ok(None))
}

/// Inspects stored bytes that may be encrypted: if they are, `decrypt` is given them, and returns the decrypted bytes,
/// or none if it holds no key for them.
///
/// # Errors
/// As [`inspect`]. An error of `decrypt` or of the reader that it returns is a finding if it is of kind `InvalidData` or
/// `UnexpectedEof` and the stored bytes themselves could be read; otherwise it is returned.
pub fn inspect_with<'a, R, D>(stored: R, threads: usize, decrypt: D) -> io::Result<Inspected>
where
    R: Read + Send + 'a,
    D: FnOnce(StoredReader<'a>) -> io::Result<Option<StoredReader<'a>>>,
{
    let stored = if threads > 1 { DigestReader::with_thread(stored)? } else { DigestReader::new(stored) };
    let mut head = Vec::with_capacity(SNIFF_LEN);
    stored.clone().take(SNIFF_LEN as u64).read_to_end(&mut head)?;
    let encrypted = sniff(&head) == Kind::Age;
    let whole = Box::new(Cursor::new(head).chain(stored.clone()));

    let read = if encrypted { read_encrypted(whole, threads, decrypt) } else { read_content(whole, threads) };
    let (kinds, content) = match read {
        Err(error) if encrypted && is_broken_encryption(&error) && !stored.has_failed() => {
            let damage = Damage::BadEncryption { offset: stored.size(), reason: error.to_string() };
            (vec![Kind::Age], Content::Damaged(damage))
        }
        read => read?,
    };
    let content = content.inside(&kinds);
    Ok(Inspected { digest: stored.finish()?, kinds, content })
}

fn read_encrypted<'a>(
    stored: StoredReader<'a>,
    threads: usize,
    decrypt: impl FnOnce(StoredReader<'a>) -> io::Result<Option<StoredReader<'a>>>,
) -> io::Result<(Vec<Kind>, Content)> {
    let Some(decrypted) = decrypt(stored)? else { return Ok((vec![Kind::Age], Content::Unread)) };
    let (mut kinds, content) = read_content(decrypted, threads)?;
    kinds.insert(0, Kind::Age);
    Ok((kinds, content))
}

fn is_broken_encryption(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

/// Expands and walks to the end, or to the first damage.
fn read_content(stored: StoredReader<'_>, threads: usize) -> io::Result<(Vec<Kind>, Content)> {
    let mut expander = Expander::new(stored, threads)?;
    let mut walk = Walk::counting();
    let found = loop {
        let walked = match expander.fill_buf() {
            Ok([]) => break walk.finish(),
            Ok(plain) => walk.feed(plain).map(|()| plain.len()),
            Err(error) => match damage(&error) {
                Some(damage) => break Err(damage.clone()),
                None => return Err(error),
            },
        };
        match walked {
            Ok(length) => expander.consume(length),
            Err(damage) => break Err(damage),
        }
    };
    Ok((expander.kinds().to_vec(), content(found)))
}

fn content(walked: Result<Walked, Damage>) -> Content {
    walked.map_or_else(Content::Damaged, Content::Walked)
}
