//! Rows of the live database that the archive has none of: its tables are defined without them, as `--exclude-table-data` makes them, or not at all.

use std::collections::HashSet;

use ::archive::Entry;
use postgres::quote::literal;
use postgres::{Psql, PsqlError};
use serde::Deserialize;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::head::Head;
use crate::commands::restore::server::Target;

/// Asks only tables that have a file with something in it. One that the role may not read counts as filled.
const FILLED: &str = r"SELECT CASE WHEN has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid)
    THEN format('SELECT row_to_json(t) FROM (SELECT %1$L::text AS schema, %2$L::text AS name WHERE EXISTS (SELECT FROM ONLY %1$I.%2$I)) t', n.nspname, c.relname)
    ELSE format('SELECT row_to_json(t) FROM (SELECT %1$L::text AS schema, %2$L::text AS name) t', n.nspname, c.relname) END
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND pg_relation_size(c.oid) > 0 AND (n.nspname, c.relname) IN";

#[derive(Deserialize)]
struct Table {
    schema: String,
    name: String,
}

/// The live database's tables with rows that the archive has none of, each with its schema.
///
/// # Errors
/// Exit 1 when it cannot be asked.
pub(crate) fn ask(psql: &Psql, head: &Head, target: &Target) -> Result<Vec<String>, Failure> {
    let Some(living) = &target.living else { return Ok(Vec::new()) };
    // In another character set a name looks different there.
    let is_same_everywhere = living.encoding == "UTF8" && head.encoding() == "UTF8";
    let candidates: Vec<String> = without_rows(head)
        .filter(|(schema, name)| is_same_everywhere || schema.is_ascii() && name.is_ascii())
        .map(|(schema, name)| format!("({}, {})", literal(schema), literal(name)))
        .collect();
    if candidates.is_empty() || target.content.tables == 0 {
        return Ok(Vec::new());
    }
    let failed = |e: String| Failure::new(Exit::Failed, format!("cannot look at the live database: {e}"));
    let script = format!("{FILLED} ({})\n\\gexec\n", candidates.join(", "));
    let answer = psql.script(&script).map_err(|e| failed(e.to_string()))?;
    let tables = answer.lines().filter(|line| !line.is_empty()).map(serde_json::from_str::<Table>);
    tables.map(|table| table.map(|t| format!("{}.{}", t.schema, t.name)).map_err(|e| failed(e.to_string()))).collect()
}

/// Tables with rows that belong to no extension, each with its schema. Rows are told by statistics: a question to the table waits for whoever has
/// locked it.
const LIVING: &str = "SELECT n.nspname::text AS schema, c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.oid >= 16384 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND (pg_stat_get_live_tuples(c.oid) > 0 OR c.relpages > 0 AND c.reltuples > 0) AND NOT EXISTS (SELECT FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') ORDER BY 1, 2";

/// The live database's tables with rows that the archive doesn't even define, as they are made or renamed after a backup. What the server
/// refuses, such as a name that is no text in its character set, keeps nobody from restoring: none is known then.
///
/// # Errors
/// Exit 1 when it cannot be asked.
pub(crate) fn unknown(psql: &Psql, head: &Head, target: &Target) -> Result<Vec<String>, Failure> {
    if target.living.is_none() || target.content.tables == 0 {
        return Ok(Vec::new());
    }
    let known: HashSet<(&str, &str)> = head.entries("TABLE").map(Entry::names).collect();
    // What is refused ends the session that it was asked in.
    let living = match psql.released().rows::<Table>(LIVING) {
        Ok(living) => living,
        Err(PsqlError::Refused(words)) => {
            tracing::info!("whether the live database has tables that the backup lacks is not known: {words}");
            return Ok(Vec::new());
        }
        Err(error) => {
            return Err(Failure::new(Exit::Failed, format!("cannot look at the live database: {error}")));
        }
    };
    let unknown = living.iter().filter(|table| !known.contains(&(table.schema.as_str(), table.name.as_str())));
    Ok(unknown.map(|table| format!("{}.{}", table.schema, table.name)).collect())
}

/// Tables of the archive without an entry for their rows. Partitioned and foreign ones, which never have any, are among them.
fn without_rows(head: &Head) -> impl Iterator<Item = (&str, &str)> {
    let filled: HashSet<(&str, &str)> =
        head.entries("TABLE DATA").map(|entry| (entry.schema.as_str(), entry.name.as_str())).collect();
    let tables = head.entries("TABLE").map(|entry| (entry.schema.as_str(), entry.name.as_str()));
    tables.filter(move |table| !filled.contains(table) && !table.1.contains(char::REPLACEMENT_CHARACTER))
}
