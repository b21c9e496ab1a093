//! Questions to the database, asked through `psql`.
//!
//! Every row comes back as one line of JSON, so that a name with a newline or a quote in it arrives as it is.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde::de::DeserializeOwned;

use crate::postgres::Connection;

/// Seconds, where the user says none: libpq itself would wait for a silent network as long as the kernel does.
const CONNECT_TIMEOUT: &str = "15";

/// One database, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Psql {
    program: PathBuf,
    connection: Connection,
}

/// A question that got no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PsqlError {
    /// The program could not be run.
    #[error("{program} could not be run: {source}")]
    Run { program: String, source: std::io::Error },
    /// psql, or the server through it, refused. The text is its own.
    #[error("{0}")]
    Refused(String),
    /// An answer that isn't what was asked for.
    #[error("psql's answer could not be read: {0}")]
    Answer(#[from] serde_json::Error),
}

impl Psql {
    pub(crate) fn new(program: impl Into<PathBuf>, connection: Connection) -> Self {
        Self { program: program.into(), connection }
    }

    /// The same server, another database.
    pub(crate) fn to(&self, database: &str) -> Self {
        Self { program: self.program.clone(), connection: self.connection.to(database) }
    }

    /// The program itself.
    pub(crate) fn program(&self) -> &std::path::Path {
        &self.program
    }

    /// The connection that questions go over.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The rows that `select` answers with. `select` is one SELECT without a semicolon; its column names are `T`'s fields.
    ///
    /// # Errors
    /// [`PsqlError`] when psql can't be run, the server refuses, or a row isn't a `T`.
    pub(crate) fn rows<T: DeserializeOwned>(&self, select: &str) -> Result<Vec<T>, PsqlError> {
        let answer = self.script(&format!("SELECT row_to_json(answer) FROM ({select}) AS answer;\n"))?;
        answer.lines().filter(|line| !line.is_empty()).map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// The first row that `select` answers with, if there is one.
    ///
    /// # Errors
    /// As [`Psql::rows`].
    pub(crate) fn row<T: DeserializeOwned>(&self, select: &str) -> Result<Option<T>, PsqlError> {
        Ok(self.rows(select)?.into_iter().next())
    }

    /// Runs SQL statements, stopping at the first that fails, and returns what they print.
    ///
    /// # Errors
    /// As [`Psql::rows`].
    pub(crate) fn script(&self, sql: &str) -> Result<String, PsqlError> {
        let run = |source| PsqlError::Run { program: self.program.display().to_string(), source };
        let mut child = self
            .connection
            .command(&self.program)
            .env("PGCLIENTENCODING", "UTF8")
            .env("PGOPTIONS", quiet_options(&self.connection))
            .env("PGCONNECT_TIMEOUT", self.connection.get("PGCONNECT_TIMEOUT").unwrap_or(CONNECT_TIMEOUT))
            .args(["-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(run)?;
        let mut stdin = child.stdin.take();
        // The script goes in on a thread of its own: psql may answer more than a pipe holds before it has read it all.
        let output = std::thread::scope(|scope| {
            scope.spawn(move || stdin.as_mut().map(|pipe| pipe.write_all(sql.as_bytes())));
            child.wait_with_output()
        })
        .map_err(run)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(PsqlError::Refused(in_one_line(&String::from_utf8_lossy(&output.stderr))))
    }
}

/// The user's own PGOPTIONS, and no notices.
fn quiet_options(connection: &Connection) -> String {
    let own = connection.get("PGOPTIONS").unwrap_or_default();
    format!("{own} -c client_min_messages=warning").trim_start().to_owned()
}

/// What a program said on stderr, as one line: the first line that names an error, without psql's own prefix.
pub(crate) fn in_one_line(stderr: &str) -> String {
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let line =
        lines().find(|l| ["ERROR:", "FATAL:", "error:"].iter().any(|w| l.contains(w))).or_else(|| lines().next_back());
    let line = line.unwrap_or("it said nothing");
    let text = line.split_once("psql: error: ").map_or(line, |(_, text)| text);
    match text.strip_prefix("psql:<stdin>:").and_then(|rest| rest.split_once(": ")) {
        Some((_, rest)) => rest.to_owned(),
        None => text.to_owned(),
    }
}

/// A name as SQL writes it: in double quotes, inner ones doubled.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL writes it, whatever `standard_conforming_strings` says.
pub(crate) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!(" E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_picked_out_of_what_psql_says() {
        let said = "psql: error: connection to server at \"h\" (127.0.0.1), port 1 failed: Connection refused\n\tIs it running?\n";
        assert_eq!(in_one_line(said), "connection to server at \"h\" (127.0.0.1), port 1 failed: Connection refused");
        assert_eq!(
            in_one_line("psql:<stdin>:1: ERROR:  relation \"x\" does not exist\nLINE 1: x\n"),
            "ERROR:  relation \"x\" does not exist"
        );
        assert_eq!(in_one_line(""), "it said nothing");
    }

    #[test]
    fn names_and_texts_are_quoted_for_sql() {
        assert_eq!(identifier("we\"ird"), "\"we\"\"ird\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\b"), r" E'a\\b'");
    }
}
