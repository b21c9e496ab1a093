//! What the two archives say of the database itself. The copy has another name, and the mark of a drill behind its comment; so its statements
//! are taken apart, and compared as they would be said of one database.

use std::collections::BTreeSet;

use ::archive::Described;
use postgres::database::properties::makes_template;
use postgres::database::scratch;
use postgres::words::origin;
use postgres::words::roles::of_privileges;

use crate::commands::drill::finding::Finding;
use crate::commands::restore::facts::Facts;

/// The name under which both are compared.
const NAME: &str = "database";

/// Compares the entries about the database.
pub(super) fn compare(facts: &Facts, (original, copy): &(Vec<Described>, Vec<Described>), finding: &mut Finding) {
    if text(original, "DATABASE").is_none() {
        finding
            .uncompared
            .push("the database's own settings, owner and privileges: the backup does not contain them".to_owned());
        return;
    }
    let before = finding.differences.len();
    creation(facts, original, copy, finding);
    settings(facts, original, copy, finding);
    privileges(facts, original, copy, finding);
    let comment = |entries| text(entries, "COMMENT").as_deref().and_then(origin::comment);
    let ours = comment(copy);
    if comment(original).as_deref() != ours.as_deref().and_then(scratch::unmarked) {
        finding.differences.push("comment on the database differs".to_owned());
    }
    if text(original, "SECURITY LABEL").is_some() {
        finding.uncompared.push("the database's security label: it is not restored into a scratch database".to_owned());
    }
    if finding.differences.len() == before {
        finding.compared.definitions += original.len() as u64;
    }
}

fn creation(facts: &Facts, original: &[Described], copy: &[Described], finding: &mut Finding) {
    let definition = |entries| text(entries, "DATABASE").unwrap_or_default();
    let (a, b) = (definition(original), definition(copy));
    if origin::creation_options(&a) != origin::creation_options(&b) {
        finding.differences.push(format!(
            "the database has {} instead of {}",
            origin::creation_options(&b),
            origin::creation_options(&a)
        ));
    }
    let tablespace = origin::tablespace(&a);
    let is_offered = tablespace.as_ref().is_none_or(|name| facts.offers.tablespaces.contains(name));
    if is_offered && tablespace != origin::tablespace(&b) {
        finding.differences.push("the database is in another tablespace".to_owned());
    }
    let owner = |entries: &[Described]| {
        entries.iter().find(|entry| entry.kind == "DATABASE").map(|entry| entry.owner.clone()).unwrap_or_default()
    };
    let (expected, found) = (owner(original), owner(copy));
    if expected == facts.database_owner.as_bytes() && expected != found {
        finding.differences.push(format!(
            "the database belongs to {} instead of {}",
            String::from_utf8_lossy(&found),
            facts.database_owner
        ));
    }
}

fn settings(facts: &Facts, original: &[Described], copy: &[Described], finding: &mut Finding) {
    let statements = |entries| -> BTreeSet<String> {
        let definition = text(entries, "DATABASE PROPERTIES").unwrap_or_default();
        origin::settings(&definition, NAME).into_iter().flatten().collect()
    };
    let (a, b) = (statements(original), statements(copy));
    for statement in a.difference(&b) {
        if makes_template(statement) {
            finding.uncompared.push("that the database is a template: a scratch database is none".to_owned());
        } else if is_refused(facts, statement) {
            finding.uncompared.push(format!("{}: {} may not set it", name(statement), facts.target.role.name));
        } else {
            finding.differences.push(format!("{} differs or is missing", name(statement)));
        }
    }
    let named: BTreeSet<String> = a.iter().map(|statement| name(statement)).collect();
    let new = b.difference(&a).map(|statement| name(statement)).filter(|name| !named.contains(name));
    finding.differences.extend(new.map(|name| format!("{name} is new")));
}

/// What the restore has said it leaves out: settings of superusers, and those of other roles.
fn is_refused(facts: &Facts, statement: &str) -> bool {
    let of_role = statement.starts_with("ALTER ROLE ");
    let refused = facts.refused_settings.iter().any(|setting| name(statement).ends_with(&format!(" {setting}")));
    refused || of_role && !facts.target.role.superuser
}

/// Without its value, which may be a secret: `the database's setting work_mem`.
fn name(statement: &str) -> String {
    let (of, rest) = statement.split_once(" SET ").unwrap_or(("", statement));
    let setting = rest.split(" TO ").next().unwrap_or(rest).replace('"', "");
    match of.strip_prefix("ALTER ROLE ").and_then(|role| role.split(" IN DATABASE ").next()) {
        Some(role) => format!("setting of the role {role} in the database {setting}"),
        None if of.is_empty() => "the database's connection limit".to_owned(),
        None => format!("the database's setting {setting}"),
    }
}

fn privileges(facts: &Facts, original: &[Described], copy: &[Described], finding: &mut Finding) {
    let statements = |entries| -> BTreeSet<String> {
        origin::privileges(&text(entries, "ACL").unwrap_or_default(), NAME).into_iter().flatten().collect()
    };
    let (a, b) = (statements(original), statements(copy));
    let names_missing = |statement: &str| {
        of_privileges(statement).iter().any(|(_, named)| named.all.iter().any(|role| !facts.roles.contains_key(role)))
    };
    for statement in a.symmetric_difference(&b) {
        if names_missing(statement) {
            finding.uncompared.push("privileges on the database of roles that the server lacks".to_owned());
        } else {
            let side = if a.contains(statement) { "without" } else { "with" };
            finding.differences.push(format!("privileges on the database: {side} {statement}"));
        }
    }
}

/// The SQL of the entry of this kind.
fn text(entries: &[Described], kind: &str) -> Option<String> {
    let entry = entries.iter().find(|entry| entry.kind == kind)?;
    Some(String::from_utf8_lossy(&entry.definition).into_owned())
}
