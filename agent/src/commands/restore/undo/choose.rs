//! Which old database is meant.

use catalog::words;
use postgres::database::live::LiveDatabase;
use postgres::database::names;
use postgres::{Error, Psql};
use serde::Deserialize;

use crate::answers::failure::{Exit, Failure};

/// How many names an error spells out.
const NAMED: usize = 5;

/// The newest old database of `name`, or the one that was `asked` for, and the names of the others, newest first.
///
/// # Errors
/// Exit 5 when there is none, or not this one; exit 1 when what was asked for isn't one.
pub(super) fn choose(
    maintenance: &Psql,
    name: &str,
    asked: Option<&str>,
) -> Result<(LiveDatabase, Vec<String>), Failure> {
    let all = databases(maintenance)?;
    let mut old: Vec<String> = all.iter().filter(|other| names::is_before(name, other)).cloned().collect();
    old.sort_by_key(|other| std::cmp::Reverse(names::put_aside(name, other)));
    let chosen = match asked {
        None => old.first().cloned().ok_or_else(|| none(name))?,
        Some(asked) if old.iter().any(|other| other == asked) => asked.to_owned(),
        Some(asked) => return Err(refused(name, asked, &all, &old)),
    };
    let found = LiveDatabase::ask(maintenance, &chosen)?.ok_or_else(|| none(name))?;
    old.retain(|other| *other != chosen);
    Ok((found, old))
}

fn databases(maintenance: &Psql) -> Result<Vec<String>, Failure> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
    }
    let rows: Vec<Row> =
        maintenance.rows("SELECT datname AS name FROM pg_database").map_err(|e| Error::unreachable(maintenance, &e))?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

fn none(name: &str) -> Failure {
    Failure::new(Exit::NotFound, format!("{name} has no old database to go back to")).hint(
        "a restore by swap keeps one until --drop-old drops it; one in place makes a safety backup, which lastgood list shows as pre_restore",
    )
}

/// Why the one that was asked for can't be taken.
fn refused(name: &str, asked: &str, all: &[String], old: &[String]) -> Failure {
    let there_are = match old {
        [] => format!("{name} has no old database to go back to"),
        old => format!("the old databases of {name}: {}", words::first_of(old, NAMED, ", ")),
    };
    if !all.iter().any(|other| other == asked) {
        return Failure::new(Exit::NotFound, format!("there is no database {asked} to go back to")).hint(there_are);
    }
    let error = if names::is_restoring(name, asked) {
        format!("{asked} is not an old database, but what a restore that was killed had filled so far")
    } else {
        format!("{asked} is not an old database of {name}: no restore gives such a name")
    };
    Failure::new(Exit::Failed, error).hint(there_are)
}
