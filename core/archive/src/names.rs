//! Names as SQL writes them, plain or in double quotes.

/// A name in double quotes at the beginning of `text`, without them, and what follows it. `None`: it doesn't begin with one.
#[must_use]
pub fn quoted_name(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('"')?;
    let mut name = String::new();
    loop {
        let (part, behind) = rest.split_once('"')?;
        name.push_str(part);
        match behind.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, behind)),
        }
    }
}

/// A name at the beginning of `text`, in quotes or not, without them, and what follows it.
#[must_use]
pub fn identifier(text: &str) -> Option<(String, &str)> {
    if text.starts_with('"') {
        return quoted_name(text);
    }
    let end = text.bytes().position(|byte| !is_word(byte)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    (!name.is_empty()).then(|| (name.to_owned(), rest))
}

/// `schema.name` at the beginning of `text`, or a name alone, and what follows it.
#[must_use]
pub fn qualified_name(text: &str) -> Option<(Option<String>, String, &str)> {
    let (first, rest) = identifier(text)?;
    match rest.strip_prefix('.').and_then(identifier) {
        Some((second, rest)) => Some((Some(first), second, rest)),
        None => Some((None, first, rest)),
    }
}

/// Part of a word as SQL has them.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_where_its_quotes_or_its_letters_end() {
        let of = |name: &str, rest: &'static str| Some((name.to_owned(), rest));
        assert_eq!(quoted_name("\"a \"\"b\" c"), of("a \"b", " c"));
        assert_eq!(quoted_name("a"), None);
        assert_eq!(quoted_name("\"a"), None);
        assert_eq!(identifier("größe(x"), of("größe", "(x"));
        assert_eq!(identifier("\"%\"=y"), of("%", "=y"));
        assert_eq!(identifier(" a"), None);
        let (schema, name, rest) = qualified_name("\"a.b\".c d").unwrap();
        assert_eq!((schema.as_deref(), name.as_str(), rest), (Some("a.b"), "c", " d"));
        assert_eq!(qualified_name("c;").map(|(schema, name, _)| (schema, name)), Some((None, "c".to_owned())));
    }
}
