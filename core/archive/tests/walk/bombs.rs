//! A few kilobytes that expand to gigabytes, in every compression that is read, around an archive and inside it: counted to the last
//! byte, in memory that doesn't grow with them.

use std::io::{self, Cursor, Read, Write as _};
use std::process::Command;

use archive::{Content, FRAME_SIZE, FrameSettings, InnerCompression, Inspected, Inspection, compress, inspect};
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use lz4_flex::frame::{BlockMode, BlockSize, FrameInfo};

use crate::TERMINATOR;
use crate::writer::{self, Item, Writer};

/// How much each expands to, in MiB: `make torture-bytes` takes ten thousand.
const MEBIBYTES: u64 = 32;
const MEBIBYTES_SET: &str = "BOMB_MIB";
/// Set for the process that has nothing but the bombs in its memory.
const CONFINED: &str = "LASTGOOD_BOMBS";
/// Resident bytes that one may take, with a program around it: docs/design.md has the verify function at 64 MB.
const MOST: u64 = 64_000_000;

const UNIT: usize = 1 << 20;
const ROWS: u8 = b'0';

/// Some bytes, others so many times, and some in the end: never all at once in memory.
struct Bomb {
    name: &'static str,
    first: Vec<u8>,
    unit: Vec<u8>,
    times: u64,
    last: Vec<u8>,
}

impl Bomb {
    fn reader(&self) -> impl Read + Send + '_ {
        let unit = Repeated { unit: &self.unit, at: 0, left: self.times };
        self.first.as_slice().chain(unit).chain(self.last.as_slice())
    }

    fn len(&self) -> u64 {
        (self.first.len() + self.last.len()) as u64 + self.unit.len() as u64 * self.times
    }
}

struct Repeated<'a> {
    unit: &'a [u8],
    at: usize,
    left: u64,
}

impl Read for Repeated<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        let length = (&self.unit[self.at..]).read(buffer)?;
        self.at += length;
        if self.at == self.unit.len() {
            (self.at, self.left) = (0, self.left - 1);
        }
        Ok(length)
    }
}

fn mebibytes() -> u64 {
    std::env::var(MEBIBYTES_SET).map_or(MEBIBYTES, |set| set.parse().unwrap())
}

/// What an archive with one table has before its first chunk.
fn head(compression: InnerCompression) -> (Writer, Vec<u8>) {
    let writer = Writer { minor: 16, compression, entries: vec![Item::copied("bomb", b"")], ..Writer::sample() };
    let mut head = [writer.header(), writer.contents(), vec![1]].concat();
    writer.int(&mut head, writer::dump_id(0));
    (writer, head)
}

fn chunk(writer: &Writer, bytes: &[u8]) -> Vec<u8> {
    let mut chunk = Vec::new();
    writer.text(&mut chunk, Some(bytes));
    chunk
}

/// The last of the rows, and what ends a table.
fn tail(writer: &Writer) -> Vec<u8> {
    let mut tail = chunk(writer, &[b"\n", TERMINATOR].concat());
    writer.int(&mut tail, 0);
    tail
}

/// Nothing is compressed: ten gigabytes that lie there.
fn uncompressed() -> Bomb {
    let (writer, first) = head(InnerCompression::None);
    let unit = chunk(&writer, &[ROWS; UNIT]);
    Bomb { name: "no compression", first, unit, times: mebibytes(), last: tail(&writer) }
}

/// Our own frames, each of which holds a thousand times what it is long.
fn framed(compression: archive::Compression, name: &'static str) -> Bomb {
    let (writer, first) = head(InnerCompression::None);
    let frame = |plain: &[u8]| {
        let (mut input, output) = compress(FrameSettings { compression, level: None, threads: 1 }).unwrap();
        let frames = std::thread::spawn(move || output.map(Result::unwrap).collect::<Vec<_>>().concat());
        input.push(plain.to_vec()).unwrap();
        input.finish();
        frames.join().unwrap()
    };
    let plain = chunk(&writer, &[ROWS; FRAME_SIZE - 5]);
    Bomb { name, first: frame(&first), unit: frame(&plain), times: mebibytes(), last: frame(&tail(&writer)) }
}

/// A piece of a deflate stream that refers to nothing before it.
fn deflated(plain: &[u8], flush: FlushCompress) -> Vec<u8> {
    let mut stream = Compress::new(Compression::new(9), false);
    let mut out = Vec::with_capacity(plain.len() + 1024);
    let status = stream.compress_vec(plain, &mut out, flush).unwrap();
    assert!(status == Status::StreamEnd || stream.total_in() == plain.len() as u64);
    out
}

/// One gzip member of anybody's around the whole archive.
fn in_gzip() -> Bomb {
    let plain = uncompressed();
    let mut sum = Crc::new();
    sum.update(&plain.first);
    (0..plain.times).for_each(|_| sum.update(&plain.unit));
    sum.update(&plain.last);
    let first = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255][..], &deflated(&plain.first, FlushCompress::Full)].concat();
    let end = [sum.sum().to_le_bytes(), (plain.len() as u32).to_le_bytes()].concat();
    let last = [deflated(&plain.last, FlushCompress::Finish), end].concat();
    Bomb { name: "gzip", first, unit: deflated(&plain.unit, FlushCompress::Full), times: plain.times, last }
}

/// A zstd block's header (RFC 8878, 3.1.1.2), and its content.
fn zstd_block(kind: u32, size: usize, content: &[u8]) -> Vec<u8> {
    [&((size as u32) << 3 | kind << 1).to_le_bytes()[..3], content].concat()
}

const RAW: u32 = 0;
const REPEATED: u32 = 1;
const BLOCK: usize = 128 << 10;

/// Bytes as zstd's raw blocks.
fn raw(plain: &[u8]) -> Vec<u8> {
    plain.chunks(BLOCK).flat_map(|part| zstd_block(RAW, part.len(), part)).collect()
}

/// A frame's beginning: a window of 128 KiB, no length, no checksum.
fn zstd_begins() -> Vec<u8> {
    vec![0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3]
}

fn zstd_ends() -> Vec<u8> {
    vec![1, 0, 0]
}

/// Four bytes for each 128 KiB.
fn zstd_rows() -> Vec<u8> {
    zstd_block(REPEATED, BLOCK, &[ROWS]).repeat(UNIT / BLOCK)
}

/// One zstd frame of anybody's around the whole archive.
fn in_zstd() -> Bomb {
    let (writer, first) = head(InnerCompression::None);
    let mut length = Vec::new();
    writer.int(&mut length, UNIT as i64);
    let unit = [raw(&length), zstd_rows()].concat();
    let last = [raw(&tail(&writer)), zstd_ends()].concat();
    Bomb { name: "zstd", first: [zstd_begins(), raw(&first)].concat(), unit, times: mebibytes(), last }
}

/// What ends a table whose stream ends with these bytes.
fn inner_tail(writer: &Writer, stream: &[u8]) -> Vec<u8> {
    let mut tail = chunk(writer, stream);
    writer.int(&mut tail, 0);
    tail
}

fn zstd_inside() -> Bomb {
    let (writer, head) = head(InnerCompression::Zstd);
    let first = [head, chunk(&writer, &zstd_begins())].concat();
    let end = [raw(&[b"\n", TERMINATOR].concat()), zstd_ends()].concat();
    let last = inner_tail(&writer, &end);
    Bomb { name: "zstd inside", first, unit: chunk(&writer, &zstd_rows()), times: mebibytes(), last }
}

fn zlib_inside() -> Bomb {
    let (writer, head) = head(InnerCompression::Zlib);
    let end = [b"\n", TERMINATOR].concat();
    let rows = mebibytes() * UNIT as u64;
    let stream = [deflated(&end, FlushCompress::Finish), adler(rows, &end).to_be_bytes().to_vec()].concat();
    let (first, last) = ([head, chunk(&writer, &[0x78, 0xda])].concat(), inner_tail(&writer, &stream));
    let unit = chunk(&writer, &deflated(&[ROWS; UNIT], FlushCompress::Full));
    Bomb { name: "zlib inside", first, unit, times: mebibytes(), last }
}

/// Adler-32 (RFC 1950) of so many times the same byte, and what follows them.
fn adler(rows: u64, end: &[u8]) -> u32 {
    const BASE: u128 = 65_521;
    let (count, byte) = (u128::from(rows), u128::from(ROWS));
    let mut low = (1 + count * byte) % BASE;
    let mut high = (count + byte * (count * (count + 1) / 2)) % BASE;
    for &byte in end {
        low = (low + u128::from(byte)) % BASE;
        high = (high + low) % BASE;
    }
    (high << 16 | low) as u32
}

fn lz4_inside() -> Bomb {
    let (writer, head) = head(InnerCompression::Lz4);
    let info = || FrameInfo::new().block_mode(BlockMode::Independent).block_size(BlockSize::Max1MB);
    let (of_rows, of_end) = (writer::lz4(info(), &[ROWS; UNIT]), writer::lz4(info(), &[b"\n", TERMINATOR].concat()));
    // A frame's header has 7 bytes, its end mark 4.
    let block = |frame: &[u8]| frame[7..frame.len() - 4].to_vec();
    let first = [head, chunk(&writer, &of_rows[..7])].concat();
    let last = inner_tail(&writer, &[block(&of_end), vec![0; 4]].concat());
    Bomb { name: "LZ4 inside", first, unit: chunk(&writer, &block(&of_rows)), times: mebibytes(), last }
}

/// A bomb in a bomb: what expands a thousandfold is itself compressed a thousandfold.
fn zlib_inside_gzip() -> Bomb {
    let mut plain = Vec::new();
    zlib_inside().reader().read_to_end(&mut plain).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::new(9));
    encoder.write_all(&plain).unwrap();
    let first = encoder.finish().unwrap();
    Bomb { name: "zlib inside, in gzip", first, unit: Vec::new(), times: 0, last: Vec::new() }
}

fn fed(bomb: &Bomb) -> Inspected {
    let (mut inspection, mut stored) = (Inspection::new(), bomb.reader());
    let mut buffer = vec![0; 64 << 10];
    loop {
        match stored.read(&mut buffer).unwrap() {
            0 => return inspection.finish(),
            length => inspection.feed(&buffer[..length]),
        }
    }
}

#[expect(clippy::print_stdout, reason = "`make torture-bytes` shows it")]
fn explode_all() {
    use archive::Compression::{Gzip, Zstd};
    let bombs = [
        uncompressed(),
        framed(Gzip, "gzip frames of ours"),
        framed(Zstd, "zstd frames of ours"),
        in_gzip(),
        in_zstd(),
        zlib_inside(),
        lz4_inside(),
        zstd_inside(),
        zlib_inside_gzip(),
    ];
    for bomb in bombs {
        let rows = if bomb.name.ends_with("of ours") { FRAME_SIZE - 5 } else { UNIT } as u64 * mebibytes();
        for found in [inspect(bomb.reader(), 2).unwrap(), fed(&bomb)] {
            assert_eq!(found.digest.size, bomb.len(), "{}", bomb.name);
            let Content::Walked(walked) = &found.content else { panic!("{}: {:?}", bomb.name, found.content) };
            let table = &walked.census.tables[0];
            assert_eq!((table.rows, table.bytes), (Some(1), rows + 1), "{}", bomb.name);
        }
        println!(
            "{}: {} bytes stored, {rows} of rows, at most {} MB so far",
            bomb.name,
            bomb.len(),
            peak() / 1_000_000
        );
    }
    let zeros = io::repeat(0).take(mebibytes() << 20);
    let found = inspect(zeros, 2).unwrap();
    assert!(matches!(found.content, Content::Damaged(_)) && found.digest.size == mebibytes() << 20);
    // Cut in their middle, they are damaged all the same.
    let gzip = in_gzip();
    let mut half = Vec::new();
    gzip.reader().take(gzip.len() / 2).read_to_end(&mut half).unwrap();
    assert!(matches!(inspect(Cursor::new(half), 2).unwrap().content, Content::Damaged(_)));
    assert!(peak() < MOST, "{} MB", peak() / 1_000_000);
}

/// The most that this process has had resident, in bytes (proc_pid_status(5)).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
#[expect(clippy::print_stdout, reason = "`make torture-bytes` shows it")]
fn a_bomb_is_counted_to_its_end_in_memory_that_does_not_grow() {
    if std::env::var_os(CONFINED).is_some() {
        return explode_all();
    }
    let mut test = Command::new(std::env::current_exe().unwrap());
    let name = "bombs::a_bomb_is_counted_to_its_end_in_memory_that_does_not_grow";
    let output = test.args(["--exact", name, "--nocapture"]).env(CONFINED, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}\n{complaints}");
}
