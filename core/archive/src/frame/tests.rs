mod compressing;
mod expanding;
mod hostile;
mod unframing;

use std::io::{self, Cursor, Read, Write};

use super::*;
use crate::fuzzing::unframed;
use crate::{Compression, Damage};

/// Text like COPY's: compresses about threefold, repeats nowhere as a whole.
fn dump(length: usize) -> Vec<u8> {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut text = Vec::with_capacity(length + 64);
    while text.len() < length {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        writeln!(text, "{}\tcustomer {}\t{:x}\t\\N", text.len(), seed % 1000, seed).unwrap();
    }
    text.truncate(length);
    text
}

fn compress_blocks<'a>(settings: FrameSettings, blocks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let (mut input, output) = compress(settings).unwrap();
    let frames = std::thread::spawn(move || output.map(Result::unwrap).collect());
    for block in blocks {
        let mut buffer = input.take_buffer();
        buffer.extend_from_slice(block);
        input.push(buffer).unwrap();
    }
    input.finish();
    frames.join().unwrap()
}

/// The stored form of `plain` in frames of `size` bytes.
fn store(compression: Compression, plain: &[u8], size: usize) -> Vec<u8> {
    compress_blocks(FrameSettings { compression, level: None, threads: 2 }, plain.chunks(size)).concat()
}

/// Gives its bytes in pieces of at most so many.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.1);
        self.0.read(&mut buffer[..length])
    }
}

fn expand(stored: &[u8], threads: usize) -> Result<Vec<u8>, Damage> {
    let mut plain = Vec::new();
    let mut expander = Expander::new(stored, threads).unwrap();
    match expander.read_to_end(&mut plain) {
        Ok(_) => Ok(plain),
        Err(error) => Err(damage(&error).expect("a finding, since memory can be read").clone()),
    }
}

/// What all our readers agree on.
fn read_back(stored: &[u8]) -> Result<Vec<u8>, Damage> {
    let pulled = expand(stored, 3);
    assert_eq!(expand(stored, 1), pulled);
    assert_eq!(unframed(stored, stored.len().max(1)), pulled);
    assert_eq!(unframed(stored, 7001), pulled);
    pulled
}

/// Stored as `gzip` itself would, in one member.
fn anybodys_gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::GzBuilder::new().filename("dump").write(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Stored as `pg_dump | zstd` would: no content size, a checksum.
fn anybodys_zstd(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ::zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// What the people's tool makes of the stored bytes; none if it complains.
#[expect(clippy::disallowed_methods, reason = "a tool of the test's")]
fn tool(program: &str, arguments: &[&str], stored: &[u8]) -> Option<Vec<u8>> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(stored).unwrap();
    io::Seek::rewind(&mut file).unwrap();
    let output = std::process::Command::new(program).args(arguments).stdin(file).output().unwrap();
    output.status.success().then_some(output.stdout)
}

fn random_places(count: usize, below: usize) -> Vec<usize> {
    let mut seed = 88_172_645_463_325_252_u64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as usize % below
    };
    (0..count).map(|_| next()).collect()
}

fn cursor(bytes: &[u8]) -> Cursor<&[u8]> {
    Cursor::new(bytes)
}
