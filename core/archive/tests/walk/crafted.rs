//! Archives that no PostgreSQL at hand writes: old versions, odd sizes, every inner compression.

use archive::{Damage, InnerCompression, Kind};
use lz4_flex::frame::{BlockMode, BlockSize, FrameInfo};

use crate::{
    copied, inserted, large_objects_sum, walk, walk_by, walk_resuming,
    writer::{self, COMPRESSIONS, Content, Item, VERSIONS, Writer},
};

#[test]
fn every_version_and_inner_compression_is_read() {
    let plain = walk(&Writer::sample().archive()).unwrap().census;
    for minor in VERSIONS {
        for compression in COMPRESSIONS.into_iter().take(if minor < 15 { 2 } else { 4 }) {
            let archive = Writer { minor, compression, ..Writer::sample() }.archive();
            let walked = walk(&archive).unwrap_or_else(|damage| panic!("1.{minor} {compression:?}: {damage}"));
            assert_eq!(walked.census, plain, "1.{minor} {compression:?}");
            assert_eq!((walked.header.version.minor, walked.header.compression), (minor, compression));
            assert_eq!(walk_by(&archive, 1).as_ref(), Ok(&walked), "1.{minor} {compression:?} byte by byte");
            assert_eq!(walk_resuming(&archive, 1).0.as_ref(), Ok(&walked), "1.{minor} {compression:?} resumed");
        }
    }
}

#[test]
fn a_census_says_rows_bytes_and_digest() {
    let census = walk(&Writer::sample().archive()).unwrap().census;
    let expected = [
        copied("public", "orders", b"1\tone\n2\t\\N\n\\N\t\\\\.\n"),
        copied("public", "empty", b""),
        copied("public", "no_columns", b"\n\n"),
        inserted("public", "inserted", b"INSERT INTO public.inserted VALUES (1);\n\n\n"),
        copied("public", "last", b"the\tend\n"),
    ];
    assert_eq!(census.tables, expected);
    let objects: [(u32, &[u8]); 3] = [(1, b"a large object\n\\.\n"), (4_000_000_000, b""), (7, &[0xaa; 300])];
    assert_eq!((census.large_objects.count, census.large_objects.bytes), (3, 318));
    assert_eq!(census.large_objects.sha256, large_objects_sum(&objects));
}

#[test]
fn any_size_of_integers_and_offsets_is_read() {
    let mut sample = Writer::sample();
    sample.entries.retain(|item| !matches!(item.content, Content::LargeObjects(_)));
    let plain = walk(&sample.archive()).unwrap().census;
    for (int_size, offset_size) in [(1, 1), (2, 4), (3, 5), (4, 4), (4, 8), (7, 3), (8, 8)] {
        let archive = Writer { int_size, offset_size, ..sample.clone() }.archive();
        assert_eq!(walk(&archive).unwrap().census, plain, "integers of {int_size}, offsets of {offset_size}");
    }
    for (int_size, offset_size) in [(0, 8), (9, 8), (255, 8), (4, 0), (4, 9)] {
        let mut archive = Writer::sample().archive();
        archive[8..10].copy_from_slice(&[int_size, offset_size]);
        assert!(matches!(walk(&archive), Err(Damage::BadHeader { .. })), "{int_size} and {offset_size}");
    }
}

#[test]
fn chunks_may_be_of_any_size() {
    let plain = walk(&Writer::sample().archive()).unwrap().census;
    for compression in COMPRESSIONS {
        for chunk in [1, 2, 5, 64, 100_000] {
            let archive = Writer { minor: 16, compression, chunk, ..Writer::sample() }.archive();
            assert_eq!(walk(&archive).unwrap().census, plain, "{compression:?} in chunks of {chunk}");
        }
    }
}

#[test]
fn megabytes_inside_any_compression_are_counted() {
    let text: Vec<u8> =
        (0..200_000).flat_map(|n: u32| format!("{n}\t{:x}\n", n.wrapping_mul(0x9e37_79b9)).into_bytes()).collect();
    let expected = copied("public", "many", &text);
    for compression in COMPRESSIONS {
        let entries = vec![Item::copied("many", &text)];
        let archive = Writer { minor: 16, compression, chunk: 70_000, entries, ..Writer::sample() }.archive();
        assert_eq!(
            walk_by(&archive, 1 << 20).unwrap().census.tables,
            std::slice::from_ref(&expected),
            "{compression:?}"
        );
        assert_eq!(walk_by(&archive, 333).unwrap().census.tables, std::slice::from_ref(&expected), "{compression:?}");
    }
}

#[test]
fn lz4_frames_of_every_kind_are_read() {
    let text: Vec<u8> = (0..60_000_u32).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_string().into_bytes()).collect();
    let checks = [(false, false), (true, false), (false, true), (true, true)];
    for (block, content) in checks {
        for (mode, size) in [(BlockMode::Linked, BlockSize::Max64KB), (BlockMode::Independent, BlockSize::Max256KB)] {
            let frame = FrameInfo::new().block_mode(mode).block_size(size).block_checksums(block);
            let frame = frame.content_checksum(content).content_size(Some(text.len() as u64));
            let objects = vec![Item::large_objects(&[(9, b"content goes here")])];
            let writer = Writer { minor: 15, compression: InnerCompression::Lz4, entries: objects, ..Writer::sample() };
            let mut archive = [writer.header(), writer.contents(), vec![3]].concat();
            for (number, bytes) in [(writer::dump_id(0), &[][..]), (9, &[]), (0, &writer::lz4(frame, &text))] {
                // OID, then one chunk that holds the whole frame, then the ends of chunks and of objects.
                match bytes {
                    [] => writer.int(&mut archive, number),
                    frame => writer.text(&mut archive, Some(frame)),
                }
            }
            writer.int(&mut archive, 0);
            writer.int(&mut archive, 0);
            let census = walk(&archive).unwrap_or_else(|damage| panic!("{mode:?} {damage}")).census;
            assert_eq!(census.large_objects.sha256, large_objects_sum(&[(9, &text)]), "{mode:?} {block} {content}");
        }
    }
}

#[test]
fn names_in_any_encoding_are_shown_lossily() {
    let mut sample = Writer::sample();
    sample.entries.push(Item { schema: Some(b"caf\xe9"), name: b"\xff\xfe", ..Item::copied("", b"1\n") });
    let census = walk(&sample.archive()).unwrap().census;
    assert_eq!(census.tables.last(), Some(&copied("caf\u{fffd}", "\u{fffd}\u{fffd}", b"1\n")));
}

#[test]
fn an_archive_without_data_is_complete_after_its_contents() {
    let mut writer = Writer::sample();
    writer.entries.truncate(3);
    let archive = writer.archive();
    assert_eq!(walk(&archive).unwrap().census, archive::Census::default());
    writer.entries.clear();
    assert_eq!(walk(&writer.archive()).unwrap().census, archive::Census::default());
    let offset = archive.len() as u64;
    assert_eq!(walk(&[archive, vec![1]].concat()), Err(Damage::TrailingBytes { offset }));
}

#[test]
fn a_hundred_thousand_tables_are_read_in_linear_time() {
    let entries = (0..100_000).flat_map(|_| [Item::without_data("TABLE", "t"), Item::copied("t", b"1\n")]).collect();
    let archive = Writer { entries, ..Writer::sample() }.archive();
    let before = processor_seconds();
    assert_eq!(walk_by(&archive, 1 << 16).unwrap().census.tables.len(), 100_000);
    let took = processor_seconds() - before;
    assert!(took < 10.0, "took {took} s");
}

/// Of this thread, whatever else the machine does (proc_pid_stat(5)).
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<f64>().unwrap());
    ticks.sum::<f64>() / 100.0
}

#[test]
fn what_is_no_archive_is_named() {
    let other = |found| Damage::NotAnArchive { found };
    let wrapped = |found| Damage::Wrapped { found, layers: Vec::new() };
    let cases: [(&[u8], Damage); 5] = [
        (b"", other(Kind::Empty)),
        (b"\x1f\x8b\x08\0\0\0\0\0", wrapped(Kind::Gzip)),
        (b"\x28\xb5\x2f\xfd\0\0", wrapped(Kind::Zstd)),
        (b"-- a comment\nSELECT 1;\n", other(Kind::PlainSql)),
        (&[0xee; 5000], other(Kind::Unknown)),
    ];
    for (bytes, damage) in cases {
        assert_eq!(walk(bytes), Err(damage.clone()));
        assert_eq!(walk_by(bytes, 1), Err(damage), "byte by byte");
    }
}

#[test]
fn other_versions_and_formats_are_refused() {
    for (major, minor) in [(1, 11), (1, 17), (2, 14), (0, 14)] {
        let mut archive = Writer::sample().archive();
        archive[5..7].copy_from_slice(&[major, minor]);
        assert_eq!(walk(&archive), Err(Damage::UnsupportedVersion { major, minor }));
    }
    let mut archive = Writer::sample().archive();
    archive[10] = 3;
    assert!(matches!(walk(&archive), Err(Damage::BadHeader { .. })));
}
