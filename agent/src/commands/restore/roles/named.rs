//! The roles that a backup names, whatever for.

use std::collections::BTreeSet;

use postgres::words::origin;
use postgres::words::roles::of_privileges;

use crate::commands::restore::head::Head;
use crate::commands::restore::owners;

/// Owners, whoever has or gave privileges, and the roles of policies, user mappings and settings.
pub(crate) fn by(head: &Head) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = owners::named(head).into_iter().map(str::to_owned).collect();
    names.extend(head.database_owner().cloned());
    names.extend(head.roles_in_definitions.iter().cloned());
    let kinds = ["ACL", "DEFAULT ACL"];
    let privileges = head.contents.iter().filter(|entry| kinds.contains(&entry.kind.as_str()));
    let privileges = privileges.filter_map(|entry| entry.definition.as_deref());
    let of_large_objects = head.large_objects.iter().filter(|entry| entry.oid.is_none()).map(|entry| &*entry.about);
    for statements in privileges.chain(of_large_objects) {
        names.extend(of_privileges(statements).into_iter().flat_map(|(_, named)| named.all));
    }
    names.extend(origin::roles_with_settings(head.definition("DATABASE PROPERTIES").unwrap_or_default()));
    names
}
