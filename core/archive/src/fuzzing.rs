//! What must hold of any bytes at all. `make fuzz` looks for bytes of which it doesn't; what it kept is tried by the tests
//! of this file. A panic is a finding.

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

use std::io::{self, Read as _};

use crate::frame::Unframe;
use crate::sniff::Sniffer;
use crate::walk::{PackedContents, inner_decoded};
use crate::{
    Content, CopiedRows, CopyReader, Damage, Expander, InnerCompression, Inspected, Inspection, Kind, PlainRepack,
    SNIFF_LEN, SavedInspection, ScriptReader, Walk, Walked, inspect, sniff,
};

/// Inputs are divided into pieces of at most so many bytes, by what their first byte says.
const LARGEST_PIECE: usize = 256;
/// Stopping and going on again takes longer than reading: that is done at most so often.
const MOST_STOPS: usize = 12;
/// The most that an input is expanded to: what two readers make of it is held against each other.
const MOST_PLAIN: usize = 64 << 20;

/// A stream's kind is the same however its bytes come, and reads back as it is written.
pub fn sniffed(bytes: &[u8]) {
    let Some((piece, stream)) = divided(bytes) else { return };
    let kind = sniff(stream.split_at(stream.len().min(SNIFF_LEN)).0);
    assert_eq!(kind == Kind::Empty, stream.is_empty());
    let mut sniffer = Sniffer::default();
    stream.chunks(piece).for_each(|bytes| sniffer.feed(bytes));
    sniffer.end();
    assert_eq!(sniffer.kind(), Some(kind));
    let written = serde_json::to_string(&kind).unwrap_or_default();
    assert_eq!(serde_json::from_str::<Kind>(&written).ok(), Some(kind));
}

/// What is pulled, what is fed in pieces, and, where it is whole, what everybody's decoder makes of it are the same.
pub fn frames(bytes: &[u8]) {
    let Some((piece, stored)) = divided(bytes) else { return };
    let fed = unframed(stored, piece);
    let Some(pulled) = expanded(stored) else { return };
    assert_eq!(pulled, fed, "pulled, and fed in pieces of {piece}");
    let Ok(plain) = fed else { return };
    let mut others = Vec::new();
    let read = match sniff(stored) {
        Kind::Gzip => flate2::bufread::MultiGzDecoder::new(stored).read_to_end(&mut others),
        Kind::Zstd => zstd::Decoder::with_buffer(stored).and_then(|mut decoder| decoder.read_to_end(&mut others)),
        _ => return assert!(plain == stored, "what isn't compressed is passed through"),
    };
    // Zeros may follow the last member; that decoder knows none.
    if read.is_ok() {
        assert!(plain == others, "another decoder makes other bytes of it");
    }
}

/// A walk finds the same in one piece, in many, and when it stops between them; and counting alone finds the same too.
pub fn walked(bytes: &[u8]) {
    let Some((piece, dump)) = divided(bytes) else { return };
    let whole = told(walk_by(Walk::new(), dump, dump.len().max(1)));
    assert_eq!(whole, told(walk_by(Walk::new(), dump, piece)), "in pieces of {piece}");
    assert_eq!(whole, told(walk_by(Walk::counting().comparing(), dump, piece)), "comparing");
    let piece = seldom(piece, dump);
    assert_eq!(whole, told(walk_resuming(dump, piece)), "stopped after each {piece}");
}

/// What was compressed inside an archive is the same in any chunks, and what everybody's decoder makes of it.
pub fn inner(bytes: &[u8]) {
    let Some((piece, rest)) = divided(bytes) else { return };
    let Some((&number, stream)) = rest.split_first() else { return };
    let compression = match number % 3 {
        0 => InnerCompression::Zlib,
        1 => InnerCompression::Lz4,
        _ => InnerCompression::Zstd,
    };
    let whole = inner_decoded(compression, stream, stream.len().max(1));
    let parts = inner_decoded(compression, stream, piece);
    assert!(whole == parts, "in chunks of {piece}");
    let Some(whole) = whole else { return };
    let mut others = Vec::new();
    let read = match compression {
        InnerCompression::Zlib => flate2::bufread::ZlibDecoder::new(stream).read_to_end(&mut others),
        InnerCompression::Lz4 => lz4_flex::frame::FrameDecoder::new(stream).read_to_end(&mut others),
        _ => zstd::Decoder::with_buffer(stream).and_then(|mut decoder| decoder.read_to_end(&mut others)),
    };
    assert!(stream.is_empty() || read.is_ok() && whole == others, "another decoder makes other bytes of it: {read:?}");
}

/// Stored bytes are found to be the same when they are pulled, when they are fed, and when whoever feeds them stops after each
/// piece and goes on elsewhere from the place that was saved. Where a stream breaks off, how much comes out of it before that depends on
/// how much of it was given at once: then it is damaged for all.
pub fn stops(bytes: &[u8]) {
    let Some((piece, stored)) = divided(bytes) else { return };
    let piece = seldom(piece, stored);
    let mut straight = Inspection::new();
    straight.feed(stored);
    let straight = found(straight.finish());
    assert_eq!(straight, found(stopping(stored, piece)), "stopped after each {piece}");
    let pulled = inspect(stored, 1).map(found).ok();
    assert_eq!(pulled.as_ref(), Some(&straight), "pulled");
}

/// Any text that reads as a saved place is a place to go on from, whatever follows it: up to the first zero byte it is the place.
pub fn place(bytes: &[u8]) {
    let Some((piece, rest)) = divided(bytes) else { return };
    let mut parts = rest.splitn(2, |&byte| byte == 0);
    let (json, stored) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Ok(saved) = serde_json::from_slice::<SavedInspection>(json) else { return };
    let printed = serde_json::to_string(&saved).unwrap_or_default();
    let read = serde_json::from_str::<SavedInspection>(&printed);
    assert!(read.is_ok(), "what was printed reads back: {:?}", read.err());
    let again = read.and_then(|read| serde_json::to_string(&read)).unwrap_or_default();
    assert_eq!(again, printed);
    let mut inspection = Inspection::resume(saved);
    for piece in stored.chunks(piece) {
        inspection.feed(piece);
        let _ = inspection.save().map(|saved| serde_json::to_vec(&saved));
    }
    let _ = inspection.finish();
}

/// A script put together again as an archive has the tables of the script, with the same rows.
pub fn script(bytes: &[u8]) {
    let Some((piece, script)) = divided(bytes) else { return };
    let mut outline = ScriptReader::new();
    if script.chunks(piece).try_for_each(|piece| outline.feed(piece)).is_err() {
        return;
    }
    let Ok(outline) = outline.finish() else { return };
    let mut repack = PlainRepack::new(outline.into());
    let mut archive = Vec::new();
    for piece in script.chunks(piece) {
        match repack.feed(piece) {
            Ok(more) => archive.extend(more),
            Err(damage) => return assert!(damage.is_limit(), "it was whole when it was read first: {damage}"),
        }
    }
    let end = repack.finish();
    assert!(end.is_ok(), "it was whole when it was read first: {:?}", end.err());
    archive.extend(end.unwrap_or_default());
    let packed = walk_by(Walk::new(), &archive, archive.len().max(1)).map(|walked| walked.census);
    if let Ok(counted) = walk_by(Walk::new(), script, piece) {
        assert_eq!(packed, Ok(counted.census));
    }
}

/// The contents of a folder or a tar become a head that the walk reads to its end.
pub fn toc(bytes: &[u8]) {
    let Ok(contents) = PackedContents::read(bytes) else { return };
    let mut walk = Walk::new();
    if walk.feed(&contents.head).is_ok() {
        assert!(walk.contents().is_some(), "the head ends within the contents");
    }
}

/// Rows are counted the same in any pieces.
pub fn rows(bytes: &[u8]) {
    let Some((piece, text)) = divided(bytes) else { return };
    assert_eq!(copied(text, text.len().max(1)), copied(text, piece), "in pieces of {piece}");
}

fn copied(text: &[u8], piece: usize) -> Result<CopiedRows, &'static str> {
    let mut reader = CopyReader::new(None);
    text.chunks(piece).try_for_each(|piece| reader.add(piece))?;
    reader.finish()
}

/// Stops after each piece and goes on from the place that was saved, where there is one.
fn stopping(stored: &[u8], piece: usize) -> Inspected {
    let (mut inspection, mut fed) = (Inspection::new(), 0);
    let behind =
        |inspection: &Inspection| usize::try_from(inspection.position()).unwrap_or(usize::MAX).min(stored.len());
    while fed < stored.len() {
        let end = stored.len().min(fed.max(behind(&inspection)) + piece);
        inspection.feed(stored.get(behind(&inspection)..end).unwrap_or_default());
        fed = end;
        if let Some(saved) = inspection.save() {
            assert!(saved.position() <= end as u64, "a place behind what was fed");
            let json = serde_json::to_vec(&saved).unwrap_or_default();
            let read = serde_json::from_slice(&json);
            assert!(read.is_ok(), "a saved place reads back: {:?}", read.err());
            inspection = read.map_or(inspection, Inspection::resume);
        }
    }
    inspection.feed(stored.split_at(behind(&inspection)).1);
    inspection.finish()
}

/// As [`told`]; and of what is damaged in a compression, that it is.
fn found(inspected: Inspected) -> Inspected {
    let Inspected { digest, mut kinds, content } = inspected;
    let is_compressed = matches!(kinds.first(), Some(Kind::Gzip | Kind::Zstd));
    let content = match content {
        Content::Damaged(_) if is_compressed => {
            kinds.truncate(1);
            Content::Damaged(Damage::NotAnArchive { found: Kind::Unknown })
        }
        Content::Damaged(damage) => Content::Damaged(plainly(damage)),
        content => content,
    };
    Inspected { digest, kinds, content }
}

/// A piece so long that it is stopped at most [`MOST_STOPS`] times.
fn seldom(piece: usize, bytes: &[u8]) -> usize {
    piece.max(bytes.len() / MOST_STOPS)
}

/// The size of the pieces that the first byte asks for, and the other bytes.
fn divided(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    Some((1 + usize::from(first) * LARGEST_PIECE / 256, rest))
}

pub(crate) fn unframed(stored: &[u8], piece: usize) -> Result<Vec<u8>, Damage> {
    let mut plain = Vec::new();
    let mut collect = |bytes: &[u8]| {
        plain.extend_from_slice(bytes);
        Ok(())
    };
    let mut unframe = Unframe::new();
    stored.chunks(piece).try_for_each(|bytes| unframe.feed(bytes, &mut collect))?;
    unframe.finish(&mut collect)?;
    Ok(plain)
}

/// Nothing of what is longer than [`MOST_PLAIN`].
fn expanded(stored: &[u8]) -> Option<Result<Vec<u8>, Damage>> {
    let mut plain = Vec::new();
    let mut expander = Expander::new(stored, 1).ok()?;
    match io::Read::take(&mut expander, MOST_PLAIN as u64).read_to_end(&mut plain) {
        Ok(MOST_PLAIN) => None,
        Ok(_) => Some(Ok(plain)),
        Err(error) => Some(Err(crate::damage(&error).cloned()?)),
    }
}

fn walk_by(mut walk: Walk, dump: &[u8], piece: usize) -> Result<Walked, Damage> {
    dump.chunks(piece).try_for_each(|piece| walk.feed(piece))?;
    walk.finish()
}

/// Its place is written and read again after each piece, where it can be.
fn walk_resuming(dump: &[u8], piece: usize) -> Result<Walked, Damage> {
    let mut walk = Walk::new();
    for piece in dump.chunks(piece) {
        walk.feed(piece)?;
        let saved = walk.save().map(|saved| serde_json::to_vec(&saved).unwrap_or_default());
        if let Some(saved) = saved {
            let read = serde_json::from_slice(&saved);
            assert!(read.is_ok(), "a saved place reads back: {:?}", read.err());
            walk = read.map_or(walk, Walk::resume);
        }
    }
    walk.finish()
}

/// Without what a library says of a stream that it can't read, which depends on how much it was given at once.
fn told(found: Result<Walked, Damage>) -> Result<Walked, Damage> {
    found.map_err(plainly)
}

fn plainly(damage: Damage) -> Damage {
    match damage {
        Damage::BadBlock { offset, object, reason } => {
            let reason = reason.split(" is broken:").next().unwrap_or_default().to_owned();
            Damage::BadBlock { offset, object, reason }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its name, and what must hold of any bytes.
    type Target = (&'static str, fn(&[u8]));

    #[test]
    fn what_fuzzing_kept_holds() {
        let targets: [Target; 9] = [
            ("sniff", sniffed),
            ("frames", frames),
            ("walk", walked),
            ("inner", inner),
            ("stops", stops),
            ("place", place),
            ("script", script),
            ("toc", toc),
            ("rows", rows),
        ];
        targets.into_iter().for_each(|(name, holds)| super::replay::replay(name, holds));
    }
}
