//! What a restore is about, in words: the backup, how it was made, and what it replaces.

use catalog::words;
use jiff::Timestamp;
use postgres::database::live::LiveDatabase;

use crate::answers::census;
use crate::commands::restore::backup::Backup;
use crate::commands::restore::checks;
use crate::commands::restore::facts::Facts;
use crate::commands::restore::head::Head;
use crate::commands::restore::server::Target;
use crate::commands::restore::tables::Chosen;
use crate::commands::restore::wish::Wish;

/// The first lines of a plan.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) backup: String,
    pub(super) made: String,
    pub(super) replaces: String,
    /// The tables whose rows are restored; empty: all.
    pub(super) tables: Vec<String>,
    /// Rows are restored.
    pub(super) has_rows: bool,
    /// The user's own checks, each on a line.
    pub(super) checks: Vec<String>,
    /// The shell command that stops what uses the database.
    pub(super) stops: Option<String>,
}

impl Subject {
    /// Puts wish and facts into words.
    pub(super) fn of(wish: &Wish, facts: &Facts, chosen: &Chosen) -> Self {
        Self {
            backup: backup(&facts.backup),
            made: made(&facts.backup, &facts.head, facts.moment),
            replaces: replaces(&facts.target),
            tables: tables(wish, chosen),
            has_rows: !chosen.is_without_rows(),
            checks: checks::asked(&wish.checks).map(|query| checks::in_one_line(query)).collect(),
            stops: wish.stop_command.clone(),
        }
    }
}

fn tables(wish: &Wish, chosen: &Chosen) -> Vec<String> {
    let schemas = wish.schemas.iter().filter(|_| wish.tables.is_empty()).map(|schema| format!("schema {schema}"));
    wish.tables.iter().cloned().chain(schemas).chain(chosen.belonging().iter().cloned()).collect()
}

fn backup(backup: &Backup) -> String {
    format!("{} ({}, {}) from {}", backup.name, backup.assurance, words::size(backup.size), backup.place)
}

fn made(backup: &Backup, head: &Head, now: Timestamp) -> String {
    let database = match head.header.database.as_str() {
        "" => "a database that it does not name",
        name => name,
    };
    let (server, pg_dump) = (version(&head.header.server_version), version(&head.header.pg_dump_version));
    let content = match &backup.manifest {
        Some(manifest) => {
            let tables = manifest.census.tables.len() as u64;
            format!("{}, {}", words::count(tables, "table"), census::rows(manifest.census.counted_rows()))
        }
        None => words::count(head.entries("TABLE DATA").count() as u64, "table"),
    };
    let age = words::age(now.duration_since(backup.instant));
    let moment = words::minute(backup.instant);
    format!("{age} ({moment}) of {database} on PostgreSQL {server} by pg_dump {pg_dump}: {content}")
}

/// Without the packager's own words behind it.
fn version(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or(text)
}

fn replaces(target: &Target) -> String {
    let place = &target.place;
    let Some(LiveDatabase { size, connections, .. }) = &target.living else {
        return format!("nothing: {place} does not exist and is created");
    };
    let size = size.map_or("of unknown size".to_owned(), words::size);
    let (tables, connections) =
        (words::count(target.content.tables, "table"), words::count(*connections, "connection"));
    format!("{place}: {tables}, {size}, {connections}")
}
