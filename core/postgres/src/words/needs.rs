//! What an archive's definitions need of a server: tablespaces, collations, and rights that few roles have.
//!
//! Found in the script that `pg_restore` makes of the definitions, each by the first lines of its entry.

use std::collections::BTreeSet;

use crate::words::relics::{Relic, RelicFinder};
use crate::words::tokens::{Token, tokens};

/// What there has to be, or to be allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Tablespaces that relations are put into.
    pub tablespaces: BTreeSet<String>,
    /// Publications of all tables, or of all in a schema, which only a superuser may create.
    pub wide_publications: BTreeSet<String>,
    /// Functions, and the language that each is written in.
    pub functions: BTreeSet<(String, String)>,
    /// Functions, and an attribute that only a superuser may give.
    pub privileged_functions: BTreeSet<(String, &'static str)>,
    /// Functions, and a setting that each has while it runs.
    pub settings_of_functions: BTreeSet<(String, String)>,
    /// The locales of collations.
    pub locales: BTreeSet<Locale>,
    /// What later servers have no more.
    pub relics: BTreeSet<Relic>,
}

/// A locale, and who provides it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Locale {
    /// `libc`, `icu` or `builtin`.
    pub provider: String,
    /// Its name, such as `de_DE.UTF-8`.
    pub name: String,
}

/// Reads a script line by line.
#[derive(Debug, Default)]
pub struct NeedsFinder {
    kind: String,
    name: String,
    needs: Needs,
    relics: RelicFinder,
}

/// What stands for a kind between a function's attributes and its body.
const SETTINGS: &str = "settings of a function";
/// Attributes of functions that only a superuser may give.
const OF_SUPERUSERS: [&str; 2] = ["LEAKPROOF", "SUPPORT"];

impl NeedsFinder {
    /// Reads the script's next line.
    pub fn line(&mut self, line: &str) {
        self.relics.line(line);
        if let Some(entry) = line.strip_prefix("-- Name: ") {
            let field = |label: &str| {
                let rest = entry.split_once(label)?.1;
                Some(rest.split(';').next().unwrap_or(rest).to_owned())
            };
            self.kind = field("; Type: ").unwrap_or_default();
            self.name = entry.split("; Type: ").next().unwrap_or_default().to_owned();
            self.needs.tablespaces.extend(field("; Tablespace: ").filter(|name| !name.is_empty()));
            return;
        }
        match self.kind.as_str() {
            "PUBLICATION" | "PUBLICATION TABLES IN SCHEMA" if is_wide(line) => {
                self.needs.wide_publications.insert(self.name.clone());
            }
            "FUNCTION" | "PROCEDURE" => self.language(line),
            SETTINGS => self.setting(line),
            "COLLATION" if line.starts_with("CREATE COLLATION ") => self.needs.locales.extend(collation(line)),
            _ => {}
        }
    }

    /// The line with the language has all attributes, and those after it have the settings, one each.
    fn language(&mut self, line: &str) {
        let Some(attributes) = line.strip_prefix("    LANGUAGE ").map(tokens) else { return };
        if let [language, attributes @ ..] = attributes.as_slice() {
            self.needs.functions.extend(language.name().map(|language| (self.name.clone(), language.to_owned())));
            let given = OF_SUPERUSERS.into_iter().filter(|word| attributes.iter().any(|token| token.is(word)));
            self.needs.privileged_functions.extend(given.map(|word| (self.name.clone(), word)));
        }
        SETTINGS.clone_into(&mut self.kind);
    }

    fn setting(&mut self, line: &str) {
        match line.strip_prefix("    SET ").and_then(setting) {
            Some(setting) => drop(self.needs.settings_of_functions.insert((self.name.clone(), setting))),
            None => self.kind.clear(),
        }
    }

    /// What all lines so far need.
    #[must_use]
    pub fn finish(self) -> Needs {
        Needs { relics: self.relics.finish(), ..self.needs }
    }
}

/// The name in `work_mem TO '1MB'`.
fn setting(assignment: &str) -> Option<String> {
    let tokens = tokens(assignment);
    let to = tokens.iter().position(|token| token.is("TO") || *token == Token::Sign('='))?;
    let parts = tokens.get(..to)?.iter().filter(|token| **token != Token::Sign('.'));
    Some(parts.map(Token::name).collect::<Option<Vec<_>>>()?.join("."))
}

fn is_wide(line: &str) -> bool {
    let tokens = tokens(line);
    let begins = tokens.first().is_some_and(|token| token.is("CREATE") || token.is("ALTER"));
    let names = |words: &[Token]| matches!(words, [one, other] if one.is("ALL") && other.is("TABLES") || one.is("TABLES") && other.is("IN"));
    begins && tokens.windows(2).any(names)
}

/// The locale of `CREATE COLLATION s.n (provider = libc, locale = 'de_DE.utf8')`.
fn collation(line: &str) -> Vec<Locale> {
    let tokens = tokens(line);
    let value = |option: &str| {
        tokens.windows(3).find_map(|window| match window {
            [name, Token::Sign('='), Token::Word(value) | Token::Text(value)] if name.is(option) => Some(value.clone()),
            _ => None,
        })
    };
    let provider = value("provider").unwrap_or_else(|| "libc".to_owned());
    let names = ["locale", "lc_collate", "lc_ctype"].map(value).into_iter().flatten();
    names.map(|name| Locale { provider: provider.clone(), name }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_definitions_need_is_told_by_their_first_lines() {
        let mut finder = NeedsFinder::default();
        for line in [
            "-- Name: t; Type: TABLE; Schema: public; Owner: me; Tablespace: fast",
            "CREATE TABLE public.t ();",
            "-- Name: all; Type: PUBLICATION; Schema: -; Owner: me",
            "CREATE PUBLICATION \"all\" FOR ALL TABLES WITH (publish = 'insert');",
            "-- Name: some; Type: PUBLICATION; Schema: -; Owner: me",
            "CREATE PUBLICATION some WITH (publish = 'insert');",
            "-- Name: f(integer); Type: FUNCTION; Schema: public; Owner: me",
            "CREATE FUNCTION public.f(integer) RETURNS integer",
            "    LANGUAGE c STRICT",
            "    LANGUAGE sql",
            "-- Name: g(); Type: FUNCTION; Schema: public; Owner: me",
            "CREATE FUNCTION public.g() RETURNS integer",
            "    LANGUAGE sql IMMUTABLE SECURITY DEFINER LEAKPROOF",
            "    SET session_replication_role TO 'replica'",
            "    SET \"my.tenant\" TO 'x'",
            "    AS $$",
            "    SET work_mem TO '1MB'",
            "-- Name: german; Type: COLLATION; Schema: public; Owner: me",
            "CREATE COLLATION public.german (provider = libc, locale = 'de_DE.utf8');",
        ] {
            finder.line(line);
        }
        let set = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|&name| name.to_owned()).collect() };
        let expected = Needs {
            tablespaces: set(&["fast"]),
            wide_publications: set(&["all"]),
            functions: [("f(integer)", "c"), ("g()", "sql")].map(|(f, l)| (f.to_owned(), l.to_owned())).into(),
            privileged_functions: [("g()".to_owned(), "LEAKPROOF")].into(),
            settings_of_functions: ["session_replication_role", "my.tenant"]
                .map(|setting| ("g()".to_owned(), setting.to_owned()))
                .into(),
            locales: [Locale { provider: "libc".to_owned(), name: "de_DE.utf8".to_owned() }].into(),
            relics: BTreeSet::new(),
        };
        assert_eq!(finder.finish(), expected);
    }
}
