//! What the definitions of an archive evaluate while they are restored, and by way of what.

use std::collections::BTreeSet;

use crate::words::lexer::{Lexeme, lexemes};
use crate::words::traps::body::Body;
use crate::words::traps::mention::{Mention, mentions};
use crate::words::traps::when::When;

/// An entry of `pg_restore`'s script: the fields of its comment, and its SQL.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) kind: String,
    pub(super) schema: String,
    /// A function's has its arguments' types behind it.
    pub(super) name: String,
    pub(super) sql: String,
}

/// A function or procedure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Function {
    /// With its schema and its arguments' types.
    pub(super) label: String,
    /// What a text says that is taken apart only when it runs; nothing where its language isn't known here.
    pub(super) body: Body,
    /// With schemas, wherever they stand.
    pub(super) mentions: BTreeSet<Mention>,
    /// It is looked into as soon as an expression is planned, without a row.
    pub(super) is_inlined: bool,
    /// It has a search_path of its own.
    pub(super) has_path: bool,
}

/// Something that is evaluated while the archive is restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Evaluated {
    /// In words, such as `a CHECK of table public.t`.
    pub(super) words: String,
    pub(super) when: When,
    /// When it is planned even if there is no row.
    pub(super) planned: Option<When>,
    pub(super) mentions: BTreeSet<Mention>,
}

impl Entry {
    /// The entry whose comment is `-- Name: …; Type: …; Schema: …; …`.
    pub(super) fn of_comment(line: &str) -> Option<Self> {
        let (name, rest) = line.strip_prefix("-- Name: ")?.split_once("; Type: ")?;
        let (kind, rest) = rest.split_once("; Schema: ")?;
        let schema = rest.split("; Owner: ").next().unwrap_or_default();
        Some(Self { kind: kind.to_owned(), schema: schema.to_owned(), name: name.to_owned(), sql: String::new() })
    }

    /// Its name before its arguments.
    pub(super) fn plain_name(&self) -> &str {
        self.name.split('(').next().unwrap_or_default()
    }

    fn label(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// A function's definition.
    pub(super) fn function(&self) -> Function {
        let all = lexemes(&self.sql);
        let as_text = |pair: &[Lexeme]| matches!(pair, [word, Lexeme::Text(_)] if word.is("as"));
        let body_at = all.windows(2).position(as_text);
        let head = all.get(..body_at.unwrap_or(all.len())).unwrap_or_default();
        let after = |word: &str| head.iter().skip_while(move |lexeme| !lexeme.is(word)).nth(1);
        let language = after("language").and_then(Lexeme::name).unwrap_or_default();
        let text = body_at.and_then(|at| all.get(at + 1));
        let body = match text {
            Some(Lexeme::Text(text)) if ["sql", "plpgsql"].contains(&language) => {
                Body::of(&lexemes(text), language == "plpgsql")
            }
            _ => Body::default(),
        };
        let sets =
            |what: &str| head.windows(2).any(|pair| matches!(pair, [set, name] if set.is("set") && name.is(what)));
        let has = |word: &str| head.iter().any(|lexeme| lexeme.is(word));
        Function {
            label: self.label(),
            is_inlined: language == "sql" && !has("definer") && !has("setof") && !has("set") && !returns_table(head),
            has_path: sets("search_path"),
            mentions: mentions(head).into_iter().chain(body.mentions.iter().cloned()).collect(),
            body,
        }
    }

    /// What stands for something else that is evaluated with it: a view, a domain, an operator.
    pub(super) fn carried(&self) -> Option<(Mention, BTreeSet<Mention>)> {
        let all = lexemes(&self.sql);
        let thing = Mention::thing(&self.schema, self.plain_name());
        Some(match self.kind.as_str() {
            "VIEW" | "OPERATOR CLASS" => (Mention::thing(&self.schema, class_name(&self.name)), mentions(&all)),
            "TYPE" | "DOMAIN" => (thing, mentions(&without_default(&all))),
            "AGGREGATE" => (Mention::call(&self.schema, self.plain_name()), called(&all)),
            "OPERATOR" => (thing, called(&all)),
            "CHECK CONSTRAINT" if all.get(1).is_some_and(|word| word.is("domain")) && !is_not_valid(&all) => {
                let [_, _, schema, _, name, rest @ ..] = all.as_slice() else { return None };
                (Mention::thing(schema.name()?, name.name()?), mentions(rest))
            }
            _ => return None,
        })
    }

    /// What is evaluated while it, or its rows, are restored.
    pub(super) fn evaluated(&self) -> Vec<Evaluated> {
        match self.kind.as_str() {
            "TABLE" => self.of_table(),
            "INDEX" | "CONSTRAINT" => self.of_rows().into_iter().collect(),
            "CHECK CONSTRAINT" => self.of_rows().filter(|_| !is_not_valid(&lexemes(&self.sql))).into_iter().collect(),
            "MATERIALIZED VIEW" => {
                let when = When::Filled { schema: self.schema.clone(), name: self.name.clone() };
                let words = format!("materialized view {}", self.label());
                vec![Evaluated { words, when, planned: None, mentions: mentions(&lexemes(&self.sql)) }]
            }
            _ => Vec::new(),
        }
    }

    /// What follows the rows of a table, whose name comes after ON, TABLE or ONLY.
    fn of_rows(&self) -> Option<Evaluated> {
        let all = lexemes(&self.sql);
        let begin = all.iter().position(|word| word.is_any(&["on", "table"]))?;
        let rest = all.get(begin + 1..)?;
        let rest = if rest.first().is_some_and(|word| word.is("only")) { rest.get(1..)? } else { rest };
        let [schema, Lexeme::Sign('.'), name, after @ ..] = rest else { return None };
        let (schema, table) = (schema.name()?.to_owned(), name.name()?.to_owned());
        let words = match self.kind.as_str() {
            "INDEX" => format!("index {}", self.label()),
            "CONSTRAINT" => format!("a constraint of table {schema}.{table}"),
            _ => format!("a CHECK of table {schema}.{table}"),
        };
        let when = When::Filled { schema, name: table };
        Some(Evaluated { words, when, planned: Some(When::Always), mentions: mentions(after) })
    }

    fn of_table(&self) -> Vec<Evaluated> {
        let all = lexemes(&self.sql);
        let of_rows = |what: &str, mentions: BTreeSet<Mention>| Evaluated {
            words: format!("{what} of table {}", self.label()),
            when: When::Filled { schema: self.schema.clone(), name: self.name.clone() },
            planned: None,
            mentions,
        };
        let Some(opens) = all.iter().position(|lexeme| *lexeme == Lexeme::Sign('(')) else { return Vec::new() };
        let (elements, rest) = elements(all.get(opens + 1..).unwrap_or_default());
        let key = of_rows("the partition key", mentions(rest));
        let mut evaluated = vec![Evaluated { planned: Some(When::Defined), ..key }];
        for element in elements {
            let is_constraint = element.first().is_some_and(|word| word.is_any(&["constraint", "check"]));
            if is_constraint {
                evaluated.push(of_rows("a CHECK", mentions(element)));
                continue;
            }
            let column = without_default(element);
            let computed = column.iter().position(|word| word.is("generated")).unwrap_or(column.len());
            let (type_, generated) = column.split_at_checked(computed).unwrap_or_default();
            evaluated.push(of_rows("a column's type", mentions(type_)));
            if generated.iter().any(|word| word.is("stored")) {
                evaluated.push(of_rows("a generated column", mentions(generated)));
            }
        }
        evaluated.retain(|evaluated| !evaluated.mentions.is_empty());
        evaluated
    }
}

/// An operator class is followed by its access method in some versions: `name USING btree`.
fn class_name(name: &str) -> &str {
    name.split(" USING ").next().unwrap_or(name)
}

/// Where functions are named without parentheses: `SFUNC = schema.name`.
fn called(lexemes: &[Lexeme]) -> BTreeSet<Mention> {
    mentions(lexemes).into_iter().map(|mention| Mention { is_call: true, ..mention }).collect()
}

fn returns_table(head: &[Lexeme]) -> bool {
    head.windows(2).any(|pair| matches!(pair, [returns, table] if returns.is("returns") && table.is("table")))
}

fn is_not_valid(lexemes: &[Lexeme]) -> bool {
    matches!(lexemes, [.., not, valid, Lexeme::Sign(';')] if not.is("not") && valid.is("valid"))
}

/// The parts between the commas of a list in parentheses, and what follows it.
fn elements(lexemes: &[Lexeme]) -> (Vec<&[Lexeme]>, &[Lexeme]) {
    let (mut depth, mut begin) = (0_usize, 0);
    let mut elements = Vec::new();
    for (at, lexeme) in lexemes.iter().enumerate() {
        match lexeme {
            Lexeme::Sign('(' | '[') => depth += 1,
            Lexeme::Sign(')') if depth == 0 => {
                elements.extend(lexemes.get(begin..at));
                return (elements, lexemes.get(at + 1..).unwrap_or_default());
            }
            Lexeme::Sign(')' | ']') => depth = depth.saturating_sub(1),
            Lexeme::Sign(',') if depth == 0 => {
                elements.extend(lexemes.get(begin..at));
                begin = at + 1;
            }
            _ => {}
        }
    }
    (elements, &[])
}

/// Without `DEFAULT expression`, which nothing evaluates where rows bring every value.
fn without_default(lexemes: &[Lexeme]) -> Vec<Lexeme> {
    let mut depth = 0_usize;
    let mut in_default = false;
    let kept = lexemes.iter().filter(|lexeme| {
        match lexeme {
            Lexeme::Sign('(' | '[') => depth += 1,
            Lexeme::Sign(')' | ']') => depth = depth.saturating_sub(1),
            word if depth == 0 && word.is("default") => in_default = true,
            word if depth == 0 && word.is_any(&["not", "constraint", "check", "generated", "collate"]) => {
                in_default = false;
            }
            _ => {}
        }
        !in_default
    });
    kept.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, name: &str, sql: &str) -> Entry {
        Entry { kind: kind.to_owned(), schema: "public".to_owned(), name: name.to_owned(), sql: sql.to_owned() }
    }

    fn evaluated(kind: &str, sql: &str) -> Vec<String> {
        let evaluated = entry(kind, "t", sql).evaluated().into_iter();
        evaluated
            .map(|Evaluated { words, mentions, .. }| {
                let names: Vec<_> = mentions.iter().map(|m| format!("{}.{}", m.schema, m.name)).collect();
                format!("{words}: {}", names.join(" "))
            })
            .collect()
    }

    #[test]
    fn a_table_evaluates_checks_types_and_generated_columns_and_no_defaults() {
        let sql = "CREATE TABLE public.t (\n    id integer DEFAULT public.next(1, 2) NOT NULL,\n    \"check\" public.code,\n    \
                   low text GENERATED ALWAYS AS (public.lowered(word)) STORED,\n    \
                   v text GENERATED ALWAYS AS (public.virtual(word)) VIRTUAL,\n    \
                   CONSTRAINT c CHECK ((public.is_fine(id) AND (id > 1)))\n)\nPARTITION BY RANGE (public.part(id));\n";
        let expected = [
            "the partition key of table public.t: public.part",
            "a column's type of table public.t: public.code",
            "a generated column of table public.t: public.lowered",
            "a CHECK of table public.t: public.is_fine",
        ];
        assert_eq!(evaluated("TABLE", sql), expected);
    }

    #[test]
    fn what_follows_the_rows_names_its_table() {
        let index = "CREATE INDEX t ON ONLY public.t USING btree (public.f(a) public.ops) WHERE public.g(b);";
        assert_eq!(evaluated("INDEX", index), ["index public.t: public.ops public.f public.g"]);
        let exclusion = "ALTER TABLE ONLY public.t\n    ADD CONSTRAINT x EXCLUDE USING gist (public.f(a) WITH =);";
        assert_eq!(evaluated("CONSTRAINT", exclusion), ["a constraint of table public.t: public.f"]);
        let check = "ALTER TABLE public.t\n    ADD CONSTRAINT c CHECK (public.f(a)) NOT VALID;\n";
        assert_eq!(evaluated("CHECK CONSTRAINT", check), Vec::<String>::new());
    }

    #[test]
    fn a_function_is_told_by_its_head() {
        let of = |rest: &str| {
            entry("FUNCTION", "f()", &format!("CREATE FUNCTION public.f() RETURNS int\n{rest}")).function()
        };
        assert!(of("    LANGUAGE sql IMMUTABLE\n    AS $$SELECT g()$$;").is_inlined);
        let with_path = of("    LANGUAGE plpgsql\n    SET search_path TO 'public'\n    AS $$BEGIN RETURN g(); END$$;");
        assert!(with_path.has_path && !with_path.is_inlined);
        assert_eq!(of("    LANGUAGE c\n    AS '$libdir/f', 'g()';").body, Body::default());
        let standard = of("    LANGUAGE sql\n    RETURN public.g(1);");
        assert_eq!(standard.mentions, [Mention::call("public", "f"), Mention::call("public", "g")].into());
    }
}
