//! SQL as any role, whose failure is an answer and not the end of the run.

use std::process::Command;

use crate::postgres::{Installation, PASSWORD, Postgres, USER};
use crate::process;

/// What SQL answers, or what PostgreSQL says against it.
pub(super) fn ask(server: &Postgres, database: &str, sql: &str) -> Result<String, String> {
    ask_as(server, USER, database, sql)
}

/// The same as a role.
pub(super) fn ask_as(server: &Postgres, role: &str, database: &str, sql: &str) -> Result<String, String> {
    let mut psql = client(server, role, database, "psql");
    // The corpus' files are written in it, whatever the database's character set is.
    psql.env("PGCLIENTENCODING", "UTF8");
    psql.args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--set", "ON_ERROR_STOP=1"]);
    feed(psql, sql.as_bytes())
}

/// A client program of the server's version, which libpq's variables lead to the database.
pub(super) fn client(server: &Postgres, role: &str, database: &str, program: &str) -> Command {
    client_of(server.installation(), server, (role, database), program)
}

/// The same of another version.
pub(super) fn client_of(
    installation: &Installation,
    server: &Postgres,
    (role, database): (&str, &str),
    program: &str,
) -> Command {
    connected(installation.program(program), server, (role, database))
}

/// Any program, which libpq's variables lead to the database.
pub(super) fn connected(mut command: Command, server: &Postgres, (role, database): (&str, &str)) -> Command {
    command.env("PGHOST", "127.0.0.1").env("PGPORT", server.port().to_string()).env("PGUSER", role);
    command.env("PGPASSWORD", PASSWORD).env("PGDATABASE", database);
    command
}

/// Standard output, or standard error where the program fails.
pub(super) fn feed(mut command: Command, input: &[u8]) -> Result<String, String> {
    let output = process::output_given(&mut command, input);
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()),
    }
}
