//! What a restore in place would run into, found beforehand: what is left standing, what depends on what is replaced, what
//! belongs to somebody else, what can't be done in a transaction, and how many locks it takes.

use std::collections::HashSet;

use catalog::words;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::head::Head;
use crate::commands::restore::living::Role;
use crate::postgres::Psql;
use crate::postgres::psql::literal;

/// How many names a warning spells out.
const NAMED: usize = 5;
/// Kinds of the archive that are relations.
const RELATIONS: [&str; 5] = ["TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE"];

/// What stands in the way, and what is only worth knowing.
#[derive(Debug, Default)]
pub(crate) struct Obstacles {
    /// Each of them makes the restore fail.
    blocking: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Relation {
    schema: String,
    name: String,
    kind: String,
    owner: String,
    is_ours: bool,
}

/// `schema.name` can't be dropped while `on_schema.on_name` is.
#[derive(Deserialize)]
struct Dependent {
    schema: String,
    name: String,
    on_schema: String,
    on_name: String,
}

const LIVING_RELATIONS: &str = "SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind,
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

impl Obstacles {
    /// Asks the living database.
    ///
    /// # Errors
    /// Exit 1 when it can't be asked.
    pub(crate) fn find(psql: &Psql, role: &Role, head: &Head, large_objects: u64) -> Result<Self, Failure> {
        let relations: Vec<Relation> = ask(psql, head.encoding(), LIVING_RELATIONS)?;
        let dependents: Vec<Dependent> = ask(psql, head.encoding(), DEPENDENTS)?;
        let mut obstacles = Self::default();
        obstacles.left_standing(head, &relations);
        obstacles.depend(head, &dependents);
        obstacles.belong_to_others(head, &relations);
        obstacles.outside_of_transactions(head);
        obstacles.take_locks(head, role, large_objects);
        Ok(obstacles)
    }

    /// Fails when something would make the restore fail.
    ///
    /// # Errors
    /// Exit 1, naming the first obstacles.
    pub(crate) fn refuse(&self) -> Result<(), Failure> {
        if self.blocking.is_empty() {
            return Ok(());
        }
        let shown = some_of(&self.blocking);
        Err(Failure::new(Exit::Failed, format!("a restore in place would fail: {shown}"))
            .hint("restore by swap, without --in-place, which none of this stands in the way of; or remove it first"))
    }

    fn left_standing(&mut self, head: &Head, relations: &[Relation]) {
        let archived = archived_relations(head);
        let standing: Vec<String> = relations
            .iter()
            .filter(|r| {
                ["r", "p"].contains(&r.kind.as_str()) && !archived.contains(&(r.schema.as_str(), r.name.as_str()))
            })
            .map(|r| format!("{}.{}", r.schema, r.name))
            .collect();
        if !standing.is_empty() {
            self.warnings.push(format!("left standing, because the backup doesn't have them: {}", some_of(&standing)));
        }
    }

    fn depend(&mut self, head: &Head, dependents: &[Dependent]) {
        let relations = archived_relations(head);
        let types: HashSet<(&str, &str)> = ["TYPE", "DOMAIN"]
            .into_iter()
            .flat_map(|kind| head.entries(kind).map(|entry| (entry.schema.as_str(), entry.name.as_str())))
            .collect();
        for d in dependents {
            let (dependent, on) = ((d.schema.as_str(), d.name.as_str()), (d.on_schema.as_str(), d.on_name.as_str()));
            if (relations.contains(&on) || types.contains(&on)) && !relations.contains(&dependent) {
                self.blocking.push(format!(
                    "{}.{}, which the backup doesn't have, depends on {}.{}",
                    d.schema, d.name, d.on_schema, d.on_name
                ));
            }
        }
    }

    fn belong_to_others(&mut self, head: &Head, relations: &[Relation]) {
        let archived = archived_relations(head);
        let others =
            relations.iter().filter(|r| !r.is_ours && archived.contains(&(r.schema.as_str(), r.name.as_str())));
        self.blocking.extend(others.map(|r| format!("{}.{} belongs to {}", r.schema, r.name, r.owner)));
    }

    fn outside_of_transactions(&mut self, head: &Head) {
        let subscriptions = head.entries("SUBSCRIPTION");
        self.blocking.extend(
            subscriptions.map(|entry| format!("subscription {} can't be dropped in a transaction", entry.name)),
        );
    }

    /// Every relation that is dropped or made is locked until the end, and every large object; a table has a TOAST table with
    /// its index beside it.
    fn take_locks(&mut self, head: &Head, role: &Role, large_objects: u64) {
        let of = |entry: &archive::Entry| match entry.kind.as_str() {
            "TABLE" | "MATERIALIZED VIEW" => 6,
            "INDEX" | "CONSTRAINT" | "SEQUENCE" | "VIEW" | "FOREIGN TABLE" => 2,
            "TABLE DATA" | "COMMENT" | "ACL" | "SEQUENCE SET" => 0,
            _ => 1,
        };
        let needed = head.contents.iter().map(of).sum::<u64>().saturating_add(large_objects.saturating_mul(2));
        if needed > role.locks {
            self.warnings.push(format!(
                "about {needed} locks are needed and the server has room for {}: raise max_locks_per_transaction if it runs \
                 out of them (nothing is lost then)",
                role.locks
            ));
        }
    }
}

/// Names come back in the archive's own character set, shown as its contents show them, so that the two can be compared.
fn ask<T: DeserializeOwned>(psql: &Psql, encoding: &str, select: &str) -> Result<Vec<T>, Failure> {
    let failed = |e: String| Failure::new(Exit::Failed, format!("the living database can't be asked: {e}"));
    let script = format!("SET client_encoding = {};\nSELECT row_to_json(a) FROM ({select}) a;\n", literal(encoding));
    let answer = psql.script(&script).map_err(|e| failed(e.to_string()))?;
    let rows = answer.split('\n').filter(|line| !line.is_empty()).map(serde_json::from_str);
    rows.collect::<Result<_, _>>().map_err(|e| failed(e.to_string()))
}

fn archived_relations(head: &Head) -> HashSet<(&str, &str)> {
    let relations = head.contents.iter().filter(|entry| RELATIONS.contains(&entry.kind.as_str()));
    relations.map(|entry| (entry.schema.as_str(), entry.name.as_str())).collect()
}

/// The first names, and how many more there are.
fn some_of(names: &[String]) -> String {
    words::first_of(names, NAMED, ", ")
}
