//! A part of a backup: the rows of some tables (`--table`, `--schema`), or no rows at all (`--schema-only`), into another database.
//!
//! All definitions are restored, because a table needs its types, functions and extensions. Where only some tables get their rows,
//! foreign keys aren't, because they point to tables without rows; nor are large objects.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use ::archive::Entry;
use catalog::words;
use postgres::words::inheritance;
use postgres::words::pattern::Pattern;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::head::Head;
use crate::commands::restore::wish::Wish;

/// The tables whose rows are restored: those that were named, and what holds the rows of those.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// With their schemas; `None`: all.
    tables: Option<BTreeSet<Name>>,
    /// Partitions and children of those that were named, as a person writes them.
    belonging: Vec<String>,
    /// Not even what belongs to rows without being one is restored, such as the sequences' values.
    definitions_alone: bool,
    /// Rows, and the values of sequences, alone.
    rows_alone: bool,
}

/// A schema, and a name in it.
type Name = (String, String);

impl Chosen {
    /// What a wish chooses: tables, each `NAME` or `SCHEMA.NAME`, and schemas. None given: all are meant. With both, tables in those
    /// schemas, as pg_restore has it.
    ///
    /// # Errors
    /// Exit 5 when one of them names no table, or one that the archive has no rows of.
    pub(crate) fn of(head: &Head, wish: &Wish) -> Result<Self, Failure> {
        if wish.schema_only {
            return Ok(Self { tables: Some(BTreeSet::new()), definitions_alone: true, ..Self::default() });
        }
        if wish.tables.is_empty() && wish.schemas.is_empty() {
            let tables = wish.data_only.then(|| head.entries("TABLE DATA").map(name_of).collect());
            return Ok(Self { tables, rows_alone: wish.data_only, ..Self::default() });
        }
        let (children, has_rows) =
            (children(&head.contents), head.entries("TABLE DATA").map(name_of).collect::<BTreeSet<Name>>());
        let (mut chosen, mut named) = (BTreeSet::new(), BTreeSet::new());
        for (what, roots) in roots(head, wish)? {
            let family = family(&roots, &children);
            if family.is_disjoint(&has_rows) {
                let error = format!("the backup has no rows of {what}");
                return Err(Failure::new(Exit::NotFound, error).hint(
                    "they were left out (BACKUP_PG_DUMP_OPTIONS), or there is only a partitioned table without partitions",
                ));
            }
            named.extend(roots);
            chosen.extend(family.into_iter().filter(|name| !wish.data_only || has_rows.contains(name)));
        }
        let belonging = chosen.difference(&named).map(|(schema, name)| format!("{schema}.{name}")).collect();
        Ok(Self { tables: Some(chosen), belonging, definitions_alone: false, rows_alone: wish.data_only })
    }

    /// Every table is meant.
    pub(crate) fn is_all(&self) -> bool {
        self.tables.is_none()
    }

    /// Whether the rows of this table are restored.
    pub(crate) fn has(&self, schema: &str, name: &str) -> bool {
        self.tables.as_ref().is_none_or(|tables| tables.contains(&(schema.to_owned(), name.to_owned())))
    }

    /// The tables with rows in the archive that were chosen, each with its schema; nothing where all are meant.
    pub(crate) fn tables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tables.iter().flatten().map(|(schema, name)| (schema.as_str(), name.as_str()))
    }

    /// Rows alone are restored, into tables that are there.
    pub(crate) fn is_rows_alone(&self) -> bool {
        self.rows_alone
    }

    /// No row is restored.
    pub(crate) fn is_without_rows(&self) -> bool {
        self.definitions_alone
    }

    /// Partitions and children that come along, each with its schema.
    pub(crate) fn belonging(&self) -> &[String] {
        &self.belonging
    }
}

/// What each option names, and how a message calls it.
fn roots(head: &Head, wish: &Wish) -> Result<Vec<(String, BTreeSet<Name>)>, Failure> {
    let schemas = schemas(head, &wish.schemas)?;
    let is_meant = |(schema, _): &Name| schemas.as_ref().is_none_or(|schemas| schemas.contains(schema));
    if wish.tables.is_empty() {
        return Ok(vec![(
            format!("schema {}", wish.schemas.join(", ")),
            tables(&head.contents).filter(is_meant).collect(),
        )]);
    }
    let roots = wish.tables.iter().map(|table| {
        let mut roots = named(&head.contents, table);
        roots.retain(is_meant);
        if !roots.is_empty() {
            return Ok((format!("table {table}"), roots));
        }
        let within = if schemas.is_some() { " in the schemas of --schema" } else { "" };
        Err(Failure::new(Exit::NotFound, format!("the backup has no table {table}{within}")).hint(
            "lastgood show lists its tables; write a name as it is there, or as psql takes it, with quotes, * and ?",
        ))
    });
    roots.collect()
}

/// As it is called in the archive's own character set.
fn name_of(entry: &Entry) -> Name {
    let (schema, name) = entry.names();
    (schema.to_owned(), name.to_owned())
}

fn tables(contents: &[Entry]) -> impl Iterator<Item = Name> {
    contents.iter().filter(|entry| is_table(entry)).map(name_of)
}

fn is_table(entry: &Entry) -> bool {
    ["TABLE", "TABLE DATA"].contains(&entry.kind.as_str())
}

/// The tables of a name as it is in the archive, or as a manifest shows it, or else of what it means to psql; each with its schema.
pub(crate) fn named(contents: &[Entry], table: &str) -> BTreeSet<(String, String)> {
    let all: BTreeSet<Name> = tables(contents).collect();
    let exact = of_name(&all, table, is_named);
    if !exact.is_empty() {
        return exact;
    }
    let shown = contents.iter().filter(|entry| is_table(entry) && is_named(table, &entry.schema, &entry.name));
    let shown: BTreeSet<Name> = shown.map(name_of).collect();
    if shown.is_empty() { of_name(&all, table, is_meant) } else { shown }
}

/// Of these tables those of a name: as it is, or else as psql takes it.
pub(crate) fn among(tables: &BTreeSet<(String, String)>, table: &str) -> BTreeSet<(String, String)> {
    let exact = of_name(tables, table, is_named);
    if exact.is_empty() { of_name(tables, table, is_meant) } else { exact }
}

fn of_name(tables: &BTreeSet<Name>, table: &str, is: impl Fn(&str, &str, &str) -> bool) -> BTreeSet<Name> {
    tables.iter().filter(|(schema, name)| is(table, schema, name)).cloned().collect()
}

/// As psql takes it.
fn is_meant(table: &str, schema: &str, name: &str) -> bool {
    Pattern::new(table).matches(schema, name)
}

/// The schemas of these names; `None`: any.
fn schemas(head: &Head, named: &[String]) -> Result<Option<BTreeSet<String>>, Failure> {
    let made = head.entries("SCHEMA").map(|entry| entry.names().1.to_owned());
    let all: BTreeSet<String> = tables(&head.contents).map(|(schema, _)| schema).chain(made).collect();
    let mut found = BTreeSet::new();
    for schema in named {
        let pattern = Pattern::new(schema);
        let exact = all.contains(schema);
        let before = found.len();
        found
            .extend(all.iter().filter(|name| if exact { *name == schema } else { pattern.matches("", name) }).cloned());
        if found.len() == before && !exact {
            let there_are = words::first_of(&all, 5, ", ");
            return Err(Failure::new(Exit::NotFound, format!("the backup has no schema {schema}"))
                .hint(format!("it has: {there_are}")));
        }
    }
    Ok((!named.is_empty()).then_some(found))
}

/// The tables below each one: its partitions, and those that inherit from it.
fn children(contents: &[Entry]) -> BTreeMap<Name, Vec<Name>> {
    let mut children: BTreeMap<Name, Vec<Name>> = BTreeMap::new();
    for entry in contents {
        let Some(definition) = entry.definition.as_deref().filter(|_| entry.kind != "SCHEMA") else { continue };
        for parent in inheritance::parents(definition) {
            children.entry(parent).or_default().push(name_of(entry));
        }
    }
    children
}

/// Tells of a schema's table which tables have its rows: itself and those below it, each with its schema.
pub(crate) fn families(contents: &[Entry]) -> impl Fn(&str, &str) -> BTreeSet<(String, String)> {
    let children = children(contents);
    move |schema, name| family(&[(schema.to_owned(), name.to_owned())].into(), &children)
}

fn family(roots: &BTreeSet<Name>, children: &BTreeMap<Name, Vec<Name>>) -> BTreeSet<Name> {
    let mut family = roots.clone();
    let mut rest: Vec<Name> = roots.iter().cloned().collect();
    while let Some(table) = rest.pop() {
        let new = children.get(&table).into_iter().flatten().filter(|child| family.insert((*child).clone()));
        rest.extend(new.cloned());
    }
    family
}

/// The entries to restore, without those `left_out`, as a file for `pg_restore --use-list`, gone when dropped.
///
/// # Errors
/// Exit 1 when it can't be written.
pub(crate) fn list(head: &Head, chosen: &Chosen, left_out: &BTreeSet<i32>) -> Result<tempfile::NamedTempFile, Failure> {
    let wanted = |entry: &&Entry| match entry.kind.as_str() {
        _ if left_out.contains(&entry.dump_id) => false,
        _ if chosen.is_all() => true,
        "SEQUENCE SET" | "MATERIALIZED VIEW DATA" | "STATISTICS DATA" if chosen.definitions_alone => false,
        "FK CONSTRAINT" if chosen.definitions_alone => true,
        "TABLE DATA" => {
            let (schema, name) = entry.names();
            chosen.has(schema, name)
        }
        kind if chosen.rows_alone => kind == "SEQUENCE SET",
        "FK CONSTRAINT" => false,
        kind => !entry.has_data() && !kind.starts_with("BLOB"),
    };
    let out = head.contents.iter().filter(|entry| !wanted(entry)).map(|entry| entry.dump_id).collect();
    let about_those = about(&head.contents, &out);
    let mut ids = Vec::new();
    let mut large_objects = head.large_objects.iter().map(|entry| entry.dump_id);
    for entry in head.contents.iter().filter(|entry| wanted(entry) && !about_those.contains(&entry.dump_id)) {
        if entry.kind == "BLOBS" {
            // They are made before they are filled.
            ids.extend(large_objects.by_ref());
        }
        ids.push(entry.dump_id);
    }
    list_of(ids.into_iter())
}

/// The comments and security labels of these entries. They belong to no section: pg_restore takes them for a part of that of what is listed
/// before them, and passes over them where that is another one.
pub(crate) fn about(contents: &[Entry], ids: &BTreeSet<i32>) -> BTreeSet<i32> {
    let (mut about, mut is_one) = (BTreeSet::new(), false);
    for entry in contents {
        match entry.kind.as_str() {
            // They stand behind what they are about.
            "COMMENT" | "SECURITY LABEL" if is_one => _ = about.insert(entry.dump_id),
            "COMMENT" | "SECURITY LABEL" | "ACL" => {}
            _ => is_one = ids.contains(&entry.dump_id),
        }
    }
    about
}

/// The archive without these extensions, and what is said about them.
///
/// # Errors
/// Exit 5 when it has none of a name.
pub(crate) fn without_extensions(mut head: Head, names: &[String]) -> Result<Head, Failure> {
    let all: BTreeMap<String, i32> =
        head.entries("EXTENSION").map(|entry| (entry.name.clone(), entry.dump_id)).collect();
    if let Some(name) = names.iter().find(|name| !all.contains_key(*name)) {
        let there_are: Vec<&str> = all.keys().map(String::as_str).collect();
        let hint = if all.is_empty() { "it has none".to_owned() } else { format!("it has: {}", there_are.join(", ")) };
        return Err(Failure::new(Exit::NotFound, format!("the backup has no extension {name}")).hint(hint));
    }
    let ids: BTreeSet<i32> = names.iter().filter_map(|name| all.get(name).copied()).collect();
    let about = about(&head.contents, &ids);
    head.contents.retain(|entry| !ids.contains(&entry.dump_id) && !about.contains(&entry.dump_id));
    head.is_cut |= !ids.is_empty();
    Ok(head)
}

/// These entries, in this order, as a file for `pg_restore --use-list`, gone when dropped.
///
/// # Errors
/// Exit 1 when it can't be written.
pub(crate) fn list_of(ids: impl Iterator<Item = i32>) -> Result<tempfile::NamedTempFile, Failure> {
    let lines: String = ids.map(|id| format!("{id};\n")).collect();
    let written = tempfile::NamedTempFile::new().and_then(|mut file| file.write_all(lines.as_bytes()).map(|()| file));
    written.map_err(|e| Failure::new(Exit::Failed, format!("the list for pg_restore can't be written: {e}")))
}

/// `NAME` in any schema, or `SCHEMA.NAME`.
fn is_named(table: &str, schema: &str, name: &str) -> bool {
    table == name || table.strip_prefix(schema).and_then(|rest| rest.strip_prefix('.')) == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_labels_go_with_what_they_are_about() {
        let entry = |dump_id: i32, kind: &str| -> Entry {
            let names = serde_json::json!({ "schema": "", "name": "", "owner": "", "definition": null, "block": null });
            let mut entry = serde_json::json!({ "dump_id": dump_id, "kind": kind });
            entry.as_object_mut().unwrap().extend(names.as_object().unwrap().clone());
            serde_json::from_value(entry).unwrap()
        };
        let kinds = ["TABLE", "COMMENT", "ACL", "INDEX", "COMMENT", "SECURITY LABEL", "ACL", "INDEX", "COMMENT"];
        let contents: Vec<Entry> = (0..).zip(kinds).map(|(id, kind)| entry(id, kind)).collect();
        assert_eq!(about(&contents, &[3].into()), [4, 5].into());
        assert_eq!(about(&contents, &[0, 7].into()), [1, 8].into());
        assert!(about(&contents, &BTreeSet::new()).is_empty());
    }

    #[test]
    fn a_table_is_named_with_or_without_its_schema() {
        assert!(is_named("users", "public", "users") && is_named("public.users", "public", "users"));
        assert!(is_named("a.b.c", "a.b", "c") && is_named("odd.name", "public", "odd.name"));
        assert!(!is_named("other.users", "public", "users") && !is_named("publicusers", "public", "users"));
        assert!(Chosen::default().has("public", "users"));
    }
}
