//! Who makes roles.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::naming::PREDEFINED;
use crate::{Psql, PsqlError};

/// Who makes them, and what it may give.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Maker {
    /// The role's name.
    pub name: String,
    pub(super) superuser: bool,
    pub(super) creates_roles: bool,
    pub(super) creates_databases: bool,
    pub(super) replication: bool,
    pub(super) bypasses_row_security: bool,
    pub(super) version: u32,
    /// The server's first role.
    pub first: String,
}

impl Maker {
    /// Asks who is connected.
    ///
    /// # Errors
    /// [`PsqlError`].
    pub fn ask(psql: &Psql) -> Result<Self, PsqlError> {
        let select = "SELECT rolname AS name, rolsuper AS superuser, rolsuper OR rolcreaterole AS creates_roles,
            rolcreatedb AS creates_databases, rolreplication AS replication, rolbypassrls AS bypasses_row_security,
            current_setting('server_version_num')::int AS version,
            (SELECT rolname FROM pg_catalog.pg_roles WHERE oid = 10) AS first
            FROM pg_catalog.pg_roles WHERE rolname = current_user";
        Ok(psql.row(select)?.unwrap_or_default())
    }

    /// Whether it may make roles at all.
    #[must_use]
    pub fn makes_roles(&self) -> bool {
        self.creates_roles
    }

    /// A server that has no roles but its own and this one.
    #[must_use]
    pub fn is_alone_among(&self, roles: &BTreeSet<String>) -> bool {
        roles.iter().all(|name| name.starts_with(PREDEFINED) || *name == self.name || *name == self.first)
    }

    pub(super) fn sixteen(&self) -> bool {
        self.version >= 160_000
    }

    /// Until version 16 whoever makes roles may let them make databases.
    pub(super) fn may_give(&self, attribute: &str) -> bool {
        match attribute {
            _ if self.superuser || attribute.starts_with("NO") || attribute == "INHERIT" => true,
            "CREATEROLE" => self.creates_roles,
            "CREATEDB" => self.creates_databases || !self.sixteen(),
            "REPLICATION" => self.replication && self.sixteen(),
            "BYPASSRLS" => self.bypasses_row_security && self.sixteen(),
            _ => false,
        }
    }
}
