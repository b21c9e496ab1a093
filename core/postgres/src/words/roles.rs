//! The roles that an archive's statements name.
//!
//! A role that this server doesn't have makes `pg_restore` fail half way, so they are looked for in advance: those of privileges
//! in the archive's own entries, the others in the script that `pg_restore` makes of the definitions.

use std::collections::BTreeSet;

use crate::words::tokens::{Token, tokens};

/// The roles that a statement about privileges names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// All of them.
    pub all: BTreeSet<String>,
    /// Those in whose name privileges are given, which only a superuser can do: `SET SESSION AUTHORIZATION`.
    pub grantors: BTreeSet<String>,
    /// Those whose default privileges are set, which takes their own rights: `ALTER DEFAULT PRIVILEGES FOR ROLE`.
    pub with_defaults: BTreeSet<String>,
}

/// Picks the roles of policies and user mappings, which nothing leaves out, from `pg_restore`'s script, line by line.
#[derive(Debug, Default)]
pub struct Finder {
    in_definition: bool,
    roles: BTreeSet<String>,
}

impl Finder {
    /// Reads the script's next line.
    pub fn line(&mut self, line: &str) {
        // Every entry begins with such a comment. A line of a function's body that looks like one names nothing.
        if let Some(rest) = line.strip_prefix("-- ")
            && (rest.starts_with("Name: ") || rest.starts_with("Data for Name: "))
        {
            let kind = rest.split("; Type: ").nth(1).and_then(|rest| rest.split(';').next());
            self.in_definition = matches!(kind, Some("POLICY" | "USER MAPPING"));
            return;
        }
        if self.in_definition && !line.is_empty() && !line.starts_with("--") {
            self.roles.extend(in_statement(line).into_iter().map(|(_, role)| role));
            // Its first line names the roles; the conditions that follow may hold any words.
            self.in_definition = false;
        }
    }

    /// The roles of all lines so far.
    #[must_use]
    pub fn finish(self) -> BTreeSet<String> {
        self.roles
    }
}

/// The statements of an entry with privileges, a line each, and the roles that each names. What is said in another role's name,
/// between `SET SESSION AUTHORIZATION` and `RESET`, names that role as well.
#[must_use]
pub fn of_privileges(definition: &str) -> Vec<(&str, Named)> {
    let mut grantor: Option<String> = None;
    let lines = definition.split_inclusive('\n').filter(|line| !line.trim().is_empty());
    let statements = lines.map(|line| {
        let mut named = Named::default();
        for (introduction, role) in in_statement(line) {
            match introduction {
                Introduction::Grantor => grantor = Some(role.clone()),
                Introduction::Defaults => drop(named.with_defaults.insert(role.clone())),
                Introduction::Other => {}
            }
            named.all.insert(role);
        }
        named.all.extend(grantor.clone());
        named.grantors.extend(grantor.clone());
        if tokens(line).first().is_some_and(|token| token.is("RESET")) {
            grantor = None;
        }
        (line, named)
    });
    statements.collect()
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
    fn each_statement_names_its_own_roles() {
        let sql = "REVOKE ALL ON TABLE t FROM PUBLIC;\nSET SESSION AUTHORIZATION deputy;\nGRANT SELECT ON TABLE t TO bob;\n\
                   RESET SESSION AUTHORIZATION;\nALTER DEFAULT PRIVILEGES FOR ROLE dora GRANT SELECT ON TABLES TO \"E e\";\n";
        let found = of_privileges(sql);
        let roles = |at: usize| found[at].1.all.iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(found.iter().map(|(line, _)| *line).collect::<String>(), sql);
        assert_eq!(
            [0, 1, 2, 3, 4].map(roles),
            [vec![], vec!["deputy"], vec!["bob", "deputy"], vec!["deputy"], vec!["E e", "dora"]]
        );
        assert!([1, 2, 3].iter().all(|&at| found[at].1.grantors.contains("deputy")) && found[4].1.grantors.is_empty());
        assert!(found[4].1.with_defaults.contains("dora"));
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
        assert_eq!(finder.finish(), BTreeSet::from(["carol".to_owned()]));
    }
}
