//! Names with their schemas, as pg_dump writes them in a definition.

use std::collections::BTreeSet;

use crate::words::lexer::Lexeme;

/// A name with its schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mention {
    /// It is called: a function's or an aggregate's.
    pub(super) is_call: bool,
    pub(super) schema: String,
    /// An operator's is its signs.
    pub(super) name: String,
}

impl Mention {
    pub(super) fn call(schema: &str, name: &str) -> Self {
        Self { is_call: true, schema: schema.to_owned(), name: name.to_owned() }
    }

    pub(super) fn thing(schema: &str, name: &str) -> Self {
        Self { is_call: false, schema: schema.to_owned(), name: name.to_owned() }
    }
}

/// All names with a schema.
pub(super) fn mentions(lexemes: &[Lexeme]) -> BTreeSet<Mention> {
    let at = |at: Option<usize>| lexemes.get(at?);
    let names = lexemes.windows(3).enumerate().filter_map(|(begin, window)| {
        let [schema, Lexeme::Sign('.'), name] = window else { return None };
        let schema = schema.name().filter(|_| at(begin.checked_sub(1)) != Some(&Lexeme::Sign('.')))?;
        match name {
            // OPERATOR(schema.===)
            Lexeme::Sign(_) => {
                let signs = lexemes.get(begin + 2..)?.iter().map_while(|lexeme| match lexeme {
                    Lexeme::Sign(sign) if *sign != ')' => Some(*sign),
                    _ => None,
                });
                Some(Mention { is_call: false, schema: schema.to_owned(), name: signs.collect() })
            }
            name => {
                let is_call = at(begin.checked_add(3)) == Some(&Lexeme::Sign('('));
                Some(Mention { is_call, schema: schema.to_owned(), name: name.name()?.to_owned() })
            }
        }
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::lexer::lexemes;

    #[test]
    fn names_with_schemas_are_told_apart_by_what_follows() {
        let sql = r#"public.f(a."B c", x.y.z) OPERATOR("S".===) b.t"#;
        let found: Vec<String> = mentions(&lexemes(sql))
            .into_iter()
            .map(|Mention { is_call, schema, name }| format!("{schema}|{name}{}", if is_call { "()" } else { "" }))
            .collect();
        assert_eq!(found, ["S|===", "a|B c", "b|t", "x|y", "public|f()"]);
    }
}
