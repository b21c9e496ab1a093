//! Rows into tables that are there already: which are empty, and what would keep rows out that come in the archive's order.
//!
//! A foreign key is checked row by row, and rows come in no order that it could know of. So for the time of the load, in its transaction,
//! keys wait until all rows are in, and triggers of users don't fire: what they did once is in the rows.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::quote::{identifier, literal};

/// What is so of the tables that rows are to go into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loading {
    /// The tables that are there.
    pub tables: Vec<Table>,
    /// Those of them that have rows, of those that are ours.
    pub filled: BTreeSet<(String, String)>,
    /// What is checked at the end: foreign keys, and whatever waits for the commit anyway.
    pub keys: Vec<Key>,
    /// Triggers that would fire.
    pub triggers: Vec<Trigger>,
    /// The sequences that belong to the tables' columns.
    pub sequences: BTreeSet<(String, String)>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Table {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The role has its owner's rights.
    pub ours: bool,
}

/// A constraint that can be checked later.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Key {
    schema: String,
    table: String,
    /// Its name.
    pub name: String,
    deferrable: bool,
    deferred: bool,
}

/// A trigger, and when it fires: `O`, `R` or `A`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Trigger {
    schema: String,
    table: String,
    /// Its name.
    pub name: String,
    fires: String,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Row {
    Table(Table),
    Filled { schema: String, name: String },
    Key(Key),
    Trigger(Trigger),
    Sequence { schema: String, name: String },
}

/// psql's input that makes it print what there is to know of these tables, each with its schema. Nothing is asked of none.
#[must_use]
pub fn question<'a>(tables: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let wanted: Vec<String> =
        tables.into_iter().map(|(schema, name)| format!("({}, {})", literal(schema), literal(name))).collect();
    if wanted.is_empty() {
        return String::new();
    }
    let wanted = wanted.join(", ");
    let chosen = format!(
        "WITH RECURSIVE chosen AS (SELECT c.oid, n.nspname, c.relname, pg_has_role(c.relowner, 'USAGE') AS ours
            FROM (VALUES {wanted}) AS wanted (s, t) JOIN pg_namespace n ON n.nspname = s::name
            JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t::name WHERE c.relkind = 'r'),
         family AS (SELECT oid FROM chosen UNION SELECT i.inhparent FROM pg_inherits i JOIN family f ON f.oid = i.inhrelid)"
    );
    format!(
        "SET row_security = off;
         {chosen}
         SELECT json_build_object('kind', 'table', 'schema', nspname, 'name', relname, 'ours', ours)::text FROM chosen
         UNION ALL SELECT json_build_object('kind', 'key', 'schema', n.nspname, 'table', c.relname, 'name', k.conname,
                'deferrable', k.condeferrable, 'deferred', k.condeferred)::text
            FROM family f JOIN pg_constraint k ON k.conrelid = f.oid JOIN pg_class c ON c.oid = k.conrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE (k.contype = 'f' OR k.condeferred) AND k.conparentid = 0 AND to_jsonb(k) ->> 'conenforced' IS DISTINCT FROM 'false'
         UNION ALL SELECT json_build_object('kind', 'trigger', 'schema', n.nspname, 'table', c.relname, 'name', t.tgname,
                'fires', t.tgenabled)::text
            FROM family f JOIN pg_trigger t ON t.tgrelid = f.oid JOIN pg_class c ON c.oid = t.tgrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND coalesce(to_jsonb(t) ->> 'tgparentid', '0') = '0'
         UNION ALL SELECT json_build_object('kind', 'sequence', 'schema', n.nspname, 'name', c.relname)::text
            FROM family f JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = f.oid AND d.deptype IN ('a', 'i')
            JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind = 'S'
            JOIN pg_namespace n ON n.oid = c.relnamespace;
         {chosen}
         SELECT format('SELECT %L WHERE EXISTS (SELECT FROM ONLY %I.%I)',
            json_build_object('kind', 'filled', 'schema', nspname, 'name', relname)::text, nspname, relname)
            FROM chosen WHERE ours \\gexec\n"
    )
}

/// Reads what psql printed.
///
/// # Errors
/// When a line isn't what was asked for.
pub fn read(answer: &str) -> Result<Loading, serde_json::Error> {
    let mut loading = Loading::default();
    for line in answer.lines().filter(|line| !line.is_empty()) {
        match serde_json::from_str(line)? {
            Row::Table(table) => loading.tables.push(table),
            Row::Key(key) => loading.keys.push(key),
            Row::Trigger(trigger) => loading.triggers.push(trigger),
            Row::Filled { schema, name } => _ = loading.filled.insert((schema, name)),
            Row::Sequence { schema, name } => _ = loading.sequences.insert((schema, name)),
        }
    }
    Ok(loading)
}

/// Keeps everybody else from writing into these tables until the transaction's end, and waits half a minute for those who do.
#[must_use]
pub fn lock<'a>(tables: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let tables: Vec<String> = tables.into_iter().map(|(schema, name)| format!("ONLY {}", of(schema, name))).collect();
    match tables.is_empty() {
        true => String::new(),
        false => {
            format!("SET LOCAL lock_timeout = '30s';\nLOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE;\n", tables.join(", "))
        }
    }
}

impl Loading {
    /// The statements before the rows.
    #[must_use]
    pub fn open(&self) -> String {
        let keys = self.keys.iter().filter(|key| !key.deferred).map(|key| {
            let (table, name) = (of(&key.schema, &key.table), identifier(&key.name));
            format!("ALTER TABLE {table} ALTER CONSTRAINT {name} DEFERRABLE INITIALLY DEFERRED;\n")
        });
        let triggers = self.triggers.iter().map(|trigger| {
            format!(
                "ALTER TABLE {} DISABLE TRIGGER {};\n",
                of(&trigger.schema, &trigger.table),
                identifier(&trigger.name)
            )
        });
        keys.chain(triggers).chain(["SET LOCAL lock_timeout = 0;\n".to_owned()]).collect()
    }

    /// The statements after them: first what waited is checked, because a table with checks that wait can't be altered.
    #[must_use]
    pub fn close(&self) -> String {
        let waiting: Vec<String> = self.keys.iter().map(|key| of(&key.schema, &key.name)).collect();
        let check = match waiting.is_empty() {
            true => String::new(),
            false => format!("SET CONSTRAINTS {} IMMEDIATE;\n", waiting.join(", ")),
        };
        let keys = self.keys.iter().filter(|key| !key.deferred).map(|key| {
            let was = if key.deferrable { "DEFERRABLE INITIALLY IMMEDIATE" } else { "NOT DEFERRABLE" };
            format!("ALTER TABLE {} ALTER CONSTRAINT {} {was};\n", of(&key.schema, &key.table), identifier(&key.name))
        });
        let triggers = self.triggers.iter().map(|trigger| {
            let fires = match trigger.fires.as_str() {
                "A" => "ENABLE ALWAYS",
                "R" => "ENABLE REPLICA",
                _ => "ENABLE",
            };
            let table = of(&trigger.schema, &trigger.table);
            format!("ALTER TABLE {table} {fires} TRIGGER {};\n", identifier(&trigger.name))
        });
        std::iter::once(check).chain(keys).chain(triggers).collect()
    }
}

fn of(schema: &str, name: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_altered_for_the_load_is_put_back_after_the_check() {
        let answer = r#"{"kind" : "table", "schema" : "s", "name" : "t", "ours" : true}
{"kind" : "key", "schema" : "s", "table" : "t", "name" : "k", "deferrable" : false, "deferred" : false}
{"kind" : "key", "schema" : "s", "table" : "t", "name" : "u", "deferrable" : true, "deferred" : true}
{"kind" : "trigger", "schema" : "s", "table" : "t", "name" : "a \"b\"", "fires" : "A"}
{"kind" : "sequence", "schema" : "s", "name" : "t_id_seq"}
{"kind" : "filled", "schema" : "s", "name" : "t"}
"#;
        let loading = read(answer).unwrap();
        assert!(loading.filled.contains(&("s".to_owned(), "t".to_owned())) && loading.sequences.len() == 1);
        assert!(lock([("s", "t")]).ends_with("LOCK TABLE ONLY \"s\".\"t\" IN SHARE ROW EXCLUSIVE MODE;\n"));
        let open = "ALTER TABLE \"s\".\"t\" ALTER CONSTRAINT \"k\" DEFERRABLE INITIALLY DEFERRED;\n\
                    ALTER TABLE \"s\".\"t\" DISABLE TRIGGER \"a \"\"b\"\"\";\nSET LOCAL lock_timeout = 0;\n";
        assert_eq!(loading.open(), open);
        let close = "SET CONSTRAINTS \"s\".\"k\", \"s\".\"u\" IMMEDIATE;\n\
                     ALTER TABLE \"s\".\"t\" ALTER CONSTRAINT \"k\" NOT DEFERRABLE;\n\
                     ALTER TABLE \"s\".\"t\" ENABLE ALWAYS TRIGGER \"a \"\"b\"\"\";\n";
        assert_eq!(loading.close(), close);
    }

    #[test]
    fn nothing_is_asked_of_no_table() {
        assert_eq!((question([]), lock([])), (String::new(), String::new()));
    }
}
