use std::ops::ControlFlow;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::charset::Charset;

fn rows(pieces: &[&[u8]]) -> Result<Vec<Vec<u8>>, RowError> {
    let (mut reader, mut rows) = (RowReader::default(), Vec::new());
    for piece in pieces {
        let _ = reader.feed(piece, &mut |row| {
            rows.push(row.to_vec());
            ControlFlow::Continue(())
        })?;
    }
    Ok(rows)
}

/// A value as COPY writes it (`CopyAttributeOutText` in copyto.c).
fn escaped(value: Option<&[u8]>) -> Vec<u8> {
    let Some(value) = value else { return b"\\N".to_vec() };
    let escape = |byte: &u8| match byte {
        0x08 => b"\\b".to_vec(),
        0x0c => b"\\f".to_vec(),
        b'\n' => b"\\n".to_vec(),
        b'\r' => b"\\r".to_vec(),
        b'\t' => b"\\t".to_vec(),
        0x0b => b"\\v".to_vec(),
        b'\\' => b"\\\\".to_vec(),
        byte => vec![*byte],
    };
    value.iter().flat_map(escape).collect()
}

fn shown(text: &str, kind: &Type) -> String {
    let mut out = Vec::new();
    json(Some(text.as_bytes()), kind, Charset::Utf8, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn rows_are_lines_wherever_their_text_is_cut() {
    let text = b"1\ta\n\n\\.x\n\\N\t\\\\.\n\\.\n\n\n";
    let expected: Vec<Vec<u8>> = [&b"1\ta"[..], b"", b"\\.x", b"\\N\t\\\\."].map(<[u8]>::to_vec).into();
    for cut in 0..text.len() {
        let (head, tail) = text.split_at(cut);
        assert_eq!(rows(&[head, tail]), Ok(expected.clone()), "cut at {cut}");
    }
    assert_eq!(rows(&[b"1\n\\.\n2\n"]), Err(RowError::Beyond));
    assert_eq!(rows(&[b"1\n\\.\n", b"2"]), Err(RowError::Beyond));
}

#[test]
fn a_row_without_end_takes_no_memory_without_end() {
    let mut reader = RowReader::default();
    let piece = vec![b'x'; 16 << 20];
    let fed = (0..17).try_for_each(|_| reader.feed(&piece, &mut |_| ControlFlow::Continue(())).map(drop));
    assert_eq!(fed, Err(RowError::TooLong));
}

#[test]
fn what_stands_behind_a_backslash_is_what_copy_takes_it_for() {
    for (written, expected) in [
        (&br"a\tb\\N\x41\x4\101\7\q"[..], &b"a\tb\\NA\x04A\x07q"[..]),
        (br"\x", b"x"),
        (br"\xg", b"xg"),
        (br"\1234", b"S4"),
        (br"\400", b"\0"),
        (b"end\\", b"end\\"),
        (b"", b""),
    ] {
        assert_eq!(value(written).as_deref(), Some(expected), "{}", written.escape_ascii());
    }
    assert_eq!(value(b"\\N"), None);
    assert_eq!(fields(b"1\t\t\\N", 3), Ok(vec![&b"1"[..], b"", b"\\N"]));
    assert_eq!(fields(b"", 0), Ok(Vec::new()));
    assert_eq!(fields(b"", 1), Ok(vec![&b""[..]]));
    assert_eq!(fields(b"1\t2", 1), Err(RowError::Fields { found: 2, columns: 1 }));
}

#[test]
fn a_copy_statement_names_its_columns_whatever_is_in_their_names() {
    let of = |schema: &str, table: &str, columns: &[&str]| CopyStatement {
        schema: schema.into(),
        table: table.into(),
        columns: columns.iter().map(|name| name.as_bytes().to_vec()).collect(),
    };
    for (statement, expected) in [
        (
            "COPY public.users (id, \"E-Mail\", \"a, (b)\"\"c\") FROM stdin;\n",
            of("public", "users", &["id", "E-Mail", "a, (b)\"c"]),
        ),
        ("COPY \"a.b\".\"c (d)\" (\"x\") FROM stdin;\n", of("a.b", "c (d)", &["x"])),
        ("COPY public.none  FROM stdin;\n", of("public", "none", &[])),
        ("COPY public.none () FROM stdin;\n", of("public", "none", &[])),
        ("COPY users (id) WITH OIDS FROM stdin;\n", of("", "users", &["oid", "id"])),
    ] {
        assert_eq!(CopyStatement::parse(statement.as_bytes()), Some(expected), "{statement}");
    }
    for statement in ["", "INSERT INTO a", "COPY a TO stdout", "COPY \"a FROM stdin", "COPY a (b"] {
        assert_eq!(CopyStatement::parse(statement.as_bytes()), None, "{statement}");
    }
}

#[test]
fn values_are_json_as_row_to_json_shows_them() {
    let array = |element: Type, delimiter| Type::Array { element: Arc::new(element), delimiter };
    let pair =
        Type::Composite(vec![("a".into(), Arc::new(Type::Number)), ("b".into(), Arc::new(array(Type::Text, b',')))]);
    for (text, kind, expected) in [
        ("a\"\\\n\u{1}é", Type::Text, "\"a\\\"\\\\\\n\\u0001é\""),
        ("t", Type::Bool, "true"),
        ("f", Type::Bool, "false"),
        ("-1.50e+10", Type::Number, "-1.50e+10"),
        ("NaN", Type::Number, "\"NaN\""),
        ("-Infinity", Type::Number, "\"-Infinity\""),
        ("01", Type::Number, "\"01\""),
        ("{\"a\": 1}", Type::Json, "{\"a\": 1}"),
        ("{\n \"a\": 1}", Type::Json, "{  \"a\": 1}"),
        ("{\"a\": ", Type::Json, "\"{\\\"a\\\": \""),
        ("2026-01-20 03:00:00.5+00", Type::Timestamp, "\"2026-01-20T03:00:00.5+00:00\""),
        ("2026-01-20 03:00:00-03:30", Type::Timestamp, "\"2026-01-20T03:00:00-03:30\""),
        ("0044-03-15 00:00:00+00 BC", Type::Timestamp, "\"0044-03-15T00:00:00+00:00 BC\""),
        ("2026-01-20 03:00:00", Type::Timestamp, "\"2026-01-20T03:00:00\""),
        ("infinity", Type::Timestamp, "\"infinity\""),
        ("{}", array(Type::Number, b','), "[]"),
        ("[0:1]={1,NULL}", array(Type::Number, b','), "[1,null]"),
        ("{{1,2},{3,4}}", array(Type::Number, b','), "[[1,2],[3,4]]"),
        (r#"{"a \"b\" \\",NULL,"NULL","","{}"}"#, array(Type::Text, b','), r#"["a \"b\" \\",null,"NULL","","{}"]"#),
        ("{(1,1),(0,0);(2,2),(1,1)}", array(Type::Text, b';'), r#"["(1,1),(0,0)","(2,2),(1,1)"]"#),
        ("{1,", array(Type::Number, b','), "\"{1,\""),
        ("1 2 3", Type::Vector(Arc::new(Type::Number)), "[1,2,3]"),
        ("(1,\"{a,\"\"b c\"\"}\")", pair.clone(), r#"{"a":1,"b":["a","b c"]}"#),
        ("(,)", pair.clone(), r#"{"a":null,"b":null}"#),
        ("(1)", pair, "\"(1)\""),
        (r#""a"=>"1", "b\"c"=>NULL"#, Type::Hstore, r#"{"a": "1", "b\"c": null}"#),
        ("", Type::Hstore, "{}"),
    ] {
        assert_eq!(shown(text, &kind), expected, "{text}");
    }
}

#[test]
fn values_are_csv_and_sql_as_postgresql_reads_them() {
    let of_csv = |value: Option<&str>| {
        let mut out = Vec::new();
        csv(value.map(str::as_bytes), true, &mut out);
        String::from_utf8(out).unwrap()
    };
    for (value, expected) in [
        (None, ""),
        (Some(""), "\"\""),
        (Some("a b"), "a b"),
        (Some("a,\"b\"\n"), "\"a,\"\"b\"\"\n\""),
        (Some("\\."), "\"\\.\""),
    ] {
        assert_eq!(of_csv(value), expected);
    }
    let of_sql = |value: Option<&str>| {
        let mut out = Vec::new();
        literal(value.map(str::as_bytes), &mut out);
        String::from_utf8(out).unwrap()
    };
    for (value, expected) in
        [(None, "NULL"), (Some("it's"), "'it''s'"), (Some("\\x0a\n"), "E'\\\\x0a\\n'"), (Some(""), "''")]
    {
        assert_eq!(of_sql(value), expected);
    }
    let mut out = Vec::new();
    identifier(b"we\"ird", &mut out);
    assert_eq!(out, b"\"we\"\"ird\"");
}

#[test]
fn what_is_looked_for_may_be_spelled_as_people_do() {
    let is = |wanted: &str, comparison, field: &str| {
        Probe::equal(wanted.as_bytes(), comparison).unwrap().matches(field.as_bytes())
    };
    for (wanted, comparison, field, expected) in [
        ("a\tb", Comparison::Text, "a\\tb", true),
        ("", Comparison::Text, "", true),
        ("", Comparison::Text, "\\N", false),
        ("\\N", Comparison::Text, "\\N", false),
        ("\\N", Comparison::Text, "\\\\N", true),
        ("+007", Comparison::Integer, "7", true),
        ("1.50", Comparison::Decimal, "1.5", true),
        ("-15e-1", Comparison::Decimal, "-1.500", true),
        ("0.00", Comparison::Decimal, "0", true),
        ("100", Comparison::Decimal, "1", false),
        ("nan", Comparison::Decimal, "NaN", true),
        ("1e2", Comparison::Float, "100", true),
        ("yes", Comparison::Bool, "t", true),
        ("{A0EEBC99-9C0B4EF8BB6D6BB9BD380A11}", Comparison::Uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", true),
        ("ab", Comparison::Padded, "ab   ", true),
        ("+007.", Comparison::Spelled, "7", false),
        ("Ann@Example.com", Comparison::Folded, "ann@example.COM", true),
        ("0.1", Comparison::Real, "0.1", true),
        ("0.10000000149", Comparison::Real, "0.1", true),
        ("-0", Comparison::Float, "0", true),
        ("TRUE", Comparison::Bool, "t", true),
        ("fal", Comparison::Bool, "f", true),
        ("2024-1-1", Comparison::Date, "2024-01-01", true),
        ("20240101", Comparison::Date, "2024-01-01", true),
        ("2024-01-01 10:00", Comparison::Date, "2024-01-01", true),
        ("2024-01-01", Comparison::Timestamp, "2024-01-01 00:00:00", true),
        ("2024-01-01T00:00:00.000", Comparison::Timestamp, "2024-01-01 00:00:00", true),
        ("2024-01-01 00:00:00.1", Comparison::Timestamp, "2024-01-01 00:00:00", false),
        ("2026-01-20T03:00:00Z", Comparison::Instant, "2026-01-20 03:00:00+00", true),
        ("2026-01-20T03:00:00Z", Comparison::Instant, "2026-01-20 04:00:00+01", true),
        ("2026-01-20 03:00:00+01", Comparison::Instant, "2026-01-20 03:00:00+00", false),
        ("2026-01-20", Comparison::Instant, "2026-01-20 00:00:00+05:30", true),
        ("infinity", Comparison::Instant, "infinity", true),
        ("3:00", Comparison::Time, "03:00:00", true),
        ("03:00+01", Comparison::ZonedTime, "03:00:00+01", true),
        ("03:00+01", Comparison::ZonedTime, "02:00:00+00", false),
        ("03:00", Comparison::ZonedTime, "03:00:00+01", true),
        ("24 hours", Comparison::Interval, "1 day", true),
        ("PT90M", Comparison::Interval, "01:30:00", true),
        ("10.0.0.1/32", Comparison::Address, "10.0.0.1", true),
        ("2001:DB8:0::1", Comparison::Address, "2001:db8::1", true),
        ("08-00-2B-01-02-03", Comparison::Hardware, "08:00:2b:01:02:03", true),
        ("08:00:2b:01:02:03", Comparison::LongHardware, "08:00:2b:ff:fe:01:02:03", true),
        ("\\xAB", Comparison::Bytes, "\\\\xab", true),
        ("\\xAB", Comparison::Bytes, "\\\\253", true),
        ("a\\\\", Comparison::Bytes, "\\\\x615c", true),
        // What isn't one of its type is itself.
        ("2024-01-01", Comparison::Date, "soon", false),
    ] {
        assert_eq!(is(wanted, comparison, field), expected, "{wanted} {field}");
    }
    assert!(Probe::Null.matches(b"\\N") && !Probe::Null.matches(b"") && Probe::NotNull.matches(b""));
    for (wanted, comparison) in [
        ("x", Comparison::Integer),
        ("1.", Comparison::Bool),
        ("o", Comparison::Bool),
        ("12", Comparison::Uuid),
        (".", Comparison::Decimal),
        ("01/02/2024", Comparison::Date),
        ("2024-01-01 Europe/Berlin", Comparison::Instant),
        ("10/8", Comparison::Address),
        ("\\xABC", Comparison::Bytes),
        ("noon", Comparison::Time),
    ] {
        assert!(Probe::equal(wanted.as_bytes(), comparison).is_err(), "{wanted}");
    }
}

#[test]
fn chunks_give_their_text_wherever_they_are_cut() {
    let chunk = |text: &[u8]| [&[0][..], &u32::try_from(text.len()).unwrap().to_le_bytes(), text].concat();
    let bytes = [chunk(b"1\ta\n"), chunk(b"2\tb\n\\.\n"), chunk(b""), b"behind".to_vec()].concat();
    for size in 1..bytes.len() {
        let (mut chunks, mut text) = (Chunks::new(4), Vec::new());
        for piece in bytes.chunks(size) {
            chunks
                .feed::<BadChunk>(piece, &mut |more| {
                    text.extend_from_slice(more);
                    Ok(())
                })
                .unwrap();
        }
        assert!(chunks.has_ended());
        assert_eq!(text, b"1\ta\n2\tb\n\\.\n");
    }
    let negative = [1, 1, 0, 0, 0];
    assert_eq!(Chunks::new(4).feed::<BadChunk>(&negative, &mut |_| Ok(())), Err(BadChunk));
}

proptest! {
    #[test]
    fn any_values_come_back_from_copy_text(values in prop::collection::vec(prop::option::of(prop::collection::vec(1_u8.., 0..20)), 1..6)) {
        let row: Vec<Vec<u8>> = values.iter().map(|value| escaped(value.as_deref())).collect();
        let row = row.join(&b'\t');
        let text = [&row[..], b"\n\\.\n\n\n"].concat();
        let found = rows(&[&text]).unwrap();
        prop_assert_eq!(&found, &vec![row]);
        let fields = fields(&found[0], values.len()).unwrap();
        let back: Vec<Option<Vec<u8>>> = fields.iter().map(|field| value(field).map(std::borrow::Cow::into_owned)).collect();
        prop_assert_eq!(back, values);
    }

    #[test]
    fn any_text_at_all_is_read_without_a_panic(text in prop::collection::vec(prop::num::u8::ANY, 0..60)) {
        let kinds = [
            Type::Bool, Type::Number, Type::Json, Type::Timestamp, Type::Hstore,
            Type::Array { element: Arc::new(Type::Number), delimiter: b',' },
            Type::Composite(vec![("a".into(), Arc::default())]),
        ];
        for kind in kinds {
            let mut out = Vec::new();
            json(Some(&text), &kind, Charset::Utf8, &mut out);
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok(), "{}", String::from_utf8_lossy(&out));
        }
        let _ = rows(&[&text]);
        let _ = CopyStatement::parse(&text);
        let _ = Chunks::new(4).feed::<BadChunk>(&text, &mut |_| Ok(()));
    }
}
