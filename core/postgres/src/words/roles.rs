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
    /// Those among them in whose name privileges are given, which only a superuser can do: `SET SESSION AUTHORIZATION`.
    pub grantors: BTreeSet<String>,
    /// Those whose default privileges are set, which takes their own rights: `ALTER DEFAULT PRIVILEGES FOR ROLE`.
    pub with_defaults: BTreeSet<String>,
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
        let roles = match self.entry {
            Entry::Privileges | Entry::Definition => in_statement(line),
            Entry::Other => return,
        };
        for (introduction, role) in roles {
            match introduction {
                _ if self.entry == Entry::Definition => &mut self.named.in_definitions,
                Introduction::Grantor => {
                    self.named.in_privileges.insert(role.clone());
                    &mut self.named.grantors
                }
                Introduction::Defaults => {
                    self.named.in_privileges.insert(role.clone());
                    &mut self.named.with_defaults
                }
                Introduction::Other => &mut self.named.in_privileges,
            }
            .insert(role);
        }
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

/// What a role is named for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Introduction {
    Grantor,
    Defaults,
    Other,
}

/// The roles of `GRANT … TO a`, `REVOKE … FROM a`, `ALTER DEFAULT PRIVILEGES FOR ROLE a …`, `CREATE POLICY … TO a, b` and
/// `CREATE USER MAPPING FOR a`: those that follow an unquoted TO, FROM, ROLE, AUTHORIZATION or MAPPING FOR.
fn in_statement(statement: &str) -> Vec<(Introduction, String)> {
    let tokens = tokens(statement);
    let mut roles = Vec::new();
    let mut rest = tokens.as_slice();
    while let [first, after @ ..] = rest {
        rest = after;
        let introduction = match first {
            Token::Word(word) if ["TO", "FROM"].contains(&word.as_str()) => Introduction::Other,
            Token::Word(word) if word == "ROLE" => Introduction::Defaults,
            Token::Word(word) if word == "AUTHORIZATION" => Introduction::Grantor,
            Token::Word(word) if word == "MAPPING" && after.first() == Some(&Token::Word("FOR".to_owned())) => {
                rest = after.get(1..).unwrap_or_default();
                Introduction::Other
            }
            // What a policy checks may hold any words.
            Token::Word(word) if word == "USING" || word == "CHECK" => return roles,
            _ => continue,
        };
        roles.extend(names(rest).map(|name| (introduction, name)));
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
            let found: Vec<String> = in_statement(statement).into_iter().map(|(_, role)| role).collect();
            assert_eq!(found, roles, "{statement}");
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
            "SET SESSION AUTHORIZATION \"Deputy\";",
            "RESET SESSION AUTHORIZATION;",
            "-- Name: DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: -; Owner: dora",
            "ALTER DEFAULT PRIVILEGES FOR ROLE dora IN SCHEMA public GRANT SELECT ON TABLES TO bob;",
            "-- Name: t p; Type: POLICY; Schema: public; Owner: me",
            "CREATE POLICY p ON public.t TO carol USING ((EXISTS ( SELECT 1",
            "   FROM public.u)));",
        ] {
            finder.line(line);
        }
        let named = finder.finish();
        let set = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|&name| name.to_owned()).collect() };
        assert_eq!(named.in_privileges, set(&["bob", "Deputy", "dora"]));
        assert_eq!((named.grantors, named.with_defaults), (set(&["Deputy"]), set(&["dora"])));
        assert_eq!(named.in_definitions, set(&["carol"]));
    }
}
