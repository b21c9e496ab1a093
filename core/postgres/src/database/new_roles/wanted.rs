//! Which roles are to be made.

use std::collections::BTreeSet;

use super::naming::{PREDEFINED, can_be_made};
use crate::words::globals::{Globals, Membership};

/// What is wanted of the globals.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The roles that are to be there.
    pub names: BTreeSet<String>,
    /// The roles that are there.
    pub existing: &'a BTreeSet<String>,
    /// All that the other server had comes back, for this one has nothing.
    pub everything: bool,
}

/// The roles to be made: those that are wanted, all that they are members of, and all members that they have.
pub(super) fn with_their_own(globals: &Globals, wanted: &Wanted<'_>) -> BTreeSet<String> {
    let mut linked: BTreeSet<&str> =
        wanted.names.iter().map(String::as_str).filter(|name| !name.starts_with(PREDEFINED)).collect();
    if wanted.everything {
        linked.extend(globals.roles.keys().map(String::as_str));
    }
    let mut known = 0;
    while known < linked.len() {
        known = linked.len();
        for Membership { role, member, .. } in &globals.memberships {
            // Who is there already doesn't bring others along.
            let brings = |name: &str| linked.contains(name) && !wanted.existing.contains(name);
            match (brings(role), brings(member)) {
                (true, false) => drop(linked.insert(member)),
                (false, true) if !role.starts_with(PREDEFINED) => drop(linked.insert(role)),
                _ => {}
            }
        }
    }
    let missing = linked.into_iter().filter(|name| !wanted.existing.contains(*name) && can_be_made(name));
    missing.map(str::to_owned).collect()
}
