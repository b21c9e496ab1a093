//! The roles that an archive names, made on a private server: so owners and privileges are restored and compared there as well. Nobody
//! can log in as one of them.

use postgres::Psql;
use postgres::database::new_roles::can_be_made;
use postgres::quote::{identifier, literal};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::head::Head;
use crate::commands::restore::roles::named;

/// Makes them.
///
/// # Errors
/// Exit 1 when the server refuses.
pub(super) fn make(psql: &Psql, head: &Head) -> Result<(), Failure> {
    let statements: String =
        named::by(head).iter().filter(|name| can_be_made(name)).map(|name| creation(name)).collect();
    let made = psql.script(&format!("SET client_min_messages = error;\n{statements}"));
    made.map(drop)
        .map_err(|e| Failure::new(Exit::Failed, format!("cannot make the backup's roles on the temporary server: {e}")))
}

/// One that is there, as PostgreSQL's own are, stays.
fn creation(name: &str) -> String {
    format!(
        "SELECT {} WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {}) \\gexec\n",
        literal(&format!("CREATE ROLE {} NOLOGIN", identifier(name))),
        literal(name)
    )
}
