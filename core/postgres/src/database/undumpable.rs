//! What of a database a role may not dump: asked of the catalogs, because pg_dump stops at the first of them, and only half way.
//!
//! A dump locks every table, for which it takes SELECT on it and USAGE of its schema; copies the rows with row security off, which
//! fails where it would hide some; reads every sequence; and opens every large object, to which `pg_read_all_data` is no key. Views
//! and functions are read from the catalogs, which are open to all. Tables of extensions are left out, but for those whose rows
//! users gave.

use serde::Deserialize;

use crate::quote::{identifier, literal};
use crate::{Psql, PsqlError};

/// How many objects a statement names one by one.
const NAMED: usize = 5;

/// What a role may not dump, of which each makes pg_dump fail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Undumpable {
    /// The role.
    role: String,
    /// As SQL writes it.
    quoted: String,
    /// It has the rights of its roles by itself.
    inherits: bool,
    /// The server's, as a number.
    version: u32,
    /// Schemas that it may not use, with something in them to be dumped.
    schemas: Vec<String>,
    /// Tables that it may not read.
    tables: Vec<Relation>,
    /// Sequences that it may not read.
    sequences: Vec<Relation>,
    /// Tables of which row security may hide rows from it.
    guarded: Vec<Relation>,
    /// Large objects that it may not read: the first of them.
    large_objects: Vec<u32>,
    /// How many those are.
    large_object_count: usize,
}

/// A table or a sequence, spelled as SQL writes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Relation {
    schema: String,
    name: String,
}

impl Undumpable {
    /// Asks the database that `psql` is connected to. `role`: who dumps, where it isn't the connection's own role.
    ///
    /// # Errors
    /// [`PsqlError`].
    pub fn ask(psql: &Psql, role: Option<&str>) -> Result<Self, PsqlError> {
        let become_role = role.map_or_else(String::new, |role| format!("SET ROLE {};\n", identifier(role)));
        let answer = psql.script(&format!("{become_role}SELECT row_to_json(a) FROM ({QUESTION}) a;\n"))?;
        // One document, on several lines.
        Ok(serde_json::from_str(answer.trim())?)
    }

    /// It may dump all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names().next().is_none()
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> &str {
        &self.role
    }

    /// What it may not read, each in words.
    pub fn names(&self) -> impl Iterator<Item = String> + '_ {
        let schemas = self.schemas.iter().map(|name| format!("schema {name}"));
        let tables = self.tables.iter().map(|one| format!("table {}", one.path()));
        let sequences = self.sequences.iter().map(|one| format!("sequence {}", one.path()));
        let guarded = self.guarded.iter().map(|one| format!("all rows of table {} (row security)", one.path()));
        let numbers = self.large_objects.iter().map(|oid| format!("large object {oid}"));
        let unnamed = self.large_object_count.saturating_sub(self.large_objects.len());
        let more = std::iter::repeat_n("large object".to_owned(), unnamed);
        schemas.chain(tables).chain(sequences).chain(guarded).chain(numbers).chain(more)
    }

    /// The statements after which it may, for one dump: they give it what it lacks now and no more.
    #[must_use]
    pub fn exact_remedy(&self) -> String {
        let mut statements = self.grants_on_relations();
        statements.extend(self.others());
        statements.join("; ")
    }

    /// The statements after which it may, tomorrow as well: what is new then can be read where PostgreSQL has a right for that.
    #[must_use]
    pub fn lasting_remedy(&self) -> String {
        let lacks_relations = !(self.schemas.is_empty() && self.tables.is_empty() && self.sequences.is_empty());
        let mut statements = match lacks_relations {
            true if self.version >= 140_000 && self.inherits => {
                vec![format!("GRANT pg_read_all_data TO {}", self.quoted)]
            }
            _ => self.grants_on_relations(),
        };
        statements.extend(self.others());
        statements.join("; ")
    }

    fn grants_on_relations(&self) -> Vec<String> {
        let role = &self.quoted;
        let mut statements = Vec::new();
        if !self.schemas.is_empty() {
            statements.push(format!("GRANT USAGE ON SCHEMA {} TO {role}", self.schemas.join(", ")));
        }
        for (what, relations) in [("TABLE", &self.tables), ("SEQUENCE", &self.sequences)] {
            if relations.len() > NAMED {
                let mut schemas: Vec<&str> = relations.iter().map(|one| one.schema.as_str()).collect();
                schemas.sort_unstable();
                schemas.dedup();
                statements.push(format!("GRANT SELECT ON ALL {what}S IN SCHEMA {} TO {role}", schemas.join(", ")));
            } else if !relations.is_empty() {
                let paths: Vec<String> = relations.iter().map(Relation::path).collect();
                statements.push(format!("GRANT SELECT ON {what} {} TO {role}", paths.join(", ")));
            }
        }
        statements
    }

    /// For what no right to read all data opens.
    fn others(&self) -> Vec<String> {
        let role = &self.quoted;
        let mut statements = Vec::new();
        if !self.guarded.is_empty() {
            statements.push(format!("ALTER ROLE {role} BYPASSRLS"));
        }
        if self.large_object_count > self.large_objects.len() {
            statements.push(format!(
                "SELECT format('GRANT SELECT ON LARGE OBJECT %s TO %I', oid, {}) FROM pg_largeobject_metadata \\gexec",
                literal(&self.role)
            ));
        } else if !self.large_objects.is_empty() {
            let numbers: Vec<String> = self.large_objects.iter().map(u32::to_string).collect();
            statements.push(format!("GRANT SELECT ON LARGE OBJECT {} TO {role}", numbers.join(", ")));
        }
        statements
    }
}

impl Relation {
    fn path(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }
}

/// One pass over the catalogs. The rights to a large object are computed: the function for that came with version 18. Since 16 the right
/// to write locks a partitioned table as well, of which nothing but that is asked.
const QUESTION: &str = r"WITH me AS MATERIALIZED (SELECT rolname AS role, quote_ident(rolname) AS quoted, rolinherit AS inherits, rolsuper AS super,
        rolsuper OR rolbypassrls AS bypasses, current_setting('server_version_num')::int AS version,
        current_setting('lo_compat_privileges')::bool AS large_objects_are_open FROM pg_roles WHERE rolname = current_user),
    configured AS MATERIALIZED (SELECT unnest(extconfig) AS oid FROM pg_extension),
    member AS MATERIALIZED (SELECT objid AS oid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'e'),
    relation AS MATERIALIZED (
        SELECT c.oid, c.relkind AS kind, n.oid AS space, quote_ident(n.nspname) AS schema, quote_ident(c.relname) AS name,
            c.relkind = 'r' AND c.relrowsecurity AND NOT me.bypasses
                AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE')) AS is_guarded
        FROM me, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT me.super AND c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't'
            AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
            AND (c.oid NOT IN (SELECT oid FROM member) OR c.oid IN (SELECT oid FROM configured))),
    large_object AS MATERIALIZED (
        SELECT l.oid FROM me, pg_largeobject_metadata l WHERE NOT me.super AND NOT me.large_objects_are_open AND NOT EXISTS (
            SELECT FROM aclexplode(coalesce(l.lomacl, acldefault('L', l.lomowner))) a WHERE a.privilege_type = 'SELECT'
                AND CASE a.grantee WHEN 0 THEN true ELSE pg_has_role(a.grantee, 'USAGE') END))
    SELECT me.role, me.quoted, me.inherits, me.version,
        ARRAY(SELECT DISTINCT schema FROM relation WHERE NOT has_schema_privilege(space, 'USAGE')
            AND (kind <> 'S' OR me.version < 180000) ORDER BY 1) AS schemas,
        (SELECT coalesce(json_agg(r ORDER BY r.schema, r.name), '[]') FROM (SELECT schema, name FROM relation WHERE kind <> 'S'
            AND NOT has_table_privilege(oid, CASE WHEN kind = 'p' AND me.version >= 160000
                THEN 'SELECT, UPDATE, DELETE, TRUNCATE' ELSE 'SELECT' END)) r) AS tables,
        (SELECT coalesce(json_agg(r ORDER BY r.schema, r.name), '[]') FROM (SELECT schema, name FROM relation
            WHERE kind = 'S' AND NOT has_sequence_privilege(CASE kind WHEN 'S' THEN oid END, 'SELECT')) r) AS sequences,
        (SELECT coalesce(json_agg(r ORDER BY r.schema, r.name), '[]') FROM (SELECT schema, name FROM relation WHERE is_guarded) r) AS guarded,
        ARRAY(SELECT oid::int8 FROM large_object ORDER BY 1 LIMIT 5) AS large_objects,
        (SELECT count(*) FROM large_object) AS large_object_count
    FROM me";

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(schema: &str, name: &str) -> Relation {
        Relation { schema: schema.to_owned(), name: name.to_owned() }
    }

    fn lacking() -> Undumpable {
        Undumpable {
            role: "dumper".to_owned(),
            quoted: "dumper".to_owned(),
            inherits: true,
            version: 150_014,
            schemas: vec!["\"Odd\"".to_owned()],
            tables: vec![relation("\"Odd\"", "t"), relation("public", "u")],
            sequences: vec![relation("public", "s")],
            guarded: vec![relation("public", "g")],
            large_objects: vec![1, 2],
            large_object_count: 2,
        }
    }

    #[test]
    fn few_are_named_one_by_one() {
        assert_eq!(
            lacking().exact_remedy(),
            "GRANT USAGE ON SCHEMA \"Odd\" TO dumper; GRANT SELECT ON TABLE \"Odd\".t, public.u TO dumper; \
             GRANT SELECT ON SEQUENCE public.s TO dumper; ALTER ROLE dumper BYPASSRLS; \
             GRANT SELECT ON LARGE OBJECT 1, 2 TO dumper"
        );
        assert_eq!(lacking().names().count(), 7);
        assert!(Undumpable::default().is_empty() && !lacking().is_empty());
    }

    #[test]
    fn many_are_not() {
        let tables = (0..9).map(|number| relation("app", &format!("t{number}"))).collect();
        let many = Undumpable { tables, large_object_count: 9, ..Undumpable { guarded: Vec::new(), ..lacking() } };
        let remedy = many.exact_remedy();
        assert!(remedy.contains("GRANT SELECT ON ALL TABLES IN SCHEMA app TO dumper; "), "{remedy}");
        assert!(remedy.ends_with("FROM pg_largeobject_metadata \\gexec"), "{remedy}");
        assert_eq!(many.names().count(), 1 + 9 + 1 + 9);
    }

    #[test]
    fn what_lasts_is_a_right_to_all_data_where_the_server_has_it_and_the_role_gets_it() {
        let lasting = lacking().lasting_remedy();
        assert!(lasting.starts_with("GRANT pg_read_all_data TO dumper; ALTER ROLE"), "{lasting}");
        for other in [Undumpable { inherits: false, ..lacking() }, Undumpable { version: 130_000, ..lacking() }] {
            assert_eq!(other.lasting_remedy(), other.exact_remedy());
        }
    }
}
