//! Archives of the installed PostgreSQL, against its own pg_restore and against libpgdump.

use archive::TableCensus;

use crate::{
    copied,
    fixtures::{fixture, tables_by_libpgdump},
    server::Server,
    walk, walk_by, walk_resuming,
};

const EVERY_KIND: &[u8] = include_bytes!("every_kind.sql");

/// Every COPY text of pg_restore's script, in its order, named by the comment that stands before it.
fn copied_by_pg_restore(script: &[u8]) -> Vec<TableCensus> {
    let mut lines = script.split_inclusive(|&byte| byte == b'\n');
    let (mut tables, mut named) = (Vec::new(), (String::new(), String::new()));
    let mut copy = false;
    while let Some(line) = lines.next() {
        let line = String::from_utf8_lossy(line);
        let comment = line.strip_prefix("-- Data for Name: ");
        if let Some((name, words)) = comment.and_then(|words| words.split_once("; Type: TABLE DATA; Schema: ")) {
            named = (words.split_once("; Owner: ").unwrap().0.to_owned(), name.to_owned());
        }
        // A newline in a name is one in the statement as well.
        copy |= line.starts_with("COPY ");
        if copy && line.ends_with(" FROM stdin;\n") {
            let text: Vec<u8> = lines.by_ref().take_while(|line| *line != b"\\.\n").flatten().copied().collect();
            tables.push(copied(&named.0, &named.1, &text));
            copy = false;
        }
    }
    tables
}

/// pg_restore writes a newline in a name's comment as a space.
fn with_names_on_one_line(tables: &[TableCensus]) -> Vec<TableCensus> {
    tables.iter().map(|table| TableCensus { name: table.name.replace('\n', " "), ..table.clone() }).collect()
}

#[test]
fn every_kind_of_object_is_counted_as_pg_restore_and_libpgdump_do() {
    let server = Server::shared();
    server.create("every", "UTF8", EVERY_KIND);
    let plain = server.piped_dump("every", &["-Z0"]);
    let census = walk(&plain).unwrap().census;
    assert_eq!(with_names_on_one_line(&census.tables), copied_by_pg_restore(&server.script(&plain)));
    assert_eq!(census.tables, tables_by_libpgdump(&server.dump_to_file("every", &["-Z0"])));
    assert_eq!(
        census,
        walk(&fixture("pg18-none-piped")).unwrap().census,
        "other versions count the same content alike"
    );
    for archive in [
        server.dump_to_file("every", &["-Z0"]),
        server.dump_to_file("every", &[]),
        server.piped_dump("every", &["-Z9"]),
    ] {
        assert_eq!(walk(&archive).unwrap().census, census);
        assert_eq!(walk_by(&archive, 1).unwrap().census, census);
        assert_eq!(walk_resuming(&archive, 97).0.unwrap().census, census);
    }
}

#[test]
fn inserts_count_as_bytes_and_digest() {
    let server = Server::shared();
    server.create("inserts", "UTF8", EVERY_KIND);
    for options in [&["--inserts"][..], &["--column-inserts", "-Z0"], &["--rows-per-insert=3", "-Z0"]] {
        let census = walk(&server.piped_dump("inserts", options)).unwrap().census;
        assert_eq!(census.tables, tables_by_libpgdump(&server.dump_to_file("inserts", options)), "{options:?}");
        assert!(census.tables.iter().all(|table| table.rows.is_none()), "{options:?}");
    }
}

#[test]
fn parts_of_a_database_are_complete_archives() {
    let server = Server::shared();
    server.create("parts", "UTF8", EVERY_KIND);
    let tables = |options: &[&str]| walk(&server.piped_dump("parts", options)).unwrap().census.tables;
    assert_eq!(tables(&["--schema-only"]), []);
    assert_eq!(tables(&["--section=pre-data", "--section=post-data"]), []);
    assert_eq!(tables(&["--data-only"]), tables(&[]));
    assert_eq!(tables(&["-t", "every_type"]).len(), 1);
    assert_eq!(tables(&["--load-via-partition-root"]), tables(&[]));
}

#[test]
fn databases_of_other_encodings_are_counted() {
    let server = Server::shared();
    let sql = b"CREATE TABLE \"caf\xe9\" (\"\xfc\" text); INSERT INTO \"caf\xe9\" VALUES (E'na\xefve\\n'), ('\xdf');";
    for encoding in ["LATIN1", "SQL_ASCII"] {
        server.create(encoding, encoding, &[format!("SET client_encoding = '{encoding}';").as_bytes(), sql].concat());
        let archive = server.piped_dump(encoding, &[]);
        let walked = walk(&archive).unwrap();
        assert_eq!(walked.census.tables, [copied("public", "caf\u{fffd}", b"na\xefve\\n\n\xdf\n")], "{encoding}");
        assert_eq!(walked.census.tables, copied_by_pg_restore(&server.script(&archive)), "{encoding}");
        assert_eq!(walked.header.database, encoding);
    }
}

#[test]
fn a_restored_database_has_the_same_census() {
    let server = Server::shared();
    server.create("original", "UTF8", EVERY_KIND);
    let archive = server.piped_dump("original", &[]);
    server.create("restored", "UTF8", b"");
    server.restore("restored", &archive);
    assert_eq!(walk(&server.piped_dump("restored", &[])).unwrap().census, walk(&archive).unwrap().census);
}
