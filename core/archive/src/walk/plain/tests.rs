use std::sync::Arc;

use proptest::prelude::*;

use super::{PlainRepack, ScriptReader};
use crate::{Charset, Damage, Format, Walk, Walked};

const SCRIPT: &str = r#"--
-- PostgreSQL database dump
--

\restrict abc

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

--
-- Name: f(); Type: FUNCTION; Schema: public; Owner: bob
--

CREATE FUNCTION public.f() RETURNS text
    LANGUAGE sql
    AS $_$
--
-- Name: not_a_heading; Type: TABLE; Schema: public; Owner: bob
--
COPY public.not_rows FROM stdin;
select '\.' || 'it''s' || $1; $x$ $_$;


ALTER FUNCTION public.f() OWNER TO bob;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: odd "; Type: name; Type: TABLE; Schema: public; Owner: bob
--

CREATE TABLE public."odd ""; Type: name" (
    id integer DEFAULT (1 - -1), -- a comment; with a semicolon
    note text DEFAULT E'it\'s; /* no comment'
);


ALTER TABLE public."odd ""; Type: name" OWNER TO "Bob the ""builder""";

--
-- Data for Name: odd "; Type: name; Type: TABLE DATA; Schema: public; Owner: bob
--

COPY public."odd ""; Type: name" (id, note) FROM stdin;
1	\\.
2	-- Name: x; Type: TABLE; Schema: public; Owner: bob
\N	\\! rm -rf /
\.


--
-- Data for Name: BLOBS; Type: BLOBS; Schema: -; Owner: -
--

BEGIN;

SELECT pg_catalog.lo_open('4000000000', 131072);
SELECT pg_catalog.lowrite(0, '\x616263');
SELECT pg_catalog.lowrite(0, '\x64');
SELECT pg_catalog.lo_close(0);

COMMIT;

--
-- Name: odd odd_pkey; Type: CONSTRAINT; Schema: public; Owner: bob
--

ALTER TABLE ONLY public."odd ""; Type: name"
    ADD CONSTRAINT odd_pkey PRIMARY KEY (id);


--
-- PostgreSQL database dump complete
--

\unrestrict abc
"#;

fn walk_by(script: &[u8], piece: usize) -> Result<Walked, Damage> {
    let mut walk = Walk::new();
    script.chunks(piece).try_for_each(|piece| walk.feed(piece))?;
    walk.finish()
}

/// The same script as an archive.
fn repack(script: &[u8], piece: usize) -> Result<Vec<u8>, Damage> {
    let mut outline = ScriptReader::new();
    script.chunks(piece).try_for_each(|piece| outline.feed(piece))?;
    let mut repack = PlainRepack::new(Arc::new(outline.finish()?));
    let mut out = Vec::new();
    for piece in script.chunks(piece) {
        out.extend(repack.feed(piece)?);
    }
    out.extend(repack.finish()?);
    Ok(out)
}

#[test]
fn a_script_is_counted_and_becomes_an_archive_that_counts_the_same() {
    let walked = walk_by(SCRIPT.as_bytes(), SCRIPT.len()).unwrap();
    assert_eq!(walked.header.format, Format::Plain);
    assert_eq!(walked.header.pg_dump_version, "18.6");
    let [table] = walked.census.tables.as_slice() else { panic!("{:?}", walked.census) };
    assert_eq!((table.schema.as_str(), table.name.as_str(), table.rows), ("public", "odd \"; Type: name", Some(3)));
    assert_eq!((walked.census.large_objects.count, walked.census.large_objects.bytes), (1, 4));
    for piece in [1, 7, 4096] {
        assert_eq!(walk_by(SCRIPT.as_bytes(), piece).unwrap(), walked, "in pieces of {piece}");
        let archive = repack(SCRIPT.as_bytes(), piece).unwrap();
        let mut walk = Walk::new();
        walk.feed(&archive).unwrap();
        let entries = walk.contents().unwrap().to_vec();
        let find = |kind: &str| entries.iter().find(|entry| entry.kind == kind).unwrap();
        assert_eq!(find("FUNCTION").name, "f()");
        assert_eq!((find("TABLE").owner.as_str(), find("TABLE").schema.as_str()), ("Bob the \"builder\"", "public"));
        assert!(!entries.iter().any(|entry| entry.kind == "SQL" || entry.name == "not_a_heading"), "{entries:#?}");
        assert_eq!(walk.finish().unwrap().census, walked.census);
    }
}

#[test]
fn a_place_in_a_script_is_saved_and_found_again() {
    let whole = walk_by(SCRIPT.as_bytes(), SCRIPT.len()).unwrap();
    let mut walk = Walk::new();
    for piece in SCRIPT.as_bytes().chunks(97) {
        walk.feed(piece).unwrap();
        let saved = serde_json::to_string(&walk.save().unwrap()).unwrap();
        walk = Walk::resume(serde_json::from_str(&saved).unwrap());
    }
    assert_eq!(walk.finish().unwrap(), whole);
}

#[test]
fn a_script_of_windows_is_counted_as_any_other() {
    let windows = SCRIPT.replace('\n', "\r\n");
    let census = walk_by(SCRIPT.as_bytes(), 100).unwrap().census;
    for piece in [1, 13, 100_000] {
        // The first piece tells how lines end.
        let (head, rest) = windows.as_bytes().split_at(600);
        let mut walk = Walk::new();
        walk.feed(head).unwrap();
        rest.chunks(piece).for_each(|piece| walk.feed(piece).unwrap());
        assert_eq!(walk.finish().unwrap().census, census);
    }
    let marked = ["\u{feff}", SCRIPT].concat();
    assert_eq!(walk_by(marked.as_bytes(), 1000).unwrap().census, census);
}

#[test]
fn a_script_that_is_cut_off_anywhere_is_damaged() {
    let end =
        SCRIPT.find("-- PostgreSQL database dump complete").unwrap() + "-- PostgreSQL database dump complete".len();
    for cut in 0..end {
        let cut_off = &SCRIPT.as_bytes()[..cut];
        assert!(walk_by(cut_off, 4096).is_err(), "cut at {cut}: {}", String::from_utf8_lossy(cut_off));
    }
    for cut in end..SCRIPT.len() {
        let found = walk_by(&SCRIPT.as_bytes()[..cut], 4096);
        assert!(found.is_ok(), "cut at {cut} of {end}: {found:?}");
    }
    let rows = SCRIPT.find("2\t--").unwrap();
    let damage = walk_by(&SCRIPT.as_bytes()[..rows], 4096).unwrap_err();
    assert!(damage.to_string().ends_with("within the rows of TABLE DATA public.odd \"; Type: name"), "{damage}");
    let last = SCRIPT.find("--\n-- PostgreSQL database dump complete").unwrap();
    let marker = walk_by(&SCRIPT.as_bytes()[..last], 4096).unwrap_err();
    assert!(marker.to_string().contains("before the last line `-- PostgreSQL database dump complete`"), "{marker}");
}

#[test]
fn what_only_psql_can_follow_is_named_and_no_damage() {
    let after = |text: &str, more: &str| SCRIPT.replacen(text, &[text, more].concat(), 1);
    let scripts = [
        (after("row_security", "") + "\n--\n-- PostgreSQL database dump\n--\n", "another dump follows"),
        (after("SET default_tablespace = '';\n", "\\! touch /tmp/owned\n"), r"only psql follows: \! touch /tmp/owned"),
        (after("SET default_tablespace = '';\n", "SELECT 1 \\gexec\n"), r"\gexec"),
        (after("SET default_tablespace = '';\n", "\\connect other\n"), r"\connect other"),
    ];
    for (script, words) in scripts {
        let damage = walk_by(script.as_bytes(), 64).unwrap_err();
        assert!(damage.is_limit() && damage.to_string().contains(words), "{damage}");
    }
    let statements =
        ["ALTER SYSTEM SET work_mem = 1;", "CREATE ROLE x;", "COPY t FROM PROGRAM 'x FROM stdin ';", "DO '';"];
    for statement in statements {
        for place in ["SET default_tablespace = '';\n", "\n\\.\n", "PRIMARY KEY (id);\n", "on;\n"] {
            let script = after(place, &format!("{statement}\n"));
            let damage = walk_by(script.as_bytes(), 64).unwrap_err();
            let words = format!("a statement that pg_dump does not write: {statement}");
            assert!(damage.is_limit() && damage.to_string().contains(&words), "{place}: {damage}");
        }
    }
}

#[test]
fn what_follows_a_script_leaves_it_whole_up_to_where_that_begins() {
    let follow = |script: &str, more: &str| {
        let script = script.to_owned() + more;
        for piece in [1, 64, script.len()] {
            let Err(Damage::Followed { offset, another, .. }) = walk_by(script.as_bytes(), piece) else {
                panic!("{more:?}: {:?}", walk_by(script.as_bytes(), piece));
            };
            let (dump, rest) = script.as_bytes().split_at(usize::try_from(offset).unwrap());
            assert!(
                walk_by(dump, 64).is_ok(),
                "{more:?} {piece} {offset} of {}: {:?}",
                script.len(),
                walk_by(dump, 64)
            );
            assert_eq!(another, more.contains("-- PostgreSQL database dump"));
            let begins = rest.trim_ascii_start().starts_with(more.trim().trim_start_matches("--\n").as_bytes());
            assert!(begins, "{more:?}: {}", String::from_utf8_lossy(rest));
        }
    };
    let dos = SCRIPT.replace('\n', "\r\n");
    let cluster = format!(
        "--\n-- PostgreSQL database cluster dump\n--\n\n\\connect app\n{SCRIPT}\n--\n-- PostgreSQL database cluster dump complete\n--\n"
    );
    for script in [SCRIPT, dos.as_str(), cluster.as_str()] {
        for more in [
            "DROP TABLE everything;\n",
            "it's done",
            "done\n",
            "OK; 3 files \\ 0 errors\n",
            "\\! ls\n",
            "\0\0\0",
            &SCRIPT[..900],
        ] {
            follow(script, more);
        }
        for more in ["\n", "\r\n\r\n", " \t\n", "-- done\n", "/* done */\n"] {
            assert!(walk_by((script.to_owned() + more).as_bytes(), 64).is_ok(), "{more:?}");
        }
    }
}

#[test]
fn rows_that_go_through_another_table_are_counted_as_their_own() {
    let through = |script: &str| {
        script.replace(
            "COPY public.\"odd \"\"; Type: name\" (id, note)",
            "-- load via partition root other.top\n\nCOPY other.top (id, note)",
        )
    };
    let walked = walk_by(through(SCRIPT).as_bytes(), 64).unwrap();
    assert_eq!(walked.census, walk_by(SCRIPT.as_bytes(), 64).unwrap().census);
    let archive = repack(through(SCRIPT).as_bytes(), 64).unwrap();
    let copies = |text: &[u8]| archive.windows(text.len()).filter(|window| *window == text).count();
    assert_eq!(
        (copies(b"COPY other.top (id, note) FROM stdin;"), copies(b"COPY public.")),
        (1, 1),
        "the other is in a function"
    );
}

#[test]
fn a_database_with_a_name_that_is_not_plain_is_connected_to() {
    let connect = "\\encoding SQL_ASCII\n\\connect -reuse-previous=on \"dbname='Blog Ö'\"\n";
    let made = |between: &str| {
        let database = "--\n-- Name: Blog Ö; Type: DATABASE; Schema: -; Owner: bob\n--\n\n\
                        CREATE DATABASE \"Blog Ö\" WITH TEMPLATE = template0;\n\n";
        SCRIPT.replacen("SET standard_conforming_strings = on;\n", &[database, between].concat(), 1)
    };
    let walked = walk_by(made(connect).as_bytes(), 10).unwrap();
    assert_eq!(walked.header.database, "Blog Ö");
    for other in ["\\encoding SQL_ASCII\nSET xmloption = content;\n", &connect.replace("SQL_ASCII", "LATIN1")] {
        assert!(walk_by(made(other).as_bytes(), 10).unwrap_err().to_string().contains("only psql follows: \\encoding"));
    }
    assert!(walk_by([connect, SCRIPT].concat().as_bytes(), 10).is_err());
}

#[test]
fn names_in_another_character_set_are_told_by_it() {
    let text = SCRIPT.replace("client_encoding = 'UTF8'", "client_encoding = 'LATIN1'");
    let text = text.replace("odd \"\"; Type: name", "töst").replace("odd \"; Type: name", "töst");
    for (rows, kinds) in
        [(None, &["TABLE", "TABLE DATA"][..]), (Some("INSERT INTO public.\"töst\" VALUES (1, 'x');"), &["TABLE"])]
    {
        let (begin, end) = (text.find("COPY public.\"t").unwrap(), text.find("\\.\n\n").unwrap() + 3);
        let text = rows.map_or_else(|| text.clone(), |rows| [&text[..begin], rows, &text[end..]].concat());
        let script = Charset::Latin1.bytes(&text).unwrap();
        let walked = walk_by(&script, 7).unwrap().census;
        let [table] = walked.tables.as_slice() else { panic!("{walked:?}") };
        assert_eq!((table.name.as_str(), table.names()), ("t\u{fffd}st", ("public", "töst")));
        let mut walk = Walk::new();
        walk.feed(&repack(&script, 50).unwrap()).unwrap();
        let named = walk.contents().unwrap().iter().filter(|entry| entry.names().1 == "töst");
        assert_eq!(named.map(|entry| entry.kind.as_str()).collect::<Vec<_>>(), kinds);
        assert_eq!(walk.finish().unwrap().census, walked);
    }
}

#[test]
fn rows_with_their_triggers_disabled_are_rows() {
    let around = |script: &str, what: &str| {
        let alter = |word| format!("ALTER TABLE public.\"odd\" {word} TRIGGER ALL;\n\n");
        script.replacen(what, &[&alter("DISABLE"), what].concat(), 1).replacen(
            "\n\\.\n",
            &["\n\\.\n", &alter("ENABLE")].concat(),
            1,
        )
    };
    let blob = "--\n-- Name: 16500; Type: BLOB; Schema: -; Owner: bob\n--\n\nSELECT pg_catalog.lo_create('16500');\n\n--\n-- Data for Name: odd";
    let script =
        around(&SCRIPT.replacen("--\n-- Data for Name: odd", blob, 1), "COPY public.\"odd \"\"; Type: name\" (id");
    let archive = repack(script.as_bytes(), 100).unwrap();
    let mut walk = Walk::new();
    walk.feed(&archive).unwrap();
    assert!(!walk.contents().unwrap().iter().any(|entry| entry.kind == "SQL"));
    assert_eq!(walk.finish().unwrap().census, walk_by(script.as_bytes(), 100).unwrap().census);
}

#[test]
fn a_dump_of_a_whole_server_is_verified_and_not_restored() {
    let script = format!(
        "--\n-- PostgreSQL database cluster dump\n--\n\nCREATE ROLE bob;\n\n\\connect app\n{SCRIPT}\n--\n-- PostgreSQL database cluster dump complete\n--\n"
    );
    let walked = walk_by(script.as_bytes(), 1000).unwrap();
    assert_eq!((walked.header.format, walked.census.tables[0].schema.as_str()), (Format::Cluster, "app.public"));
    assert!(matches!(repack(script.as_bytes(), 1000), Err(Damage::ForPsql { .. })));
    let cut = script.len() - 60;
    assert!(matches!(walk_by(&script.as_bytes()[..cut], 1000), Err(Damage::Truncated { .. })));
}

#[test]
fn sql_that_pg_dump_did_not_write_stays_what_it_was() {
    for script in ["-- ours\nSELECT 1;\n", "CREATE TABLE x ();\n\\! ls\n", "SELECT 'open"] {
        assert_eq!(walk_by(script.as_bytes(), 3), Err(Damage::NotAnArchive { found: crate::Kind::PlainSql }));
    }
}

/// A script that is whole becomes an archive that is whole and says the same.
fn repacks_as_it_walks(script: &[u8], piece: usize) -> Result<(), String> {
    let Ok(archive) = repack(script, piece) else { return Ok(()) };
    let walked = walk_by(script, piece).map_err(|damage| format!("repacked, and not walked: {damage}"))?;
    let mut walk = Walk::new();
    walk.feed(&archive).map_err(|damage| format!("the archive: {damage}"))?;
    let repacked = walk.finish().map_err(|damage| format!("the archive's end: {damage}"))?;
    if repacked.census == walked.census { Ok(()) } else { Err("two censuses".to_owned()) }
}

#[test]
fn a_script_with_a_stray_mark_anywhere_becomes_the_archive_that_its_walk_says() {
    for mark in ["--", "/*", "*/", "'", "\"", "$", ";", "(", "\\", "\n", "\n--", ";--"] {
        for at in 0..=SCRIPT.len() {
            let script = [&SCRIPT.as_bytes()[..at], mark.as_bytes(), &SCRIPT.as_bytes()[at..]].concat();
            repacks_as_it_walks(&script, script.len()).unwrap_or_else(|error| panic!("{mark:?} at {at}: {error}"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is changed in a script: the same is found however it is divided, and nothing panics.
    #[test]
    fn hostile_scripts_are_read_the_same_in_any_pieces(
        at in any::<prop::sample::Index>(),
        bytes in proptest::collection::vec(prop::sample::select(b"\\\n\r;'\"$()-/*.Ex1 ".to_vec()), 0..6),
        piece in 1_usize..200,
    ) {
        let at = at.index(SCRIPT.len());
        let script = [&SCRIPT.as_bytes()[..at], &bytes, &SCRIPT.as_bytes()[at..]].concat();
        let whole = walk_by(&script, script.len()).map_err(|damage| std::mem::discriminant(&damage));
        let parts = walk_by(&script, piece).map_err(|damage| std::mem::discriminant(&damage));
        prop_assert_eq!(&whole, &parts);
        prop_assert_eq!(repacks_as_it_walks(&script, piece), Ok(()));
    }
}
