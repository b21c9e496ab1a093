//! What the body of a function names without a schema, and what with one.

use std::collections::BTreeSet;

use crate::words::lexer::{Lexeme, lexemes};
use crate::words::traps::mention::{Mention, mentions};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Function,
    Relation,
    Type,
}

/// What a body names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Body {
    /// Without a schema; what the body itself defines isn't among them.
    pub(super) unqualified: BTreeSet<(Kind, String)>,
    /// With one.
    pub(super) mentions: BTreeSet<Mention>,
    /// Words within its texts, which it may run as SQL.
    pub(super) spoken: BTreeSet<String>,
    /// It sets a search_path of its own, or catches the error of a name that isn't found.
    pub(super) is_safe: bool,
}

/// What may stand before a call.
const BEFORE_CALLS: &[&str] = &[
    "all",
    "and",
    "any",
    "assert",
    "between",
    "by",
    "call",
    "case",
    "distinct",
    "else",
    "elseif",
    "elsif",
    "escape",
    "execute",
    "from",
    "having",
    "if",
    "ilike",
    "in",
    "is",
    "join",
    "lateral",
    "like",
    "limit",
    "next",
    "not",
    "offset",
    "on",
    "or",
    "perform",
    "query",
    "return",
    "returning",
    "select",
    "similar",
    "some",
    "then",
    "using",
    "when",
    "where",
    "while",
];
/// What ends a list of relations.
const AFTER_RELATIONS: &[&str] = &[
    "except",
    "fetch",
    "group",
    "having",
    "intersect",
    "limit",
    "loop",
    "offset",
    "order",
    "returning",
    "select",
    "set",
    "union",
    "values",
    "where",
    "window",
];
/// Functions whose arguments have a FROM between them.
const WITH_FROM: &[&str] = &["extract", "overlay", "position", "substring", "trim"];
/// What begins a query.
const QUERIES: &[&str] = &["delete", "insert", "merge", "select", "table", "update", "values", "with"];
/// Conditions that catch a name that isn't found.
const CATCHING: &[&str] = &[
    "others",
    "sqlstate",
    "syntax_error_or_access_rule_violation",
    "undefined_function",
    "undefined_object",
    "undefined_table",
];

impl Body {
    /// Reads a body. `declares`: it is written in PL/pgSQL, which declares variables.
    pub(super) fn of(lexemes: &[Lexeme], declares: bool) -> Self {
        let mut reader = Reader { lexemes, frames: vec![Frame::default()], ..Reader::default() };
        for at in 0..lexemes.len() {
            reader.read(at);
        }
        let mut unqualified = reader.found;
        if declares {
            unqualified.extend(declared(lexemes).map(|name| (Kind::Type, name.to_owned())));
        }
        let own = defined_here(lexemes);
        unqualified.retain(|(_, name)| !own.contains(name.as_str()));
        let is_safe = sets_path(lexemes) || catches(lexemes);
        let spoken = if declares { spoken(lexemes) } else { BTreeSet::new() };
        Self { unqualified, mentions: mentions(lexemes), spoken, is_safe }
    }
}

#[derive(Default)]
struct Reader<'a> {
    lexemes: &'a [Lexeme],
    frames: Vec<Frame>,
    /// The next name is a relation's.
    awaits_relation: bool,
    found: BTreeSet<(Kind, String)>,
}

/// A pair of parentheses.
#[derive(Default)]
struct Frame {
    in_relations: bool,
    has_from: bool,
    is_cast: bool,
}

impl Reader<'_> {
    fn at(&self, at: Option<usize>) -> Option<&Lexeme> {
        self.lexemes.get(at?)
    }

    fn read(&mut self, at: usize) {
        let (Some(lexeme), before) = (self.lexemes.get(at).cloned(), self.at(at.checked_sub(1)).cloned()) else {
            return;
        };
        match &lexeme {
            Lexeme::Sign('(') => {
                let follows = |names: &[&str]| before.as_ref().is_some_and(|before| before.is_any(names));
                let (has_from, is_cast) = (follows(WITH_FROM), follows(&["cast"]));
                self.frames.push(Frame { has_from, is_cast, in_relations: false });
            }
            Lexeme::Sign(')') => {
                self.frames.pop();
                self.awaits_relation = false;
            }
            Lexeme::Sign(',') => self.awaits_relation = self.frames.last().is_some_and(|frame| frame.in_relations),
            Lexeme::Sign(';') => self.end_relations(),
            Lexeme::Sign(_) | Lexeme::Number | Lexeme::Text(_) => {}
            Lexeme::Name { quoted: false, .. } if self.is_structure(&lexeme, before.as_ref()) => {}
            Lexeme::Name { text, .. } => self.name(at, text, before.as_ref()),
        }
    }

    fn end_relations(&mut self) {
        self.awaits_relation = false;
        if let Some(frame) = self.frames.last_mut() {
            frame.in_relations = false;
        }
    }

    /// Keywords that say where relations are named.
    fn is_structure(&mut self, keyword: &Lexeme, before: Option<&Lexeme>) -> bool {
        let follows = |words: &[&str]| before.is_some_and(|before| before.is_any(words));
        if keyword.is("from") || keyword.is("join") {
            let frame = self.frames.last_mut();
            let begins = !follows(&["distinct"]) && frame.as_ref().is_some_and(|frame| !frame.has_from);
            self.awaits_relation = begins;
            if let Some(frame) = frame.filter(|_| begins) {
                frame.in_relations = true;
            }
        } else if keyword.is("into") {
            self.end_relations();
            self.awaits_relation = follows(&["insert", "merge"]);
        } else if keyword.is("update") {
            self.end_relations();
            self.awaits_relation = !follows(&["for", "key", "do", "on", "or", "before", "after"]);
        } else if keyword.is_any(AFTER_RELATIONS) {
            self.end_relations();
        } else {
            return keyword.is_any(&["only", "lateral"]) && self.awaits_relation;
        }
        true
    }

    fn name(&mut self, at: usize, text: &str, before: Option<&Lexeme>) {
        let awaits_relation = std::mem::take(&mut self.awaits_relation);
        let (next, after) = (self.at(at.checked_add(1)), self.at(at.checked_add(2)));
        if matches!(before, Some(Lexeme::Sign('.'))) {
            return;
        }
        let is_row = next == Some(&Lexeme::Sign('%')) && after.is_some_and(|after| after.is("rowtype"));
        let is_column = next == Some(&Lexeme::Sign('.'))
            && self.at(at.checked_add(3)) == Some(&Lexeme::Sign('%'))
            && self.at(at.checked_add(4)).is_some_and(|word| word.is("type"));
        let is_cast = self.is_after_colons(at)
            || before.is_some_and(|before| before.is("as")) && self.frames.last().is_some_and(|frame| frame.is_cast);
        let kind = match next {
            _ if is_row || is_column => Kind::Relation,
            Some(Lexeme::Sign('.')) => return,
            _ if is_cast => Kind::Type,
            Some(Lexeme::Sign('(')) if precedes_call(before) => Kind::Function,
            Some(Lexeme::Sign('(')) if !before.is_some_and(|before| before.is("into")) => return,
            _ if awaits_relation => Kind::Relation,
            _ => return,
        };
        self.found.insert((kind, text.to_owned()));
    }

    fn is_after_colons(&self, at: usize) -> bool {
        let colon = |back: usize| self.at(at.checked_sub(back)) == Some(&Lexeme::Sign(':'));
        colon(1) && colon(2)
    }
}

fn precedes_call(before: Option<&Lexeme>) -> bool {
    match before {
        None => true,
        Some(Lexeme::Sign(sign)) => ![')', ']', '.'].contains(sign),
        Some(word @ Lexeme::Name { .. }) => word.is_any(BEFORE_CALLS),
        Some(Lexeme::Text(_) | Lexeme::Number) => false,
    }
}

/// The types of variables: `name type` and `name CONSTANT type` between DECLARE and BEGIN.
fn declared(lexemes: &[Lexeme]) -> impl Iterator<Item = &str> {
    let sections = lexemes.split(|lexeme| lexeme.is("declare")).skip(1);
    let sections = sections.map(|rest| rest.split(|lexeme| lexeme.is("begin")).next().unwrap_or_default());
    let variables = sections.flat_map(|section| section.split(|lexeme| *lexeme == Lexeme::Sign(';')));
    variables.filter_map(|variable| {
        let [_, rest @ ..] = variable else { return None };
        let rest = if rest.first().is_some_and(|word| word.is("constant")) { rest.get(1..)? } else { rest };
        match rest {
            [Lexeme::Name { .. }, Lexeme::Sign('.' | '%'), ..] => None,
            [name, ..] => name.name(),
            [] => None,
        }
    })
}

/// Names that stand for what the body itself defines: `WITH name AS (SELECT …)`, tables that it creates, and cursors.
fn defined_here(lexemes: &[Lexeme]) -> BTreeSet<&str> {
    let defined = lexemes.iter().enumerate().filter_map(|(at, lexeme)| {
        if lexeme.is("table") {
            let words = lexemes.get(at + 1..)?.iter().skip_while(|word| word.is_any(&["if", "not", "exists"]));
            let creates = lexemes.get(at.saturating_sub(3)..at)?.iter().any(|word| word.is("create"));
            return words.take(1).find_map(Lexeme::name).filter(|_| creates);
        }
        if lexeme.is("cursor") {
            let mut before = lexemes.get(..at)?.iter().rev().skip_while(|word| word.is_any(&["no", "scroll"]));
            return before.next().and_then(Lexeme::name);
        }
        let mut body = lexemes.get(at + 1..)?.iter().skip_while(|word| word.is_any(&["not", "materialized"]));
        let opens = lexeme.is("as") && body.next() == Some(&Lexeme::Sign('('));
        let is_query = |word: &Lexeme| word.is_any(QUERIES) || *word == Lexeme::Sign('(');
        if !opens || !body.next().is_some_and(is_query) {
            return None;
        }
        let before = lexemes.get(..at)?;
        match before {
            // With names for its columns.
            [.., Lexeme::Sign(')')] => {
                let opens = before.iter().rposition(|lexeme| *lexeme == Lexeme::Sign('('))?;
                before.get(opens.checked_sub(1)?)?.name()
            }
            [.., name] => name.name(),
            [] => None,
        }
    });
    defined.collect()
}

fn spoken(body: &[Lexeme]) -> BTreeSet<String> {
    let texts = body.iter().filter_map(|lexeme| match lexeme {
        Lexeme::Text(text) => Some(lexemes(text)),
        _ => None,
    });
    texts.flatten().filter_map(|lexeme| lexeme.name().map(str::to_owned)).collect()
}

/// `SET search_path`, in whatever way.
fn sets_path(lexemes: &[Lexeme]) -> bool {
    lexemes.iter().any(|lexeme| match lexeme {
        Lexeme::Name { text, .. } | Lexeme::Text(text) => text.contains("search_path"),
        Lexeme::Number | Lexeme::Sign(_) => false,
    })
}

/// `EXCEPTION WHEN undefined_function`, or what includes it.
fn catches(lexemes: &[Lexeme]) -> bool {
    let handlers = lexemes.split(|lexeme| lexeme.is("exception")).skip(1);
    let mut conditions = handlers.filter(|rest| rest.first().is_some_and(|word| word.is("when")));
    conditions.any(|rest| {
        let mut until_end = rest.iter().take_while(|word| !word.is("end"));
        until_end.any(|word| word.is_any(CATCHING))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(sql: &str) -> String {
        let body = Body::of(&lexemes(sql), sql.contains("BEGIN"));
        let words = body.unqualified.iter().map(|(kind, name)| match kind {
            Kind::Function => format!("{name}()"),
            Kind::Relation => name.clone(),
            Kind::Type => format!("::{name}"),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_has_no_schema_is_found_where_it_stands() {
        for (sql, expected) in [
            ("SELECT is_odd($1) AND other.is_even($1)", "is_odd()"),
            ("SELECT EXISTS (SELECT FROM codes c WHERE c.code = $1)", "exists() codes"),
            ("SELECT FROM public.codes, b, LATERAL f(b.x) t(a, b), ONLY c WHERE x IN (1, d)", "f() b c"),
            ("SELECT max(a) FROM x JOIN y USING (id) LEFT JOIN s.z ON z.a = lower(y.b), w", "lower() max() w x y"),
            (
                "SELECT extract(day FROM orders), trim(both FROM users), a IS DISTINCT FROM b FROM t",
                "extract() trim() t",
            ),
            (
                "INSERT INTO log (a) VALUES (f(1)); UPDATE counters SET n = n + 1; DELETE FROM ONLY old",
                "f() counters log old",
            ),
            ("SELECT x INTO target FROM t FOR UPDATE OF other", "t"),
            ("WITH codes AS (SELECT 1), list(a) AS MATERIALIZED (VALUES (1)) SELECT FROM codes, list", ""),
            ("SELECT 'is_odd(1)' || $x$ FROM t $x$ -- FROM u\n", ""),
            (
                "SELECT $1::money_amount, cast($1 AS size), (SELECT 1 AS size), 'x'::public.size",
                "cast() ::money_amount ::size",
            ),
            ("BEGIN CREATE TEMP TABLE IF NOT EXISTS scratch (a int); SELECT FROM scratch; END", ""),
            (
                "DECLARE a users%ROWTYPE; b users.id%TYPE; c CONSTANT size := 1; d s.size; BEGIN RETURN a; END",
                "users ::size",
            ),
            (
                "DECLARE c NO SCROLL CURSOR (x int) FOR SELECT FROM t; BEGIN FOR r IN c(3) LOOP NULL; END LOOP; END",
                "t ::no",
            ),
            ("SELECT \"Is Odd\"($1)", "Is Odd()"),
            ("BEGIN FOR r IN SELECT a FROM t LOOP x := f(r.a), b; END LOOP; END", "f() t"),
        ] {
            assert_eq!(named(sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_body_that_helps_itself_is_safe() {
        let is_safe = |sql: &str| Body::of(&lexemes(sql), true).is_safe;
        assert!(is_safe("BEGIN SET LOCAL search_path = public; RETURN f(); END"));
        assert!(is_safe("BEGIN PERFORM set_config('search_path', 'public', true); RETURN f(); END"));
        assert!(is_safe("BEGIN RETURN f(); EXCEPTION WHEN unique_violation OR others THEN RETURN 1; END"));
        assert!(!is_safe("BEGIN RETURN f(); EXCEPTION WHEN unique_violation THEN RETURN 1; END"));
        assert!(!is_safe("BEGIN RAISE EXCEPTION 'others'; END"));
    }
}
