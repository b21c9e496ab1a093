//! What a statement about privileges is about.

use crate::words::tokens::{Token, tokens};

/// An object on which something is granted or revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// `TABLE` for whatever has rows and for sequences, `FUNCTION` for all that can be called, `TYPE` for domains as well; any other as
    /// GRANT calls it, such as `FOREIGN DATA WRAPPER`.
    pub kind: String,
    /// Its name alone, without schema and arguments.
    pub name: String,
}

/// Kinds as GRANT calls them, and by which one they are known here.
const KINDS: [(&[&str], &str); 15] = [
    (&["TABLE"], "TABLE"),
    (&["SEQUENCE"], "TABLE"),
    (&["FUNCTION"], "FUNCTION"),
    (&["PROCEDURE"], "FUNCTION"),
    (&["ROUTINE"], "FUNCTION"),
    (&["AGGREGATE"], "FUNCTION"),
    (&["TYPE"], "TYPE"),
    (&["DOMAIN"], "TYPE"),
    (&["SCHEMA"], "SCHEMA"),
    (&["DATABASE"], "DATABASE"),
    (&["LANGUAGE"], "LANGUAGE"),
    (&["TABLESPACE"], "TABLESPACE"),
    (&["FOREIGN", "DATA", "WRAPPER"], "FOREIGN DATA WRAPPER"),
    (&["FOREIGN", "SERVER"], "FOREIGN SERVER"),
    (&["LARGE", "OBJECT"], "LARGE OBJECT"),
];

impl Granted {
    /// What a `GRANT … ON` or `REVOKE … ON` is about, as pg_dump writes them: one object each. `None` for other statements, among them
    /// those about default privileges.
    #[must_use]
    pub fn by(statement: &str) -> Option<Self> {
        let tokens = tokens(statement);
        tokens.first().filter(|first| first.is("GRANT") || first.is("REVOKE"))?;
        let on = tokens.iter().position(|token| token.is("ON"))?;
        let rest = tokens.get(on + 1..)?;
        let begins =
            |words: &[&str]| words.iter().zip(rest).filter(|(word, token)| token.is(word)).count() == words.len();
        let kind = KINDS.iter().find(|(words, _)| begins(words));
        let (words, kind) = kind.map_or((0, "TABLE"), |(words, kind)| (words.len(), *kind));
        let called = rest.get(words..)?;
        let ends = |token: &Token| *token == Token::Sign('(') || token.is("TO") || token.is("FROM");
        let end = called.iter().position(ends).unwrap_or(called.len());
        let name = called.get(..end)?.last()?.name()?;
        Some(Self { kind: kind.to_owned(), name: name.to_owned() })
    }
}

/// Whether a statement about privileges takes something away, for now or for what will be made.
#[must_use]
pub fn revokes(statement: &str) -> bool {
    tokens(statement).iter().find(|token| token.is("GRANT") || token.is("REVOKE")).is_some_and(|word| word.is("REVOKE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_about_one_object() {
        for (statement, expected) in [
            ("GRANT SELECT ON TABLE public.orders TO bob;", Some(("TABLE", "orders"))),
            ("GRANT SELECT(a), UPDATE(\"ON\") ON TABLE public.\"Or.ders\" TO bob;", Some(("TABLE", "Or.ders"))),
            ("GRANT USAGE ON SEQUENCE s TO bob;", Some(("TABLE", "s"))),
            ("REVOKE ALL ON FUNCTION public.crypt(text, text) FROM PUBLIC;", Some(("FUNCTION", "crypt"))),
            ("GRANT ALL ON PROCEDURE s.\"p (x)\"(IN a integer) TO bob;", Some(("FUNCTION", "p (x)"))),
            ("REVOKE GRANT OPTION FOR USAGE ON LANGUAGE plpgsql FROM bob;", Some(("LANGUAGE", "plpgsql"))),
            ("GRANT USAGE ON FOREIGN DATA WRAPPER far TO bob;", Some(("FOREIGN DATA WRAPPER", "far"))),
            ("GRANT USAGE ON FOREIGN SERVER \"a b\" TO bob;", Some(("FOREIGN SERVER", "a b"))),
            ("GRANT ALL ON LARGE OBJECT 4711 TO bob;", Some(("LARGE OBJECT", "4711"))),
            ("GRANT SELECT ON orders TO bob;", Some(("TABLE", "orders"))),
            ("ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT SELECT ON TABLES TO b;", None),
            ("SET SESSION AUTHORIZATION deputy;", None),
            ("", None),
        ] {
            let found = Granted::by(statement).map(|granted| (granted.kind, granted.name));
            assert_eq!(found, expected.map(|(kind, name)| (kind.to_owned(), name.to_owned())), "{statement}");
        }
    }

    #[test]
    fn what_takes_away_is_told_from_what_gives() {
        assert!(revokes("REVOKE ALL ON TABLE t FROM PUBLIC;"));
        assert!(revokes("ALTER DEFAULT PRIVILEGES FOR ROLE a REVOKE ALL ON FUNCTIONS FROM PUBLIC;"));
        assert!(!revokes("GRANT SELECT ON TABLE \"REVOKE\" TO b;"));
        assert!(!revokes("RESET SESSION AUTHORIZATION;"));
    }
}
