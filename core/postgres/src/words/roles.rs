//! The roles that an archive names: as owners in its contents, and within its statements.
//!
//! A role that this server doesn't have makes `pg_restore` fail half way, so they are looked for in advance in the script
//! that `pg_restore` makes of the definitions.

use std::collections::BTreeSet;

use crate::words::tokens::{Token, tokens};

/// The roles that statements name, besides owners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// In privileges, which `--no-acl` leaves out.
    pub in_privileges: BTreeSet<String>,
    /// In policies and user mappings, which nothing leaves out.
    pub in_definitions: BTreeSet<String>,
}

/// Picks roles out of `pg_restore`'s script, line by line.
#[derive(Debug, Default)]
pub struct Finder {
    entry: Entry,
    named: Named,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Entry {
    Privileges,
    Definition,
    #[default]
    Other,
}

impl Finder {
    /// Reads the script's next line.
    pub fn line(&mut self, line: &str) {
        // Every entry begins with such a comment. A line of a function's body that looks like one names nothing.
        if let Some(rest) = line.strip_prefix("-- ")
            && (rest.starts_with("Name: ") || rest.starts_with("Data for Name: "))
        {
            self.entry = match rest.split("; Type: ").nth(1).and_then(|rest| rest.split(';').next()) {
                Some("ACL" | "DEFAULT ACL") => Entry::Privileges,
                Some("POLICY" | "USER MAPPING") => Entry::Definition,
                _ => Entry::Other,
            };
            return;
        }
        let named = match self.entry {
            Entry::Privileges => &mut self.named.in_privileges,
            Entry::Definition => &mut self.named.in_definitions,
            Entry::Other => return,
        };
        named.extend(in_statement(line));
        if self.entry == Entry::Definition && !line.is_empty() && !line.starts_with("--") {
            // Its first line names the roles; the conditions that follow may hold any words.
            self.entry = Entry::Other;
        }
    }

    /// The roles of all lines so far.
    #[must_use]
    pub fn finish(self) -> Named {
        self.named
    }
}

/// The roles of `GRANT … TO a`, `REVOKE … FROM a`, `ALTER DEFAULT PRIVILEGES FOR ROLE a …`, `CREATE POLICY … TO a, b` and
/// `CREATE USER MAPPING FOR a`: those that follow an unquoted TO, FROM, ROLE or MAPPING FOR.
fn in_statement(statement: &str) -> Vec<String> {
    let tokens = tokens(statement);
    let mut roles = Vec::new();
    let mut rest = tokens.as_slice();
    while let [first, after @ ..] = rest {
        rest = after;
        let introduces = match first {
            Token::Word(word) if ["TO", "FROM", "ROLE"].contains(&word.as_str()) => true,
            Token::Word(word) if word == "MAPPING" && after.first() == Some(&Token::Word("FOR".to_owned())) => {
                rest = after.get(1..).unwrap_or_default();
                true
            }
            // What a policy checks may hold any words.
            Token::Word(word) if word == "USING" || word == "CHECK" => return roles,
            _ => false,
        };
        if introduces {
            roles.extend(names(rest));
        }
    }
    roles
}

/// What stands for a role and is none.
const KEYWORDS: [&str; 7] = ["PUBLIC", "GROUP", "USER", "CURRENT_ROLE", "CURRENT_USER", "SESSION_USER", "NONE"];

/// The comma-separated names that a list begins with.
fn names(tokens: &[Token]) -> impl Iterator<Item = String> {
    let listed = tokens.iter().enumerate();
    let listed =
        listed.take_while(|(at, token)| if at % 2 == 1 { **token == Token::Sign(',') } else { token.name().is_some() });
    listed.filter_map(|(_, token)| match token {
        // pg_dump writes `public` in lower case for a user mapping. Quoted, each of them would be a role's name.
        Token::Word(word) if KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) => None,
        Token::Word(name) | Token::Quoted(name) => Some(name.clone()),
        Token::Text(_) | Token::Sign(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_picked_out_of_privileges() {
        for (statement, roles) in [
            ("GRANT SELECT ON TABLE public.\"TO\" TO bob;", vec!["bob"]),
            ("GRANT ALL ON SCHEMA public TO \"we\"\"ird\" WITH GRANT OPTION;", vec!["we\"ird"]),
            ("REVOKE ALL ON FUNCTION public.f(a integer, b text) FROM PUBLIC;", vec![]),
            (
                "ALTER DEFAULT PRIVILEGES FOR ROLE alice IN SCHEMA s GRANT SELECT ON TABLES TO bob;",
                vec!["alice", "bob"],
            ),
            (
                "CREATE POLICY p ON public.t FOR SELECT TO bob, \"Carol\" USING ((owner = 'FROM x'::text));",
                vec!["bob", "Carol"],
            ),
            ("CREATE USER MAPPING FOR dave SERVER s OPTIONS (", vec!["dave"]),
            ("CREATE USER MAPPING FOR public SERVER s OPTIONS (", vec![]),
            ("CREATE USER MAPPING FOR Current_User SERVER s;", vec![]),
            ("CREATE USER MAPPING FOR \"user\" SERVER s;", vec!["user"]),
            ("CREATE POLICY p ON t TO CURRENT_ROLE, session_user, eve USING (true);", vec!["eve"]),
            ("GRANT SELECT ON TABLE t TO \"Public\";", vec!["Public"]),
        ] {
            assert_eq!(in_statement(statement), roles, "{statement}");
        }
    }

    #[test]
    fn a_functions_body_names_no_role() {
        let mut finder = Finder::default();
        for line in [
            "-- Name: f(); Type: FUNCTION; Schema: public; Owner: me",
            "GRANT SELECT ON t TO nobody_real;",
            "-- Name: TABLE t; Type: ACL; Schema: public; Owner: me",
            "GRANT SELECT ON TABLE public.t TO bob;",
            "-- Name: t p; Type: POLICY; Schema: public; Owner: me",
            "CREATE POLICY p ON public.t TO carol USING ((EXISTS ( SELECT 1",
            "   FROM public.u)));",
        ] {
            finder.line(line);
        }
        let named = finder.finish();
        assert_eq!(named.in_privileges, BTreeSet::from(["bob".to_owned()]));
        assert_eq!(named.in_definitions, BTreeSet::from(["carol".to_owned()]));
    }
}
