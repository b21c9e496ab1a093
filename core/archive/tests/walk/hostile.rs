//! Archives that are cut, spliced, flipped or made to exhaust memory.

use std::process::Command;

use archive::{Damage, InnerCompression, Walk, Walked};
use proptest::prelude::*;

use crate::{
    fixtures::{COPIED, fixture},
    walk, walk_by, walk_resuming,
    writer::{self, COMPRESSIONS, Content, Item, VERSIONS, Writer},
};

fn crafted() -> Vec<Vec<u8>> {
    COMPRESSIONS.map(|compression| Writer { minor: 16, compression, ..Writer::sample() }.archive()).to_vec()
}

#[test]
fn an_archive_cut_at_any_byte_is_damaged() {
    for archive in COPIED.map(fixture).into_iter().chain(crafted()) {
        let whole = walk(&archive).unwrap();
        for cut in 0..archive.len() {
            let damage = walk(&archive[..cut]).expect_err("a part isn't an archive");
            match &damage {
                Damage::NotAnArchive { .. } => assert_eq!(cut, 0),
                Damage::Truncated { offset, .. } | Damage::MissingBlocks { offset, .. } => {
                    assert_eq!(*offset, cut as u64, "{damage}");
                }
                _ => panic!("cut at {cut}: {damage}"),
            }
        }
        assert_eq!(walk(&archive), Ok(whole));
    }
}

#[test]
fn an_archive_cut_between_blocks_misses_the_others() {
    let sample = Writer::sample();
    let archive = [sample.header(), sample.contents(), sample.block(3), sample.block(4)].concat();
    let offset = archive.len() as u64;
    let object = "TABLE DATA public.no_columns".to_owned();
    assert_eq!(walk(&archive), Err(Damage::MissingBlocks { offset, object, missing: 5, promised: 7 }));
}

#[test]
fn bytes_behind_the_end_are_damage() {
    for archive in COPIED.map(fixture).into_iter().chain(crafted()) {
        let offset = archive.len() as u64;
        for tail in [&b"\0"[..], b"\n", b"PGDMP", &archive] {
            assert_eq!(walk(&[&archive, tail].concat()), Err(Damage::TrailingBytes { offset }));
        }
    }
}

/// What a shell's `>>` makes of pg_dump's going back.
#[test]
fn the_contents_may_stand_once_more_behind_the_data() {
    for writer in VERSIONS.map(|minor| Writer { minor, ..Writer::sample() }) {
        let archive = writer.archive();
        let whole = walk(&archive).unwrap();
        for second in [writer.contents(), writer.contents_with_offsets()] {
            let appended = [&archive[..], &second].concat();
            assert_eq!(walk(&appended), Ok(whole.clone()));
            for piece in [1, 7, 100] {
                assert_eq!(walk_by(&appended, piece), Ok(whole.clone()));
            }
            assert_eq!(walk_resuming(&appended, 97).0, Ok(whole.clone()));
            let offset = archive.len() as u64;
            for tail in [&b"\0"[..], &second] {
                let end = appended.len() as u64;
                assert_eq!(walk(&[&appended, tail].concat()), Err(Damage::TrailingBytes { offset: end }));
            }
            for cut in archive.len() + 1..appended.len() {
                let damage = walk(&appended[..cut]).unwrap_err();
                match damage {
                    Damage::TrailingBytes { offset: begun } => {
                        assert_eq!((begun, cut < archive.len() + 5), (offset, true))
                    }
                    damage => assert!(matches!(damage, Damage::Truncated { offset, .. } if offset == cut as u64)),
                }
            }
        }
    }
}

#[test]
fn other_contents_behind_the_data_are_damage() {
    let writer = Writer::sample();
    let (archive, right) = (writer.archive(), writer.contents_with_offsets());
    let offset = archive.len() as u64;
    let changed = |change: &dyn Fn(&mut Writer)| {
        let mut other = writer.clone();
        change(&mut other);
        other.contents_with_offsets()
    };
    let others = [
        changed(&|other| drop(other.entries.pop())),
        changed(&|other| other.entries.swap(3, 4)),
        changed(&|other| other.entries[2].kind = "VIEW"),
        changed(&|other| other.entries[2].name = b"other"),
        Writer { entries: [&[Item::copied("x", b"1\n")], &writer.entries[..]].concat(), ..writer.clone() }.contents(),
    ];
    for other in others {
        assert_eq!(walk(&[&archive[..], &other].concat()), Err(Damage::TrailingBytes { offset }));
    }
    // Every bit of it matters, save where entries without data say where that lies.
    let passes = |bit: &usize| {
        let mut flipped = right.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        walk(&[&archive[..], &flipped].concat()).is_ok()
    };
    assert_eq!((0..right.len() * 8).filter(passes).count(), 3 * 8 * writer.offset_size);
}

/// The sample's blocks in this order.
fn spliced(order: &[usize]) -> Result<Walked, Damage> {
    let sample = Writer::sample();
    let blocks = order.iter().map(|&index| sample.block(index));
    walk(&[sample.header(), sample.contents()].into_iter().chain(blocks).collect::<Vec<_>>().concat())
}

#[test]
fn blocks_must_be_those_that_the_contents_promise() {
    assert!(spliced(&[3, 4, 5, 6, 7, 8, 9]).is_ok());
    let twice = spliced(&[3, 4, 3, 5, 6, 7, 8, 9]);
    assert!(matches!(&twice, Err(Damage::DuplicateBlock { object, .. }) if object == "TABLE DATA public.orders"));
    let swapped = spliced(&[3, 5, 4, 6, 7, 8, 9]);
    let left_out = spliced(&[3, 5, 6, 7, 8, 9]);
    for result in [swapped, left_out] {
        let Err(Damage::MisplacedBlock { object, expected, .. }) = result else { panic!("{result:?}") };
        assert_eq!((&*object, &*expected), ("TABLE DATA public.no_columns", "TABLE DATA public.empty"));
    }
}

#[test]
fn a_block_of_an_entry_without_data_is_unknown() {
    let mut other = Writer::sample();
    other.entries[2].content = Content::Table(b"1\n\\.\n\n\n".to_vec());
    let sample = Writer::sample();
    let archive = [sample.header(), sample.contents(), other.block(2)].concat();
    let offset = (archive.len() - other.block(2).len()) as u64;
    assert_eq!(walk(&archive), Err(Damage::UnknownBlock { offset, dump_id: writer::dump_id(2) }));
}

#[test]
fn a_block_of_the_other_type_is_damaged() {
    let (mut tables, mut objects) = (Writer::sample(), Writer::sample());
    tables.entries = vec![Item::copied("t", b"1\n")];
    objects.entries = vec![Item::large_objects(&[(5, b"five")])];
    for (contents, block) in [(&tables, &objects), (&objects, &tables)] {
        let archive = [contents.header(), contents.contents(), block.block(0)].concat();
        assert!(matches!(walk(&archive), Err(Damage::BadBlock { .. })));
    }
    let mut archive = tables.archive();
    let block = archive.len() - tables.block(0).len();
    archive[block] = 2;
    assert!(matches!(walk(&archive), Err(Damage::BadBlock { reason, .. }) if reason == "its type is 2"));
}

#[test]
fn copy_text_without_its_end_is_damaged() {
    let mut writer = Writer::sample();
    for text in [&b"1\n2\n"[..], b"", b"1\n\\.\n\n\n3\n"] {
        writer.entries = vec![Item { content: Content::Table(text.to_vec()), ..Item::copied("t", b"") }];
        let Err(Damage::BadBlock { object, .. }) = walk(&writer.archive()) else { panic!() };
        assert_eq!(object, "TABLE DATA public.t");
    }
}

#[test]
fn data_that_is_not_where_the_contents_say_is_damaged() {
    let archive = fixture("pg16-zlib-file");
    let mut contents = Walk::new();
    contents.feed(&archive).unwrap();
    let moved = [&archive[..archive.len() / 4], &archive[..]].concat();
    assert!(walk(&moved).is_err());
    // Every bit of every offset is flipped by the test of all bits; here, that a moved block is told as such.
    let needle = [2_u8].into_iter().chain(block_offset(&archive).to_le_bytes()).collect::<Vec<u8>>();
    let position = archive.windows(needle.len()).position(|window| window == needle).unwrap();
    let mut changed = archive.clone();
    changed[position + 1] ^= 1;
    let Err(Damage::BadBlock { reason, .. }) = walk(&changed) else { panic!() };
    assert!(reason.starts_with("the table of contents has it at byte "), "{reason}");
}

/// Where the first block starts: the contents have ended, and the walk has taken no byte more.
fn block_offset(archive: &[u8]) -> u64 {
    let mut walk = Walk::new();
    let fed = archive.iter().take_while(|&&byte| walk.contents().is_none() && walk.feed(&[byte]).is_ok());
    fed.count() as u64
}

#[test]
fn broken_streams_inside_are_damaged() {
    for compression in [InnerCompression::Zlib, InnerCompression::Lz4, InnerCompression::Zstd] {
        let writer = Writer { minor: 16, compression, entries: vec![Item::copied("t", b"1\n")], ..Writer::sample() };
        let stream = writer::compressed(compression, b"1\n\\.\n\n\n");
        let head = [writer.header(), writer.contents(), vec![1]].concat();
        let block = |stream: &[u8]| {
            let mut archive = head.clone();
            writer.int(&mut archive, writer::dump_id(0));
            writer.text(&mut archive, (!stream.is_empty()).then_some(stream).or(Some(b"\0\0")));
            writer.int(&mut archive, 0);
            walk(&archive)
        };
        assert!(block(&stream).is_ok(), "{compression:?}");
        for cut in 1..stream.len() {
            assert!(matches!(block(&stream[..cut]), Err(Damage::BadBlock { .. })), "{compression:?} cut at {cut}");
        }
        let longer = [&stream[..], b"more"].concat();
        assert!(matches!(block(&longer), Err(Damage::BadBlock { .. })), "{compression:?} goes on");
    }
}

/// Set for the process that has room for half of what is claimed.
const CONFINED: &str = "LASTGOOD_CONFINED";

/// Neither touched nor reserved: so a process of its own, in which both fail.
#[test]
fn claimed_lengths_and_counts_are_not_allocated() {
    if std::env::var_os(CONFINED).is_some() {
        return read_claims_of_two_gibibytes();
    }
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -v 1000000; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
    let name = "hostile::claimed_lengths_and_counts_are_not_allocated";
    let output = shell.args(["--exact", name, "--nocapture"]).env(CONFINED, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn read_claims_of_two_gibibytes() {
    assert!(Vec::<u8>::new().try_reserve_exact(0x7fff_ffff).is_err(), "there is room for what is claimed");
    let writer = Writer::sample();
    let header = writer.header();
    let mut huge_count = header.clone();
    writer.int(&mut huge_count, 0x7fff_ffff);
    let mut huge_text = header.clone();
    for value in [1, 100, 1, 0x7fff_ffff] {
        writer.int(&mut huge_text, value);
    }
    let mut huge_chunk = [header, writer.contents(), vec![1]].concat();
    for value in [writer::dump_id(3), 0x7fff_ffff] {
        writer.int(&mut huge_chunk, value);
    }
    for archive in [huge_count, huge_text, huge_chunk] {
        let padded = [archive, vec![b'x'; 1 << 20]].concat();
        assert!(walk(&padded).is_err());
    }
}

#[test]
fn any_flipped_bit_is_survived_and_told_the_same_however_fed() {
    for archive in crafted().into_iter().chain([fixture("pg18-zlib-file")]) {
        let step = 1 + archive.len() / 4000;
        for (position, bit) in (0..archive.len()).step_by(step).zip((0..8).cycle()) {
            let mut flipped = archive.clone();
            flipped[position] ^= 1 << bit;
            let found = walk(&flipped);
            assert_eq!(told(found), told(walk_by(&flipped, 61)), "byte {position}");
        }
    }
}

/// Without what a library says of the stream that it can't read, which depends on how much it was given at once.
fn told(found: Result<Walked, Damage>) -> Result<Walked, Damage> {
    found.map_err(|damage| match damage {
        Damage::BadBlock { offset, object, reason } => {
            let reason = reason.split("stream is broken:").next().unwrap_or_default().to_owned();
            Damage::BadBlock { offset, object, reason }
        }
        other => other,
    })
}

/// zlib alone has a checksum inside; of the others and of plain rows, the archive's digest tells.
#[test]
fn a_flipped_bit_in_zlib_data_never_passes_for_other_content() {
    let text: Vec<u8> = (0..400).flat_map(|n: u32| format!("{n}\n").into_bytes()).collect();
    let writer = Writer {
        compression: InnerCompression::Zlib,
        chunk: 1 << 16,
        entries: vec![Item::copied("t", &text)],
        ..Writer::sample()
    };
    let archive = writer.archive();
    let whole = walk(&archive).unwrap();
    for position in archive.len() - writer.block(0).len()..archive.len() {
        for bit in 0..8 {
            let mut flipped = archive.clone();
            flipped[position] ^= 1 << bit;
            // The bits that fill up the stream's last byte mean nothing.
            assert!(walk(&flipped).map_or(true, |walked| walked == whole), "bit {bit} of byte {position}");
        }
    }
}

#[test]
fn damage_is_told_again() {
    let mut walk = Walk::new();
    let damage = walk.feed(&[0xee; 512]).unwrap_err();
    assert_eq!(walk.feed(b"PGDMP"), Err(damage.clone()));
    let mut resumed = Walk::resume(walk.save().unwrap());
    assert_eq!(resumed.feed(b""), Err(damage.clone()));
    assert_eq!(resumed.finish(), Err(damage));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_behind_a_header_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..600), compression in 0..4_usize) {
        let writer = Writer { minor: 16, compression: COMPRESSIONS[compression], ..Writer::sample() };
        let _ = walk(&[writer.header(), bytes.clone()].concat());
        let _ = walk(&[writer.header(), writer.contents(), bytes.clone()].concat());
        let _ = walk(&bytes);
    }

    #[test]
    fn any_change_within_long_compressed_data_is_survived(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        compression in 1..4_usize,
    ) {
        let text: Vec<u8> = (0..40_000_u32).flat_map(|n| format!("{n}\t{}\n", n % 77).into_bytes()).collect();
        let (compression, entries) = (COMPRESSIONS[compression], vec![Item::copied("t", &text)]);
        let writer = Writer { minor: 16, compression, chunk: 4096, entries, ..Writer::sample() };
        let mut archive = writer.archive();
        let data = archive.len() - writer.block(0).len();
        for (place, byte) in changes {
            *place.get_mut(&mut archive[data..]) = byte;
        }
        let _ = walk_by(&archive, 10_000);
    }

    #[test]
    fn any_rows_in_any_pieces_are_counted(
        rows in proptest::collection::vec("[\\\\.a\t]{0,4}", 0..30),
        piece in 1..40_usize,
        chunk in 1..40_usize,
    ) {
        // As COPY writes them: every backslash of a value doubled.
        let text: String = rows.iter().map(|row| row.replace('\\', "\\\\") + "\n").collect();
        let writer = Writer { chunk, entries: vec![Item::copied("t", text.as_bytes())], ..Writer::sample() };
        let census = walk_by(&writer.archive(), piece).unwrap().census;
        prop_assert_eq!(census.tables, [crate::copied("public", "t", text.as_bytes())]);
    }
}
