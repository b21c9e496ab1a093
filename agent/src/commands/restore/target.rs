//! Where a restore goes: the server, the role, and the database that has the name now, if there is one.

use postgres::database::content::Content;
use postgres::database::live::{LiveDatabase, Role, maintenance};
use postgres::{Error, Psql, Stop, Tools};

use crate::answers::failure::{Exit, Failure};
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
    pub(crate) living: Option<LiveDatabase>,
    /// Of the living database.
    pub(crate) content: Content,
}

impl Target {
    /// Asks the server. `name`: another database than the one that was set.
    ///
    /// # Errors
    /// Exit 1 when it can't be asked, or is a standby.
    pub(crate) fn ask(
        database: &DatabaseSettings,
        name: Option<&str>,
        tools: &Tools,
        stop: &Stop,
    ) -> Result<Self, Failure> {
        let psql = Psql::new(tools.newest("psql")?, database.connection.clone(), stop);
        let set = name.or(database.name.as_deref());
        let maintenance = maintenance(&psql, set.unwrap_or_default())?;
        let role = Role::ask(&maintenance)?;
        if role.standby {
            return Err(Failure::new(Exit::Failed, "the server is a standby, which nothing can be restored into")
                .hint("set DB_HOST to the primary"));
        }
        // libpq's own default is the role's name.
        let name = set.unwrap_or(&role.name).to_owned();
        let (psql, living) = (psql.to(&name), LiveDatabase::ask(&maintenance, &name)?);
        let ask = || Content::ask(&psql).map_err(|e| Error::unreachable(&psql, &e));
        let content = if living.is_some() { ask()? } else { Content::default() };
        Ok(Self { name, psql, maintenance, role, living, content })
    }
}
