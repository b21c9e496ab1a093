//! Where a restore goes: who can be asked and told there, and what is so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use postgres::database::content::Content;
use postgres::database::live::{LiveDatabase, MAY_SET, Role, maintenance};
use postgres::database::loading::{self, Loading};
use postgres::database::names;
use postgres::database::objects::{self, Objects};
use postgres::database::offers::{Offers, Present};
use postgres::database::session::Session;
use postgres::database::undumpable::Undumpable;
use postgres::server;
use postgres::{Error, Psql, PsqlError, Stop, Tools};
use serde::Deserialize;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::wish::Wish;
use crate::settings::{DatabaseSettings, Settings};

/// A server that can be asked and told, and the programs that do it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// Connected to the database that is restored.
    pub(crate) psql: Psql,
    /// Connected to another database of the same server.
    pub(crate) maintenance: Psql,
    pub(crate) tools: Tools,
}

/// So many more sessions a role has to have for two to stay connected while others come and go.
const PLENTY: i64 = 4;

/// The database that a restore is about, and who restores it: plain values.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    /// In words, for messages: `database shop on db1 as admin`.
    pub(crate) place: String,
    /// The server is this machine, as far as its address tells: its disk can be asked.
    pub(crate) is_local: bool,
    pub(crate) role: Role,
    /// The database that has the name now, if there is one.
    pub(crate) living: Option<LiveDatabase>,
    /// What is in it.
    pub(crate) content: Content,
    /// The role may connect to no other database, and so cannot rename this one.
    pub(crate) only_here: bool,
}

/// A server that was reached, and the database that is meant.
pub(crate) struct Connected {
    pub(crate) server: Server,
    pub(crate) role: Role,
    /// The database's name.
    pub(crate) name: String,
    /// The role may connect to no other database than this one.
    pub(crate) only_here: bool,
}

impl Server {
    /// Connects, and asks what is there. `into`: another database than the one that is set.
    ///
    /// # Errors
    /// Exit 2 when psql is missing; exit 1 when the server cannot be asked, or is a standby.
    pub(crate) fn ask(
        settings: &Settings,
        database: &DatabaseSettings,
        into: Option<&str>,
        stop: &Stop,
    ) -> Result<(Self, Target), Failure> {
        let Connected { server, role, name, only_here } = Self::connect_kept(settings, database, into, stop)?;
        let target = Target { only_here, ..server.target(name, role)? };
        Ok((server.released(), target))
    }

    /// Connects, and asks nothing of the database itself, which may let nobody in.
    ///
    /// # Errors
    /// As [`Server::ask`].
    pub(crate) fn connect(
        settings: &Settings,
        database: &DatabaseSettings,
        into: Option<&str>,
        stop: &Stop,
    ) -> Result<Connected, Failure> {
        let connected = Self::connect_kept(settings, database, into, stop)?;
        Ok(Connected { server: connected.server.released(), ..connected })
    }

    /// The same server, asked by two sessions that stay connected as long as what is returned; by one for each question where role or
    /// database may have few.
    pub(crate) fn kept(&self, target: &Target) -> Self {
        let is_limited = target.living.as_ref().is_some_and(|living| living.connection_limit() >= 0);
        if target.role.sessions < PLENTY || is_limited || target.only_here {
            return self.clone();
        }
        Self { psql: self.psql.kept(), maintenance: self.maintenance.kept(), tools: self.tools.clone() }
    }

    /// The same server, for what fills a database: its sessions may write whatever the default is, and event triggers that come with it
    /// don't act on what a restore does. Said when a session begins, because pg_restore says neither; a pooler that takes no such word is
    /// left alone where nothing has to be said.
    pub(crate) fn undisturbed(&self, role: &Role, has_event_triggers: bool) -> Self {
        let read_only = ("default_transaction_read_only", role.reads_alone);
        let triggers = ("event_triggers", has_event_triggers && role.may_silence_event_triggers());
        let off = [read_only, triggers].into_iter().filter(|(_, is_on)| *is_on);
        let session: Session = off.map(|(name, _)| (name.to_owned(), "off".to_owned())).collect();
        Self { psql: self.psql.under(&session), ..self.clone() }
    }

    fn released(&self) -> Self {
        Self { psql: self.psql.released(), maintenance: self.maintenance.released(), tools: self.tools.clone() }
    }

    fn connect_kept(
        settings: &Settings,
        database: &DatabaseSettings,
        into: Option<&str>,
        stop: &Stop,
    ) -> Result<Connected, Failure> {
        let tools = settings.tools();
        let psql = Psql::new(tools.newest("psql")?, database.connection.clone(), stop);
        let given = into.or(database.name.as_deref());
        let others: Vec<&str> = database.name.as_deref().into_iter().collect();
        let (maintenance, only_here) = beside(&psql, given, &others)?;
        let role = Role::ask(&maintenance)?;
        let maintenance = if role.sessions < PLENTY { maintenance.released() } else { maintenance };
        if role.standby {
            return Err(Failure::new(Exit::Failed, "the server is a standby, which cannot be restored into")
                .hint("set DB_HOST to the primary"));
        }
        // libpq's own default is the role's name.
        let name = given.unwrap_or(&role.name).to_owned();
        Ok(Connected { server: Self { psql: psql.to(&name), maintenance, tools }, role, name, only_here })
    }

    fn target(&self, name: String, role: Role) -> Result<Target, Failure> {
        let living = LiveDatabase::ask(&self.maintenance, &name)?;
        let ask = || Content::ask(&self.psql).map_err(|e| Error::unreachable(&self.psql, &e));
        let content = if living.is_some() { ask()? } else { Content::default() };
        let place = self.psql.connection().place();
        Ok(Target { only_here: false, place, is_local: is_local(&self.psql), name, role, living, content })
    }

    /// The server's roles, and whether the restoring one may give objects to each and still work with them then.
    ///
    /// # Errors
    /// Exit 1 when the server cannot be asked.
    pub(crate) fn roles(&self) -> Result<BTreeMap<String, bool>, Failure> {
        #[derive(Deserialize)]
        struct Named {
            name: String,
            is_ours: bool,
        }
        let select = format!(
            "SELECT rolname AS name, pg_has_role(oid, {MAY_SET}) AND pg_has_role(oid, 'USAGE') AS is_ours FROM pg_roles"
        );
        let roles: Vec<Named> =
            self.maintenance.rows(&select).map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
        Ok(roles.into_iter().map(|role| (role.name, role.is_ours)).collect())
    }

    /// The roles that are superusers.
    ///
    /// # Errors
    /// Exit 1 when the server cannot be asked.
    pub(crate) fn superusers(&self) -> Result<BTreeSet<String>, Failure> {
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        let select = "SELECT rolname AS name FROM pg_roles WHERE rolsuper";
        let roles: Vec<Named> = self.maintenance.rows(select).map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
        Ok(roles.into_iter().map(|role| role.name).collect())
    }

    /// What the server has to offer, and what the live database has already.
    ///
    /// # Errors
    /// Exit 1 when the server cannot be asked.
    pub(crate) fn offers(&self, exists: bool) -> Result<(Offers, Present), Failure> {
        let failed = |e: PsqlError| Failure::new(Exit::Failed, e.to_string());
        let present = if exists { Present::ask(&self.psql).map_err(failed)? } else { Present::default() };
        Ok((Offers::ask(&self.maintenance).map_err(failed)?, present))
    }

    /// What is in the database that is restored. `encoding`: the archive's character set.
    ///
    /// # Errors
    /// Exit 1 when it cannot be asked.
    pub(crate) fn objects(&self, encoding: &str) -> Result<Objects, Failure> {
        let failed = |e: String| Failure::new(Exit::Failed, format!("cannot look at the live database: {e}"));
        let answer = self.psql.script(&objects::questions(encoding)).map_err(|e| failed(e.to_string()))?;
        objects::read(&answer).map_err(|e| failed(e.to_string()))
    }

    /// What is so of tables that rows are to go into.
    ///
    /// # Errors
    /// Exit 1 when it cannot be asked.
    pub(crate) fn loading<'a>(&self, tables: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Loading, Failure> {
        let failed = |e: String| Failure::new(Exit::Failed, format!("cannot look at the live database: {e}"));
        let answer = self.psql.script(&loading::question(tables)).map_err(|e| failed(e.to_string()))?;
        loading::read(&answer).map_err(|e| failed(e.to_string()))
    }

    /// What of the database that is restored a safety backup would fail at.
    ///
    /// # Errors
    /// Exit 1 when it cannot be asked.
    pub(crate) fn undumpable(&self, wish: &Wish) -> Result<Undumpable, Failure> {
        Undumpable::ask(&self.psql, wish.dumps_as.as_deref())
            .map_err(|e| Failure::new(Exit::Failed, format!("cannot look at the live database: {e}")))
    }

    /// A second whose names are free: that of the restore, unless another restore began in it.
    ///
    /// # Errors
    /// Exit 1 when the server cannot be asked.
    pub(crate) fn free_moment(&self, name: &str, now: Timestamp) -> Result<Timestamp, Failure> {
        let exists =
            |name: &str| server::exists(&self.maintenance, name).map_err(|e| Failure::new(Exit::Failed, e.to_string()));
        let mut moment = now;
        while exists(&names::before(name, moment))? || exists(&names::restoring(name, moment))? {
            moment += SignedDuration::from_secs(1);
        }
        Ok(moment)
    }
}

impl Target {
    /// The live database keeps its settings, privileges, comment and limit: it is in use. One that is empty, as one that isn't
    /// there, gets those of the archive.
    pub(crate) fn keeps_properties(&self) -> bool {
        self.living.is_some() && !self.content.is_empty()
    }
}

/// A connection that doesn't hold the database that is `given`. Where the role is let into no other: to that one, and true.
fn beside(psql: &Psql, given: Option<&str>, others: &[&str]) -> Result<(Psql, bool), Failure> {
    let error = match maintenance(psql, given.unwrap_or_default(), others) {
        Ok(maintenance) => return Ok((maintenance, false)),
        Err(error @ Error::Interrupted(_)) => return Err(error.into()),
        Err(error) => error,
    };
    let own = given.map_or_else(|| psql.clone(), |name| psql.to(name));
    match own.script("SELECT 1;\n") {
        Ok(_) => Ok((own, true)),
        Err(_) => Err(error.into()),
    }
}

fn is_local(psql: &Psql) -> bool {
    let connection = psql.connection();
    match connection.get("PGHOSTADDR").or_else(|| connection.get("PGHOST")) {
        None => true,
        Some(host) => host.starts_with('/') || ["localhost", "127.0.0.1", "::1"].contains(&host),
    }
}
