//! Which of the archive's privileges can be given: statement by statement. A statement that takes something away stays wherever
//! it can, so that nothing becomes open that was closed.

use std::collections::BTreeSet;

use catalog::words;
use postgres::words::roles::{Named, of_privileges};

use crate::commands::restore::edits::Edit;
use crate::commands::restore::facts::Facts;
use crate::commands::restore::plan::ownership::rights::{NAMED, is_ours, lacking};

/// What stands for a byte that is not UTF-8: such a text can't be written again.
const UNREADABLE: char = '\u{FFFD}';

/// What is left out of them.
#[derive(Default)]
pub(super) struct Privileges {
    pub(super) edits: Vec<Edit>,
    /// About what, and why.
    objects: BTreeSet<String>,
    reasons: BTreeSet<String>,
    missing: BTreeSet<String>,
}

impl Privileges {
    /// Looks at every statement of the archive's entries with privileges.
    pub(super) fn of(facts: &Facts) -> Self {
        let mut privileges = Self::default();
        let kinds = ["ACL", "DEFAULT ACL"];
        let entries = facts.head.contents.iter().filter(|entry| kinds.contains(&entry.kind.as_str()));
        // The database's own are given to it by other means.
        for entry in entries.filter(|entry| !entry.name.starts_with("DATABASE ")) {
            let sql = entry.definition.as_deref().unwrap_or_default();
            if let Some(kept) = privileges.without_refused(facts, sql) {
                privileges.objects.insert(entry.name.clone());
                let text = if kept.contains(UNREADABLE) { String::new() } else { kept };
                privileges.edits.push(Edit { place: entry.places.definition, text });
            }
        }
        // Of a large object's own entry not all of the text is kept: it goes as a whole.
        for entry in facts.head.large_objects.iter().filter(|entry| entry.oid.is_none()) {
            if privileges.without_refused(facts, &entry.about).is_some() {
                privileges.objects.insert("large objects".to_owned());
                privileges.edits.push(Edit { place: entry.place, text: String::new() });
            }
        }
        privileges
    }

    /// The statements of an entry that can be executed; `None`: all of them can.
    fn without_refused(&mut self, facts: &Facts, sql: &str) -> Option<String> {
        let statements = of_privileges(sql);
        let kept: Vec<&str> =
            statements.iter().filter(|(_, named)| !self.refuses(facts, named)).map(|(sql, _)| *sql).collect();
        (kept.len() < statements.len()).then(|| kept.concat())
    }

    fn refuses(&mut self, facts: &Facts, named: &Named) -> bool {
        let role = &facts.target.role;
        let missing: Vec<&String> = named.all.iter().filter(|name| !facts.roles.contains_key(*name)).collect();
        let defaults = named.with_defaults.iter().find(|name| !is_ours(facts, name));
        let grantor = named.grantors.iter().find(|grantor| !role.superuser && **grantor != role.name);
        let is_refused = !missing.is_empty() || defaults.is_some() || grantor.is_some();
        if !missing.is_empty() {
            self.missing.extend(missing.into_iter().cloned());
        } else if let Some(owner) = defaults {
            self.reasons.insert(format!("{} may not set default privileges of {owner}", role.name));
        } else if let Some(grantor) = grantor {
            self.reasons.insert(format!("{grantor} gave some, in whose name only a superuser can give them"));
        }
        is_refused
    }

    /// What is left out, in words.
    pub(super) fn warning(&self) -> Option<String> {
        let missing: Vec<String> = self.missing.iter().cloned().collect();
        let missing = (!missing.is_empty()).then(|| lacking(&missing));
        let why: Vec<String> = missing.into_iter().chain(self.reasons.iter().cloned()).collect();
        let objects: Vec<&String> = self.objects.iter().collect();
        let shown = words::first_of(&objects, NAMED, ", ");
        (!objects.is_empty()).then(|| format!("some privileges are left out: {}: {shown}", why.join("; ")))
    }
}
