//! An assignment as this reader, the shells and the other libraries take it back.

/// What needs no quotes anywhere.
const PLAIN: &str = "_./:@%+,=-";
/// What the reader keeps for bytes that are no text.
const NOT_TEXT: char = '\u{fdd0}';

/// `NAME=value`, which is read as exactly this value; `None`: the value has a character that no such file can hold.
pub(crate) fn line(name: &str, value: &str) -> Option<String> {
    if value.contains(['\0', NOT_TEXT]) {
        return None;
    }
    let is_plain = value.chars().all(|c| c.is_ascii_alphanumeric() || PLAIN.contains(c));
    if is_plain {
        return Some(format!("{name}={value}"));
    }
    if !value.contains(['\'', '\r', '\n']) {
        return Some(format!("{name}='{value}'"));
    }
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '"' | '\\' | '$' => escaped.extend(['\\', c]),
            other => escaped.push(other),
        }
    }
    Some(format!("{name}=\"{escaped}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::env_file::parse;

    fn read_back(text: &str) -> Vec<(String, String)> {
        let (assignments, bad) = parse(text.as_bytes(), &|name| Some(format!("outer {name}")));
        assert_eq!(bad, [], "{text:?}");
        assignments.into_iter().map(|one| (one.name, one.value)).collect()
    }

    #[test]
    fn values_are_written_as_plainly_as_they_can_be() {
        let cases = [
            ("/var/backups/lastgood", "A=/var/backups/lastgood"),
            ("postgresql://u:p%40ss@h:5432/d?sslmode=require", "A='postgresql://u:p%40ss@h:5432/d?sslmode=require'"),
            ("my shop", "A='my shop'"),
            ("$HOME #1", "A='$HOME #1'"),
            ("it's \"5$\"\n", "A=\"it's \\\"5\\$\\\"\\n\""),
            ("größe", "A='größe'"),
        ];
        for (value, expected) in cases {
            assert_eq!(line("A", value).as_deref(), Some(expected));
        }
        assert_eq!(line("A", "a\0b"), None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]

        #[test]
        fn whatever_is_written_is_read_back(value in r#"([a-z'"`\\$#{} %=:\r\n\t]|\PC){0,24}"#, other in "[ -~]{0,12}") {
            if let Some(first) = line("A", &value) {
                let second = line("B", &other).unwrap();
                let text = format!("# a comment\n{first}\n{second}\n");
                proptest::prop_assert_eq!(read_back(&text), vec![("A".to_owned(), value), ("B".to_owned(), other)]);
            }
        }
    }
}
