//! Which tables a table's definition puts it below, as pg_dump writes them: `INHERITS (…)`, and `ATTACH PARTITION`.

use crate::words::tokens::{Token, tokens};

/// The tables, each with its schema, that the table of this definition is a partition or a child of. Before version 14 pg_dump
/// attached a partition in its own definition; since then in an entry of the partition's name.
#[must_use]
pub fn parents(definition: &str) -> Vec<(String, String)> {
    if !definition.contains("INHERITS") && !definition.contains("ATTACH") {
        return Vec::new();
    }
    let tokens = tokens(definition);
    let mut parents = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let after = tokens.get(at + 1..).unwrap_or_default();
        if token.is("INHERITS")
            && after.first() == Some(&Token::Sign('('))
            && before(&tokens, at) == Some(&Token::Sign(')'))
        {
            parents.extend(listed(after.get(1..).unwrap_or_default()));
        }
        if token.is("ATTACH") && after.first().is_some_and(|next| next.is("PARTITION")) {
            // ALTER TABLE ONLY parent ATTACH PARTITION
            let name = tokens.get(at.saturating_sub(3)..at).and_then(qualified);
            parents.extend(name.filter(|_| at >= 3));
        }
    }
    parents
}

fn before(tokens: &[Token], at: usize) -> Option<&Token> {
    tokens.get(at.checked_sub(1)?)
}

/// Up to the closing parenthesis.
fn listed(tokens: &[Token]) -> impl Iterator<Item = (String, String)> {
    let end = tokens.iter().position(|token| *token == Token::Sign(')')).unwrap_or(tokens.len());
    tokens.get(..end).unwrap_or_default().split(|token| *token == Token::Sign(',')).filter_map(qualified)
}

/// `schema.name`.
fn qualified(tokens: &[Token]) -> Option<(String, String)> {
    match tokens {
        [schema, Token::Sign('.'), name] => Some((schema.name()?.to_owned(), name.name()?.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(definition: &str) -> Vec<String> {
        parents(definition).into_iter().map(|(schema, name)| format!("{schema}|{name}")).collect()
    }

    #[test]
    fn partitions_and_children_name_their_parents() {
        let attach =
            "ALTER TABLE ONLY public.events ATTACH PARTITION public.\"Events 2025\" FOR VALUES FROM ('a') TO ('b');\n";
        assert_eq!(shown(attach), ["public|events"]);
        let old = "CREATE TABLE public.e1 (\n    at date\n);\nALTER TABLE ONLY \"A.b\".\"c d\" ATTACH PARTITION public.e1 DEFAULT;\n";
        assert_eq!(shown(old), ["A.b|c d"]);
        let child = "CREATE TABLE s.c (\n    inherits text DEFAULT 'INHERITS (s.x)'::text\n)\nINHERITS (s.a, \"B\".\"c\"\"d\")\nWITH (fillfactor='70');\n";
        assert_eq!(shown(child), ["s|a", "B|c\"d"]);
        assert_eq!(
            shown("CREATE TABLE public.t (\n    inherits integer,\n    attach text\n);\n"),
            Vec::<String>::new()
        );
    }
}
