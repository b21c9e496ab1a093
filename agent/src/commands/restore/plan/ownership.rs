//! Whether the restored objects get the owners and privileges that the archive names.

use std::collections::BTreeSet;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::facts::Facts;

/// Who will own what is restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// Owners and privileges as in the archive.
    Kept,
    /// Everything belongs to the restoring role, and privileges are left out: why, in words.
    Dropped(String),
}

/// Decides whether the archive's owners and privileges can be kept.
///
/// # Errors
/// Exit 1 when a role is missing without which the restore can't work at all.
pub(super) fn decide(facts: &Facts) -> Result<Ownership, Failure> {
    let Facts { head, roles, .. } = facts;
    let role = &facts.target.role;
    let missing_of = |named: &BTreeSet<String>| -> Vec<String> {
        named.iter().filter(|name| !roles.contains_key(*name)).cloned().collect()
    };
    let needed = missing_of(&head.named.in_definitions);
    if let Some(first) = needed.first() {
        let error =
            format!("the backup's policies or user mappings name roles that this server lacks: {}", needed.join(", "));
        return Err(
            Failure::new(Exit::Failed, error).hint(format!("create them first, such as: CREATE ROLE \"{first}\""))
        );
    }
    let owners: BTreeSet<String> =
        head.contents.iter().map(|entry| entry.owner.clone()).filter(|owner| !owner.is_empty()).collect();
    let missing = missing_of(&owners.union(&head.named.in_privileges).cloned().collect());
    if !missing.is_empty() {
        return Ok(Ownership::Dropped(format!("this server lacks the roles {}", missing.join(", "))));
    }
    let others: Vec<&str> =
        owners.iter().filter(|owner| roles.get(*owner) == Some(&false)).map(String::as_str).collect();
    if !role.superuser && !others.is_empty() {
        return Ok(Ownership::Dropped(format!("{} may not give anything to {}", role.name, others.join(", "))));
    }
    Ok(Ownership::Kept)
}
