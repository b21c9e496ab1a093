//! Values of COPY text, for people and programs.

use std::borrow::Cow;

/// A field as PostgreSQL means it; `None` for NULL. Bytes that aren't UTF-8 show as U+FFFD.
pub(super) fn value(field: &[u8]) -> Option<Cow<'_, str>> {
    if field == b"\\N" {
        return None;
    }
    if !field.contains(&b'\\') {
        return Some(String::from_utf8_lossy(field));
    }
    let mut plain = Vec::with_capacity(field.len());
    let mut bytes = field.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        // pg_dump writes these alone.
        plain.push(match bytes.next() {
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'v') => 11,
            Some(other) => other,
            None => b'\\',
        });
    }
    Some(Cow::Owned(String::from_utf8_lossy(&plain).into_owned()))
}

/// The same for a person: in quotes where it could be taken for something else.
pub(super) fn shown(field: &[u8]) -> String {
    let Some(value) = value(field) else { return "NULL".to_owned() };
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.:/@+".contains(letter);
    if !value.is_empty() && value.chars().all(is_plain) && value != "NULL" {
        return value.into_owned();
    }
    serde_json::to_string(&value).unwrap_or_else(|_| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_copy_writes_them() {
        let read = |field: &str| value(field.as_bytes()).map(Cow::into_owned);
        assert_eq!(read("\\N"), None);
        assert_eq!(read(""), Some(String::new()));
        assert_eq!(read("a\\tb\\nc\\\\N"), Some("a\tb\nc\\N".to_owned()));
        assert_eq!(read("\\\\N"), Some("\\N".to_owned()));
        assert_eq!(value(b"M\xfcller").unwrap(), "M\u{fffd}ller");
        let said: Vec<String> =
            ["5", "NULL", "\\N", "", "a b", "x@y.org", "Jörg"].iter().map(|field| shown(field.as_bytes())).collect();
        assert_eq!(said, ["5", "\"NULL\"", "NULL", "\"\"", "\"a b\"", "x@y.org", "Jörg"]);
    }
}
