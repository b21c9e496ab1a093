//! Tables below others, whose columns a restore puts into their parents' order: where that changes what a value means, or may.

use std::collections::BTreeSet;

use ::archive::{Entry, Table};

use crate::commands::drill::both::Both;
use crate::commands::restore::head::Head;

/// Where in the definition of a table its parents begin.
const PARENTS: &str = "\nINHERITS (";

/// Child tables that were dumped as INSERTs. Without columns' names in them, nothing says in which order their values are.
pub(super) fn unnamed(head: &Head, tables: &[Table]) -> Vec<String> {
    let inserts: BTreeSet<(&str, &str)> = tables
        .iter()
        .filter(|table| table.census.rows.is_none() && table.census.bytes > 0)
        .map(|table| (table.census.schema.as_str(), table.census.name.as_str()))
        .collect();
    let children = head.entries("TABLE").filter(|entry| is_child(entry));
    let found = children.filter(|entry| inserts.contains(&(entry.schema.as_str(), entry.name.as_str())));
    found.map(|entry| format!("{}.{}", entry.schema, entry.name)).collect()
}

/// What is wrong with columns that have the row type of a table whose columns are in another order now, a sentence each.
pub(super) fn of_their_types(head: &Head, reordered: &[Both]) -> Vec<String> {
    let mut found = Vec::new();
    for table in reordered.iter().filter_map(|both| both.original.as_ref()) {
        let (schema, name) = (String::from_utf8_lossy(&table.schema), String::from_utf8_lossy(&table.name));
        for holder in head.entries("TABLE").filter(|entry| has_column_of(sql(entry), &schema, &name)) {
            found.push(format!(
                "table {}.{}: its values of the type {schema}.{name} have their fields in the old order, and the restored type has them in its \
                 parents' order",
                holder.schema, holder.name
            ));
        }
    }
    found
}

fn is_child(entry: &Entry) -> bool {
    sql(entry).contains(PARENTS)
}

fn sql(entry: &Entry) -> &str {
    entry.definition.as_deref().unwrap_or_default()
}

/// Whether a table that is made so has a column of this table's row type, or of an array of it.
fn has_column_of(definition: &str, schema: &str, name: &str) -> bool {
    // The first line has its own name, and behind the columns are its parents'.
    let columns = definition.split_once('\n').map_or("", |(_, columns)| columns);
    let columns = columns.split_once(PARENTS).map_or(columns, |(columns, _)| columns);
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let spelt = |name: &str| [name.to_owned(), quoted(name)];
    spelt(schema).iter().any(|schema| {
        spelt(name).iter().any(|name| {
            let column_type = format!(" {schema}.{name}");
            columns.match_indices(&column_type).any(|(at, _)| {
                let after = columns.get(at + column_type.len()..).unwrap_or_default();
                after.starts_with(['[', ',', '\n', ' '])
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_a_row_type_is_found_and_a_parent_is_none() {
        let has = |definition: &str| has_column_of(definition, "public", "Chi \"1\"");
        assert!(has("CREATE TABLE public.holder (\n    x public.\"Chi \"\"1\"\"\",\n    y integer\n);\n"));
        assert!(has("CREATE TABLE public.holder (\n    x public.\"Chi \"\"1\"\"\"[]\n);\n"));
        assert!(!has(
            "CREATE TABLE public.holder (\n    x public.other\n)\nINHERITS (public.a, public.\"Chi \"\"1\"\"\", public.b);\n"
        ));
        assert!(!has("CREATE TABLE public.\"Chi \"\"1\"\"\" (\n    x integer\n);\n"));
    }
}
