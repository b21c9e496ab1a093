//! Definitions that hold only in a database of a certain name.

use crate::words::tokens::{Token, tokens};

/// Whether a CHECK of this table or domain asks for the name of the database: its rows may fit under one name alone.
#[must_use]
pub fn checks_the_database(definition: &str) -> bool {
    if !definition.contains("current_database") && !definition.contains("CURRENT_CATALOG") {
        return false;
    }
    let mut depth = None;
    let tokens = tokens(definition);
    for (at, token) in tokens.iter().enumerate() {
        match (token, depth) {
            (Token::Word(word), None) if word == "CHECK" => depth = Some(0),
            (Token::Sign('('), Some(inner)) => depth = Some(inner + 1),
            (Token::Sign(')'), Some(1)) => depth = None,
            (Token::Sign(')'), Some(inner)) => depth = Some(inner - 1),
            (Token::Word(word), Some(_)) if word == "CURRENT_CATALOG" => return true,
            (Token::Word(word), Some(_)) if word == "current_database" => {
                return tokens.get(at + 1) == Some(&Token::Sign('('));
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_check_is_bound_to_the_name() {
        for (definition, expected) in [
            ("CREATE TABLE t (\n a text,\n CONSTRAINT c CHECK ((a = (current_database())::text))\n);", true),
            (
                "CREATE DOMAIN d AS text\n\tCONSTRAINT c CHECK (((VALUE = CURRENT_CATALOG) OR (VALUE = 'x'::text)));",
                true,
            ),
            ("CREATE TABLE t (\n a text DEFAULT current_database(),\n CHECK ((a <> ''::text))\n);", false),
            ("CREATE TABLE t (\n CHECK ((a <> 'current_database()'::text)), b text DEFAULT CURRENT_CATALOG\n);", false),
            ("CREATE TABLE t (current_database integer, CHECK ((current_database > 0)));", false),
        ] {
            assert_eq!(checks_the_database(definition), expected, "{definition}");
        }
    }
}
