//! Functions that get a search_path while a database is filled, and lose it again.
//!
//! An archive is restored with an empty search_path. What a function's text names without a schema is found all the same where
//! the function has a path of its own.

use serde::Deserialize;

use crate::quote::literals;

/// The path of a database that has no setting of its own.
const USUAL: [&str; 2] = ["$user", "public"];

/// A function or procedure without a search_path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Routine {
    oid: u32,
    /// With its schema and the types of its arguments.
    pub name: String,
    /// The role may give it one.
    pub is_ours: bool,
}

/// Which functions are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// All in the database.
    Database,
    /// Those that the transaction under way has made.
    Transaction,
}

/// Asks for the functions that have a text, no search_path and don't belong to an extension, each as a line of JSON.
#[must_use]
pub fn question(of: Of) -> String {
    let made = match of {
        Of::Database => "",
        Of::Transaction => "AND p.xmin::text::bigint = txid_current() % 4294967296",
    };
    format!(
        "SELECT row_to_json(answer) FROM (
            SELECT p.oid::bigint AS oid, format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS name,
                pg_has_role(p.proowner, 'USAGE') AS is_ours
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
            WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND l.lanname NOT IN ('c', 'internal')
                AND coalesce(p.prosrc, '') <> '' AND NOT EXISTS (SELECT FROM pg_aggregate a WHERE a.aggfnoid = p.oid)
                AND NOT EXISTS (SELECT FROM unnest(p.proconfig) s WHERE s LIKE 'search_path=%')
                AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') {made}
            ORDER BY 1
        ) answer;\n"
    )
}

/// Reads the answer to [`question`].
///
/// # Errors
/// When it is none.
pub fn read(answer: &str) -> Result<Vec<Routine>, serde_json::Error> {
    answer.lines().filter(|line| !line.is_empty()).map(serde_json::from_str).collect()
}

/// The script that gives each a path: that of the archived database, `archived`, the function's own schema, and every other
/// schema. Where the archive tells no path, the function's own schema comes first: whoever made one elsewhere than in `public`
/// had that schema on his path. `$user` is the function's owner, not whoever restores.
#[must_use]
pub fn give(routines: &[Routine], archived: Option<&[String]>) -> String {
    let usual = USUAL.map(str::to_owned);
    let path = literals(archived.unwrap_or(&usual));
    let first = if archived.is_none() { "ARRAY[n.nspname::text]" } else { "ARRAY[]::text[]" };
    altered(
        routines,
        &format!(
            "SET search_path TO ' || (SELECT string_agg(quote_literal(name), ', ' ORDER BY place) FROM (
                SELECT CASE WHEN s.name = '$user' THEN pg_get_userbyid(p.proowner)::text ELSE s.name END AS name, min(s.place) AS place
                FROM unnest({first} || ARRAY[{path}]::text[] || ARRAY[n.nspname::text] || (SELECT array_agg(nspname::text ORDER BY nspname)
                    FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')) WITH ORDINALITY s (name, place)
                GROUP BY 1) named) || '"
        ),
    )
}

/// The script that takes it away again. Event triggers, which an archive brings as well, don't see it, as far as the role may.
#[must_use]
pub fn take_away(routines: &[Routine]) -> String {
    let role = |role: &str| {
        format!(
            "SELECT set_config('session_replication_role', '{role}', false) FROM pg_roles
                WHERE rolname = current_user AND rolsuper \\g /dev/null\n"
        )
    };
    format!("{}{}{}", role("replica"), altered(routines, "RESET search_path"), role("origin"))
}

/// `\gexec` runs what the query answers with: the names never pass through us.
fn altered(routines: &[Routine], what: &str) -> String {
    let oids: Vec<String> = routines.iter().filter(|routine| routine.is_ours).map(|r| r.oid.to_string()).collect();
    if oids.is_empty() {
        return String::new();
    }
    format!(
        "SELECT format('ALTER %s %I.%I(%s) ', CASE to_jsonb(p) ->> 'prokind' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
                n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) || '{what}'
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid IN ({})\n\\gexec\n",
        oids.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_others_and_none_at_all_are_left_alone() {
        let routine = |oid, is_ours| Routine { oid, name: "public.f()".to_owned(), is_ours };
        assert_eq!(give(&[routine(7, false)], None), "");
        assert!(take_away(&[routine(7, true), routine(8, false)]).contains("p.oid IN (7)"));
    }
}
