//! How `pg_restore` is called. Each is a process group of its own: Ctrl-C at a terminal is ours to pass on.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Connection, Tool, Version};

/// What is left out of a restore.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Privileges are left out.
    pub without_privileges: bool,
    /// All goes into the database's own tablespace.
    pub without_tablespaces: bool,
    /// The entries to restore, where not all are wanted: `pg_restore --use-list`.
    pub list: Option<std::path::PathBuf>,
}

/// What of an archive one `pg_restore` restores, and where it reads it.
pub enum Part<'a> {
    /// All of it, from its stdin.
    Everything,
    /// Rows and large objects, from its stdin.
    Data,
    /// What must be there before the rows: the archive is a file.
    Definitions(&'a Path),
    /// Nothing but the entries of the list: the archive is a file.
    Listed(&'a Path),
    /// Indexes, constraints and the like: the archive is a file.
    Finish {
        /// Its path.
        archive: &'a Path,
        /// How many sessions share the work.
        jobs: usize,
    },
    /// The same, all or nothing.
    FinishAtOnce(&'a Path),
}

/// `pg_restore` into a database that is empty but for the parts before. It stops at the first error.
pub fn into_database(tool: &Tool, connection: &Connection, choice: &Choice, part: &Part<'_>) -> Command {
    let mut command = command(tool, connection);
    command.args(["--exit-on-error", "--no-password"]);
    // Without it pg_restore prints a script; a name with `=` in it would be read as a connection string.
    command.arg(format!("--dbname=dbname='{}'", connection.database().map_or(String::new(), escaped)));
    choose(&mut command, choice);
    match part {
        Part::Everything => command.stdin(Stdio::piped()),
        Part::Data => command.arg("--section=data").stdin(Stdio::piped()),
        Part::Definitions(archive) => command.arg("--section=pre-data").arg(archive).stdin(Stdio::null()),
        Part::Listed(archive) => command.arg(archive).stdin(Stdio::null()),
        Part::Finish { archive, jobs } => {
            command.arg("--section=post-data").arg(format!("--jobs={jobs}")).arg(archive).stdin(Stdio::null())
        }
        Part::FinishAtOnce(archive) => {
            command.args(["--section=post-data", "--single-transaction"]).arg(archive).stdin(Stdio::null())
        }
    };
    command.stdout(Stdio::null());
    command
}

/// `pg_restore` that lists the entries of [`Part::Finish`], each by its number, and connects to nothing.
#[must_use]
pub fn list_of_finish(tool: &Tool, connection: &Connection, choice: &Choice, archive: &Path) -> Command {
    let mut command = command(tool, connection);
    choose(&mut command, choice);
    command.args(["--list", "--section=post-data"]).arg(archive).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// `pg_restore` that prints what [`Part::Finish`] would do, and connects to nothing.
#[must_use]
pub fn script_of_finish(tool: &Tool, connection: &Connection, choice: &Choice, archive: &Path) -> Command {
    let mut command = command(tool, connection);
    to_stdout(&mut command, tool);
    choose(&mut command, choice);
    command.arg("--section=post-data").arg(archive).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// What a script is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A database that is empty.
    Filling,
    /// A live one, in one transaction in which the caller has dropped what stands in its way.
    Replacing,
}

/// A part of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What must be there before the rows.
    Definitions,
    /// Rows and large objects.
    Data,
    /// Indexes, constraints and the like.
    Finish,
}

impl Section {
    /// Lets a `pg_restore` do nothing else.
    pub fn alone(self, command: &mut Command) {
        command.arg(match self {
            Self::Definitions => "--section=pre-data",
            Self::Data => "--section=data",
            Self::Finish => "--section=post-data",
        });
    }
}

/// `pg_restore` that prints what it would do, and connects to nothing.
#[must_use]
pub fn script(tool: &Tool, connection: &Connection, choice: &Choice, way: Way) -> Command {
    let mut command = command(tool, connection);
    if way == Way::Replacing {
        // The script would else commit after the large objects. `--clean` isn't asked for: it drops object by object, and stops
        // at the first that only goes with another.
        command.arg("--single-transaction");
    }
    to_stdout(&mut command, tool);
    choose(&mut command, choice);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// `pg_restore` that prints the definitions alone.
#[must_use]
pub fn definitions(tool: &Tool, connection: &Connection) -> Command {
    let mut command = command(tool, connection);
    command.arg("--schema-only").stdin(Stdio::piped()).stdout(Stdio::piped());
    to_stdout(&mut command, tool);
    command
}

fn command(tool: &Tool, connection: &Connection) -> Command {
    let mut command = connection.command(&tool.path);
    command.process_group(0);
    command
}

/// Before version 12 stdout is the default, and `-` the name of a file.
fn to_stdout(command: &mut Command, tool: &Tool) {
    if tool.version >= Version::from_number(120_000) {
        command.arg("--file=-");
    }
}

fn choose(command: &mut Command, choice: &Choice) {
    if choice.without_privileges {
        command.arg("--no-acl");
    }
    if choice.without_tablespaces {
        command.arg("--no-tablespaces");
    }
    if let Some(list) = &choice.list {
        command.arg("--use-list").arg(list);
    }
}

/// As a connection string quotes a value.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('\'', "\\'")
}
