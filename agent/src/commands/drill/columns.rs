//! Tables below others, whose columns a restore puts into their parents' order: where that changes what a value means, or may.

use std::collections::BTreeSet;

use ::archive::{Described, Entry, Table};
use postgres::words::tokens::{Token, tokens};

use crate::commands::drill::both::Both;
use crate::commands::restore::head::Head;

/// Where in the definition of a table its parents begin.
const PARENTS: &str = "\nINHERITS (";

/// Child tables that were dumped as INSERTs. Without columns' names in them, nothing says in which order their values are.
pub(super) fn unnamed(head: &Head, tables: &[Table]) -> Vec<String> {
    let inserts: BTreeSet<(&str, &str)> = tables
        .iter()
        .filter(|table| table.in_any_order.is_some_and(|rows| rows.is_unnamed))
        .map(|table| (table.census.schema.as_str(), table.census.name.as_str()))
        .collect();
    let children = head.entries("TABLE").filter(|entry| is_child(entry));
    let found = children.filter(|entry| inserts.contains(&(entry.schema.as_str(), entry.name.as_str())));
    found.map(|entry| format!("{}.{}", entry.schema, entry.name)).collect()
}

/// The tables of these, which have their columns in another order now.
pub(super) fn tables<'a>(moved: impl Iterator<Item = &'a Both>) -> BTreeSet<Name> {
    moved.filter_map(|both| both.original.as_ref()).map(name).collect()
}

/// What relies on the order of tables' columns, found in an archive's entries as they come: a type comes before what is made of it.
pub(super) struct Reliance {
    tables: BTreeSet<Name>,
    /// Types that have the tables' rows in them, each with the table.
    types: Vec<(Name, Name)>,
    /// A sentence each.
    pub(super) found: Vec<String>,
}

/// Schema and name.
type Name = (String, String);

impl Reliance {
    /// On the order of these tables' columns.
    pub(super) fn on(tables: BTreeSet<Name>) -> Self {
        let types = tables.iter().map(|table| (table.clone(), table.clone())).collect();
        Self { tables, types, found: Vec::new() }
    }

    /// The archive's next entry.
    pub(super) fn look(&mut self, entry: &Described) {
        let definition = String::from_utf8_lossy(&entry.definition);
        let words = || tokens(&definition);
        match entry.kind.as_str() {
            "TABLE" => self.holder(entry, &words()),
            "TYPE" | "DOMAIN" => {
                let of = self.in_type(&words()).map(|table| (name(entry), table));
                self.types.extend(of);
            }
            "VIEW" | "MATERIALIZED VIEW" | "RULE" => self.by_place(entry, &words()),
            "FUNCTION" | "PROCEDURE" => {
                let words = words();
                self.by_place(entry, &words);
                self.returning(entry, &words);
            }
            _ => {}
        }
    }

    fn holder(&mut self, entry: &Described, words: &[Token]) {
        for (of, _) in self.types.iter().filter(|(of, _)| has_column_of(words, of)) {
            let of = format!("{}.{}", of.0, of.1);
            self.found.push(format!(
                "{}: its values of the type {of} have their fields in the old order, and the restored type has them in its parents' order",
                ::archive::shown(entry)
            ));
        }
    }

    /// The table whose rows this type has in it.
    fn in_type(&self, words: &[Token]) -> Option<Name> {
        let of = |of: &Name| has_column_of(words, of) || is_domain_over(words, of);
        self.types.iter().find(|(name, _)| of(name)).map(|(_, table)| table.clone())
    }

    /// `FROM public.chi c(x, y)` names columns by their places.
    fn by_place(&mut self, entry: &Described, words: &[Token]) {
        for table in &self.tables {
            if places(words, table).any(|after| matches!(after, [alias, Token::Sign('('), ..] if is_alias(alias))) {
                self.found.push(format!(
                    "{}: it names columns of {}.{} by their places, which are others in the restored table",
                    ::archive::shown(entry),
                    table.0,
                    table.1
                ));
            }
        }
    }

    /// A body in SQL's own words gives rows of its type by its columns' places; a body in quotes may do it by their names.
    fn returning(&mut self, entry: &Described, words: &[Token]) {
        let is_atomic = words.windows(2).any(|pair| matches!(pair, [a, b] if a.is("BEGIN") && b.is("ATOMIC")));
        for table in self.tables.iter().filter(|_| is_atomic) {
            let returns = words.iter().position(|word| word.is("RETURNS")).and_then(|at| words.get(at + 1..));
            let returned = returns.map(|rest| rest.strip_prefix(&[Token::Word("SETOF".to_owned())]).unwrap_or(rest));
            if returned.is_some_and(|rest| begins_with(rest, table)) {
                self.found.push(format!(
                    "{}: it returns rows of {}.{} by the columns' places, which are others in the restored table",
                    ::archive::shown(entry),
                    table.0,
                    table.1
                ));
            }
        }
    }
}

fn name(entry: &Described) -> Name {
    (String::from_utf8_lossy(&entry.schema).into_owned(), String::from_utf8_lossy(&entry.name).into_owned())
}

/// PostgreSQL writes keywords in capitals, and a name that has some in quotes.
fn is_alias(token: &Token) -> bool {
    match token {
        Token::Quoted(_) => true,
        Token::Word(word) => !word.contains(|letter: char| letter.is_ascii_uppercase()),
        Token::Text(_) | Token::Sign(_) => false,
    }
}

fn is_child(entry: &Entry) -> bool {
    sql(entry).contains(PARENTS)
}

fn sql(entry: &Entry) -> &str {
    entry.definition.as_deref().unwrap_or_default()
}

/// Whether a table or type that is made so has a column of this type, or of an array of it.
fn has_column_of(words: &[Token], of: &Name) -> bool {
    let Some(open) = words.iter().position(|word| *word == Token::Sign('(')) else { return false };
    let columns = words.get(open..).unwrap_or_default();
    let mut depth = 0_i32;
    let end = columns.iter().position(|word| {
        depth += match word {
            Token::Sign('(') => 1,
            Token::Sign(')') => -1,
            _ => 0,
        };
        depth == 0
    });
    let columns = columns.get(..end.unwrap_or(columns.len())).unwrap_or_default();
    let begins = |border: &Token| matches!(border, Token::Sign('(' | ','));
    columns.windows(5).any(|five| match five {
        [border, column, of_type @ ..] => begins(border) && column.name().is_some() && begins_with(of_type, of),
        _ => false,
    })
}

/// `CREATE DOMAIN public.d AS public.chi`
fn is_domain_over(words: &[Token], of: &Name) -> bool {
    let is_domain = words.get(1).is_some_and(|word| word.is("DOMAIN"));
    let base = words.iter().position(|word| word.is("AS")).and_then(|at| words.get(at + 1..));
    is_domain && base.is_some_and(|base| begins_with(base, of))
}

/// What follows each place where the table is named.
fn places<'a>(words: &'a [Token], table: &'a Name) -> impl Iterator<Item = &'a [Token]> {
    (0..words.len()).filter_map(|at| {
        let rest = words.get(at..)?;
        begins_with(rest, table).then(|| rest.get(3..)).flatten()
    })
}

fn begins_with(words: &[Token], (schema, name): &Name) -> bool {
    matches!(words, [first, Token::Sign('.'), second, ..] if first.name() == Some(schema) && second.name() == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, name: &str, definition: &str) -> Described {
        Described {
            kind: kind.into(),
            schema: b"public".to_vec(),
            name: name.into(),
            definition: definition.into(),
            ..Described::default()
        }
    }

    fn found(entries: &[Described]) -> Vec<String> {
        let mut reliance = Reliance::on([("public".to_owned(), "Chi \"1\"".to_owned())].into());
        entries.iter().for_each(|entry| reliance.look(entry));
        reliance.found.into_iter().map(|said| said.split(':').next().unwrap().to_owned()).collect()
    }

    const CHI: &str = r#"public."Chi ""1""""#;

    #[test]
    fn a_column_of_a_row_type_is_found_and_a_parent_is_none() {
        let table =
            |columns: &str| entry("TABLE", "holder", &format!("CREATE TABLE public.holder (\n    {columns}\n);\n"));
        assert_eq!(found(&[table(&format!("x {CHI},\n    y integer"))]), ["table public.holder"]);
        assert_eq!(found(&[table(&format!("y numeric(5,2),\n    x {CHI}[]"))]), ["table public.holder"]);
        let none: [String; 0] = [];
        assert_eq!(
            found(&[
                table("x public.other"),
                table(&format!("x public.other\n)\nINHERITS (public.a, {CHI}, public.b"))
            ]),
            none
        );
        assert_eq!(found(&[table(&format!("x integer DEFAULT public.f('a {CHI}'::text)"))]), none);
    }

    #[test]
    fn a_type_within_a_type_and_a_domain_are_found() {
        let composite = entry("TYPE", "comp", &format!("CREATE TYPE public.comp AS (\n\tx {CHI},\n\ty integer\n);\n"));
        let domain = entry("DOMAIN", "dom", "CREATE DOMAIN public.dom AS public.comp\n\tCONSTRAINT c CHECK (true);\n");
        let holder = entry("TABLE", "h", "CREATE TABLE public.h (\n    d public.dom\n);\n");
        assert_eq!(found(&[composite, domain, holder]), ["table public.h"]);
    }

    #[test]
    fn columns_that_are_named_by_their_places_are_found() {
        let view = |from: &str| entry("VIEW", "v", &format!("CREATE VIEW public.v AS\n SELECT c.x\n   FROM {from};\n"));
        assert_eq!(found(&[view(&format!("{CHI} c(x, y)"))]), ["view public.v"]);
        let none: [String; 0] = [];
        for harmless in [
            format!("{CHI} c"),
            format!("({CHI} JOIN public.o USING (x))"),
            format!("(public.o JOIN {CHI} USING (x))"),
            format!("{CHI} WHERE (x > 1)"),
        ] {
            assert_eq!(found(&[view(&harmless)]), none, "{harmless}");
        }
        let function = |body: &str| {
            entry(
                "FUNCTION",
                "f()",
                &format!("CREATE FUNCTION public.f() RETURNS SETOF {CHI}\n    LANGUAGE sql\n    {body};\n"),
            )
        };
        assert_eq!(
            found(&[function(&format!("BEGIN ATOMIC\n SELECT c.b FROM {CHI} c;\nEND"))]),
            ["function public.f()"]
        );
        assert_eq!(found(&[function("AS $$ SELECT 1 $$")]), none);
    }
}
