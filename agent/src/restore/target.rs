//! Where a restore goes: the server, the role, and the database that has the name now, if there is one.

use serde::Deserialize;

use crate::failure::{Exit, Failure};
use crate::postgres::server::unreachable_database;
use crate::postgres::{Psql, Tools};
use crate::restore::living::{Living, Role, maintenance};
use crate::settings::DatabaseSettings;

/// A server and a database's name on it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    /// Connected to the database of that name.
    pub(crate) psql: Psql,
    /// Connected to another one.
    pub(crate) maintenance: Psql,
    pub(crate) role: Role,
    pub(crate) living: Option<Living>,
    /// Of the living database, ordinary and partitioned.
    pub(crate) tables: u64,
    /// Subscriptions to other servers, which stay with the old database.
    pub(crate) subscriptions: Vec<String>,
}

impl Target {
    /// Asks the server. `name`: another database than the one that was set.
    ///
    /// # Errors
    /// Exit 1 when it can't be asked, or is a standby.
    pub(crate) fn ask(database: &DatabaseSettings, name: Option<&str>, tools: &Tools) -> Result<Self, Failure> {
        let psql = Psql::new(tools.newest("psql")?.path, database.connection.clone());
        let set = name.or(database.name.as_deref());
        let maintenance = maintenance(&psql, set.unwrap_or_default())?;
        let role = Role::ask(&maintenance)?;
        if role.standby {
            return Err(Failure::new(Exit::Failed, "the server is a standby, which nothing can be restored into")
                .hint("set DB_HOST to the primary"));
        }
        // libpq's own default is the role's name.
        let name = set.unwrap_or(&role.name).to_owned();
        let (psql, living) = (psql.to(&name), Living::ask(&maintenance, &name)?);
        let content = if living.is_some() { Content::ask(&psql)? } else { Content::default() };
        let Content { tables, subscriptions } = content;
        Ok(Self { name, psql, maintenance, role, living, tables, subscriptions })
    }
}

#[derive(Default, Deserialize)]
struct Content {
    tables: u64,
    subscriptions: Vec<String>,
}

impl Content {
    fn ask(psql: &Psql) -> Result<Self, Failure> {
        let select = "SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema'
                    AND n.nspname !~ '^pg_') AS tables,
            ARRAY(SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
                WHERE d.datname = current_database()) AS subscriptions";
        Ok(psql.row(select).map_err(|e| unreachable_database(psql, &e))?.unwrap_or_default())
    }
}
