//! `pg_dumpall --globals-only`: what the whole server has and no archive holds. Its answer is small, and is read whole.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::programs::program::{BadEnd, Ended, Manner, PATIENCE, Program, ProgramError, Stderr, Stopper};
use crate::programs::stop::Stop;
use crate::said::in_one_line;
use crate::{Connection, Tool, Tools, Version};

/// How long it may take: it reads a few small catalogs, and a backup waits for it.
const LIMIT: Duration = Duration::from_secs(60);
/// The longest answer that is taken, in bytes.
const LONGEST: u64 = 64 << 20;
/// To a session of this character set the server sends bytes as they are.
const UNCONVERTED: &str = "SQL_ASCII";

/// How to ask for the globals.
#[derive(Clone, Copy, Debug)]
pub struct GlobalsOptions<'a> {
    /// The role that is taken on after connecting, as pg_dump's `--role`.
    pub role: Option<&'a str>,
    /// Ask for the passwords as well, as the server stores them. It takes a superuser.
    pub passwords: bool,
    /// How long it may take.
    pub limit: Duration,
}

/// Why there are no globals.
#[derive(Debug, thiserror::Error)]
pub enum GlobalsError {
    /// No pg_dumpall that fits is there, neither beside the pg_dump that is used nor anywhere else.
    #[error("there is no pg_dumpall beside {}", .0.display())]
    NotInstalled(PathBuf),
    /// It failed.
    #[error("pg_dumpall {end}: {said}")]
    Failed {
        /// How it ended.
        end: BadEnd,
        /// Its own words.
        said: String,
    },
    /// It was ended because it took too long.
    #[error("pg_dumpall did not end within {} s", .0.as_secs())]
    TooSlow(Duration),
    /// It wrote more than is taken.
    #[error("pg_dumpall wrote more than {LONGEST} bytes")]
    TooLong,
    /// It could not be run or read.
    #[error("cannot run pg_dumpall: {0}")]
    Run(String),
    /// The run was told to stop, by the signal of this name.
    #[error("stopped by {0}")]
    Interrupted(&'static str),
}

impl Default for GlobalsOptions<'_> {
    fn default() -> Self {
        Self { role: None, passwords: false, limit: LIMIT }
    }
}

impl From<ProgramError> for GlobalsError {
    fn from(error: ProgramError) -> Self {
        match error {
            ProgramError::Interrupted(signal) => Self::Interrupted(signal),
            error => Self::Run(error.to_string()),
        }
    }
}

/// The globals as SQL in UTF-8, asked over a connection to `database`: no other one is needed. `program` is a pg_dumpall that fits the
/// server.
///
/// All databases share them, and a name has the bytes that whoever made it had it in, usually UTF-8: converted from the character set
/// of this database they would be others. So they are asked for as they are, and converted only where that isn't UTF-8.
///
/// # Errors
/// [`GlobalsError`].
pub fn globals(
    program: &Path,
    connection: &Connection,
    database: &str,
    options: GlobalsOptions<'_>,
    stop: &Stop,
) -> Result<Vec<u8>, GlobalsError> {
    let ask = |encoding| ask(connection.to(database).command(program), encoding, database, options, stop);
    match String::from_utf8(ask(UNCONVERTED)?) {
        Ok(sql) => Ok(sql.replacen(&set_encoding(UNCONVERTED), &set_encoding("UTF8"), 1).into_bytes()),
        Err(_) => ask("UTF8"),
    }
}

fn set_encoding(encoding: &str) -> String {
    format!("SET client_encoding = '{encoding}';")
}

fn ask(
    mut command: Command,
    encoding: &str,
    database: &str,
    options: GlobalsOptions<'_>,
    stop: &Stop,
) -> Result<Vec<u8>, GlobalsError> {
    command.args(["--globals-only", "--no-password"]).arg(format!("--database={}", connection_string(database)));
    if !options.passwords {
        command.arg("--no-role-passwords");
    }
    if let Some(role) = options.role {
        command.arg(format!("--role={role}"));
    }
    command.env("PGCLIENTENCODING", encoding).stdin(Stdio::null()).stdout(Stdio::piped());
    let manner = Manner { patience: PATIENCE, stderr: Stderr::Kept };
    let (program, pipes) = Program::start_as(manner, "pg_dumpall", &mut command, stop)?;
    let (done, ended) = channel();
    let stopper = program.stopper();
    let limit = options.limit;
    let (read, too_slow) = std::thread::scope(|scope| {
        let watching = scope.spawn(move || stop_when_slow(&ended, &stopper, limit));
        let mut text = Vec::new();
        let read = pipes.stdout.map(|pipe| pipe.take(LONGEST + 1).read_to_end(&mut text)).transpose().map(|_| text);
        drop(done);
        (read, watching.join().unwrap_or_default())
    });
    let text = read.map_err(|e| GlobalsError::Run(e.to_string()))?;
    let Ended { failure, lines } = program.finish()?;
    match (failure, stop.signal()) {
        (Some(_), Some(signal)) => Err(GlobalsError::Interrupted(signal)),
        (Some(_), None) if too_slow => Err(GlobalsError::TooSlow(limit)),
        _ if text.len() as u64 > LONGEST => Err(GlobalsError::TooLong),
        (Some(end), None) => Err(GlobalsError::Failed { end, said: in_one_line(&lines.join("\n")) }),
        (None, _) => Ok(text),
    }
}

/// Whether it had to be ended.
fn stop_when_slow(ended: &Receiver<()>, stopper: &Stopper, limit: Duration) -> bool {
    let too_slow = ended.recv_timeout(limit) == Err(std::sync::mpsc::RecvTimeoutError::Timeout);
    if too_slow {
        stopper.stop();
    }
    too_slow
}

/// The pg_dumpall of the set that `pg_dump` is of; else another one that fits a server of this version.
///
/// # Errors
/// [`GlobalsError::NotInstalled`].
pub fn find(pg_dump: &Tool, tools: &Tools, server: Version) -> Result<PathBuf, GlobalsError> {
    let real = std::fs::canonicalize(&pg_dump.path).unwrap_or_else(|_| pg_dump.path.clone());
    let mut paths = [&pg_dump.path, &real].into_iter().map(|path| path.with_file_name("pg_dumpall"));
    let other = || tools.fitting("pg_dumpall", server, "the server").ok().map(|tool| tool.path);
    paths.find(|path| path.is_file()).or_else(other).ok_or_else(|| GlobalsError::NotInstalled(pg_dump.path.clone()))
}

/// libpq reads a name that has `=` in it, or begins as a URL, as a whole connection.
fn connection_string(database: &str) -> String {
    format!("dbname='{}'", database.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Instant;

    use super::*;

    /// A pg_dumpall that is this script.
    fn run(script: &str, limit: Duration) -> Result<Vec<u8>, GlobalsError> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("pg_dumpall");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let tool = Tool { path: folder.path().join("pg_dump"), version: Version::parse("16.1").unwrap() };
        let found = find(&tool, &Tools::find(Some(Path::new("/nowhere")), &[]), tool.version)?;
        let options = GlobalsOptions { role: Some("boss"), limit, ..GlobalsOptions::default() };
        globals(&found, &Connection::default(), "it's", options, &Stop::never())
    }

    #[test]
    fn it_is_asked_for_no_passwords_over_the_database_of_the_run() {
        let said = run("echo \"$@\"", LIMIT).unwrap();
        assert_eq!(
            String::from_utf8(said).unwrap(),
            "--globals-only --no-password --database=dbname='it\\'s' --no-role-passwords --role=boss\n"
        );
    }

    #[test]
    fn names_stay_as_they_are_and_only_what_is_not_utf_8_is_converted() {
        let told = |bytes: &str| {
            let script = format!(
                "echo \"SET client_encoding = '$PGCLIENTENCODING';\"; [ $PGCLIENTENCODING = UTF8 ] && printf 'converted' || printf '{bytes}'"
            );
            String::from_utf8(run(&script, LIMIT).unwrap()).unwrap()
        };
        assert_eq!(told("\\303\\274"), "SET client_encoding = 'UTF8';\nü");
        assert_eq!(told("\\374"), "SET client_encoding = 'UTF8';\nconverted");
    }

    #[test]
    fn one_that_fails_says_why_and_one_that_hangs_is_ended() {
        let error =
            run("echo 'pg_dumpall: error: permission denied for table pg_authid' >&2; exit 1", LIMIT).unwrap_err();
        assert!(error.to_string().contains("exit status 1: pg_dumpall: error: permission denied"), "{error}");
        let begun = Instant::now();
        let error = run("exec sleep 600", Duration::from_millis(200)).unwrap_err();
        assert!(matches!(error, GlobalsError::TooSlow(_)), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }

    #[test]
    fn a_client_without_pg_dumpall_is_told() {
        let tool = Tool { path: "/nowhere/pg_dump".into(), version: Version::parse("16.1").unwrap() };
        let error = find(&tool, &Tools::find(Some(Path::new("/nowhere")), &[]), tool.version).unwrap_err();
        assert_eq!(error.to_string(), "there is no pg_dumpall beside /nowhere/pg_dump");
    }
}
