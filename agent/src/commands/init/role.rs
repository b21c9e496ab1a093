//! The role that backs up over the socket, as the user of the same name: it may log in, and read everything.

use postgres::Stop;
use postgres::quote::{identifier, literal};
use serde::Deserialize;

use super::asked::Source;
use super::found::clusters::Cluster;
use super::machine::{Machine, User};
use super::offer::database_name;
use crate::answers::failure::{Exit, Failure};

/// Since when there is a role that may read everything.
const READS_ALL: u32 = 14;
/// What the role cannot do.
pub(super) const LIMITS: &str =
    "such a role backs up and cannot restore: a restore needs the owner or a superuser (docs/restore.md, \"As whom\")";

/// What is to be done to it.
#[derive(Clone)]
pub(super) struct Role {
    pub(super) name: String,
    state: State,
    cluster: Cluster,
    superuser: User,
}

/// How it is now.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
struct State {
    exists: bool,
    logs_in: bool,
    reads: bool,
}

impl Role {
    /// What the role lacks for this database, where root may be the server's superuser and mend it; `None`: nothing.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub(super) fn lacking(source: &Source, machine: &Machine, stop: &Stop) -> Result<Option<Self>, Failure> {
        let Some((cluster, superuser)) = source.cluster.as_ref().zip(machine.postgres.as_ref()) else {
            return Ok(None);
        };
        if !cluster.has_superuser || cluster.major.is_some_and(|major| major < READS_ALL) {
            return Ok(None);
        }
        let role = machine.nightly.name.clone();
        let asked = cluster.ask(superuser, &question(&role, &database_name(&source.lines).unwrap_or_default()), stop);
        let told = asked.map_err(|error| refused(&error))?;
        let state: State = serde_json::from_str(told.trim()).unwrap_or_default();
        let is_fine = state.exists && state.logs_in && state.reads;
        let role = Self { name: role, state, cluster: cluster.clone(), superuser: superuser.clone() };
        Ok((!is_fine).then_some(role))
    }

    /// The statements that mend it.
    pub(super) fn statements(&self) -> Vec<String> {
        let name = identifier(&self.name);
        let login = match self.state {
            State { exists: false, .. } => Some(format!("CREATE ROLE {name} LOGIN")),
            State { logs_in: false, .. } => Some(format!("ALTER ROLE {name} LOGIN")),
            _ => None,
        };
        let reads = (!self.state.reads).then(|| format!("GRANT pg_read_all_data TO {name}"));
        login.into_iter().chain(reads).collect()
    }

    /// Mends it, as the superuser.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) fn make(&self, stop: &Stop) -> Result<(), Failure> {
        let sql = format!("BEGIN;\n{};\nCOMMIT;\n", self.statements().join(";\n"));
        self.cluster.ask(&self.superuser, &sql, stop).map(drop).map_err(|error| refused(&error))
    }

    /// That it is not made, and how it is by hand.
    pub(super) fn declined(&self) -> Failure {
        let error = format!("without the role {} there is no access to the database", self.name);
        Failure::new(Exit::Failed, error).hint(by_hand(&self.statements()))
    }
}

/// The same by hand, for whoever may not be the superuser.
pub(super) fn hint(machine: &Machine) -> String {
    let name = identifier(&machine.nightly.name);
    by_hand(&[format!("CREATE ROLE {name} LOGIN"), format!("GRANT pg_read_all_data TO {name}")])
}

fn by_hand(statements: &[String]) -> String {
    let flags: Vec<String> = statements.iter().map(|one| format!("-c {}", catalog::words::shell_word(one))).collect();
    format!("as the server's superuser: sudo -u postgres psql {}; {LIMITS}", flags.join(" "))
}

fn refused(error: &str) -> Failure {
    Failure::new(Exit::Failed, format!("the server's superuser cannot look after the role: {error}"))
        .hint("name a role that may read everything, with its password, in a URL: --database postgresql://ROLE@localhost/NAME")
}

fn question(role: &str, database: &str) -> String {
    let (role, database) = (literal(role), literal(database));
    format!(
        "SELECT json_build_object('exists', true, 'logs_in', rolcanlogin, 'reads', rolsuper
            OR pg_has_role(roles.oid, 'pg_read_all_data', 'USAGE')
            OR EXISTS (SELECT FROM pg_database WHERE datname = {database} AND datdba = roles.oid))
        FROM pg_roles AS roles WHERE rolname = {role}
        UNION ALL SELECT json_build_object('exists', false, 'logs_in', false, 'reads', false)
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {role});\n"
    )
}
