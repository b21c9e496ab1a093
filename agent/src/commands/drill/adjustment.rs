//! What a restore has left out on purpose, and has said so: owners that the role may not give. The copy is compared without them as
//! well.

use std::collections::{BTreeSet, HashMap, HashSet};

use ::archive::Described;
use postgres::words::roles::of_privileges;

use crate::commands::drill::both::Both;
use crate::commands::restore::job::Job;
use crate::commands::restore::owners;

/// How the copy's entries are looked at.
#[derive(Debug, Default)]
pub(super) struct Adjustment {
    /// Kind, schema and name of what was not given to its owner.
    ownerless: HashSet<(String, String, String)>,
    /// Whose they are in the archive, by schema and name, and to whom they belong now: an owner's privileges go with the object.
    owners: HashMap<(String, String), BTreeSet<String>>,
    /// Large objects were not all given to their owners.
    pub(super) has_ownerless_large_objects: bool,
}

impl Adjustment {
    pub(super) fn of(job: &Job) -> Self {
        let (head, edits) = (&job.facts.head, &job.plan.edits);
        let left_out: Vec<_> = owners::owned(head).filter(|entry| edits.replace(entry.places.owner)).collect();
        let mut belonged: HashMap<_, BTreeSet<String>> = HashMap::new();
        for entry in &left_out {
            let named = belonged.entry((entry.schema.clone(), entry.name.clone())).or_default();
            named.extend([entry.owner.clone(), job.facts.target.role.name.clone()]);
        }
        let single = head.large_objects.iter().any(|entry| edits.replace(entry.place));
        let ownerless: HashSet<_> =
            left_out.iter().map(|entry| (entry.kind.clone(), entry.schema.clone(), entry.name.clone())).collect();
        Self {
            has_ownerless_large_objects: single || ownerless.iter().any(|(kind, ..)| kind.starts_with("BLOB")),
            ownerless,
            owners: belonged,
        }
    }

    /// An entry of the copy, without what was left out.
    pub(super) fn of_copy(&self, mut entry: Described) -> Described {
        if !self.ownerless.is_empty() {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let key = (entry.kind.clone(), text(&entry.schema), text(&entry.name));
            if self.ownerless.contains(&key) {
                entry.owner.clear();
            }
        }
        entry
    }

    /// Takes the privileges of owners out of what can't be compared: what is left of each pair, and a sentence for each out of which something
    /// was taken.
    pub(super) fn without_owners_privileges(&self, pairs: Vec<Both>) -> (Vec<Both>, Vec<String>) {
        let mut about = Vec::new();
        let left =
            pairs.into_iter().filter_map(|both| {
                let Some(owners) = self.owners_of(&both) else { return Some(both) };
                let without = |entry: Option<Described>| entry.map(|entry| without(entry, owners));
                let trimmed = Both { original: without(both.original.clone()), copy: without(both.copy.clone()) };
                if (&trimmed.original, &trimmed.copy) == (&both.original, &both.copy) {
                    return Some(both);
                }
                let names: Vec<&str> = owners.iter().map(String::as_str).collect();
                about.extend(both.shown().map(|shown| {
                    format!("{shown} that name {}: it could not be given to its owner", names.join(" or "))
                }));
                (said(trimmed.original.as_ref()) != said(trimmed.copy.as_ref())).then_some(trimmed)
            });
        let left = left.collect();
        (left, about)
    }

    /// The owners that privileges are of, where the object could not be given to the archive's.
    fn owners_of(&self, both: &Both) -> Option<&BTreeSet<String>> {
        let entry = both.original.as_ref().or(both.copy.as_ref()).filter(|entry| entry.kind == "ACL")?;
        let (schema, name) = (String::from_utf8_lossy(&entry.schema), String::from_utf8_lossy(&entry.name));
        let (kind, rest) = name.split_once(' ')?;
        let about = ["FOREIGN SERVER ", "FOREIGN DATA WRAPPER "].iter().find_map(|kind| name.strip_prefix(kind));
        let of = |name: &str| self.owners.get(&(schema.clone().into_owned(), name.to_owned()));
        of(about.unwrap_or(rest)).or_else(|| {
            let dots = rest.match_indices('.').filter(|_| kind == "COLUMN");
            dots.filter_map(|(at, _)| of(rest.get(..at)?)).next()
        })
    }
}

/// Privileges without the statements that name one of these roles.
fn without(mut entry: Described, roles: &BTreeSet<String>) -> Described {
    let text = String::from_utf8_lossy(&entry.definition).into_owned();
    let statements = of_privileges(&text);
    let kept = statements.iter().filter(|(_, named)| named.all.is_disjoint(roles)).map(|(statement, _)| *statement);
    entry.definition = kept.collect::<String>().into_bytes();
    entry
}

/// The statements, in any order.
fn said(entry: Option<&Described>) -> BTreeSet<&[u8]> {
    let lines = entry.into_iter().flat_map(|entry| entry.definition.split(|byte| *byte == b'\n'));
    lines.filter(|line| !line.is_empty()).collect()
}
