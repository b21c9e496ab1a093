//! Which of the archive's privileges can be given: statement by statement. A statement that takes something away stays wherever
//! it can, so that nothing becomes open that was closed.

use std::collections::BTreeSet;

use ::archive::Place;
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
    statements: usize,
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
            privileges.keep(facts, sql, (&entry.name, entry.places.definition));
        }
        for entry in facts.head.large_objects.iter().filter(|entry| entry.oid.is_none()) {
            privileges.keep_or_drop(facts, &entry.about, entry.place);
        }
        privileges
    }

    /// Keeps those statements of an entry that can be executed.
    fn keep(&mut self, facts: &Facts, sql: &str, (object, place): (&str, Place)) {
        let statements = of_privileges(sql);
        let before = self.statements;
        let kept: String = statements
            .iter()
            .filter(|(_, named)| !self.refuses(facts, named))
            .map(|(statement, _)| *statement)
            .collect();
        if self.statements > before {
            self.objects.insert(object.to_owned());
            let text = if kept.contains(UNREADABLE) { String::new() } else { kept };
            self.edits.push(Edit { place, text });
        }
    }

    /// An entry of one large object, whose text isn't all kept.
    fn keep_or_drop(&mut self, facts: &Facts, sql: &str, place: Place) {
        let statements = of_privileges(sql);
        if statements.iter().filter(|(_, named)| self.refuses(facts, named)).count() > 0 {
            self.objects.insert("large objects".to_owned());
            self.edits.push(Edit { place, text: String::new() });
        }
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
        self.statements += usize::from(is_refused);
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
