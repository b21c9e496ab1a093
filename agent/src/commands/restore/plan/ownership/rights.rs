//! What both owners and privileges are decided by.

use postgres::database::new_roles::can_be_made;

use crate::commands::restore::facts::Facts;

/// How many names a warning spells out.
pub(super) const NAMED: usize = 5;
/// Whoever owns the database has the rights of this role in it, and no other role can be its member.
pub(super) const OF_DATABASE: &str = "pg_database_owner";

/// Whether the restoring role has a role's rights, and may give something to it.
pub(super) fn is_ours(facts: &Facts, name: &str) -> bool {
    let owner = &facts.database_owner;
    match name {
        _ if facts.target.role.superuser => true,
        OF_DATABASE => *owner == facts.target.role.name || facts.roles.get(owner) == Some(&true),
        _ => facts.roles.get(name) == Some(&true),
    }
}

/// Roles that the server does not have, in words.
pub(super) fn lacking(roles: &[String]) -> String {
    let (noun, them) = if roles.len() == 1 { ("role", "it") } else { ("roles", "them") };
    let is_makeable = roles.iter().any(|name| can_be_made(name));
    let remedy = if is_makeable { format!(" (--create-roles makes {them})") } else { String::new() };
    format!("this server lacks the {noun} {}{remedy}", roles.join(", "))
}
