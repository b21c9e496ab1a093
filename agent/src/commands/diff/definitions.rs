//! Definitions that differ, as readable lines. What may hold a password is only named.

use ::archive::{Described, differences, owner, shown};
use serde::Serialize;

use crate::commands::diff::lines;

/// Kinds whose definitions hold how to get into another server.
const SECRET: [&str; 3] = ["USER MAPPING", "SUBSCRIPTION", "SERVER"];
/// Kinds that say which rows there are: the censuses are compared for that.
const ROWS: [&str; 3] = ["TABLE DATA", "BLOBS", "MATERIALIZED VIEW DATA"];

/// An entry of each archive, or of one of them.
pub(super) type Both = (Option<Described>, Option<Described>);

/// A definition that isn't the same, or that one backup alone has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Definition {
    /// `table public.users`
    pub(super) name: String,
    pub(super) change: Change,
    /// `- ` before a line that only the first backup has, `+ ` before one that only the second has.
    pub(super) lines: Vec<String>,
    /// What else differs, a sentence each: its owner, its tablespace.
    pub(super) remarks: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Change {
    Added,
    Removed,
    Changed,
}

/// A sequence whose value isn't the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Sequence {
    /// `public.users_id_seq`
    pub(super) name: String,
    /// Null where the backup hasn't it.
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// The sequence that these entries set.
pub(super) fn sequence((first, second): &Both) -> Option<Sequence> {
    let entry = first.as_ref().or(second.as_ref()).filter(|entry| entry.kind == "SEQUENCE SET")?;
    let name = shown(entry).trim_start_matches("sequence ").to_owned();
    let [before, after] = [first, second].map(|entry| entry.as_ref().and_then(value));
    Some(Sequence { name, before, after })
}

/// `SELECT pg_catalog.setval('public.s', 41, true);`
fn value(entry: &Described) -> Option<String> {
    let definition = text(&entry.definition);
    let (_, arguments) = definition.trim().rsplit_once("', ")?;
    let (value, is_called) = arguments.trim_end_matches([';', ')']).split_once(", ")?;
    Some(if is_called == "true" { value.to_owned() } else { format!("{value} (not used yet)") })
}

/// How these entries differ; nothing, where that is told elsewhere.
pub(super) fn definition((first, second): &Both) -> Option<Definition> {
    let entry = first.as_ref().or(second.as_ref()).filter(|entry| !ROWS.contains(&entry.kind.as_str()))?;
    let change = match (first, second) {
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
        _ => Change::Changed,
    };
    let is_hidden = SECRET.contains(&entry.kind.as_str());
    let [old, new] =
        [first, second].map(|entry| entry.as_ref().map_or_else(String::new, |entry| text(&entry.definition)));
    let lines = if is_hidden { Vec::new() } else { lines::differing(old.trim(), new.trim()) };
    let mut remarks = match (first, second) {
        (Some(first), Some(second)) => beside_the_definition(first, second),
        _ => Vec::new(),
    };
    let is_cut = [first, second].into_iter().flatten().any(|entry| entry.is_cut);
    let is_silent = change == Change::Changed && lines.is_empty() && remarks.is_empty();
    if is_hidden && old != new && change == Change::Changed {
        remarks.push("its definition differs, and is not shown: it may hold a password".to_owned());
    } else if is_cut {
        remarks.push("its definition is too long to be shown".to_owned());
    } else if is_silent {
        remarks.push("it differs in how it would be dropped, or in its spaces".to_owned());
    }
    Some(Definition { name: shown(entry), change, lines, remarks })
}

/// In which other respects two entries differ.
fn beside_the_definition(first: &Described, second: &Described) -> Vec<String> {
    let silent = |entry: &Described| Described {
        dump_id: 0,
        owner: owner(entry).to_vec(),
        definition: Vec::new(),
        drop_statement: Vec::new(),
        copy_statement: Vec::new(),
        has_data: false,
        is_cut: false,
        ..entry.clone()
    };
    // Whose the privileges of a table are is told by the table's own entry.
    let (first, second) = (silent(first), silent(second));
    if first == second { Vec::new() } else { differences(&first, &second) }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, name: &str, definition: &str) -> Option<Described> {
        Some(Described {
            kind: kind.into(),
            schema: b"public".to_vec(),
            name: name.into(),
            definition: definition.into(),
            owner: b"app".to_vec(),
            ..Described::default()
        })
    }

    #[test]
    fn a_change_is_shown_as_lines_and_an_owner_as_a_sentence() {
        let old = entry("TABLE", "t", "CREATE TABLE public.t (\n    a integer\n);\n");
        let mut new = entry("TABLE", "t", "CREATE TABLE public.t (\n    a bigint\n);\n");
        new.as_mut().unwrap().owner = b"root".to_vec();
        let found = definition(&(old.clone(), new)).unwrap();
        assert_eq!((found.name.as_str(), found.change), ("table public.t", Change::Changed));
        assert_eq!(found.lines, ["-     a integer", "+     a bigint"]);
        assert_eq!(found.remarks, ["table public.t belongs to root instead of app"]);
        assert_eq!(definition(&(old, None)).unwrap().change, Change::Removed);
    }

    #[test]
    fn another_owner_of_a_table_is_no_other_privilege() {
        let acl = |owner: &str, definition: &str| {
            let entry = entry("ACL", "TABLE t", definition);
            entry.map(|entry| Described { owner: owner.into(), ..entry })
        };
        let found = definition(&(acl("app", "GRANT SELECT ON t TO a;"), acl("root", "GRANT ALL ON t TO a;"))).unwrap();
        assert_eq!((found.lines.len(), found.remarks), (2, Vec::new()));
    }

    #[test]
    fn what_may_hold_a_password_is_only_named() {
        let mapping = |word: &str| {
            entry("USER MAPPING", "USER MAPPING app SERVER s", &format!("CREATE USER MAPPING … password '{word}'"))
        };
        for both in [(mapping("one"), mapping("two")), (None, mapping("two")), (mapping("one"), None)] {
            let said = format!("{:?}", definition(&both).unwrap());
            assert!(!said.contains("one") && !said.contains("two"), "{said}");
        }
    }

    #[test]
    fn a_sequence_has_values_and_rows_are_told_elsewhere() {
        let set =
            |value: &str| entry("SEQUENCE SET", "s", &format!("SELECT pg_catalog.setval('public.s', {value});\n"));
        let found = sequence(&(set("42, true"), set("7, false"))).unwrap();
        assert_eq!(
            (found.name.as_str(), found.before.as_deref(), found.after.as_deref()),
            ("public.s", Some("42"), Some("7 (not used yet)"))
        );
        assert_eq!(definition(&(entry("TABLE DATA", "t", ""), None)), None);
    }
}
