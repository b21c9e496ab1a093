//! The columns of a table, and the types of an archive, as pg_dump writes their definitions.

use crate::words::lexer::{Lexeme, lexemes};

/// A type's name: `schema.name`, or one of PostgreSQL's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeName {
    /// Its schema; empty for PostgreSQL's own.
    pub schema: String,
    /// Its name; `timestamp with time zone` and the like in all their words.
    pub name: String,
    /// It is an array of those.
    pub is_array: bool,
}

/// A column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: TypeName,
}

/// What a definition says of a table's or a composite type's columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Its own, in their order.
    pub columns: Vec<Column>,
    /// The tables that it has further ones from, each with its schema. They come first.
    pub parents: Vec<(String, String)>,
    /// The composite type whose fields they are.
    pub of: Option<TypeName>,
}

/// Words that follow a type's first one and belong to it.
const TYPE_WORDS: [&str; 12] =
    ["varying", "precision", "with", "without", "time", "zone", "year", "month", "day", "hour", "minute", "second"];

/// The columns of `CREATE TABLE` or `CREATE FOREIGN TABLE`; `None` for anything else.
#[must_use]
pub fn of_table(definition: &str) -> Option<Columns> {
    let words = lexemes(definition);
    let table = words.iter().take(6).position(|word| word.is("table"))?;
    let mut rest = words.get(table + 1..)?;
    qualified(&mut rest)?;
    let mut columns = Columns::default();
    match rest.first()? {
        word if word.is("of") => {
            rest = rest.get(1..)?;
            columns.of = type_name(&mut rest);
        }
        Lexeme::Sign('(') => columns.columns = listed(&mut rest),
        _ => return None,
    }
    if rest.first().is_some_and(|word| word.is("inherits")) {
        rest = rest.get(2..)?;
        while let Some(parent) = qualified(&mut rest) {
            columns.parents.push(parent);
            if rest.first() != Some(&Lexeme::Sign(',')) {
                break;
            }
            rest = rest.get(1..)?;
        }
    }
    Some(columns)
}

/// The fields of `CREATE TYPE … AS (…)`; `None` for a type of another kind.
#[must_use]
pub fn of_composite(definition: &str) -> Option<Vec<Column>> {
    let words = lexemes(definition);
    let mut rest = after(&words, "type")?;
    qualified(&mut rest)?;
    match rest {
        [word, Lexeme::Sign('('), ..] if word.is("as") => {
            rest = rest.get(1..)?;
            Some(listed(&mut rest))
        }
        _ => None,
    }
}

/// The type that `CREATE DOMAIN … AS …` is made of.
#[must_use]
pub fn of_domain(definition: &str) -> Option<TypeName> {
    let words = lexemes(definition);
    let mut rest = after(&words, "domain")?;
    qualified(&mut rest)?;
    rest = rest.split_first().filter(|(word, _)| word.is("as"))?.1;
    type_name(&mut rest)
}

/// Whether the definition gives a table a column that is GENERATED ALWAYS AS IDENTITY, and which table.
#[must_use]
pub fn identity_always(definition: &str) -> Option<(String, String)> {
    if !definition.contains("ADD GENERATED ALWAYS AS IDENTITY") {
        return None;
    }
    let words = lexemes(definition);
    let mut rest = after(&words, "table")?;
    rest = rest.split_first().filter(|(word, _)| word.is("only")).map_or(rest, |(_, rest)| rest);
    qualified(&mut rest)
}

fn after<'a>(words: &'a [Lexeme], keyword: &str) -> Option<&'a [Lexeme]> {
    let at = words.iter().take(4).position(|word| word.is(keyword))?;
    words.get(at + 1..)
}

/// What stands in parentheses, apart by commas; behind their end.
fn listed(rest: &mut &[Lexeme]) -> Vec<Column> {
    let (mut depth, mut begin, mut columns) = (0_usize, 1, Vec::new());
    for (at, word) in rest.iter().enumerate() {
        let is_end = match word {
            Lexeme::Sign('(' | '[') => {
                depth += 1;
                false
            }
            Lexeme::Sign(')' | ']') => {
                depth = depth.saturating_sub(1);
                depth == 0
            }
            _ => false,
        };
        if is_end || (depth == 1 && *word == Lexeme::Sign(',')) {
            columns.extend(rest.get(begin..at).and_then(column));
            begin = at + 1;
        }
        if is_end {
            *rest = rest.get(begin..).unwrap_or_default();
            return columns;
        }
    }
    *rest = &[];
    columns
}

/// A column's name and type; `None` for a constraint.
fn column(words: &[Lexeme]) -> Option<Column> {
    let (first, mut rest) = words.split_first()?;
    if first.is_any(&["constraint", "check", "primary", "unique", "foreign"]) {
        return None;
    }
    Some(Column { name: first.name()?.to_owned(), kind: type_name(&mut rest)? })
}

/// `schema.name`, or a name alone, at the beginning.
fn qualified(rest: &mut &[Lexeme]) -> Option<(String, String)> {
    match rest {
        [schema, Lexeme::Sign('.'), name, after @ ..] => {
            *rest = after;
            Some((schema.name()?.to_owned(), name.name()?.to_owned()))
        }
        [name, after @ ..] => {
            *rest = after;
            Some((String::new(), name.name()?.to_owned()))
        }
        [] => None,
    }
}

/// The name of a type at the beginning, with what belongs to it.
fn type_name(rest: &mut &[Lexeme]) -> Option<TypeName> {
    let mut kind = TypeName::default();
    let (first, mut after) = rest.split_first()?;
    let mut is_plain = matches!(first, Lexeme::Name { quoted: false, .. });
    first.name()?.clone_into(&mut kind.name);
    if let [Lexeme::Sign('.'), name, more @ ..] = after {
        kind.schema = std::mem::replace(&mut kind.name, name.name()?.to_owned());
        (after, is_plain) = (more, false);
    }
    loop {
        match after {
            [Lexeme::Sign('('), ..] => after = behind(after, '(', ')')?,
            [Lexeme::Sign('['), ..] => {
                after = behind(after, '[', ']')?;
                kind.is_array = true;
            }
            [word, more @ ..] if is_plain && word.is_any(&TYPE_WORDS) => {
                kind.name.push(' ');
                kind.name.push_str(word.name()?);
                after = more;
            }
            _ => break,
        }
    }
    *rest = after;
    Some(kind)
}

/// Behind what is in parentheses.
fn behind(words: &[Lexeme], open: char, close: char) -> Option<&[Lexeme]> {
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate() {
        match word {
            Lexeme::Sign(sign) if *sign == open => depth += 1,
            Lexeme::Sign(sign) if *sign == close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return words.get(at + 1..);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(columns: &[Column]) -> Vec<String> {
        let one = |column: &Column| {
            let TypeName { schema, name, is_array } = &column.kind;
            let dot = if schema.is_empty() { "" } else { "." };
            format!("{} {schema}{dot}{name}{}", column.name, if *is_array { "[]" } else { "" })
        };
        columns.iter().map(one).collect()
    }

    #[test]
    fn columns_have_the_types_that_pg_dump_writes() {
        let sql = r#"CREATE UNLOGGED TABLE public."odd, (one" (
    id bigint DEFAULT nextval('public.a_seq'::regclass) NOT NULL,
    "a ""b"", c" character varying(20)[] COLLATE "C",
    at timestamp(3) without time zone DEFAULT now(),
    span interval year to month,
    price numeric(10,2) GENERATED ALWAYS AS ((a * 2)) STORED,
    mood "My Schema"."Mood"[] DEFAULT '{}'::"My Schema"."Mood"[],
    kind "char",
    CONSTRAINT odd CHECK ((price > (0)::numeric))
)
INHERITS (public.parent, "Other"."Parent");
"#;
        let columns = of_table(sql).unwrap();
        assert_eq!(
            shown(&columns.columns),
            [
                "id bigint",
                r#"a "b", c character varying[]"#,
                "at timestamp without time zone",
                "span interval year",
                "price numeric",
                "mood My Schema.Mood[]",
                "kind char",
            ]
        );
        let parents = [("public", "parent"), ("Other", "Parent")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(columns.parents, parents);
        assert_eq!(
            of_table(
                "CREATE TABLE public.none (
);
"
            ),
            Some(Columns::default())
        );
        let typed = of_table(
            "CREATE TABLE s.t OF s.pair (
    a WITH OPTIONS NOT NULL
);",
        )
        .unwrap();
        assert_eq!(typed.of, Some(TypeName { schema: "s".into(), name: "pair".into(), is_array: false }));
        assert_eq!(of_table("CREATE VIEW a AS SELECT 1"), None);
    }

    #[test]
    fn types_say_what_they_are_made_of() {
        let composite = of_composite(
            "CREATE TYPE public.pair AS (
	a integer,
	b public.other[]
);
",
        )
        .unwrap();
        assert_eq!(shown(&composite), ["a integer", "b public.other[]"]);
        assert_eq!(
            of_composite(
                "CREATE TYPE public.mood AS ENUM (
    'a'
);"
            ),
            None
        );
        let domain = of_domain(
            "CREATE DOMAIN public.email AS public.citext
	CONSTRAINT a CHECK (true);",
        )
        .unwrap();
        assert_eq!((domain.schema.as_str(), domain.name.as_str()), ("public", "citext"));
        let identity = "ALTER TABLE public.t ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME x
);";
        assert_eq!(identity_always(identity), Some(("public".into(), "t".into())));
        assert_eq!(identity_always(&identity.replace("ALWAYS", "BY DEFAULT")), None);
    }
}
