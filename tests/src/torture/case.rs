//! One command, one fault and one moment.

use serde::{Deserialize, Serialize};

use super::verdict::Told;

/// What breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// The network between Lastgood and the store, and what the store answers.
    Network,
    /// The network between Lastgood and PostgreSQL, and both.
    Database,
    /// The disks of Lastgood, and that of the server.
    Disks,
    /// The command itself, by SIGKILL.
    Kills,
}

impl Family {
    /// All of them, in the order of the table.
    pub const ALL: [Family; 4] = [Family::Network, Family::Kills, Family::Database, Family::Disks];

    /// As cases' names begin.
    pub fn name(self) -> &'static str {
        match self {
            Family::Network => "network",
            Family::Database => "database",
            Family::Disks => "disks",
            Family::Kills => "kills",
        }
    }

    /// As the table says it.
    pub fn title(self) -> &'static str {
        match self {
            Family::Network => "network to the store",
            Family::Database => "PostgreSQL, and the network to it",
            Family::Disks => "disks",
            Family::Kills => "the command, by SIGKILL",
        }
    }
}

/// One command, one fault and one moment.
pub struct Case {
    /// What breaks.
    pub family: Family,
    /// Which command, which fault, which moment: unique, without spaces.
    pub name: String,
    /// Most of its time goes by in waiting: many of these may run at once.
    pub waits: bool,
    pub(super) act: Box<dyn Fn() -> Told + Send + Sync>,
}

impl Case {
    /// What the table counts together: family and command.
    pub fn subject(&self) -> &str {
        self.name.split('/').nth(1).unwrap_or_default()
    }

    /// How to run it alone.
    pub fn command(&self) -> String {
        format!("make torture ONLY={}", self.name)
    }
}
