//! `lastgood drill`: a restore that is compared with what was dumped, and leaves nothing.

mod differences;
mod grounds;
mod kills;
mod told;

use std::path::Path;

use e2e::agent::{Agent, Outcome};
use e2e::postgres::{Database, PASSWORD, Postgres};
use serde_json::Value;
use tempfile::TempDir;

/// A database, backed up into a directory, and a folder for temporary servers.
struct Scene<'a> {
    database: Database<'a>,
    agent: Agent,
    folder: TempDir,
    temporary: TempDir,
}

impl<'a> Scene<'a> {
    fn on(server: &'a Postgres, name: &str) -> Scene<'a> {
        let database = server.new_database(name);
        let (folder, temporary) = (TempDir::new().unwrap(), folder_for_servers());
        let agent = Agent::new().database(&database).directory(folder.path());
        let agent = agent.setting("TMPDIR", temporary.path().display().to_string());
        // For servers that a URL without a password names.
        let agent = agent.setting("PGPASSWORD", PASSWORD);
        Scene { database, agent, folder, temporary }
    }

    fn with(self, name: &str, value: &str) -> Self {
        Self { agent: self.agent.setting(name, value), ..self }
    }

    fn backed_up(self) -> Self {
        self.agent.run(&["backup"]).succeeds();
        self
    }

    /// The drill that is written down, and the database's status.
    fn recorded(&self) -> (Value, Value) {
        let read = |folder: &Path, end: &str| {
            let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let file = files.find(|path| path.to_string_lossy().ends_with(end)).unwrap_or_else(|| panic!("no {end}"));
            let mut document: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            assert_eq!(document.as_object_mut().unwrap().remove("version"), Some(1.into()));
            document
        };
        (read(self.folder.path(), ".drill.json"), read(&self.folder.path().join("status/drills"), ".json"))
    }

    /// No scratch database, no folder of a server, no process of one.
    fn is_clean(&self) -> bool {
        let scratch = format!("{}_drill_", self.database.name());
        let left = std::fs::read_dir(self.temporary.path()).unwrap().count();
        left == 0 && !self.database.server().databases().iter().any(|name| name.starts_with(&scratch))
    }
}

/// One that the server's user may enter.
pub(crate) fn folder_for_servers() -> TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::Builder::new().prefix("lg-").tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o1777)).unwrap();
    folder
}

fn only(outcome: &Outcome) -> Value {
    outcome.json()["drills"][0].clone()
}
