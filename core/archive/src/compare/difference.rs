//! In which respect two entries of the same name differ, in words. Nothing of a definition is quoted: it may hold a secret.

use std::collections::BTreeSet;

use super::outline::owner;
use crate::Described;

/// Whether two entries of a table's rows differ in nothing but the order of its columns, which a restore gives a child of another
/// table. Its rows are compared by their columns' names.
#[must_use]
pub fn is_reordered(original: &Described, copy: &Described) -> bool {
    let columns = |entry: &Described| {
        let mut names = crate::walk::columns(&text(&entry.copy_statement))?;
        names.sort_unstable();
        Some(names)
    };
    let rest =
        |entry: &Described| Described { dump_id: 0, copy_statement: Vec::new(), owner: Vec::new(), ..entry.clone() };
    original.kind == "TABLE DATA"
        && rest(original) == rest(copy)
        && columns(original).is_some_and(|a| Some(a) == columns(copy))
}

/// What an entry is about, as a person says it: `table public.users`, `comment on column public.users.name`.
#[must_use]
pub fn shown(entry: &Described) -> String {
    let (schema, name) = (text(&entry.schema), text(&entry.name));
    let within = |name: &str| if schema.is_empty() { name.to_owned() } else { format!("{schema}.{name}") };
    // `COLUMN users.name`, `TABLE users`: what it is about, and its name.
    let about = || match name.split_once(' ') {
        Some((kind, rest)) if kind.chars().all(|letter| letter.is_ascii_uppercase()) => {
            format!("{} {}", kind.to_lowercase(), within(rest))
        }
        _ => within(&name),
    };
    let of_table = |what: &str| match name.split_once(' ') {
        Some((table, own)) if !own.contains(' ') => format!("{what} {own} of {}", within(table)),
        _ => format!("{what} {}", within(&name)),
    };
    match entry.kind.as_str() {
        "ACL" => format!("privileges on {}", about()),
        "COMMENT" => format!("comment on {}", about()),
        "SECURITY LABEL" => format!("security label of {}", about()),
        "SEQUENCE SET" => format!("sequence {}", within(&name)),
        "TABLE DATA" => format!("rows of table {}", within(&name)),
        "MATERIALIZED VIEW DATA" => format!("rows of materialized view {}", within(&name)),
        "FK CONSTRAINT" => of_table("foreign key"),
        "CHECK CONSTRAINT" | "CONSTRAINT" => of_table("constraint"),
        "TRIGGER" => of_table("trigger"),
        "RULE" => of_table("rule"),
        "POLICY" => of_table("policy"),
        "DEFAULT" => of_table("default of column"),
        "DEFAULT ACL" => format!("default privileges of {} in {}", text(&entry.owner), within("")),
        "PROCEDURAL LANGUAGE" => format!("language {name}"),
        kind => format!("{} {}", kind.to_lowercase(), within(&name)),
    }
}

/// In which respects a copy differs from its original, a sentence each.
#[must_use]
pub fn differences(original: &Described, copy: &Described) -> Vec<String> {
    let mut found = Vec::new();
    let name = shown(original);
    let mut say = |what: String| found.push(format!("{name}{what}"));
    let instead = |a: &[u8], b: &[u8], none: &str| {
        let named = |text: &[u8]| if text.is_empty() { none.to_owned() } else { self::text(text) };
        format!("{} instead of {}", named(b), named(a))
    };
    if owner(original) != owner(copy) {
        say(format!(" belongs to {}", instead(&original.owner, &copy.owner, "nobody")));
    }
    if original.tablespace != copy.tablespace {
        say(format!(" is in the tablespace {}", instead(&original.tablespace, &copy.tablespace, "default")));
    }
    if original.access_method != copy.access_method {
        say(format!(" has the access method {}", instead(&original.access_method, &copy.access_method, "none")));
    }
    if original.is_cut || copy.is_cut {
        say(": its definition differs".to_owned());
    } else if original.definition != copy.definition {
        defined(original, copy).into_iter().for_each(&mut say);
    }
    if original.copy_statement != copy.copy_statement && !is_reordered(original, copy) {
        say(": the columns of its rows differ".to_owned());
    }
    if original.has_data != copy.has_data {
        say(if original.has_data { ": it has no rows".to_owned() } else { ": it has rows".to_owned() });
    }
    if found.is_empty() {
        // How it would be dropped: its name or its arguments.
        found.push(format!("{name}: it is another object of that name"));
    }
    found
}

fn defined(original: &Described, copy: &Described) -> Vec<String> {
    let (a, b) = (text(&original.definition), text(&copy.definition));
    match original.kind.as_str() {
        "SEQUENCE SET" => match (value(&a), value(&b)) {
            (Some(expected), Some(found)) => vec![format!(": {found} instead of {expected}")],
            _ => vec![": its value differs".to_owned()],
        },
        "ACL" | "DEFAULT ACL" => granted(&a, &b),
        "COMMENT" | "SECURITY LABEL" => vec![" differs".to_owned()],
        "FUNCTION" | "PROCEDURE" if head(&a) == head(&b) => vec![": its body differs".to_owned()],
        "TABLE" | "FOREIGN TABLE" | "TYPE" => parts(&a, &b),
        _ => vec![": its definition differs".to_owned()],
    }
}

/// What comes before a function's body.
fn head(definition: &str) -> &str {
    let end =
        ["\n    AS ", "\n    BEGIN ATOMIC", "\n    RETURN "].iter().filter_map(|mark| definition.find(mark)).min();
    definition.get(..end.unwrap_or(definition.len())).unwrap_or(definition)
}

/// `SELECT pg_catalog.setval('public.s', 41, true);`
fn value(definition: &str) -> Option<String> {
    let (_, arguments) = definition.trim().rsplit_once("', ")?;
    let (value, is_called) = arguments.trim_end_matches([';', ')']).split_once(", ")?;
    Some(if is_called == "true" { value.to_owned() } else { format!("{value} (not used yet)") })
}

/// The statements that only one of them has.
fn granted(a: &str, b: &str) -> Vec<String> {
    let lines = |text: &str| -> BTreeSet<String> {
        text.lines()
            .map(str::trim)
            .filter(|line| line.starts_with("GRANT") || line.starts_with("REVOKE") || line.starts_with("ALTER"))
            .map(str::to_owned)
            .collect()
    };
    let (original, copy) = (lines(a), lines(b));
    let missing = original.difference(&copy).map(|line| format!(": without {}", line.trim_end_matches(';')));
    let new = copy.difference(&original).map(|line| format!(": with {}", line.trim_end_matches(';')));
    let all: Vec<String> = missing.chain(new).collect();
    if all.is_empty() { vec![" differ".to_owned()] } else { all }
}

/// The columns and constraints whose lines aren't the same.
fn parts(a: &str, b: &str) -> Vec<String> {
    let of_type =
        ["AS ENUM (", "AS (", "CREATE TYPE "].iter().find(|mark| a.contains(**mark) && a.starts_with("CREATE TYPE "));
    let kind = match of_type {
        Some(&"AS ENUM (") => "label",
        Some(&"AS (") => "attribute",
        Some(_) => return vec![": its definition differs".to_owned()],
        None => "column",
    };
    // What follows the parentheses is about the whole.
    let lines = |text: &str| -> BTreeSet<String> {
        let within = text.lines().skip(1).take_while(|line| !line.starts_with(')'));
        within
            .filter(|line| line.starts_with('\t') || line.starts_with("    "))
            .map(|line| line.trim_end_matches(',').to_owned())
            .collect()
    };
    let (original, copy) = (lines(a), lines(b));
    let differing = original.symmetric_difference(&copy).filter_map(|line| part(kind, line.trim()));
    let differing: BTreeSet<String> = differing.collect();
    if differing.is_empty() {
        return vec![": its definition differs".to_owned()];
    }
    differing.into_iter().map(|part| format!(": {part} differs")).collect()
}

fn part(kind: &str, line: &str) -> Option<String> {
    let (what, rest) = match line.strip_prefix("CONSTRAINT ") {
        Some(rest) => ("constraint", rest),
        // A label stays in its quotes.
        None if kind == "label" => return Some(format!("{kind} {line}")),
        None => (kind, line),
    };
    let name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split([' ', '(']).next()?,
    };
    (!name.is_empty()).then(|| format!("{what} {name}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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

    fn said(kind: &str, name: &str, a: &str, b: &str) -> String {
        differences(&entry(kind, name, a), &entry(kind, name, b)).join(" | ")
    }

    #[test]
    fn a_difference_names_the_object_and_the_respect() {
        let set = |value: &str| format!("SELECT pg_catalog.setval('public.orders_id_seq', {value});\n");
        let function = |body: &str| {
            format!("CREATE FUNCTION public.total(integer) RETURNS integer\n    LANGUAGE sql\n    AS $_${body}$_$;\n")
        };
        let table = |column: &str| {
            format!(
                "CREATE TABLE public.users (\n    id integer,\n    {column},\n    CONSTRAINT c CHECK (id > 0)\n);\n"
            )
        };
        for (kind, name, a, b, expected) in [
            (
                "SEQUENCE SET",
                "orders_id_seq",
                set("42, true"),
                set("41, true"),
                "sequence public.orders_id_seq: 41 instead of 42",
            ),
            ("SEQUENCE SET", "s", set("1, true"), set("1, false"), "sequence public.s: 1 (not used yet) instead of 1"),
            (
                "FUNCTION",
                "total(integer)",
                function("1"),
                function("2"),
                "function public.total(integer): its body differs",
            ),
            (
                "FUNCTION",
                "f()",
                "CREATE FUNCTION f() STABLE\n    AS 'x'".into(),
                "CREATE FUNCTION f()\n    AS 'x'".into(),
                "function public.f(): its definition differs",
            ),
            ("COMMENT", "COLUMN users.name", "a".into(), "b".into(), "comment on column public.users.name differs"),
            (
                "ACL",
                "TABLE users",
                "GRANT SELECT ON TABLE public.users TO a;\n".into(),
                "GRANT ALL ON TABLE public.users TO a;\n".into(),
                "privileges on table public.users: without GRANT SELECT ON TABLE public.users TO a | privileges on table public.users: with GRANT ALL ON TABLE public.users TO a",
            ),
            (
                "TABLE",
                "users",
                table("name text"),
                table("name text NOT NULL"),
                "table public.users: column name differs",
            ),
            (
                "TYPE",
                "mood",
                "CREATE TYPE public.mood AS ENUM (\n    'ok',\n    'it''s, sad'\n);\n".into(),
                "CREATE TYPE public.mood AS ENUM (\n    'ok'\n);\n".into(),
                "type public.mood: label 'it''s, sad' differs",
            ),
            (
                "TYPE",
                "pair",
                "CREATE TYPE public.pair AS (\n\ta integer,\n\tb text\n);\n".into(),
                "CREATE TYPE public.pair AS (\n\ta integer,\n\tb name\n);\n".into(),
                "type public.pair: attribute b differs",
            ),
            ("TRIGGER", "users audit", "a".into(), "b".into(), "trigger audit of public.users: its definition differs"),
            (
                "FK CONSTRAINT",
                "users a b",
                "a".into(),
                "b".into(),
                "foreign key public.users a b: its definition differs",
            ),
        ] {
            let said = said(kind, name, &a, &b);
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn owners_and_places_are_named() {
        let original = Described { owner: b"app".to_vec(), ..entry("TABLE", "t", "x") };
        let copy = Described {
            owner: b"root".to_vec(),
            tablespace: b"fast".to_vec(),
            has_data: true,
            ..entry("TABLE", "t", "x")
        };
        assert_eq!(
            differences(&original, &copy),
            [
                "table public.t belongs to root instead of app",
                "table public.t is in the tablespace fast instead of default",
                "table public.t: it has rows"
            ]
        );
    }
}
