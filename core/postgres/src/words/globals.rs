//! What `pg_dumpall --globals-only` writes, taken apart: roles, memberships, settings of roles, privileges on parameters.
//!
//! Nothing of its text goes on as it is. A statement that isn't one as pg_dumpall writes it is left out, and counted.

mod statements;

use std::collections::{BTreeMap, BTreeSet};

use self::statements::statements;
use crate::Secret;
use crate::words::origin::assignment;
use crate::words::tokens::{Token, tokens};

/// Everything that was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Globals {
    /// The roles by name.
    pub roles: BTreeMap<String, GlobalRole>,
    /// In their order, in which each grantor has what it passes on.
    pub memberships: Vec<Membership>,
    /// Privileges on parameters, in their order.
    pub parameters: Vec<ParameterPrivilege>,
    /// What is set for every role: each a `SET … TO …`.
    pub of_all: Vec<String>,
    /// Tablespaces by name.
    pub tablespaces: BTreeSet<String>,
    /// How many statements were left out.
    pub unknown: usize,
}

/// A role as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GlobalRole {
    /// Keywords such as `CREATEDB` and `NOSUPERUSER`, all that were said but those of logging in.
    pub attributes: BTreeSet<&'static str>,
    /// It could log in.
    pub logs_in: bool,
    /// How many connections it could have, where that was limited.
    pub connection_limit: Option<u32>,
    /// Its password, as the server stored it.
    pub password: Option<Secret>,
    /// Until when that was valid.
    pub valid_until: Option<String>,
    /// Its settings: each a `SET … TO …`.
    pub settings: Vec<String>,
    /// Its comment.
    pub comment: Option<String>,
    /// Its security labels, each with its provider.
    pub labels: Vec<(String, String)>,
}

/// That a role is a member of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The role that was granted.
    pub role: String,
    /// To whom.
    pub member: String,
    /// The member may grant it to others.
    pub admin: bool,
    /// Since version 16: the member has its rights without asking.
    pub inherit: Option<bool>,
    /// Since version 16: the member may become it.
    pub set: Option<bool>,
    /// Who granted it.
    pub grantor: Option<String>,
}

/// A privilege on a parameter of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterPrivilege {
    /// `SET`, `ALTER SYSTEM`, or both.
    pub privileges: Vec<&'static str>,
    /// The parameter's name.
    pub parameter: String,
    /// `None`: PUBLIC.
    pub grantee: Option<String>,
    /// The grantee may grant it to others.
    pub grantable: bool,
}

/// What a role is allowed, or not.
const ATTRIBUTES: [&str; 12] = [
    "SUPERUSER",
    "NOSUPERUSER",
    "INHERIT",
    "NOINHERIT",
    "CREATEROLE",
    "NOCREATEROLE",
    "CREATEDB",
    "NOCREATEDB",
    "REPLICATION",
    "NOREPLICATION",
    "BYPASSRLS",
    "NOBYPASSRLS",
];
/// Settings of the session that pg_dumpall begins with.
const OF_SESSION: [&str; 4] =
    ["client_encoding", "default_transaction_read_only", "escape_string_warning", "standard_conforming_strings"];

impl Globals {
    /// Reads all of it. What can't be read is counted.
    #[must_use]
    pub fn read(sql: &str) -> Self {
        let mut globals = Self::default();
        for statement in statements(sql) {
            if globals.take(&tokens(&statement)).is_none() {
                globals.unknown += 1;
            }
        }
        globals
    }

    /// Takes one statement over; `None`: it isn't one that pg_dumpall writes.
    fn take(&mut self, statement: &[Token]) -> Option<()> {
        match statement {
            [create, role, name] if create.is("CREATE") && role.is("ROLE") => {
                self.roles.entry(name.name()?.to_owned()).or_default();
            }
            [alter, role, name, with, rest @ ..] if alter.is("ALTER") && role.is("ROLE") && with.is("WITH") => {
                self.roles.get_mut(name.name()?)?.attribute(rest)?;
            }
            [alter, role, all, rest @ ..] if alter.is("ALTER") && role.is("ROLE") && all.is("ALL") => {
                self.of_all.push(assignment(rest)?);
            }
            [alter, role, name, rest @ ..] if alter.is("ALTER") && role.is("ROLE") => {
                self.roles.get_mut(name.name()?)?.settings.push(assignment(rest)?);
            }
            [comment, on, role, name, is, Token::Text(text)]
                if comment.is("COMMENT") && on.is("ON") && role.is("ROLE") && is.is("IS") =>
            {
                self.roles.get_mut(name.name()?)?.comment = Some(text.clone());
            }
            [security, label, r#for, provider, on, role, name, is, Token::Text(text)]
                if security.is("SECURITY")
                    && label.is("LABEL")
                    && r#for.is("FOR")
                    && on.is("ON")
                    && role.is("ROLE")
                    && is.is("IS") =>
            {
                let label = (provider.name()?.to_owned(), text.clone());
                self.roles.get_mut(name.name()?)?.labels.push(label);
            }
            [grant, rest @ ..] if grant.is("GRANT") => self.grant(rest)?,
            [create, tablespace, name, ..] if create.is("CREATE") && tablespace.is("TABLESPACE") => {
                self.tablespaces.insert(name.name()?.to_owned());
            }
            // They hang on a tablespace, which is made by hand.
            [first, ..] if first.is("REVOKE") && on(statement, "TABLESPACE") => {}
            [alter, tablespace, ..] if alter.is("ALTER") && tablespace.is("TABLESPACE") => {}
            [comment, on, tablespace, ..] if comment.is("COMMENT") && on.is("ON") && tablespace.is("TABLESPACE") => {}
            [security, ..] if security.is("SECURITY") && on(statement, "TABLESPACE") => {}
            [revoke, ..] if revoke.is("REVOKE") && on(statement, "PARAMETER") => {}
            [set, name, ..] if set.is("SET") && OF_SESSION.contains(&name.name()?) => {}
            _ => return None,
        }
        Some(())
    }

    fn grant(&mut self, rest: &[Token]) -> Option<()> {
        if on(rest, "TABLESPACE") {
            return Some(());
        }
        if on(rest, "PARAMETER") {
            self.parameters.push(parameter(rest)?);
            return Some(());
        }
        let [role, to, member, options @ ..] = rest else { return None };
        let (role, member) = (role.name()?.to_owned(), member.name().filter(|_| to.is("TO"))?.to_owned());
        let mut membership = Membership { role, member, admin: false, inherit: None, set: None, grantor: None };
        membership.options(options)?;
        self.memberships.push(membership);
        Some(())
    }
}

/// `… ON kind …`.
fn on(statement: &[Token], kind: &str) -> bool {
    statement.windows(2).any(|window| matches!(window, [on, what] if on.is("ON") && what.is(kind)))
}

impl GlobalRole {
    fn attribute(&mut self, words: &[Token]) -> Option<()> {
        let mut rest = words;
        loop {
            rest = match rest {
                [] => return Some(()),
                [login, after @ ..] if login.is("LOGIN") || login.is("NOLOGIN") => {
                    self.logs_in = login.is("LOGIN");
                    after
                }
                [connection, limit, Token::Word(number), after @ ..]
                    if connection.is("CONNECTION") && limit.is("LIMIT") =>
                {
                    self.connection_limit = Some(number.parse().ok()?);
                    after
                }
                [password, Token::Text(text), after @ ..] if password.is("PASSWORD") => {
                    self.password = Some(Secret::new(text.as_str()));
                    after
                }
                [valid, until, Token::Text(text), after @ ..] if valid.is("VALID") && until.is("UNTIL") => {
                    self.valid_until = Some(text.clone());
                    after
                }
                [Token::Word(word), after @ ..] => {
                    self.attributes.insert(ATTRIBUTES.into_iter().find(|known| known == word)?);
                    after
                }
                _ => return None,
            };
        }
    }
}

impl Membership {
    /// `WITH ADMIN OPTION, INHERIT FALSE, SET TRUE GRANTED BY role`.
    fn options(&mut self, words: &[Token]) -> Option<()> {
        let mut rest = words;
        loop {
            rest = match rest {
                [] => return Some(()),
                [granted, by, grantor, after @ ..] if granted.is("GRANTED") && by.is("BY") => {
                    self.grantor = Some(grantor.name()?.to_owned());
                    after
                }
                [admin, value, after @ ..] if admin.is("ADMIN") => {
                    self.admin = value.is("OPTION") || value.is("TRUE");
                    after
                }
                [inherit, value, after @ ..] if inherit.is("INHERIT") => {
                    self.inherit = Some(value.is("TRUE") || value.is("OPTION"));
                    after
                }
                [set, value, after @ ..] if set.is("SET") => {
                    self.set = Some(value.is("TRUE") || value.is("OPTION"));
                    after
                }
                [Token::Sign(','), after @ ..] => after,
                [with, after @ ..] if with.is("WITH") => after,
                _ => return None,
            };
        }
    }
}

/// `SET, ALTER SYSTEM ON PARAMETER name TO role WITH GRANT OPTION`.
fn parameter(words: &[Token]) -> Option<ParameterPrivilege> {
    let at = words.iter().position(|token| token.is("ON"))?;
    let (what, rest) = words.split_at_checked(at)?;
    let privileges = what.split(|token| *token == Token::Sign(',')).map(|privilege| match privilege {
        [set] if set.is("SET") => Some("SET"),
        [alter, system] if alter.is("ALTER") && system.is("SYSTEM") => Some("ALTER SYSTEM"),
        [all] if all.is("ALL") => Some("ALL"),
        _ => None,
    });
    let privileges = privileges.collect::<Option<Vec<_>>>()?;
    let to = rest.iter().position(|token| token.is("TO"))?;
    let (name, whom) = rest.get(2..).and_then(|rest| rest.split_at_checked(to.checked_sub(2)?))?;
    let parts = name.split(|token| *token == Token::Sign('.')).map(|part| match part {
        [name] => name.name(),
        _ => None,
    });
    let parameter = parts.collect::<Option<Vec<_>>>()?.join(".");
    let [_, grantee, option @ ..] = whom else { return None };
    let grantable = match option {
        [] => false,
        [with, grant, option] if with.is("WITH") && grant.is("GRANT") && option.is("OPTION") => true,
        _ => return None,
    };
    let grantee = if grantee.is("PUBLIC") { None } else { Some(grantee.name()?.to_owned()) };
    Some(ParameterPrivilege { privileges, parameter, grantee, grantable })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WRITTEN: &str = r#"--
-- PostgreSQL database cluster dump
--

\restrict 2lg0ahb

SET default_transaction_read_only = off;

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

CREATE ROLE "We""ird; -- %s Ünï
new";
ALTER ROLE "We""ird; -- %s Ünï
new" WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB NOLOGIN NOREPLICATION NOBYPASSRLS;
CREATE ROLE app;
ALTER ROLE app WITH NOSUPERUSER INHERIT CREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 5 PASSWORD 'SCRAM-SHA-256$x' VALID UNTIL '2030-01-01 00:00:00+00';
COMMENT ON ROLE app IS 'the '' app;
\! touch /tmp/x';
-- User Config "app"
ALTER ROLE app SET search_path TO '$user', 'public', 'a b,c';
ALTER ROLE app SET application_name TO E'a\\b''c\';';
ALTER ROLE app SET "myapp.x" TO 'y';
GRANT app TO "user" WITH ADMIN OPTION, INHERIT TRUE, SET FALSE GRANTED BY postgres;
GRANT pg_read_all_data TO app GRANTED BY "post gres";
GRANT SET ON PARAMETER log_statement TO app;
GRANT ALTER SYSTEM,SET ON PARAMETER "my.thing" TO PUBLIC WITH GRANT OPTION;
SECURITY LABEL FOR selinux ON ROLE app IS 'x';
CREATE TABLESPACE "fa st" OWNER postgres LOCATION '/ts';
ALTER TABLESPACE "fa st" SET (seq_page_cost=2);
GRANT ALL ON TABLESPACE "fa st" TO app;
\unrestrict 2lg0ahb
ALTER ROLE ALL SET "work_mem" TO '7MB';
"#;

    #[test]
    fn what_pg_dumpall_writes_is_all_understood() {
        let globals = Globals::read(WRITTEN);
        assert_eq!(globals.unknown, 0, "{globals:#?}");
        let app = &globals.roles["app"];
        assert!(app.logs_in && app.attributes.contains("CREATEROLE") && !app.attributes.contains("SUPERUSER"));
        assert_eq!((app.connection_limit, app.valid_until.as_deref()), (Some(5), Some("2030-01-01 00:00:00+00")));
        assert_eq!(app.password.as_ref().map(Secret::expose), Some("SCRAM-SHA-256$x"));
        assert_eq!(app.comment.as_deref(), Some("the ' app;\n\\! touch /tmp/x"));
        let settings = [
            r#"SET "search_path" TO '$user', 'public', 'a b,c'"#,
            r#"SET "application_name" TO  E'a\\b''c'';'"#,
            r#"SET "myapp"."x" TO 'y'"#,
        ];
        assert_eq!(app.settings, settings);
        assert!(!globals.roles["We\"ird; -- %s Ünï\nnew"].logs_in);
        let [first, second] = &globals.memberships[..] else { panic!("{globals:?}") };
        assert_eq!(
            (first.admin, first.inherit, first.set, first.grantor.as_deref()),
            (true, Some(true), Some(false), Some("postgres"))
        );
        assert_eq!((second.role.as_str(), second.member.as_str(), second.inherit), ("pg_read_all_data", "app", None));
        assert_eq!(globals.parameters[1].privileges, ["ALTER SYSTEM", "SET"]);
        assert_eq!((globals.parameters[1].parameter.as_str(), &globals.parameters[1].grantee), ("my.thing", &None));
        assert_eq!(globals.of_all, [r#"SET "work_mem" TO '7MB'"#]);
        assert_eq!(globals.tablespaces, ["fa st".to_owned()].into());
        assert!(!format!("{globals:?}").contains("SCRAM"), "a password is never shown");
    }

    #[test]
    fn what_pg_dumpall_does_not_write_is_left_out_and_counted() {
        for statement in [
            "DROP ROLE app",
            "CREATE ROLE app SUPERUSER",
            "CREATE ROLE x; ALTER ROLE x WITH SUPERUSER EVERYTHING",
            "ALTER ROLE other WITH SUPERUSER",
            "ALTER ROLE x SET a TO b \\! touch /tmp/y",
            "ALTER SYSTEM SET archive_command TO 'x'",
            "GRANT SELECT ON TABLE t TO app",
            "GRANT a, b TO c",
            "GRANT EVERYTHING ON PARAMETER x TO y",
            "COPY t FROM PROGRAM 'x'",
            "SET session_authorization TO postgres",
            "DO 'x'",
        ] {
            let globals = Globals::read(statement);
            assert_eq!(globals.unknown, 1, "{statement}: {globals:?}");
            assert!(globals.memberships.is_empty() && globals.parameters.is_empty());
        }
        assert_eq!(Globals::read("\\! touch /tmp/x\n\\copy x from y\n"), Globals::default());
        assert_eq!(Globals::read(""), Globals::default());
    }

    proptest! {
        /// Whatever it is, it is read to its end, and a role's name comes out as it went in.
        #[test]
        fn a_name_is_what_it_was(name in "[a-z\"'\\\\;\n -ü]{1,20}", rest in "[A-Z \"'\\\\;\n-]{0,40}") {
            let quoted = crate::quote::identifier(&name);
            let globals = Globals::read(&format!("CREATE ROLE {quoted};\nCOMMENT ON ROLE {quoted} IS {};\n{rest}", crate::quote::literal(&name).trim_start()));
            prop_assert!(globals.roles.contains_key(&name), "{:?}", globals);
            prop_assert_eq!(globals.roles[&name].comment.as_ref(), Some(&name));
        }
    }
}
