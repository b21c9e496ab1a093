//! A database, and a directory for its backups: what most commands are tried with.

use e2e::agent::Agent;
use e2e::postgres::{Database, Postgres};
use tempfile::TempDir;

/// A database, and a directory for its backups.
pub(crate) struct Scene<'a> {
    pub(crate) database: Database<'a>,
    pub(crate) agent: Agent,
    pub(crate) folder: TempDir,
}

impl Scene<'_> {
    pub(crate) fn new(name: &str) -> Scene<'static> {
        Scene::on(Postgres::shared(), name)
    }

    pub(crate) fn on<'a>(server: &'a Postgres, name: &str) -> Scene<'a> {
        let database = server.new_database(name);
        let folder = TempDir::new().unwrap();
        let agent = Agent::new().database(&database).directory(folder.path());
        Scene { database, agent, folder }
    }

    /// With another setting.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        Scene { agent: self.agent.setting(name, value), ..self }
    }
}
