use proptest::prelude::*;

use super::*;
use crate::walk::{Described, Observer as _};

fn entry(kind: &str, dump_id: i32, copy: &str, definition: &str) -> Described {
    let (copy_statement, definition) = (copy.as_bytes().to_vec(), definition.as_bytes().to_vec());
    Described { dump_id, kind: kind.to_owned(), copy_statement, definition, ..Described::default() }
}

fn keyed(field: usize) -> Marker {
    let mut marker = Marker::new();
    let columns = ["id", "\"E, Mail\""];
    marker.keys().note(&entry("TABLE DATA", 7, "COPY public.\"a b\" (id, \"E, Mail\") FROM stdin;\n", ""));
    let key = format!("ALTER TABLE ONLY public.\"a b\"\n    ADD CONSTRAINT k PRIMARY KEY ({}, x);\n", columns[field]);
    marker.keys().note(&entry("CONSTRAINT", 8, "", &key));
    marker.keys().finish();
    marker
}

/// A table of these rows, each a chunk as pg_dump writes it.
fn marked(field: usize, rows: &[String]) -> TableMarks {
    let mut marker = keyed(field);
    let mut at = 100;
    marker.begin(7, at);
    for row in rows.iter().map(|row| format!("{row}\n")).chain(["\\.\n".to_owned(), "\n\n".to_owned()]) {
        // As it comes where a frame ends within a chunk.
        let (head, tail) = row.as_bytes().split_at(row.len() / 2);
        marker.text(at, head);
        marker.text(at, tail);
        at += 5 + row.len() as u64;
    }
    marker.end(at + 5);
    marker.finish().remove(0)
}

fn part(marks: &TableMarks, number: usize) -> Range<u64> {
    let parts = &marks.key.as_ref().unwrap().parts;
    parts[number].at..parts[number + 1].at
}

fn wide(key: impl std::fmt::Display) -> String {
    format!("{key}\t{}", "x".repeat(64 << 10))
}

#[test]
fn a_large_table_has_parts_with_the_limits_of_their_keys() {
    let rows: Vec<String> = (0..100).map(wide).collect();
    let marks = marked(0, &rows);
    let key = marks.key.as_ref().unwrap();
    assert_eq!((key.field, key.parts.len()), (0, 4), "of 2 MiB each");
    assert_eq!(key.parts[1].from, Some(Bound::Number(32)));
    assert_eq!(key.parts[1].to, Some(Bound::Number(63)));
    assert_eq!(key.parts[3].to, Some(Bound::Number(99)), "the line that ends the rows is no key");
    let places = marks.places(&[(0, b"40")]);
    assert_eq!(places, [part(&marks, 1)]);
    assert_eq!(marks.places(&[(0, b"100")]), [], "no part has it");
    assert_eq!(marks.places(&[(0, b"4x")]), [], "among whole numbers there is no text");
    assert_eq!(marks.places(&[(1, b"40")]), [marks.whole()], "no key");
    assert_eq!(marks.places(&[]), [marks.whole()]);
}

#[test]
fn a_small_table_has_no_parts_and_a_key_may_be_any_column() {
    assert_eq!(marked(0, &["1\ta".to_owned()]).key, None);
    let rows: Vec<String> = (0..200).map(|key| format!("{}\tk{key:03}\\\\", "x".repeat(32 << 10))).collect();
    let marks = marked(1, &rows);
    assert_eq!(
        marks.key.as_ref().unwrap().parts[0].from,
        Some(Bound::Text("k000\\".into())),
        "without COPY's backslashes"
    );
    assert_eq!(marks.places(&[(1, b"k099\\")]).len(), 1);
}

#[test]
fn without_a_key_there_are_no_parts_and_a_primary_key_goes_before_others() {
    let mut keys = Keys::default();
    keys.note(&entry("TABLE DATA", 1, "COPY public.a (x, y) FROM stdin;\n", ""));
    keys.note(&entry("TABLE DATA", 2, "COPY public.b (x, y) FROM stdin;\n", ""));
    keys.note(&entry("CONSTRAINT", 3, "", "ALTER TABLE ONLY public.a\n    ADD CONSTRAINT u UNIQUE (y);\n"));
    keys.note(&entry("CONSTRAINT", 4, "", "ALTER TABLE ONLY public.a\n    ADD CONSTRAINT p PRIMARY KEY (x);\n"));
    keys.note(&entry("CONSTRAINT", 5, "", "ALTER TABLE ONLY public.a\n    ADD CONSTRAINT v UNIQUE (y);\n"));
    keys.note(&entry("CONSTRAINT", 6, "", "ALTER TABLE public.b\n    ADD CONSTRAINT c CHECK ((x > 0));\n"));
    assert_eq!((keys.field(1), keys.field(2)), (Some(0), None));
}

#[test]
fn keys_that_no_limit_holds_are_never_missed() {
    let long = |key: u32| format!("{key:03}{}", "ä".repeat(100));
    let marks = marked(0, &(0..100).map(|key| wide(long(key))).collect::<Vec<_>>());
    let key = marks.key.as_ref().unwrap();
    assert!(key.parts.iter().all(|part| part.to.is_none() && part.from.is_some()));
    assert_eq!(marks.places(&[(0, long(5).as_bytes())]), [part(&marks, 0)]);
    assert_eq!(marks.places(&[(0, long(99).as_bytes())]), [marks.whole()]);
    let cut: Vec<String> = (0..100).map(|key| format!("{}\t{key}", "x".repeat(70 << 10))).collect();
    let marks = marked(1, &cut);
    assert!(marks.key.as_ref().unwrap().parts.iter().all(|part| part.from.is_none()), "behind what is kept of a row");
    assert_eq!(marks.places(&[(1, b"7")]), [marks.whole()]);
}

#[test]
fn many_parts_become_fewer_and_hold_the_same() {
    let mut marker = keyed(0);
    marker.begin(7, 0);
    let (rows, step) = (40_000_u64, 2 << 20);
    for row in 0..rows {
        marker.text(row * step, format!("{row}\ta\n").as_bytes());
    }
    marker.end(rows * step);
    let marks = marker.finish().remove(0);
    let key = marks.key.as_ref().unwrap();
    assert!((5_000..=16_384).contains(&key.parts.len()), "{}", key.parts.len());
    for row in [0, 1, 19_999, 39_999] {
        let places = marks.places(&[(0, row.to_string().as_bytes())]);
        let at = row * step;
        assert!(
            places.len() == 1 && places[0].contains(&at) && places[0].end - places[0].start <= 8 * step,
            "{row}: {places:?}"
        );
    }
}

#[test]
fn frames_are_found_by_what_they_hold() {
    let mut frames = Frames::default();
    for stored in [10, 20, 30] {
        frames.push(stored);
    }
    let mib = 1_u64 << 20;
    assert_eq!(frames.place(&(0..1)), Some((0..10, 0)));
    assert_eq!(frames.place(&(mib - 1..mib + 1)), Some((0..30, 0)));
    assert_eq!(frames.place(&(2 * mib..2 * mib + 5)), Some((30..60, 2 * mib)));
    assert_eq!(frames.place(&(0..9 * mib)), None, "beyond the archive");
    let mut many = Frames::default();
    for _ in 0..200_000 {
        many.push(7);
    }
    assert!(many.stored.len() <= 1 << 16 && many.stored.iter().sum::<u64>() == 1_400_000);
    let (stored, begins) = many.place(&(150_000 * mib..150_000 * mib + 1)).unwrap();
    assert!(begins <= 150_000 * mib && stored.start == begins / mib * 7 && stored.end >= 150_001 * 7);
}

proptest! {
    #[test]
    fn no_part_that_has_a_key_is_left_out(keys in prop::collection::vec("[0-9a-zA-ZäÄ\\-]{0,4}", 40..120), wanted in 0_usize..40) {
        let rows: Vec<String> = keys.iter().map(wide).collect();
        let marks = marked(0, &rows);
        let mut at = 100;
        let places = marks.places(&[(0, keys[wanted].as_bytes())]);
        for (row, key) in rows.iter().zip(&keys) {
            if *key == keys[wanted] {
                prop_assert!(places.iter().any(|place| place.contains(&at)), "{key} at {at}: {places:?}");
            }
            at += 6 + row.len() as u64;
        }
    }
}
