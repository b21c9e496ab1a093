//! Which of the archive's privileges can be given: statement by statement. A statement that takes something away stays wherever
//! it can, so that nothing becomes open that was closed; where it can't, the plan says so.

use std::collections::BTreeSet;

use ::archive::Entry;
use catalog::words;
use postgres::words::granted::revokes;
use postgres::words::roles::{Named, of_privileges};

use crate::commands::restore::edits::Edit;
use crate::commands::restore::facts::Facts;
use crate::commands::restore::plan::ownership::made::Made;
use crate::commands::restore::plan::ownership::rights::{NAMED, is_ours, lacking};
use crate::commands::restore::plan::way::Way;

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
    /// About what something can't be revoked.
    unrevoked: BTreeSet<String>,
}

impl Privileges {
    /// Looks at every statement of the archive's entries with privileges.
    pub(super) fn of(facts: &Facts, way: &Way) -> Self {
        let (mut privileges, made) = (Self::default(), Made::of(facts, way));
        let kinds = ["ACL", "DEFAULT ACL"];
        let entries = facts.head.contents.iter().filter(|entry| kinds.contains(&entry.kind.as_str()));
        // The database's own are given to it by other means.
        for entry in entries.filter(|entry| !entry.name.starts_with("DATABASE ")) {
            let sql = entry.definition.as_deref().unwrap_or_default();
            if let Some(kept) = privileges.without_refused(facts, sql, Some((&made, entry))) {
                privileges.objects.insert(entry.name.clone());
                let text = if kept.contains(UNREADABLE) { String::new() } else { kept };
                privileges.edits.push(Edit { place: entry.places.definition, text });
            }
        }
        // Of a large object's own entry not all of the text is kept: it goes as a whole.
        for entry in facts.head.large_objects.iter().filter(|entry| entry.oid.is_none()) {
            if privileges.without_refused(facts, &entry.about, None).is_some() {
                privileges.objects.insert("large objects".to_owned());
                privileges.edits.push(Edit { place: entry.place, text: String::new() });
            }
        }
        privileges
    }

    /// The statements of an entry that can be executed; `None`: all of them can. `about`: the entry, unless the role makes what it is about.
    fn without_refused(&mut self, facts: &Facts, sql: &str, about: Option<(&Made<'_>, &Entry)>) -> Option<String> {
        let statements = of_privileges(sql);
        let mut kept = String::new();
        for (statement, named) in &statements {
            if self.refuses(facts, named) {
                continue;
            }
            if about.is_some_and(|(made, entry)| made.is_lost(entry, statement)) {
                self.reasons.insert("the backup does not make what they are about (--without-extension)".to_owned());
                continue;
            }
            match about.filter(|(made, entry)| !self.can_be_given(facts, named, !made.is_ours(entry, statement))) {
                None => kept.push_str(statement),
                Some((_, entry)) if revokes(statement) => drop(self.unrevoked.insert(entry.name.clone())),
                Some(_) => {}
            }
        }
        (kept.len() < statements.iter().map(|(statement, _)| statement.len()).sum()).then_some(kept)
    }

    /// Neither lacks the server a role, nor was it given in another's name.
    fn refuses(&mut self, facts: &Facts, named: &Named) -> bool {
        let role = &facts.target.role;
        let missing: Vec<&String> = named.all.iter().filter(|name| !facts.roles.contains_key(*name)).collect();
        let grantor = named.grantors.iter().find(|grantor| !role.superuser && **grantor != role.name);
        let is_refused = !missing.is_empty() || grantor.is_some();
        if !missing.is_empty() {
            self.missing.extend(missing.into_iter().cloned());
        } else if let Some(grantor) = grantor {
            self.reasons.insert(format!("{grantor} gave some, in whose name only a superuser can give them"));
        }
        is_refused
    }

    /// Whether the role may: what it can't revoke is open.
    fn can_be_given(&mut self, facts: &Facts, named: &Named, is_of_others: bool) -> bool {
        let role = &facts.target.role.name;
        if let Some(owner) = named.with_defaults.iter().find(|name| !is_ours(facts, name)) {
            self.reasons.insert(format!("{role} may not set default privileges of {owner}"));
            return false;
        }
        if is_of_others {
            self.reasons.insert(format!("{role} may change none on what the server or an extension brings"));
        }
        !is_of_others
    }

    /// What becomes more open than it was, in words.
    pub(super) fn opening(&self, way: &Way) -> Option<String> {
        let objects: Vec<&String> = self.unrevoked.iter().collect();
        let shown = words::first_of(&objects, NAMED, ", ");
        let fate = match way {
            Way::InPlace { .. } => "stays as it is now, open or not,",
            Way::Swap { .. } | Way::Rows => "will be open again,",
        };
        (!objects.is_empty()).then(|| format!("what was revoked on these {fate} unless a superuser restores: {shown}"))
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
