//! The database that is dumped, and the pg_dump that fits it.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use catalog::manifest::Purpose;
use catalog::words;
use postgres::database::roles;
use postgres::database::undumpable::Undumpable;
use postgres::programs::dump_options;
use postgres::programs::pg_dump::DumpOptions;
use postgres::programs::pg_dumpall::{self, GlobalsError, GlobalsOptions};
use postgres::{self, AnyDump, DumpError, Psql, Readers, Server, Sources, Stop, Tool, Tools, server, tools};

use crate::answers::failure::{Exit, Failure};
use crate::commands::backup::lanes;
use crate::settings::{DatabaseSettings, Settings};

/// A database that answers, and what to dump it with.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) server: Server,
    pub(crate) pg_dump: Tool,
    psql: Psql,
    options: DumpOptions,
    readers: Readers,
    tools: Tools,
}

/// The databases of a run, each with its settings.
///
/// # Errors
/// With `--all-databases`, when the server cannot be asked or has none.
pub(crate) fn databases(settings: &Settings, stop: &Stop) -> Result<Vec<DatabaseSettings>, Failure> {
    if !settings.all_databases {
        return Ok(settings.databases.clone());
    }
    let tools = settings.tools();
    let psql = Psql::new(tools.newest("psql")?, settings.server().connection, stop);
    let names = server::databases(&psql).map_err(refused)?;
    if names.is_empty() {
        return Err(Failure::new(Exit::NotFound, "the server has no database to back up"));
    }
    Ok(names.iter().map(|name| settings.database(name)).collect())
}

impl Source {
    /// Asks the server for its version, and finds a pg_dump that fits it, before anything is dumped. A server that starts up,
    /// shuts down, or is full is asked again for as long as `patience` says.
    ///
    /// # Errors
    /// When the database cannot be reached (exit 1), does not exist (exit 5), or no pg_dump fits the server (exit 2).
    pub(crate) fn open(
        settings: &Settings,
        database: &DatabaseSettings,
        purpose: Purpose,
        stop: &Stop,
        patience: Duration,
    ) -> Result<Self, Failure> {
        Asked::of(settings, database, stop, patience)?.source(database, purpose)
    }
}

/// A database that answers, before anything is known of what dumps it.
pub(crate) struct Asked {
    pub(crate) server: Server,
    installed: tools::Installed,
    psql: Psql,
    tools: Tools,
}

impl Asked {
    /// Asks the server. One that starts up, shuts down, or is full is asked again for as long as `patience` says.
    ///
    /// # Errors
    /// When the database cannot be reached (exit 1), or does not exist (exit 5).
    pub(crate) fn of(
        settings: &Settings,
        database: &DatabaseSettings,
        stop: &Stop,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let tools = settings.tools();
        let psql = Psql::new(tools.newest("psql")?, database.connection.clone(), stop);
        // Both run programs and wait for them: at the same time.
        let (installed, server) = std::thread::scope(|scope| {
            let installed = scope.spawn(|| tools.installed("pg_dump"));
            let server = ask(&psql, patience);
            (installed.join().unwrap_or_default(), server)
        });
        Ok(Self { server: server.map_err(refused)?, installed, psql, tools })
    }

    /// With the pg_dump that fits.
    ///
    /// # Errors
    /// Exit 2 when none does.
    pub(crate) fn source(self, database: &DatabaseSettings, purpose: Purpose) -> Result<Source, Failure> {
        let Self { server, installed, psql, tools } = self;
        let why = format!("the server, which is PostgreSQL {}", server.version());
        let pg_dump = tools::fitting("pg_dump", &installed, server.version(), &why)?;
        let extra = match purpose {
            // The way back from a restore has to bring everything back.
            Purpose::Safety => dump_options::whole(&database.dump_options),
            _ => database.dump_options.clone(),
        };
        let options = DumpOptions { lock_timeout: database.lock_timeout, extra };
        let readers = match database.dump_jobs {
            Some(jobs) => Readers::Exactly(jobs),
            None => Readers::Usual(usual_readers(), server.size),
        };
        Ok(Source { server, pg_dump, psql, options, readers, tools })
    }
}

impl Source {
    /// The user's own options for pg_dump.
    pub(super) fn dump_options(&self) -> &[String] {
        &self.options.extra
    }

    /// What is wrong with the user's own options for a backup that is to be restored, if anything is.
    pub(crate) fn partial(&self) -> Option<String> {
        let partial = dump_options::partial(&self.options.extra);
        (!partial.is_empty()).then(|| {
            format!(
                "BACKUP_PG_DUMP_OPTIONS has {}: lastgood restore cannot bring the database back from such a backup",
                partial.join(" ")
            )
        })
    }

    /// Starts the dump.
    ///
    /// # Errors
    /// When pg_dump cannot be run.
    pub(crate) fn dump(&self) -> Result<AnyDump, Failure> {
        // By its name, as the server said it: libpq's default must not be asked twice.
        let psql = self.psql.to(&self.server.database);
        let sources = Sources { tool: &self.pg_dump, psql: &psql, options: &self.options, ended: self.server.pid };
        sources.dump(self.readers).map_err(|e| self.explain(&e))
    }

    /// What the whole server has and the dump lacks: roles and tablespaces, as SQL.
    ///
    /// # Errors
    /// [`GlobalsError`], which is no reason not to back up.
    pub(crate) fn globals(&self, passwords: bool) -> Result<Vec<u8>, GlobalsError> {
        let role = dump_options::role(&self.options.extra);
        let options = GlobalsOptions { role, passwords, ..GlobalsOptions::default() };
        let (connection, database) = (self.psql.connection(), &self.server.database);
        let program = pg_dumpall::find(&self.pg_dump, &self.tools, self.server.version())?;
        let mut sql = pg_dumpall::globals(&program, connection, database, options, self.psql.stop())?;
        // pg_dumpall leaves out what is set for every role at once.
        let of_all = roles::settings_of_all(&self.psql.to(database)).map_err(|e| GlobalsError::Run(e.to_string()))?;
        of_all.iter().for_each(|statement| sql.extend_from_slice(format!("{statement};\n").as_bytes()));
        Ok(sql)
    }

    /// Explains what ended the dump: pg_dump itself, or the server behind it.
    pub(crate) fn explain(&self, error: &DumpError) -> Failure {
        if let DumpError::Interrupted(signal) = error {
            return lanes::stopped_by(signal);
        }
        let database = &self.server.database;
        let lines = error.lines().join("\n");
        if let Some((_, hint)) = REASONS.iter().find(|(said, _)| said.iter().all(|words| lines.contains(words))) {
            return Failure::new(Exit::Failed, format!("backup of {database}: {error}")).hint(*hint);
        }
        let was_killed = error.was_killed();
        if LOST.iter().any(|words| lines.contains(words)) || (!was_killed && Server::ask(&self.psql).is_err()) {
            let error = format!("the PostgreSQL server went away during the backup of {database}: {error}");
            return Failure::new(Exit::Failed, error)
                .hint("check the server's log, and run the backup again when the server is up");
        }
        let lacked = if was_killed { None } else { self.lacked() };
        let denied = lines.contains("permission denied").then(|| READ_ALL.to_owned());
        Failure::new(Exit::Failed, format!("backup of {database}: {error}"))
            .hint(lacked.or(denied).unwrap_or_else(|| AGAIN.to_owned()))
    }

    /// What the role may not dump, and what helps.
    fn lacked(&self) -> Option<String> {
        let psql = self.psql.to(&self.server.database);
        let undumpable = Undumpable::ask(&psql, dump_options::role(&self.options.extra)).ok()?;
        let named = words::first_of(undumpable.names(), NAMED, ", ");
        let (role, remedy) = (undumpable.role(), undumpable.lasting_remedy());
        (!undumpable.is_empty()).then(|| format!("{role} may not read {named}; as a superuser: {remedy}"))
    }
}

/// Asks again what may be answered in a moment.
fn ask(psql: &Psql, patience: Duration) -> Result<Server, postgres::Error> {
    let until = Instant::now() + patience;
    loop {
        match Server::ask(psql) {
            Err(error) if error.may_pass() && Instant::now() + PAUSE < until => {
                tracing::warn!("{error}; trying again");
                if let Some(signal) = psql.stop().sleep(PAUSE) {
                    return Err(postgres::Error::Interrupted(signal));
                }
            }
            asked => return asked,
        }
    }
}

/// A server that could not be asked; a run that was told to stop says so as its other steps do.
fn refused(error: postgres::Error) -> Failure {
    match error {
        postgres::Error::Interrupted(signal) => lanes::stopped_by(signal),
        error => error.into(),
    }
}

/// As many as the machine has cores, but no more than a server that does other work as well can spare.
fn usual_readers() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN).min(MOST_READERS)
}

/// Sessions that read rows where no setting says how many.
const MOST_READERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);
/// How often a server that is not ready is asked.
const PAUSE: Duration = Duration::from_secs(3);

/// Words in pg_dump's messages, and the hint for a run whose messages contain all of them.
const REASONS: [(&[&str], &str); 3] = [
    (
        // --lock-wait-timeout is a statement_timeout while the tables are locked.
        &["canceling statement due to", "LOCK TABLE"],
        "try again later, or raise BACKUP_LOCK_TIMEOUT: something held a lock on a table for too long (a migration?)",
    ),
    (
        &["canceling statement due to lock timeout"],
        "try again later, or raise BACKUP_LOCK_TIMEOUT: something held a lock on a table for too long (a migration?)",
    ),
    (
        &["conflict with recovery"],
        "set hot_standby_feedback = on on the standby, or raise max_standby_streaming_delay: it cancelled the dump",
    ),
];

/// Where the catalogs don't tell what the role lacks.
const READ_ALL: &str = "let the role read everything: GRANT pg_read_all_data TO it (PostgreSQL 14 and newer)";
const AGAIN: &str = "run the backup again; nothing of this run was kept";
/// How many things that the role may not read a hint names.
const NAMED: usize = 3;

/// Messages about a connection that broke.
const LOST: [&str; 5] = [
    "server closed the connection unexpectedly",
    "terminating connection",
    "could not receive data from server",
    "SSL connection has been closed unexpectedly",
    // As our own readers say it.
    "the connection to the server was lost",
];
