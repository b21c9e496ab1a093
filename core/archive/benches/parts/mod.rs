//! The parts of a backup's road and of its verification, each run by itself on one core over the same input.

#![expect(clippy::mod_module_files, reason = "cargo would take benches/parts.rs for a benchmark of its own")]

mod sample;

use std::hint::black_box;
use std::io::BufRead;

use archive::weave::{Loom, Thread, block};
use archive::{Compression, Digester, Expander, FRAME_SIZE, FrameSettings, Inspection, Walk, compress};
use sha2::{Digest as _, Sha256};

/// Bytes of a piece of a strand.
const PIECE: usize = 4 << 10;

/// The input, of about `size` bytes.
pub(crate) fn archive(size: usize) -> Vec<u8> {
    let mut archive = Vec::with_capacity(size + size / 8);
    sample::write("shop", size as u64, &mut archive).unwrap();
    archive
}

/// Counts an archive's rows and bytes.
pub(crate) fn walk(archive: &[u8]) {
    let mut walk = Walk::new();
    for block in archive.chunks(FRAME_SIZE) {
        walk.feed(block).unwrap();
    }
    black_box(walk.finish().unwrap());
}

/// As much SHA-256 as a walk takes of the rows.
pub(crate) fn hash_rows(archive: &[u8]) {
    black_box(Sha256::digest(archive));
}

/// Hands bytes through a loom into blocks, as one strand in small pieces.
pub(crate) fn weave(bytes: &[u8]) {
    let loom = Loom::new(std::iter::once(1), usize::MAX);
    let strand = loom.take().unwrap();
    let mut out = Vec::with_capacity(2 * bytes.len());
    let mut follow = |loom: &Loom<i32, ()>| match loom.weave().unwrap() {
        Some(Thread::Begin(dump_id)) => block::begin(&mut out, dump_id),
        Some(Thread::Piece(piece)) => {
            block::chunk(&mut out, piece.len());
            out.extend_from_slice(&piece);
            loom.recycle(piece);
        }
        Some(Thread::End { .. }) => block::end(&mut out),
        None => panic!("over too early"),
    };
    follow(&loom);
    for part in bytes.chunks(PIECE) {
        let mut piece = loom.buffer();
        piece.extend_from_slice(part);
        loom.put(&strand, piece).unwrap();
        follow(&loom);
    }
    loom.end(&strand, ());
    follow(&loom);
    black_box(out);
}

/// Takes the digest of bytes.
pub(crate) fn digest(bytes: &[u8]) {
    let mut digester = Digester::new();
    bytes.chunks(FRAME_SIZE).for_each(|block| digester.update(block));
    black_box(digester.finish());
}

/// The archive in frames. One block at a time is under way: a hand-off that waits counts as many instructions as it
/// spins, and no two runs spin alike.
pub(crate) fn stored(archive: &[u8], compression: Compression) -> Vec<u8> {
    let (mut input, mut output) = compress(FrameSettings { compression, level: None, threads: 1 }).unwrap();
    let mut stored = Vec::with_capacity(archive.len());
    for part in archive.chunks(FRAME_SIZE) {
        let mut block = input.take_buffer();
        block.extend_from_slice(part);
        input.push(block).unwrap();
        let frame = output.next().unwrap().unwrap();
        stored.extend_from_slice(&frame);
        output.recycle(frame);
    }
    input.finish();
    assert!(output.next().is_none());
    stored
}

/// Back from frames, as restore does it.
pub(crate) fn expand(stored: &[u8]) {
    let mut expander = Expander::new(stored, 1).unwrap();
    loop {
        let length = black_box(expander.fill_buf().unwrap()).len();
        if length == 0 {
            break;
        }
        expander.consume(length);
    }
}

/// Digest, frames and walk, as the verify function does it.
pub(crate) fn inspect(stored: &[u8]) {
    let mut inspection = Inspection::new();
    stored.chunks(FRAME_SIZE).for_each(|part| inspection.feed(part));
    black_box(inspection.finish());
}
