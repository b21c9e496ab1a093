//! The server that a drill restores onto: the settings' own, another one, or a private one that is gone afterwards.

use catalog::drill::ServerKind;
use postgres::cluster::{Cluster, ClusterError, remove_dead};
use postgres::programs::program::ProgramError;
use postgres::{Psql, Tool, Tools, Version};

use crate::answers::failure::{Exit, Failure};
use crate::cli::DrillArgs;
use crate::commands::drill::roles;
use crate::commands::restore::archive::Archive;
use crate::commands::restore::head::Head;
use crate::commands::restore::server::Server;
use crate::interrupt::Interrupt;
use crate::settings::{DatabaseSettings, DrillPlace, Settings};

/// Where a drill is to restore.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(super) kind: ServerKind,
    /// The database's settings, with the connection that leads there.
    database: DatabaseSettings,
}

/// A server that a drill may use, as long as this lives.
pub(crate) struct Ground {
    pub(crate) database: DatabaseSettings,
    /// The archived database's own name, where nothing else has it.
    own_name: Option<String>,
    // Gone with the value.
    _cluster: Option<Cluster>,
}

impl Ground {
    /// The name that the restored database may have: its own, on a server where nothing else has it.
    pub(crate) fn own_name(&self) -> Option<&str> {
        self.own_name.as_deref()
    }
}

impl Wanted {
    /// What the command line says, else the settings.
    ///
    /// # Errors
    /// Exit 2 when the URL is none.
    pub(super) fn of(args: &DrillArgs, settings: &Settings, database: &DatabaseSettings) -> Result<Self, Failure> {
        let place = match (&args.server, args.temporary_server) {
            (Some(url), _) => Some(DrillPlace::Other(settings.server_at(url)?)),
            (None, true) => Some(DrillPlace::Temporary),
            (None, false) => database.drill_server.clone(),
        };
        let database = database.clone();
        Ok(match place {
            None => Self { kind: ServerKind::Settings, database },
            Some(DrillPlace::Temporary) => Self { kind: ServerKind::Temporary, database },
            Some(DrillPlace::Other(connection)) => {
                Self { kind: ServerKind::Other, database: DatabaseSettings { connection, ..database } }
            }
        })
    }

    /// A private server, gone with what is made of it.
    pub(crate) fn temporary(database: &DatabaseSettings) -> Self {
        Self { kind: ServerKind::Temporary, database: database.clone() }
    }

    /// The programs of a temporary server for this archive.
    ///
    /// # Errors
    /// Exit 2 when no server is installed here that fits.
    pub(super) fn installed(
        &self,
        settings: &Settings,
        archive: &Archive,
        interrupt: &Interrupt,
    ) -> Result<Installed, Failure> {
        let nowhere = self.nowhere(settings, interrupt)?;
        let head = Head::read(archive, &nowhere)?;
        let server = server(&nowhere.tools, &head)?;
        Ok(Installed { psql: nowhere.psql, head, server })
    }

    /// What the archive's head says; no server is needed for it.
    ///
    /// # Errors
    /// When it can't be read.
    pub(crate) fn head(&self, settings: &Settings, archive: &Archive, interrupt: &Interrupt) -> Result<Head, Failure> {
        Head::read(archive, &self.nowhere(settings, interrupt)?)
    }

    /// Nothing connects: it is the programs that are needed.
    fn nowhere(&self, settings: &Settings, interrupt: &Interrupt) -> Result<Server, Failure> {
        let tools = settings.tools();
        let psql = Psql::new(tools.newest("psql")?, self.database.connection.clone(), interrupt.stop());
        Ok(Server { psql: psql.clone(), maintenance: psql, tools })
    }

    /// In words.
    pub(super) fn place(&self) -> String {
        match self.kind {
            ServerKind::Settings | ServerKind::Other => {
                let place = self.database.connection.place();
                place
                    .split_once(" on ")
                    .map_or_else(|| "the default server".to_owned(), |(_, server)| server.to_owned())
            }
            ServerKind::Temporary => "a temporary server".to_owned(),
        }
    }

    /// The server, started where it has to be.
    ///
    /// # Errors
    /// Exit 2 when no server is installed here; exit 1 when it doesn't start.
    pub(crate) fn open(self, settings: &Settings, archive: &Archive, interrupt: &Interrupt) -> Result<Ground, Failure> {
        if self.kind != ServerKind::Temporary {
            return Ok(Ground { database: self.database, own_name: None, _cluster: None });
        }
        let folder = &settings.spool_directory;
        let Installed { psql, head, server } = self.installed(settings, archive, interrupt)?;
        tracing::info!("starting a temporary server of PostgreSQL {} in {}", server.version, folder.display());
        let objects = head.contents.len() + head.large_objects.len();
        let started = Cluster::start(&server, folder, &self.database.connection, objects, interrupt.stop());
        let mut cluster = started.map_err(failed)?;
        let psql = Psql::new(psql.program(), cluster.connection().clone(), interrupt.stop());
        cluster.wait(&psql).map_err(failed)?;
        roles::make(&psql, &head)?;
        let database = DatabaseSettings { connection: cluster.connection().clone(), ..self.database };
        Ok(Ground { database, own_name: Some(head.header.database), _cluster: Some(cluster) })
    }
}

/// What a temporary server is made of, and for.
pub(super) struct Installed {
    psql: Psql,
    head: Head,
    /// The server's program.
    pub(super) server: Tool,
}

/// Removes temporary servers whose drills were killed.
pub(crate) fn clear(settings: &Settings) {
    for gone in remove_dead(&settings.spool_directory) {
        tracing::info!("removed {}, which a drill left behind", gone.display());
    }
}

/// The installed server of the archive's own major, else the newest one.
fn server(tools: &Tools, head: &Head) -> Result<Tool, Failure> {
    let installed = tools.servers();
    let made_on = Version::parse(&head.header.server_version);
    let own =
        installed.iter().rev().find(|tool| made_on.is_some_and(|made_on| made_on.major() == tool.version.major()));
    let newest = installed.last().filter(|tool| made_on.is_none_or(|made_on| made_on < tool.version));
    let wanted = made_on.map_or_else(String::new, |version| format!("-{}", version.major_name()));
    own.or(newest).cloned().ok_or_else(|| {
        let error = match installed.last() {
            None => "PostgreSQL's server programs (postgres and initdb) are not installed here".to_owned(),
            Some(tool) => format!("the newest PostgreSQL server here is {}, and the backup was made on {}", tool.version, head.header.server_version),
        };
        Failure::new(Exit::Usage, error).hint(format!(
            "install the server's package (Debian: postgresql{wanted}); PG_BIN_DIR, where it is set, has to be the folder with all of its programs"
        ))
    })
}

fn failed(error: ClusterError) -> Failure {
    match error {
        ClusterError::Program(ProgramError::Interrupted(signal)) => super::failure::stopped_by(signal),
        error => Failure::new(Exit::Failed, error.to_string()).hint(error.hint()),
    }
}
