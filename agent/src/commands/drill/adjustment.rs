//! What a restore has left out on purpose, and has said so: owners that the role may not give. The copy is compared without them as
//! well.

use std::collections::HashSet;

use ::archive::Described;

use crate::commands::restore::job::Job;
use crate::commands::restore::owners;

/// How the copy's entries are looked at.
#[derive(Debug, Default)]
pub(super) struct Adjustment {
    /// Kind, schema and name of what was not given to its owner.
    ownerless: HashSet<(String, String, String)>,
    /// Large objects were not all given to their owners.
    pub(super) has_ownerless_large_objects: bool,
}

impl Adjustment {
    pub(super) fn of(job: &Job) -> Self {
        let (head, edits) = (&job.facts.head, &job.plan.edits);
        let left_out = owners::owned(head).filter(|entry| edits.replace(entry.places.owner));
        let single = head.large_objects.iter().any(|entry| edits.replace(entry.place));
        let ownerless: HashSet<_> =
            left_out.map(|entry| (entry.kind.clone(), entry.schema.clone(), entry.name.clone())).collect();
        Self {
            has_ownerless_large_objects: single || ownerless.iter().any(|(kind, ..)| kind.starts_with("BLOB")),
            ownerless,
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
}
