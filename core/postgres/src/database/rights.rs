//! What roles may do that objects are given to.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::quote::literals;
use crate::{Psql, PsqlError};

/// What the future owners of objects may do, besides the restoring role.
#[derive(Clone, Debug, Default)]
pub struct OwnersRights {
    /// Who has the rights of which other one, and so may create in its schemas.
    pub shared: BTreeSet<(String, String)>,
    /// Who may create in the schema `public` of the live database.
    pub in_public: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Pair {
    one: String,
    other: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl OwnersRights {
    /// Asks over `maintenance` what `owners` may do. `others`: to whom schemas may belong besides, as the
    /// restoring role; `live`: connected to the database that is there now, if there is one.
    ///
    /// # Errors
    /// [`PsqlError`].
    pub fn ask(
        maintenance: &Psql,
        live: Option<&Psql>,
        owners: &BTreeSet<&str>,
        others: &[&str],
    ) -> Result<Self, PsqlError> {
        if owners.is_empty() {
            return Ok(Self::default());
        }
        let (owners, others) = (literals(owners), literals(owners.iter().chain(others)));
        let shared = format!(
            "SELECT one.rolname AS one, other.rolname AS other FROM pg_roles one, pg_roles other
                WHERE one.rolname IN ({owners}) AND other.rolname IN ({others}) AND one.oid <> other.oid
                AND pg_has_role(one.oid, other.oid, 'USAGE')"
        );
        let in_public = format!(
            "SELECT r.rolname AS name FROM pg_roles r, pg_namespace n WHERE r.rolname IN ({owners})
                AND n.nspname = 'public' AND has_schema_privilege(r.oid, n.oid, 'CREATE')"
        );
        let pairs: Vec<Pair> = maintenance.rows(&shared)?;
        let in_public: Vec<Named> = live.map(|live| live.rows(&in_public)).transpose()?.unwrap_or_default();
        Ok(Self {
            shared: pairs.into_iter().map(|pair| (pair.one, pair.other)).collect(),
            in_public: in_public.into_iter().map(|role| role.name).collect(),
        })
    }

    /// Whether `owner` may create in a schema of `other`.
    #[must_use]
    pub fn has_those_of(&self, owner: &str, other: &str) -> bool {
        owner == other || self.shared.contains(&(owner.to_owned(), other.to_owned()))
    }
}
