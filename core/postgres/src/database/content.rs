//! What is in a database besides what every new one has: whether it is empty, before one takes its place.
//!
//! Looked for as pg_dump does: by OID, in schemas that aren't the system's, without what belongs to an extension.

use serde::Deserialize;

use crate::{Psql, PsqlError};

/// What was made in a database since it was created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Content {
    /// Tables, ordinary and partitioned.
    pub tables: u64,
    /// Tables as well, and every other object: functions, types, sequences, schemas, large objects and so on.
    objects: u64,
    /// Extensions that not every database has. Their own tables may have been given rows.
    extensions: u64,
    /// Subscriptions to other servers, which stay with the old database.
    pub subscriptions: Vec<String>,
}

/// `o.oid >= 16384`: the first that isn't the system's own (`FirstNormalObjectId` in PostgreSQL's transam.h). After an
/// upgrade by pg_upgrade `public` and `plpgsql` have such ones as well. Types without a name of their own come with a table,
/// a range or an element, and a trigger, a policy or an index with a table. Each step finds its row by an index: in a database that
/// was never analyzed the planner knows nothing better than loops.
const SELECT: &str = "SELECT count(*) FILTER (WHERE o.is_table) AS tables, count(*) AS objects,
        (SELECT count(*) FROM pg_extension WHERE extname <> 'plpgsql') AS extensions,
        ARRAY(SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
            WHERE d.datname = current_database()) AS subscriptions
    FROM (
        SELECT 'pg_class'::regclass AS class, oid, relnamespace AS schema, relkind IN ('r', 'p') AS is_table FROM pg_class
            WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND relpersistence <> 't'
        UNION ALL SELECT 'pg_type'::regclass, t.oid, t.typnamespace, false FROM pg_type t
            LEFT JOIN pg_class c ON c.oid = t.typrelid
            WHERE t.typtype <> 'm' AND (c.oid IS NULL OR c.relkind = 'c')
                AND t.oid IS DISTINCT FROM (SELECT e.typarray FROM pg_type e WHERE e.oid = t.typelem)
        UNION ALL SELECT 'pg_proc'::regclass, oid, pronamespace, false FROM pg_proc
        UNION ALL SELECT 'pg_operator'::regclass, oid, oprnamespace, false FROM pg_operator
        UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfnamespace, false FROM pg_opfamily
        UNION ALL SELECT 'pg_collation'::regclass, oid, collnamespace, false FROM pg_collation
        UNION ALL SELECT 'pg_conversion'::regclass, oid, connamespace, false FROM pg_conversion
        UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgnamespace, false FROM pg_ts_config
        UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictnamespace, false FROM pg_ts_dict
        UNION ALL SELECT 'pg_ts_parser'::regclass, oid, prsnamespace, false FROM pg_ts_parser
        UNION ALL SELECT 'pg_ts_template'::regclass, oid, tmplnamespace, false FROM pg_ts_template
        UNION ALL SELECT 'pg_namespace'::regclass, oid, oid, false FROM pg_namespace WHERE nspname <> 'public'
        UNION ALL SELECT 'pg_am'::regclass, oid, NULL, false FROM pg_am
        UNION ALL SELECT 'pg_cast'::regclass, oid, NULL, false FROM pg_cast
        UNION ALL SELECT 'pg_default_acl'::regclass, oid, NULL, false FROM pg_default_acl
        UNION ALL SELECT 'pg_event_trigger'::regclass, oid, NULL, false FROM pg_event_trigger
        UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, NULL, false FROM pg_foreign_data_wrapper
        UNION ALL SELECT 'pg_foreign_server'::regclass, oid, NULL, false FROM pg_foreign_server
        UNION ALL SELECT 'pg_language'::regclass, oid, NULL, false FROM pg_language
        UNION ALL SELECT 'pg_largeobject'::regclass, oid, NULL, false FROM pg_largeobject_metadata
        UNION ALL SELECT 'pg_publication'::regclass, oid, NULL, false FROM pg_publication
    ) o LEFT JOIN pg_namespace n ON n.oid = o.schema
    WHERE o.oid >= CASE WHEN o.class = 'pg_largeobject'::regclass THEN 0 ELSE 16384 END
        AND (n.oid IS NULL OR n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.class AND d.objid = o.oid AND d.deptype = 'e')";

impl Content {
    /// Asks the database that `psql` is connected to.
    ///
    /// # Errors
    /// [`PsqlError`].
    pub fn ask(psql: &Psql) -> Result<Self, PsqlError> {
        Ok(psql.row(SELECT)?.unwrap_or_default())
    }

    /// Nothing was made in it that a restore would collide with.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects == 0 && self.subscriptions.is_empty()
    }

    /// Nothing is lost with it.
    #[must_use]
    pub fn is_worthless(&self) -> bool {
        self.is_empty() && self.extensions == 0
    }
}
