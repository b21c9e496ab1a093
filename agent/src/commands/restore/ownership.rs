//! Whether the restored objects get the owners and privileges that the archive names.

use std::collections::{BTreeMap, BTreeSet};

use postgres::database::live::Role;
use postgres::{Psql, PsqlError};
use serde::Deserialize;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::head::Head;

/// Who will own what is restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// Owners and privileges as in the archive.
    Kept,
    /// Everything belongs to the restoring role, and privileges are left out: why, in words.
    Dropped(String),
}

#[derive(Deserialize)]
struct Row {
    name: String,
    member: bool,
}

/// The server's roles, and whether the restoring one may act as each.
///
/// # Errors
/// [`PsqlError`].
pub(crate) fn roles(psql: &Psql) -> Result<BTreeMap<String, bool>, PsqlError> {
    let rows: Vec<Row> = psql.rows("SELECT rolname AS name, pg_has_role(oid, 'MEMBER') AS member FROM pg_roles")?;
    Ok(rows.into_iter().map(|row| (row.name, row.member)).collect())
}

/// Decides.
///
/// # Errors
/// Exit 1 when a role is missing without which the restore can't work at all.
pub(crate) fn decide(head: &Head, role: &Role, roles: &BTreeMap<String, bool>) -> Result<Ownership, Failure> {
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
