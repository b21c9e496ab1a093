//! Archives of PostgreSQL 16 and 18, and libpgdump's opinion of them.

use std::{fs, path::Path};

use archive::{InnerCompression, TableCensus, Walk};

use crate::{TERMINATOR, copied, inserted, large_objects_sum, walk, walk_by, walk_resuming};

pub(crate) const COPIED: [&str; 4] = ["pg16-none-piped", "pg16-zlib-file", "pg18-none-piped", "pg18-zlib-file"];

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name).with_extension("dump");
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The tables' census as libpgdump's reading of an archive gives it. It reads only archives that say where their data is,
/// and no large objects whose OID is 2^31 or more.
pub(crate) fn tables_by_libpgdump(archive: &[u8]) -> Vec<TableCensus> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), archive).unwrap();
    let dump = libpgdump::load(file.path()).unwrap();
    let tables = dump.entries().iter().filter(|entry| entry.had_dumper && entry.desc.as_str() != "BLOBS");
    let count = |entry: &libpgdump::Entry| {
        let (schema, name) = (entry.namespace.as_deref().unwrap(), entry.tag.as_deref().unwrap());
        let text = dump.entry_data(entry.dump_id).unwrap();
        match &entry.copy_stmt {
            Some(_) => copied(schema, name, text.strip_suffix(TERMINATOR).unwrap()),
            None => inserted(schema, name, text),
        }
    };
    tables.map(count).collect()
}

/// The same archive with its data compressed otherwise, by libpgdump.
pub(crate) fn recompressed(archive: &[u8], compression: libpgdump::CompressionAlgorithm) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("archive");
    fs::write(&path, archive).unwrap();
    let mut dump = libpgdump::load(&path).unwrap();
    dump.set_compression(compression);
    dump.save(&path).unwrap();
    fs::read(&path).unwrap()
}

#[test]
fn other_versions_are_counted_as_libpgdump_does() {
    for name in ["pg16-zlib-file", "pg18-zlib-file"] {
        let archive = fixture(name);
        let walked = walk(&archive).unwrap_or_else(|damage| panic!("{name}: {damage}"));
        assert_eq!(walked.census.tables, tables_by_libpgdump(&archive), "{name}");
        assert_eq!(walked.census.tables.len(), 11, "{name}");
    }
}

#[test]
fn inserts_of_other_versions_are_counted() {
    let census = walk(&fixture("pg18-inserts-piped")).unwrap().census;
    assert!(census.tables.iter().all(|table| table.rows.is_none()));
    let empty = census.tables.iter().find(|table| table.name == "empty_table").unwrap();
    assert_eq!(*empty, inserted("public", "empty_table", b"\n\n"));
    assert_eq!(census.large_objects, walk(&fixture("pg16-none-piped")).unwrap().census.large_objects);
}

#[test]
fn the_same_content_counts_the_same_in_every_version() {
    let censuses = COPIED.map(|name| walk(&fixture(name)).unwrap().census);
    assert!(censuses.iter().all(|census| *census == censuses[0]), "{censuses:#?}");
}

#[test]
fn the_header_says_what_wrote_the_archive() {
    let header = walk(&fixture("pg16-none-piped")).unwrap().header;
    assert_eq!((header.version.to_string().as_str(), header.int_size, header.offset_size), ("1.15-0", 4, 8));
    assert_eq!((header.database.as_str(), header.compression), ("every", InnerCompression::None));
    assert_eq!((header.server_version.as_str(), header.pg_dump_version.as_str()), ("16.14", "16.14"));
    assert!(header.created.starts_with("2026-11-22 ") && header.created.len() == 19, "{}", header.created);
    let header = walk(&fixture("pg18-zlib-file")).unwrap().header;
    assert_eq!((header.version.to_string().as_str(), header.compression), ("1.16-0", InnerCompression::Zlib));
}

#[test]
fn contents_name_every_object_and_define_the_database() {
    for name in COPIED {
        let mut walk = Walk::new();
        walk.feed(&fixture(name)).unwrap();
        let contents = walk.contents().unwrap();
        let find = |kind: &str| contents.iter().find(|entry| entry.kind == kind).unwrap();
        assert!(find("DATABASE").definition.as_ref().unwrap().starts_with("CREATE DATABASE every "), "{name}");
        assert_eq!(find("ENCODING").definition.as_deref(), Some("SET client_encoding = 'UTF8';\n"), "{name}");
        assert_eq!((find("VIEW").schema.as_str(), find("VIEW").name.as_str()), ("public", "moods"), "{name}");
        assert_eq!((find("VIEW").owner.as_str(), find("VIEW").definition.as_ref()), ("postgres", None), "{name}");
        assert!(contents.iter().any(|entry| entry.kind == "SEQUENCE SET" && !entry.has_data()), "{name}");
        assert!(contents.iter().all(|entry| entry.has_data() == ["TABLE DATA", "BLOBS"].contains(&&*entry.kind)));
        assert!(contents.iter().all(|entry| entry.kind != "BLOB"), "{name}: one entry per large object isn't kept");
    }
}

#[test]
fn a_walk_that_only_counts_finds_the_same_and_keeps_what_has_data() {
    for name in COPIED.into_iter().chain(["pg18-inserts-piped"]) {
        let mut counting = Walk::counting();
        counting.feed(&fixture(name)).unwrap();
        let kept = counting.contents().unwrap();
        assert!(kept.iter().all(|entry| entry.has_data() || entry.definition.is_some()), "{name}");
        assert!(kept.iter().any(|entry| entry.kind == "DATABASE"), "{name}");
        assert_eq!(counting.finish(), walk(&fixture(name)), "{name}");
    }
}

#[test]
fn rows_are_counted_whatever_they_look_like() {
    let census = walk(&fixture("pg18-none-piped")).unwrap().census;
    let rows = |name: &str| -> Option<u64> {
        let table: Vec<&TableCensus> = census.tables.iter().filter(|table| table.name == name).collect();
        assert_eq!(table.len(), 1, "{name}");
        table[0].rows
    };
    for (name, count) in [("every_type", 5), ("terminators", 8), ("no_columns", 3), ("empty_table", 0)] {
        assert_eq!(rows(name), Some(count), "{name}");
    }
    for (name, count) in [("measured_2025", 60), ("measured_2026", 20), ("measured_rest", 0), ("new\nline", 1)] {
        assert_eq!(rows(name), Some(count), "{name}");
    }
    assert_eq!(rows("a table; with 'every' sign\\/ ☃"), Some(2));
    assert!(census.tables.iter().all(|table| table.name != "measured"), "a partition root has no data of its own");
}

#[test]
fn large_objects_are_counted_and_summed() {
    let long = "large object ".repeat(300);
    let objects: [(u32, &[u8]); 3] =
        [(4_000_000_000, b"\x00\xff\x0a\x5c\x2e\x0a"), (70_001, b""), (70_002, long.as_bytes())];
    let large_objects = walk(&fixture("pg18-none-piped")).unwrap().census.large_objects;
    assert_eq!((large_objects.count, large_objects.bytes), (3, 6 + long.len() as u64));
    assert_eq!(large_objects.sha256, large_objects_sum(&objects));
}

#[test]
fn lz4_and_zstd_inside_count_as_zlib_does() {
    use libpgdump::CompressionAlgorithm::{Lz4, None, Zstd};
    let archive = fixture("pg18-zlib-file");
    let plain = walk(&archive).unwrap();
    for (algorithm, expected) in
        [(None, InnerCompression::None), (Lz4, InnerCompression::Lz4), (Zstd, InnerCompression::Zstd)]
    {
        let walked = walk_by(&recompressed(&archive, algorithm), 777).unwrap();
        assert_eq!((walked.header.compression, &walked.census.tables), (expected, &plain.census.tables));
    }
}

#[test]
fn feeding_and_resuming_anywhere_gives_the_same() {
    for name in COPIED.into_iter().chain(["pg18-inserts-piped"]) {
        let archive = fixture(name);
        let straight = walk(&archive);
        assert!(straight.is_ok(), "{name}");
        for piece in [1, 2, 3, 7, 4096] {
            assert_eq!(walk_by(&archive, piece), straight, "{name} by {piece}");
        }
        for piece in [13, 64, 1000] {
            let (resumed, saves) = walk_resuming(&archive, piece);
            assert_eq!(resumed, straight, "{name} resumed by {piece}");
            assert!(saves > 5, "{name} could be saved {saves} times only");
        }
    }
}
