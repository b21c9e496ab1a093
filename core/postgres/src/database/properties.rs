//! What belongs to a database and not to its content, so that no archive brings it: settings, privileges, comment and
//! connection limit. A new database gets those of the one whose name it takes.

use std::thread::sleep;
use std::time::Duration;

use serde::Deserialize;

use crate::database::live::{LiveDatabase, Role};
use crate::quote::{identifier, literal, literals, setting_name};
use crate::{Psql, PsqlError};

/// Settings whose value is a list of names, each to be quoted by itself (`GUC_LIST_QUOTE` in PostgreSQL's guc_tables.c).
const LISTS: [&str; 7] = [
    "local_preload_libraries",
    "oauth_validator_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// Seconds that a statement waits for a connection, again and again.
const WAITS: [u64; 5] = [1, 2, 4, 8, 15];

#[derive(Deserialize)]
struct Settings {
    /// `None`: for every role.
    role: Option<String>,
    /// Each `name=value`.
    assignments: Vec<String>,
}

#[derive(Deserialize)]
struct Privilege {
    /// `None`: PUBLIC.
    grantee: Option<String>,
    privilege: String,
    grantable: bool,
}

/// Settings that would keep a database from being filled, fill it as somebody else, or read rows and definitions otherwise
/// than pg_dump writes them: they are set once it is whole.
const SET_LAST: [&str; 5] =
    ["array_nulls", "default_transaction_read_only", "role", "session_authorization", "transform_null_equals"];
/// What a session of ours sets itself, or pg_restore in its script.
const SET_BY_SESSION: [&str; 7] = [
    "check_function_bodies",
    "client_encoding",
    "client_min_messages",
    "row_security",
    "search_path",
    "standard_conforming_strings",
    "xmloption",
];

/// Whether a statement about a database has to wait until the database is whole.
#[must_use]
pub fn waits(statement: &str) -> bool {
    let sets = |name: &&str| statement.contains(&format!(" SET {} TO ", identifier(name)));
    SET_LAST.iter().any(sets) || statement.contains(" CONNECTION LIMIT ") || makes_template(statement)
}

/// Whether a statement makes a database a template. Such a one can't be dropped: it waits until nothing can fail any more.
#[must_use]
pub fn makes_template(statement: &str) -> bool {
    statement.contains(" IS_TEMPLATE ")
}

/// Whether a session that loads rows takes this setting from the database that was dumped.
#[must_use]
pub fn is_of_rows(setting: &str) -> bool {
    !SET_LAST.contains(&setting) && !SET_BY_SESSION.contains(&setting) && !setting.ends_with("_timeout")
}

/// Statements for a session of ours, which sets what of `settings` can be set: each its name, and a `SET`. For psql, because a
/// database may lack the language that survives what is refused, or keep the role from it.
#[must_use]
pub fn in_session(settings: &[(String, String)]) -> String {
    let tried = settings
        .iter()
        .filter(|(name, _)| is_of_rows(name))
        .map(|(_, set)| format!("BEGIN EXECUTE {}; EXCEPTION WHEN OTHERS THEN NULL; END;", literal(set)));
    let tried: String = tried.collect();
    if tried.is_empty() {
        return tried;
    }
    let body = literal(&format!("BEGIN {tried} END"));
    format!(
        "SELECT EXISTS (SELECT FROM pg_language WHERE lanname = 'plpgsql' AND has_language_privilege(oid, 'USAGE'))
            AS has_plpgsql \\gset\n\
         \\if :has_plpgsql\nDO {body};\n\\endif\n"
    )
}

/// Which of `settings` the role may not give to a database: those of superusers, and from version 15 on those that the server
/// doesn't know.
///
/// # Errors
/// [`PsqlError`] when it can't be asked.
pub fn refused(maintenance: &Psql, role: &Role, settings: &[String]) -> Result<Vec<String>, PsqlError> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    if role.superuser || settings.is_empty() {
        return Ok(Vec::new());
    }
    let (unknown, granted) = match role.version_number() >= 150_000 {
        true => ("strpos(n, '.') > 0", "has_parameter_privilege(n, 'SET')"),
        false => ("false", "false"),
    };
    let select = format!(
        "SELECT n AS name FROM unnest(ARRAY[{}]) n LEFT JOIN pg_settings s ON lower(s.name) = lower(n)
            WHERE (s.name IS NULL AND {unknown} OR s.context IN ('superuser', 'superuser-backend')) AND NOT {granted}",
        literals(settings)
    );
    Ok(maintenance.rows::<Named>(&select)?.into_iter().map(|row| row.name).collect())
}

/// Gives `new` the properties that `live` has now, in place of what it has, and answers with those that the role may not set.
///
/// # Errors
/// [`PsqlError`] when they can't be asked for.
pub fn copy(maintenance: &Psql, live: &LiveDatabase, new: &str) -> Result<Vec<String>, PsqlError> {
    let mut refused = copy_settings(maintenance, live, new)?;
    let mut statements = privileges(maintenance, live, new)?;
    if let Some(comment) = &live.comment {
        statements.push(format!("COMMENT ON DATABASE {} IS {}", identifier(new), literal(comment)));
    }
    if live.connection_limit() >= 0 {
        statements.push(format!("ALTER DATABASE {} CONNECTION LIMIT {}", identifier(new), live.connection_limit()));
    }
    refused.extend(apply(maintenance, statements)?);
    Ok(refused)
}

/// The same with the settings alone, for the database and for roles in it.
///
/// # Errors
/// [`PsqlError`] when they can't be asked for.
pub fn copy_settings(maintenance: &Psql, live: &LiveDatabase, new: &str) -> Result<Vec<String>, PsqlError> {
    let mut statements = resets(maintenance, new)?;
    statements.extend(settings(maintenance, live, new)?);
    apply(maintenance, statements)
}

/// What `live` has and `old` lacks: statements about a database `name` that would give it that.
///
/// # Errors
/// [`PsqlError`] when they can't be asked for.
pub fn lacking(
    maintenance: &Psql,
    live: &LiveDatabase,
    old: &LiveDatabase,
    name: &str,
) -> Result<Vec<String>, PsqlError> {
    let mut lacking = all(maintenance, live, name)?;
    let has = all(maintenance, old, name)?;
    lacking.retain(|statement| !has.contains(statement));
    Ok(lacking)
}

fn all(maintenance: &Psql, live: &LiveDatabase, name: &str) -> Result<Vec<String>, PsqlError> {
    let mut all = settings(maintenance, live, name)?;
    all.extend(privileges(maintenance, live, name)?.into_iter().filter(|statement| statement.starts_with("GRANT ")));
    let database = identifier(name);
    all.extend(live.comment.as_ref().map(|comment| format!("COMMENT ON DATABASE {database} IS {}", literal(comment))));
    let limit = live.connection_limit();
    all.extend((limit >= 0).then(|| format!("ALTER DATABASE {database} CONNECTION LIMIT {limit}")));
    all.extend(live.is_closed().then(|| format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false")));
    Ok(all)
}

/// What takes away the settings that `database` has.
fn resets(maintenance: &Psql, database: &str) -> Result<Vec<String>, PsqlError> {
    let rows = set_in(maintenance, database)?;
    let reset = |row: Settings| match row.role {
        None => format!("ALTER DATABASE {} RESET ALL", identifier(database)),
        Some(role) => format!("ALTER ROLE {} IN DATABASE {} RESET ALL", identifier(&role), identifier(database)),
    };
    Ok(rows.into_iter().map(reset).collect())
}

/// Runs each statement by itself, whatever stops the run, and answers with those that the server refuses.
///
/// # Errors
/// When the server can't be asked: that says nothing of what the role may do. A connection that can't be had is tried again, because
/// applications may hold the last ones.
pub fn apply(maintenance: &Psql, statements: Vec<String>) -> Result<Vec<String>, PsqlError> {
    let maintenance = maintenance.unstopped();
    let mut refused = Vec::new();
    for statement in statements {
        match patiently(|| maintenance.script(&format!("{statement};\n"))) {
            Ok(_) => {}
            Err(PsqlError::Refused(why)) => refused.push(format!("not carried over: {statement}: {why}")),
            Err(error) => return Err(error),
        }
    }
    Ok(refused)
}

/// Asks again where no connection was to be had.
fn patiently<T>(ask: impl Fn() -> Result<T, PsqlError>) -> Result<T, PsqlError> {
    for seconds in WAITS {
        match ask() {
            Err(PsqlError::Unconnected(_)) => sleep(Duration::from_secs(seconds)),
            answer => return answer,
        }
    }
    ask()
}

fn set_in(maintenance: &Psql, database: &str) -> Result<Vec<Settings>, PsqlError> {
    maintenance.rows(&format!(
        "SELECT r.rolname AS role, s.setconfig AS assignments FROM pg_db_role_setting s
            JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole
            WHERE d.datname = {} AND (s.setrole = 0 OR r.oid IS NOT NULL)",
        literal(database)
    ))
}

/// The settings that `live` has now, as statements that give them to `new`: for the database, and for roles in it.
///
/// # Errors
/// [`PsqlError`] when they can't be asked for.
pub fn settings(maintenance: &Psql, live: &LiveDatabase, new: &str) -> Result<Vec<String>, PsqlError> {
    let rows = set_in(maintenance, &live.name)?;
    let statements = rows.into_iter().flat_map(|row| {
        let whose = match row.role {
            None => format!("ALTER DATABASE {}", identifier(new)),
            Some(role) => format!("ALTER ROLE {} IN DATABASE {}", identifier(&role), identifier(new)),
        };
        row.assignments.into_iter().filter_map(move |text| {
            let (name, value) = text.split_once('=')?;
            Some(format!("{whose} SET {} TO {}", setting_name(name), setting_value(name, value)))
        })
    });
    Ok(statements.collect())
}

pub(super) fn setting_value(name: &str, value: &str) -> String {
    if !LISTS.contains(&name) {
        return literal(value);
    }
    let names = list_names(value);
    if names.is_empty() { "''".to_owned() } else { literals(names) }
}

/// The names in `"$user", public`.
fn list_names(value: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = value.trim_start();
    while !rest.is_empty() {
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_name(quoted),
            None => {
                let (name, after) = rest.split_at_checked(rest.find(',').unwrap_or(rest.len())).unwrap_or((rest, ""));
                (name.trim_end().to_owned(), after)
            }
        };
        names.push(name);
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    names
}

/// The name up to its closing quote, and what follows that. Quotes within are doubled.
fn quoted_name(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('"') {
        name.push_str(before);
        match after.strip_prefix('"') {
            Some(within) => {
                name.push('"');
                rest = within;
            }
            None => return (name, after),
        }
    }
    (name + rest, "")
}

fn privileges(maintenance: &Psql, live: &LiveDatabase, new: &str) -> Result<Vec<String>, PsqlError> {
    let select = format!(
        "SELECT CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END AS grantee,
            a.privilege_type AS privilege, a.is_grantable AS grantable
            FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
            WHERE d.datname = {} ORDER BY a.grantee = d.datdba DESC",
        literal(&live.name)
    );
    let rows: Vec<Privilege> = maintenance.rows(&select)?;
    let (new, owner) = (identifier(new), identifier(&live.owner));
    let revoke = format!("REVOKE ALL ON DATABASE {new} FROM PUBLIC, {owner}");
    let grants = rows.into_iter().map(|row| {
        let grantee = row.grantee.map_or("PUBLIC".to_owned(), |role| identifier(&role));
        let option = if row.grantable { " WITH GRANT OPTION" } else { "" };
        format!("GRANT {} ON DATABASE {new} TO {grantee}{option}", row.privilege)
    });
    Ok(std::iter::once(revoke).chain(grants).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_list_are_quoted_one_by_one() {
        assert_eq!(setting_value("search_path", "\"$user\", public"), "'$user', 'public'");
        assert_eq!(setting_value("search_path", "\"a\"\"b, c\", \"\""), "'a\"b, c', ''");
        assert_eq!(setting_value("search_path", ""), "''");
        assert_eq!(setting_value("DateStyle", "ISO, DMY"), "'ISO, DMY'");
    }
}
