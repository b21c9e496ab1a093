//! What an archive says of the database that it was made of: with which options a new one is created, and which settings it
//! gets.
//!
//! Taken over are the options and settings that pg_dump is known to write, each quoted again; nothing of the archive's text
//! reaches psql as it is.

use crate::quote::{identifier, literal, setting_name};
use crate::words::needs::Locale;
use crate::words::tokens::{Token, tokens};

/// Options of CREATE DATABASE whose value is a text. Its tablespace is asked for by itself: another server may lack it.
const OPTIONS: [&str; 7] =
    ["ENCODING", "LOCALE", "LC_COLLATE", "LC_CTYPE", "ICU_LOCALE", "ICU_RULES", "BUILTIN_LOCALE"];
const PROVIDERS: [&str; 3] = ["libc", "icu", "builtin"];

/// The options of its CREATE DATABASE, `definition`, that give a new one the same character set and locale.
#[must_use]
pub fn creation_options(definition: &str) -> String {
    let tokens = tokens(definition);
    let options = tokens.windows(3).filter_map(|window| match window {
        [Token::Word(option), Token::Sign('='), Token::Text(value)] if OPTIONS.contains(&option.as_str()) => {
            Some(format!("{option} {}", literal(value)))
        }
        [option, Token::Sign('='), Token::Word(provider)]
            if option.is("LOCALE_PROVIDER") && PROVIDERS.contains(&provider.as_str()) =>
        {
            Some(format!("LOCALE_PROVIDER {provider}"))
        }
        _ => None,
    });
    options.collect::<Vec<_>>().join(" ")
}

/// The tablespace that it was in, unless that was the usual one.
#[must_use]
pub fn tablespace(definition: &str) -> Option<String> {
    let tokens = tokens(definition);
    tokens.windows(3).find_map(|window| match window {
        [option, Token::Sign('='), name] if option.is("TABLESPACE") => name.name().map(str::to_owned),
        _ => None,
    })
}

/// The locales that those options name.
#[must_use]
pub fn locales(definition: &str) -> Vec<Locale> {
    let tokens = tokens(definition);
    let locales = tokens.windows(3).filter_map(|window| {
        let [Token::Word(option), Token::Sign('='), Token::Text(value)] = window else { return None };
        let provider = match option.as_str() {
            "LOCALE" | "LC_COLLATE" | "LC_CTYPE" => "libc",
            "ICU_LOCALE" => "icu",
            "BUILTIN_LOCALE" => "builtin",
            _ => return None,
        };
        Some(Locale { provider: provider.to_owned(), name: value.clone() })
    });
    locales.collect()
}

/// Its settings, as statements about the database `name`; `None` for each statement that isn't a setting's.
#[must_use]
pub fn settings(definition: &str, name: &str) -> Vec<Option<String>> {
    let tokens = tokens(definition);
    let statements = tokens.split(|token| *token == Token::Sign(';')).filter(|statement| !statement.is_empty());
    statements.map(|statement| setting(statement, name)).collect()
}

/// The roles that have settings of their own in it.
#[must_use]
pub fn roles_with_settings(definition: &str) -> Vec<String> {
    let tokens = tokens(definition);
    let roles = tokens.split(|token| *token == Token::Sign(';')).filter_map(|statement| match statement {
        [alter, of, role, within, ..] if alter.is("ALTER") && of.is("ROLE") && within.is("IN") => role.name(),
        _ => None,
    });
    roles.map(str::to_owned).collect()
}

/// Its settings for every role, as statements for a session: each its name, and a `SET`.
#[must_use]
pub fn session_settings(definition: &str) -> Vec<(String, String)> {
    let tokens = tokens(definition);
    let statements = tokens.split(|token| *token == Token::Sign(';'));
    let of_database = statements.filter_map(|statement| match statement {
        [alter, of, _, rest @ ..] if alter.is("ALTER") && of.is("DATABASE") => {
            Some((named_setting(rest)?.0, assignment(rest)?))
        }
        _ => None,
    });
    of_database.collect()
}

fn setting(statement: &[Token], name: &str) -> Option<String> {
    let database = identifier(name);
    match statement {
        [alter, of, _, rest @ ..] if alter.is("ALTER") && of.is("DATABASE") => match rest {
            [connection, limit, Token::Sign('='), Token::Word(number)]
                if connection.is("CONNECTION") && limit.is("LIMIT") =>
            {
                Some(format!("ALTER DATABASE {database} CONNECTION LIMIT {}", number.parse::<u32>().ok()?))
            }
            [option, Token::Sign('='), yes] if option.is("IS_TEMPLATE") && yes.is("true") => {
                Some(format!("ALTER DATABASE {database} IS_TEMPLATE true"))
            }
            _ => Some(format!("ALTER DATABASE {database} {}", assignment(rest)?)),
        },
        [alter, of, role, within, a_database, _, rest @ ..]
            if alter.is("ALTER") && of.is("ROLE") && within.is("IN") && a_database.is("DATABASE") =>
        {
            Some(format!("ALTER ROLE {} IN DATABASE {database} {}", identifier(role.name()?), assignment(rest)?))
        }
        _ => None,
    }
}

/// The setting's name in `SET name TO 'value'`, and what follows it.
fn named_setting(tokens: &[Token]) -> Option<(String, &[Token])> {
    let [set, rest @ ..] = tokens else { return None };
    let to = rest.iter().position(|token| token.is("TO") || *token == Token::Sign('='))?;
    let (setting, values) = rest.split_at_checked(to)?;
    let parts = setting.split(|token| *token == Token::Sign('.')).map(|part| match part {
        [name] => name.name(),
        _ => None,
    });
    Some((parts.collect::<Option<Vec<_>>>().filter(|_| set.is("SET"))?.join("."), values))
}

/// `SET name TO 'value', 'value'`.
pub(super) fn assignment(tokens: &[Token]) -> Option<String> {
    let (setting, values) = named_setting(tokens)?;
    let setting = setting_name(&setting);
    let values = values.get(1..)?.split(|token| *token == Token::Sign(',')).map(|value| match value {
        [Token::Text(value) | Token::Word(value)] => Some(literal(value)),
        _ => None,
    });
    Some(format!("SET {setting} TO {}", values.collect::<Option<Vec<_>>>()?.join(", ")))
}

/// The search_path of its settings, as names.
#[must_use]
pub fn search_path(definition: &str) -> Option<Vec<String>> {
    let tokens = tokens(definition);
    let statements = tokens.split(|token| *token == Token::Sign(';'));
    let mut values = statements.filter_map(|statement| match statement {
        [alter, of, _, set, name, to, values @ ..]
            if alter.is("ALTER")
                && of.is("DATABASE")
                && set.is("SET")
                && name.name() == Some("search_path")
                && (to.is("TO") || *to == Token::Sign('=')) =>
        {
            Some(values)
        }
        _ => None,
    });
    let names = values.next_back()?.split(|token| *token == Token::Sign(',')).map(|value| match value {
        [Token::Text(name) | Token::Word(name) | Token::Quoted(name)] => Some(name.clone()),
        _ => None,
    });
    names.collect()
}

/// Its comment.
#[must_use]
pub fn comment(definition: &str) -> Option<String> {
    match tokens(definition).as_slice() {
        [comment, on, database, _, is, Token::Text(text), ..]
            if comment.is("COMMENT") && on.is("ON") && database.is("DATABASE") && is.is("IS") =>
        {
            Some(text.clone())
        }
        _ => None,
    }
}

/// What may be granted on a database, and what PUBLIC has on a new one.
const PRIVILEGES: [&str; 5] = ["ALL", "CONNECT", "CREATE", "TEMPORARY", "TEMP"];
const PUBLIC_HAS: [&str; 2] = ["CONNECT", "TEMPORARY"];

/// Its privileges, as statements about the database `name`, which nobody but its owner may use so far: what PUBLIC has on a
/// new database unless it was revoked, and every grant. `None` for each statement that isn't one as pg_dump writes it.
#[must_use]
pub fn privileges(definition: &str, name: &str) -> Vec<Option<String>> {
    let tokens = tokens(definition);
    let statements = tokens.split(|token| *token == Token::Sign(';')).filter(|statement| !statement.is_empty());
    let mut public: Vec<&str> = PUBLIC_HAS.to_vec();
    let mut made = Vec::new();
    for statement in statements {
        match statement {
            [revoke, rest @ ..] if revoke.is("REVOKE") => match granted(rest, "FROM") {
                Some((revoked, whom)) if whom.iter().any(|token| token.is("PUBLIC")) => {
                    public.retain(|has| !revoked.contains(&"ALL") && !revoked.contains(has));
                }
                Some(_) => {}
                None => made.push(None),
            },
            [grant, rest @ ..] if grant.is("GRANT") => {
                made.push(granted(rest, "TO").and_then(|(what, whom)| grant_to(&what, whom, name)));
            }
            _ => made.push(None),
        }
    }
    let database = identifier(name);
    let public = (!public.is_empty()).then(|| format!("GRANT {} ON DATABASE {database} TO PUBLIC", public.join(", ")));
    public.map(Some).into_iter().chain(made).collect()
}

/// `CONNECT, TEMPORARY ON DATABASE name FROM roles`: the privileges, and what follows `word`.
fn granted<'a>(tokens: &'a [Token], word: &str) -> Option<(Vec<&'static str>, &'a [Token])> {
    let on = tokens.iter().position(|token| token.is("ON"))?;
    let (what, rest) = tokens.split_at_checked(on)?;
    let privileges = what.split(|token| *token == Token::Sign(',')).map(|privilege| match privilege {
        [Token::Word(one)] => PRIVILEGES.into_iter().find(|known| known == one),
        _ => None,
    });
    match rest {
        [_, database, _, introduces, whom @ ..] if database.is("DATABASE") && introduces.is(word) => {
            Some((privileges.collect::<Option<_>>()?, whom))
        }
        _ => None,
    }
}

fn grant_to(what: &[&str], whom: &[Token], name: &str) -> Option<String> {
    let [grantee, option @ ..] = whom else { return None };
    let grantee = if grantee.is("PUBLIC") { "PUBLIC".to_owned() } else { identifier(grantee.name()?) };
    let option = match option {
        [] => "",
        [with, grant, option] if with.is("WITH") && grant.is("GRANT") && option.is("OPTION") => " WITH GRANT OPTION",
        _ => return None,
    };
    Some(format!("GRANT {} ON DATABASE {} TO {grantee}{option}", what.join(", "), identifier(name)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn character_set_and_locale_are_taken_over_and_the_tablespace_is_not() {
        let definition = "CREATE DATABASE \"LOCALE = 'x'\" WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = icu \
                          LOCALE = 'it''s' ICU_LOCALE = 'und-x-icu' TABLESPACE = \"fast\";\n";
        assert_eq!(
            creation_options(definition),
            "ENCODING 'UTF8' LOCALE_PROVIDER icu LOCALE 'it''s' ICU_LOCALE 'und-x-icu'"
        );
    }

    #[test]
    fn a_tablespace_is_told_where_it_is_not_the_usual_one() {
        let definition = "CREATE DATABASE d WITH TEMPLATE = template0 ENCODING = 'UTF8' TABLESPACE = \"Fast one\";\n";
        assert_eq!(tablespace(definition).as_deref(), Some("Fast one"));
        assert_eq!(tablespace("CREATE DATABASE \"TABLESPACE = x\" WITH TEMPLATE = template0;"), None);
    }

    #[test]
    fn a_session_takes_the_databases_settings_and_not_those_of_roles() {
        let definition = "ALTER DATABASE d CONNECTION LIMIT = 7;\nALTER DATABASE d SET \"TimeZone\" TO 'UTC';\n\
                          ALTER ROLE r IN DATABASE d SET work_mem TO '9MB';\nALTER DATABASE d SET app.tenant TO '7';\n";
        let expected = [("TimeZone", r#"SET "TimeZone" TO 'UTC'"#), ("app.tenant", r#"SET "app"."tenant" TO '7'"#)];
        assert_eq!(session_settings(definition), expected.map(|(name, set)| (name.to_owned(), set.to_owned())));
    }

    #[test]
    fn what_pg_dump_writes_is_taken_over_for_the_new_name() {
        let definition = r#"ALTER DATABASE d CONNECTION LIMIT = 7;
ALTER DATABASE d SET search_path TO '$user', 'public', 'odd, "one"';
ALTER DATABASE d SET "my.setting" TO E'it''s \\ one';
ALTER ROLE "R r" IN DATABASE d SET work_mem TO '9MB';
ALTER DATABASE d IS_TEMPLATE = true;
"#;
        let expected = [
            r#"ALTER DATABASE "n" CONNECTION LIMIT 7"#,
            r#"ALTER DATABASE "n" SET "search_path" TO '$user', 'public', 'odd, "one"'"#,
            r#"ALTER DATABASE "n" SET "my"."setting" TO  E'it''s \\ one'"#,
            r#"ALTER ROLE "R r" IN DATABASE "n" SET "work_mem" TO '9MB'"#,
            r#"ALTER DATABASE "n" IS_TEMPLATE true"#,
        ];
        assert_eq!(settings(definition, "n"), expected.map(|statement| Some(statement.to_owned())));
    }

    #[test]
    fn a_databases_search_path_is_a_list_of_names() {
        let definition = "ALTER DATABASE d CONNECTION LIMIT = 7;\nALTER DATABASE d SET search_path TO '$user', 'odd, \"one\"';\n\
                          ALTER ROLE r IN DATABASE d SET search_path TO 'other';\n";
        assert_eq!(search_path(definition), Some(vec!["$user".to_owned(), "odd, \"one\"".to_owned()]));
        assert_eq!(search_path("ALTER DATABASE d SET work_mem TO '1MB';"), None);
    }

    #[test]
    fn what_pg_dump_does_not_write_is_left_out() {
        for statement in [
            "\\! touch /tmp/x\n",
            "ALTER DATABASE d SET a TO 'b' \\! touch x",
            "ALTER DATABASE d SET \\! TO 'b'",
            "DROP DATABASE d",
            "ALTER DATABASE d OWNER TO me",
            "ALTER ROLE r IN DATABASE d SUPERUSER",
        ] {
            assert_eq!(settings(statement, "n"), [None], "{statement}");
        }
        let options =
            creation_options("CREATE DATABASE d ENCODING = 'U' \\! touch x\nLOCALE_PROVIDER = \\! LC_CTYPE = C;");
        assert_eq!(options, "ENCODING 'U'");
    }

    #[test]
    fn a_databases_privileges_are_those_that_pg_dump_writes() {
        let definition = "REVOKE CONNECT,TEMPORARY ON DATABASE shop FROM PUBLIC;\nGRANT CONNECT ON DATABASE shop TO \"App r\";\n\
                          GRANT ALL ON DATABASE shop TO boss WITH GRANT OPTION;\n";
        let expected =
            [r#"GRANT CONNECT ON DATABASE "n" TO "App r""#, r#"GRANT ALL ON DATABASE "n" TO "boss" WITH GRANT OPTION"#];
        assert_eq!(privileges(definition, "n"), expected.map(|statement| Some(statement.to_owned())));
        let open = [Some(r#"GRANT CONNECT, TEMPORARY ON DATABASE "n" TO PUBLIC"#.to_owned())];
        assert_eq!(privileges("", "n"), open);
        let half = privileges("REVOKE TEMPORARY ON DATABASE shop FROM PUBLIC;", "n");
        assert_eq!(half, [Some(r#"GRANT CONNECT ON DATABASE "n" TO PUBLIC"#.to_owned())]);
        for odd in ["GRANT CONNECT ON DATABASE d TO a \\! x", "GRANT SELECT ON DATABASE d TO a", "DROP DATABASE d"] {
            assert_eq!(privileges(odd, "n").last(), Some(&None), "{odd}");
        }
    }

    #[test]
    fn a_databases_comment_is_a_text() {
        assert_eq!(comment("COMMENT ON DATABASE shop IS 'it''s';\n").as_deref(), Some("it's"));
        assert_eq!(comment("COMMENT ON TABLE shop IS 'x'"), None);
    }

    proptest! {
        /// As psql reads it: a backslash outside of quotes begins a command.
        #[test]
        fn no_backslash_ever_stands_outside_of_quotes(text in "[a\\\\'\"E=;, !\n]{0,40}") {
            let made = settings(&format!("ALTER DATABASE d SET a TO {text}"), "n").into_iter().flatten();
            let made = made.chain([creation_options(&format!("CREATE DATABASE d ENCODING = {text}"))]);
            for statement in made {
                let outside = tokens(&statement).into_iter().any(|token| token == Token::Sign('\\'));
                prop_assert!(!outside, "{}", statement);
            }
        }
    }
}
