//! Whether the restored objects get the owners and privileges that the archive names.

use std::collections::{BTreeMap, BTreeSet};

use ::archive::Entry;

use crate::commands::restore::facts::Facts;
use crate::commands::restore::owners;
use crate::commands::restore::plan::way::Way;

/// What of the archive's owners and privileges is left out, and why, in words. `None`: all are as in the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ownership {
    /// Everything belongs to the restoring role.
    pub(crate) without_owners: Option<String>,
    /// Nothing is granted or revoked.
    pub(crate) without_privileges: Option<String>,
}

impl Ownership {
    /// Owners and privileges are as in the archive.
    pub(crate) fn is_kept(&self) -> bool {
        *self == Self::default()
    }

    /// What will differ. `role`: who restores.
    pub(super) fn warnings(&self, role: &str) -> Vec<String> {
        match (&self.without_owners, &self.without_privileges) {
            (Some(owners), Some(privileges)) => {
                let why = if owners == privileges { owners.clone() } else { format!("{owners}; {privileges}") };
                vec![format!("owners and privileges are left out, and all will belong to {role}: {why}")]
            }
            (Some(why), None) => {
                vec![format!(
                    "owners are left out, and all will belong to {role}, with the privileges of the backup: {why}"
                )]
            }
            (None, Some(why)) => vec![format!("privileges are left out, and owners are kept: {why}")],
            (None, None) => Vec::new(),
        }
    }
}

/// Decides whether the archive's owners and privileges can be kept. Neither needs the other: what belongs to the restoring
/// role can be granted by it.
pub(super) fn decide(facts: &Facts, way: &Way) -> Ownership {
    let (owners, privileges) = (owners::named(&facts.head), &facts.head.named.in_privileges);
    let owners: BTreeSet<String> = owners.into_iter().map(str::to_owned).collect();
    let missing = |named: &BTreeSet<String>| named.iter().any(|name| !facts.roles.contains_key(name));
    let (of_owners, of_privileges) = (missing(&owners), missing(privileges));
    let union = [(of_owners, &owners), (of_privileges, privileges)].into_iter().filter(|(missing, _)| *missing);
    let all: BTreeSet<&str> = union.flat_map(|(_, names)| names).map(String::as_str).collect();
    let lacking: Vec<&str> = all.into_iter().filter(|name| !facts.roles.contains_key(*name)).collect();
    let lacking = format!("this server lacks the roles {}", lacking.join(", "));
    let modest = !facts.target.role.superuser;
    Ownership {
        without_owners: if of_owners {
            Some(lacking.clone())
        } else {
            modest.then(|| other_owners(facts, &owners).or_else(|| closed_schema(facts, way))).flatten()
        },
        without_privileges: if of_privileges {
            Some(lacking)
        } else {
            modest.then(|| others_privileges(facts)).flatten()
        },
    }
}

/// Roles whose rights the restoring one, which is no superuser, doesn't have.
fn others(facts: &Facts, names: &BTreeSet<String>) -> Option<String> {
    let others = names.iter().filter(|name| facts.roles.get(*name) != Some(&true));
    let others: Vec<&str> = others.map(String::as_str).collect();
    (!others.is_empty()).then(|| others.join(", "))
}

fn other_owners(facts: &Facts, owners: &BTreeSet<String>) -> Option<String> {
    let others = others(facts, owners)?;
    Some(format!("{} may not give anything to {others}", facts.target.role.name))
}

fn others_privileges(facts: &Facts) -> Option<String> {
    let (role, named) = (&facts.target.role.name, &facts.head.named);
    if let Some(others) = others(facts, &named.with_defaults) {
        return Some(format!("{role} may not set default privileges of {others}"));
    }
    let grantor = named.grantors.iter().find(|grantor| *grantor != role)?;
    Some(format!("some privileges were given by {grantor}, in whose name only a superuser can give them"))
}

/// An owner that may not create in the schema of its object: PostgreSQL gives it nothing there then.
fn closed_schema(facts: &Facts, way: &Way) -> Option<String> {
    let Facts { head, target, owners_rights: rights, .. } = facts;
    let schemas: BTreeMap<&str, &str> =
        head.entries("SCHEMA").map(|schema| (schema.name.as_str(), schema.owner.as_str())).collect();
    let in_place = matches!(way, Way::InPlace { .. });
    let may_create = |entry: &Entry| match schemas.get(entry.schema.as_str()).filter(|owner| !owner.is_empty()) {
        // What belongs to the restoring role is given to nobody.
        _ if entry.schema.is_empty() || entry.owner == target.role.name => true,
        Some(owner) => rights.has_those_of(&entry.owner, owner),
        None if entry.schema != "public" => true,
        None if in_place => rights.in_public.contains(&entry.owner),
        // Whoever owns the database has the rights of pg_database_owner, to which a new `public` belongs.
        None => !target.role.closes_public() || rights.has_those_of(&entry.owner, &facts.database_owner),
    };
    let closed = owners::owned(head).find(|entry| !may_create(entry))?;
    Some(format!("{} may not create in the schema {}, where {} is", closed.owner, closed.schema, closed.name))
}
