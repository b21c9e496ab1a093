//! What older servers had and later ones don't: told by an archive's definitions, before a later server refuses them half way.

use std::collections::BTreeSet;

use crate::words::tokens::{Token, tokens};

/// Something that a server of a later version has no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A type that version 12 removed: `abstime`, `reltime`, `tinterval`.
    Type,
    /// An aggregate upon `array_append` and its kin, which take other types since version 14.
    ArrayAggregate,
    /// An operator that stands behind its operand, which version 14 removed.
    PostfixOperator,
    /// A function that returns `opaque`, which version 13 removed.
    Opaque,
}

/// One of them, and the object that has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relic {
    /// What it is.
    pub kind: Kind,
    /// The object, in words: `TABLE orders`.
    pub object: String,
}

impl Kind {
    /// Whether a server of this version (`server_version_num`) refuses it.
    #[must_use]
    pub fn is_gone_from(self, version_number: u32) -> bool {
        version_number
            >= match self {
                Self::Type => 120_000,
                Self::Opaque => 130_000,
                Self::ArrayAggregate | Self::PostfixOperator => 140_000,
            }
    }

    /// What it is, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Type => "abstime, reltime and tinterval, which PostgreSQL has no more since 12",
            Self::Opaque => "opaque, which PostgreSQL has no more since 13",
            Self::ArrayAggregate => {
                "an array function for anyarray, which is one for anycompatiblearray since PostgreSQL 14"
            }
            Self::PostfixOperator => "an operator behind its operand, which PostgreSQL has no more since 14",
        }
    }

    /// What to do on the server that was dumped.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Type => {
                "change the column's type on the old server (ALTER TABLE … ALTER COLUMN … TYPE timestamptz, or interval), and dump again"
            }
            Self::Opaque => {
                "create the function with its real type (trigger, cstring) on the old server, and dump again"
            }
            Self::ArrayAggregate => {
                "drop the aggregate on the old server and dump again; create it with anycompatiblearray after the restore"
            }
            Self::PostfixOperator => "drop the operator on the old server, with what uses it, and dump again",
        }
    }
}

const TYPES: [&str; 3] = ["abstime", "reltime", "tinterval"];
const ARRAY_FUNCTIONS: [&str; 6] =
    ["array_append", "array_prepend", "array_cat", "array_remove", "array_replace", "array_position"];

/// Reads a script line by line.
#[derive(Debug, Default)]
pub struct RelicFinder {
    kind: String,
    object: String,
    calls_array_function: bool,
    operands: Option<(bool, bool)>,
    found: BTreeSet<Relic>,
}

impl RelicFinder {
    /// Reads the script's next line.
    pub fn line(&mut self, line: &str) {
        if let Some(entry) = line.strip_prefix("-- Name: ") {
            let (name, rest) = entry.split_once("; Type: ").unwrap_or((entry, ""));
            self.kind = rest.split(';').next().unwrap_or_default().to_owned();
            self.object = format!("{} {name}", self.kind);
            self.calls_array_function = false;
            self.operands = None;
            return;
        }
        match self.kind.as_str() {
            // A line of a column: its name, then its type.
            "TABLE" | "TYPE" | "FOREIGN TABLE" if line.starts_with("    ") || line.starts_with('\t') => {
                let tokens = tokens(line);
                let type_name = tokens.iter().skip(1).filter_map(Token::name).find(|name| *name != "pg_catalog");
                if type_name.is_some_and(|name| TYPES.contains(&name)) {
                    self.add(Kind::Type);
                }
            }
            "DOMAIN" if line.starts_with("CREATE DOMAIN ") && has_type(line) => self.add(Kind::Type),
            "FUNCTION" if line.starts_with("CREATE ") => {
                if has_type(line) {
                    self.add(Kind::Type);
                }
                if line.contains(" RETURNS opaque") {
                    self.add(Kind::Opaque);
                }
            }
            "AGGREGATE" => self.aggregate(line),
            "OPERATOR" => self.operator(line),
            _ => {}
        }
    }

    /// What all lines so far have.
    #[must_use]
    pub fn finish(self) -> BTreeSet<Relic> {
        self.found
    }

    fn add(&mut self, kind: Kind) {
        self.found.insert(Relic { kind, object: self.object.clone() });
    }

    fn aggregate(&mut self, line: &str) {
        let tokens = tokens(line);
        let words: Vec<String> = tokens.iter().filter_map(Token::name).map(str::to_ascii_lowercase).collect();
        let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
        self.calls_array_function |= has(&["sfunc"]) && has(&ARRAY_FUNCTIONS);
        if self.calls_array_function && has(&["stype"]) && has(&["anyarray"]) {
            self.add(Kind::ArrayAggregate);
        }
    }

    fn operator(&mut self, line: &str) {
        if line.starts_with("CREATE OPERATOR ") {
            self.operands = Some((false, false));
        }
        let Some((left, right)) = &mut self.operands else { return };
        *left |= line.trim_start().starts_with("LEFTARG");
        *right |= line.trim_start().starts_with("RIGHTARG");
        if line.trim_end().ends_with(");") {
            let postfix = *left && !*right;
            self.operands = None;
            if postfix {
                self.add(Kind::PostfixOperator);
            }
        }
    }
}

fn has_type(line: &str) -> bool {
    tokens(line).iter().filter_map(Token::name).any(|name| TYPES.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_later_servers_lack_is_told_by_the_definitions() {
        let mut finder = RelicFinder::default();
        let script = "-- Name: t; Type: TABLE; Schema: public; Owner: me\nCREATE TABLE t (\n    at abstime,\n    reltime integer\n);\n\
            -- Name: u; Type: TABLE; Schema: public; Owner: me\nCREATE TABLE u (\n    abstime integer DEFAULT 1\n);\n\
            -- Name: acc(anyelement); Type: AGGREGATE; Schema: public; Owner: me\nCREATE AGGREGATE public.acc(anyelement) (\n    SFUNC = array_append,\n    STYPE = anyarray,\n    INITCOND = '{}'\n);\n\
            -- Name: new(anycompatible); Type: AGGREGATE; Schema: public; Owner: me\nCREATE AGGREGATE public.new(anycompatible) (\n    SFUNC = array_append,\n    STYPE = anycompatiblearray\n);\n\
            -- Name: !; Type: OPERATOR; Schema: public; Owner: me\nCREATE OPERATOR public.! (\n    PROCEDURE = f,\n    LEFTARG = bigint\n);\n\
            -- Name: +; Type: OPERATOR; Schema: public; Owner: me\nCREATE OPERATOR public.+ (\n    PROCEDURE = f,\n    LEFTARG = bigint,\n    RIGHTARG = bigint\n);\n\
            -- Name: old(); Type: FUNCTION; Schema: public; Owner: me\nCREATE FUNCTION public.old() RETURNS opaque\n";
        script.lines().for_each(|line| finder.line(line));
        let found: Vec<(Kind, String)> = finder.finish().into_iter().map(|relic| (relic.kind, relic.object)).collect();
        let expected = [
            (Kind::Type, "TABLE t"),
            (Kind::ArrayAggregate, "AGGREGATE acc(anyelement)"),
            (Kind::PostfixOperator, "OPERATOR !"),
            (Kind::Opaque, "FUNCTION old()"),
        ];
        assert_eq!(found, expected.map(|(kind, object)| (kind, object.to_owned())));
        assert!(Kind::Type.is_gone_from(150_014) && !Kind::PostfixOperator.is_gone_from(130_000));
    }
}
