//! Values of COPY text, for people and programs.

use ::archive::Charset;

/// A field as PostgreSQL means it; `None` for NULL. Bytes that aren't UTF-8 show as `\xe9`.
pub(super) fn value(field: &[u8]) -> Option<String> {
    ::archive::rows::value(field).map(|value| Charset::Other.text(&value).into_owned())
}

/// The same for a person: in quotes where it could be taken for something else.
pub(super) fn shown(field: &[u8]) -> String {
    let Some(value) = value(field) else { return "NULL".to_owned() };
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.:/@+".contains(letter);
    if !value.is_empty() && value.chars().all(is_plain) && value != "NULL" {
        return value;
    }
    serde_json::to_string(&value).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_copy_writes_them() {
        let read = |field: &str| value(field.as_bytes());
        assert_eq!(read("\\N"), None);
        assert_eq!(read(""), Some(String::new()));
        assert_eq!(read("a\\tb\\nc\\\\N"), Some("a\tb\nc\\N".to_owned()));
        assert_eq!(read("\\\\N"), Some("\\N".to_owned()));
        assert_eq!(value(b"M\xfcller").unwrap(), "M\\xfcller");
        let said: Vec<String> =
            ["5", "NULL", "\\N", "", "a b", "x@y.org", "Jörg"].iter().map(|field| shown(field.as_bytes())).collect();
        assert_eq!(said, ["5", "\"NULL\"", "NULL", "\"\"", "\"a b\"", "x@y.org", "Jörg"]);
    }
}
