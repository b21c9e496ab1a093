//! ANALYZE: without the planner's statistics the first hours after a restore are slow. Several sessions share the tables out,
//! because one keeps one core busy.

use serde::Deserialize;

use crate::{Psql, PsqlError};

/// The largest first. A partitioned table's ANALYZE goes through its partitions as well. The system's own tables, which a
/// restore fills with names, are among them as far as the role may: so there is no warning that they were left out.
const TABLES: &str = "SELECT c.oid::bigint AS oid FROM pg_catalog.pg_class c
    WHERE c.relkind IN ('r', 'm', 'p') AND NOT c.relispartition AND NOT c.relisshared AND c.relpersistence <> 't'
        AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
    ORDER BY c.relkind = 'p' DESC, pg_catalog.pg_relation_size(c.oid) DESC";

#[derive(Clone, Copy, Deserialize)]
struct Table {
    oid: u32,
}

/// Analyzes every table of a database, in this many sessions at a time. What can't be analyzed is a warning, and autovacuum's.
pub fn gather(psql: &Psql, sessions: usize) {
    // Before version 10 the catalog has other columns.
    let gathered =
        gather_side_by_side(psql, sessions.max(1)).or_else(|_| psql.script("RESET search_path;\nANALYZE;\n").map(drop));
    if let Err(error) = gathered {
        tracing::warn!("ANALYZE failed, queries may be slow until autovacuum has run: {error}");
    }
}

fn gather_side_by_side(psql: &Psql, sessions: usize) -> Result<(), PsqlError> {
    // Once for all: by a table's size a session couldn't tell its own, because the system's tables grow meanwhile.
    let tables: Vec<Table> = psql.rows(TABLES)?;
    std::thread::scope(|scope| {
        let share = |session| tables.iter().skip(session).step_by(sessions).copied().collect::<Vec<_>>();
        let parts: Vec<_> = (0..sessions.min(tables.len()))
            .map(|session| {
                let share = share(session);
                scope.spawn(move || analyze(psql, &share))
            })
            .collect();
        // A thread that panicked is no reason to end a restore that is done.
        parts.into_iter().filter_map(|part| part.join().ok()).collect()
    })
}

/// `\gexec` runs what the query answers with: the names never pass through us. Functions of indexes find what they name without
/// a schema in the database's own search_path, which doesn't hold before.
fn analyze(psql: &Psql, tables: &[Table]) -> Result<(), PsqlError> {
    let oids: Vec<String> = tables.iter().map(|table| table.oid.to_string()).collect();
    let sql = format!(
        "SELECT 'RESET search_path', pg_catalog.format('ANALYZE %I.%I', n.nspname, c.relname)
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid IN ({}) ORDER BY pg_catalog.pg_relation_size(c.oid) DESC\n\\gexec\n",
        oids.join(", ")
    );
    psql.script(&sql).map(drop)
}
