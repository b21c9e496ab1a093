//! SQL as people write it into a file or a setting, taken apart at its semicolons.

use crate::words::lexer::{Lexeme, Lexer, lexemes};

/// A quote or a comment is never closed, so that nobody can tell where its statement ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quote or a comment is not closed")]
pub struct Unclosed;

/// The statements of `sql`, without their semicolons, and without those that are comments alone.
///
/// # Errors
/// [`Unclosed`].
pub fn statements(sql: &str) -> Result<Vec<String>, Unclosed> {
    // What swallows a semicolon of ours is never closed; a comment up to its line's end may be the last line.
    let text = format!("{sql}\n;");
    let mut lexer = Lexer::new(&text);
    let (mut statements, mut begin, mut words, mut closed) = (Vec::new(), 0, 0_usize, true);
    while let Some(lexeme) = lexer.next() {
        closed = lexeme == Lexeme::Sign(';');
        if !closed {
            words += 1;
            continue;
        }
        let end = lexer.position();
        let statement = text.get(begin..end - 1).unwrap_or_default();
        if words > 0 {
            statements.push(statement.trim().to_owned());
        }
        (begin, words) = (end, 0);
    }
    if closed && begin == text.len() { Ok(statements) } else { Err(Unclosed) }
}

/// Whether a statement only sets something for those that follow: `SET`, but not `SET TRANSACTION`.
#[must_use]
pub fn sets(statement: &str) -> bool {
    let words = lexemes(statement);
    let second = words.get(1);
    words.first().is_some_and(|word| word.is("set")) && !second.is_some_and(|word| word.is("transaction"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_at_semicolons_that_are_no_text() {
        for (sql, expected) in [
            ("SELECT 1", vec!["SELECT 1"]),
            ("SELECT 1;\n SELECT 2 ;", vec!["SELECT 1", "SELECT 2"]),
            (
                "SELECT ';' || \"a;b\" || $$;$$ || $x$;$$;$x$ || E'\\';'; SELECT 2",
                vec!["SELECT ';' || \"a;b\" || $$;$$ || $x$;$$;$x$ || E'\\';'", "SELECT 2"],
            ),
            (
                "-- first; of all\nSELECT 1 /* ; /* ; */ ; */; -- the end;",
                vec!["-- first; of all\nSELECT 1 /* ; /* ; */ ; */"],
            ),
            (" ; ;; ", vec![]),
            ("SELECT 'größer' = 'größer'; SELECT 2 --", vec!["SELECT 'größer' = 'größer'", "SELECT 2 --"]),
        ] {
            assert_eq!(statements(sql), Ok(expected.into_iter().map(str::to_owned).collect()), "{sql}");
        }
    }

    #[test]
    fn what_is_never_closed_is_refused() {
        for sql in ["SELECT 'a", "SELECT \"a; SELECT 1", "SELECT $$a", "SELECT 1 /* a", "SELECT 1; /*", "SELECT E'\\'"]
        {
            assert_eq!(statements(sql), Err(Unclosed), "{sql}");
        }
    }

    #[test]
    fn settings_are_told_from_queries() {
        for sql in ["SET a = 1", "set local search_path to x", "/* one */ Set \"my\".x = 'y'"] {
            assert!(sets(sql), "{sql}");
        }
        for sql in ["SELECT 1", "SET TRANSACTION READ WRITE", "\"set\" x", "", "SETS x"] {
            assert!(!sets(sql), "{sql}");
        }
    }
}
