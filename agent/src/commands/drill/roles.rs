//! The roles that an archive names, made on a private server: so owners and privileges are restored and compared there as well. Nobody
//! can log in as one of them.

use std::collections::BTreeSet;

use postgres::Psql;
use postgres::quote::{identifier, literal};
use postgres::words::origin;
use postgres::words::roles::of_privileges;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::head::Head;
use crate::commands::restore::owners;

/// Makes them.
///
/// # Errors
/// Exit 1 when the server refuses.
pub(super) fn make(psql: &Psql, head: &Head) -> Result<(), Failure> {
    let statements: String = named(head).iter().map(|name| creation(name)).collect();
    let made = psql.script(&format!("SET client_min_messages = error;\n{statements}"));
    made.map(drop)
        .map_err(|e| Failure::new(Exit::Failed, format!("cannot make the backup's roles on the temporary server: {e}")))
}

/// Every role that the archive names.
fn named(head: &Head) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = owners::named(head).into_iter().map(str::to_owned).collect();
    names.extend(head.database_owner().cloned());
    names.extend(head.roles_in_definitions.iter().cloned());
    let privileges = head.contents.iter().filter(|entry| ["ACL", "DEFAULT ACL"].contains(&entry.kind.as_str()));
    let large_objects = head.large_objects.iter().filter(|entry| entry.oid.is_none()).map(|entry| &*entry.about);
    let texts = privileges.filter_map(|entry| entry.definition.as_deref()).chain(large_objects);
    names.extend(texts.flat_map(of_privileges).flat_map(|(_, named)| named.all));
    names.extend(origin::roles_with_settings(head.definition("DATABASE PROPERTIES").unwrap_or_default()));
    names
}

/// One that is there, as PostgreSQL's own are, stays.
fn creation(name: &str) -> String {
    format!(
        "SELECT {} WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {}) \\gexec\n",
        literal(&format!("CREATE ROLE {} NOLOGIN", identifier(name))),
        literal(name)
    )
}
