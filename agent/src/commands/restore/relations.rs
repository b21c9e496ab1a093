//! What is in the live database, as far as a restore in place has to know it: its relations, and what depends on them.

use postgres::Psql;
use postgres::quote::literal;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::answers::failure::{Exit, Failure};

/// Names are shown as the archive's contents show them, so that the two can be compared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Relations {
    pub(crate) all: Vec<Relation>,
    pub(crate) dependents: Vec<Dependent>,
}

/// A table, view, sequence or foreign table that no extension made.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Relation {
    pub(crate) schema: String,
    pub(crate) name: String,
    /// `pg_class.relkind`.
    pub(crate) kind: String,
    pub(crate) owner: String,
    /// The role may act as the owner.
    pub(crate) is_ours: bool,
}

/// `schema.name` can't be dropped while `on_schema.on_name` is.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Dependent {
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) on_schema: String,
    pub(crate) on_name: String,
}

const RELATIONS: &str = "SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind,
        pg_get_userbyid(c.relowner) AS owner, pg_has_role(c.relowner, 'MEMBER') AS is_ours
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't'
        AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')";

/// Views, foreign keys, children and columns: what keeps a relation or a type from being dropped.
const DEPENDENTS: &str =
    "SELECT DISTINCT dn.nspname AS schema, dc.relname AS name, r.schema AS on_schema, r.name AS on_name
    FROM (
        SELECT w.ev_class AS dependent, d.refclassid, d.refobjid FROM pg_depend d
            JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid WHERE d.deptype = 'n'
        UNION SELECT conrelid, 'pg_class'::regclass, confrelid FROM pg_constraint WHERE contype = 'f'
        UNION SELECT inhrelid, 'pg_class'::regclass, inhparent FROM pg_inherits
        UNION SELECT objid, refclassid, refobjid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'n'
    ) u
    JOIN pg_class dc ON dc.oid = u.dependent AND dc.relkind IN ('r', 'p', 'v', 'm', 'f')
    JOIN pg_namespace dn ON dn.oid = dc.relnamespace
    JOIN (
        SELECT 'pg_class'::regclass AS class, c.oid, n.nspname AS schema, c.relname AS name
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        UNION ALL SELECT 'pg_type'::regclass, t.oid, n.nspname, t.typname
            FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    ) r ON r.class = u.refclassid AND r.oid = u.refobjid
    WHERE u.dependent <> u.refobjid AND r.schema <> 'pg_catalog'";

impl Relations {
    /// Asks the live database. `encoding`: the archive's character set.
    ///
    /// # Errors
    /// Exit 1 when it cannot be asked.
    pub(crate) fn ask(psql: &Psql, encoding: &str) -> Result<Self, Failure> {
        Ok(Self { all: rows(psql, encoding, RELATIONS)?, dependents: rows(psql, encoding, DEPENDENTS)? })
    }
}

/// The names come back in the archive's own character set.
fn rows<T: DeserializeOwned>(psql: &Psql, encoding: &str, select: &str) -> Result<Vec<T>, Failure> {
    let failed = |e: String| Failure::new(Exit::Failed, format!("cannot look at the live database: {e}"));
    let script = format!("SET client_encoding = {};\nSELECT row_to_json(a) FROM ({select}) a;\n", literal(encoding));
    let answer = psql.script(&script).map_err(|e| failed(e.to_string()))?;
    let rows = answer.split('\n').filter(|line| !line.is_empty()).map(serde_json::from_str);
    rows.collect::<Result<_, _>>().map_err(|e| failed(e.to_string()))
}
