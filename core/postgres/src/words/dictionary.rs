//! Text search dictionaries, whose words may be in files of the server.

use crate::quote::{identifier, literal};
use crate::words::tokens::{Token, tokens};

/// PostgreSQL's own templates that read files.
const TEMPLATES: [&str; 4] = ["ispell", "snowball", "synonym", "thesaurus"];

/// The options of this `CREATE TEXT SEARCH DICTIONARY`, quoted again; `None` for one whose template is an extension's, or which
/// looks up another dictionary of the archive.
#[must_use]
pub fn of_a_file(definition: &str) -> Option<String> {
    let tokens = tokens(definition);
    let begin = tokens.iter().position(|token| *token == Token::Sign('('))?;
    let end = tokens.iter().rposition(|token| *token == Token::Sign(')'))?;
    let options = tokens.get(begin + 1..end)?.split(|token| *token == Token::Sign(','));
    let quoted = options.map(|option| match option {
        [template, Token::Sign('='), catalog, Token::Sign('.'), name]
            if template.is("TEMPLATE") && catalog.is("pg_catalog") && TEMPLATES.contains(&name.name()?) =>
        {
            Some(format!("TEMPLATE = pg_catalog.{}", identifier(name.name()?)))
        }
        [name, Token::Sign('='), Token::Text(value)]
            if !name.name()?.eq_ignore_ascii_case("dictionary") || value.starts_with("pg_catalog.") =>
        {
            Some(format!("{} = {}", identifier(name.name()?), literal(value)))
        }
        _ => None,
    });
    Some(quoted.collect::<Option<Vec<_>>>()?.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionarys_options_are_quoted_again() {
        let definition = "CREATE TEXT SEARCH DICTIONARY public.short (\n    TEMPLATE = pg_catalog.synonym,\n    synonyms = 'lg''w' );\n";
        assert_eq!(of_a_file(definition).as_deref(), Some(r#"TEMPLATE = pg_catalog."synonym", "synonyms" = 'lg''w'"#));
        for definition in [
            "CREATE TEXT SEARCH DICTIONARY d (\n    TEMPLATE = public.mine,\n    file = 'x' );",
            "CREATE TEXT SEARCH DICTIONARY d (\n    TEMPLATE = pg_catalog.simple );",
            "CREATE TEXT SEARCH DICTIONARY d (\n    TEMPLATE = pg_catalog.thesaurus,\n    dictfile = 'x', dictionary = 'public.other' );",
            "CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = pg_catalog.synonym, \\! x = 'y');",
        ] {
            assert_eq!(of_a_file(definition), None, "{definition}");
        }
    }
}
