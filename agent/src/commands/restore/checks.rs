//! The user's own checks: queries that the restored database has to answer with true before it takes the live one's name.

use catalog::drill::Check;
use catalog::words;
use postgres::database::checks::{question, verdict};
use postgres::database::counts::Within;
use postgres::programs::session::{Session, SessionError};
use postgres::words::statements::sets;
use postgres::{Error, Psql};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::failure::LIVE_IS_UNCHANGED;
use crate::settings::DatabaseSettings;

/// The queries that are set for this database, and `SET` statements between them.
///
/// # Errors
/// Exit 2 when the file that they are in can't be used.
pub(crate) fn of(database: &DatabaseSettings) -> Result<Vec<String>, Failure> {
    let queries = database.checks.as_ref().map_or(Ok(Vec::new()), |checks| checks.queries());
    queries.map_err(|why| {
        Failure::new(Exit::Usage, format!("cannot use RESTORE_CHECKS: {why}"))
            .hint("correct the file or the setting, or restore without them: --skip-checks")
    })
}

/// Those of `queries` that are asked; the others set something for them.
pub(crate) fn asked(queries: &[String]) -> impl Iterator<Item = &String> {
    queries.iter().filter(|query| !sets(query))
}

/// Asks each of `queries` in the database that `psql` is connected to, in a read-only transaction of its own, with the
/// database's own settings and those that were set before it.
///
/// # Errors
/// When the database can't be asked. A query that fails is a check that failed.
pub(crate) fn run(psql: &Psql, queries: &[String]) -> Result<Vec<Check>, Failure> {
    each(queries, Within::Nothing, |question| {
        psql.script(question).map_err(|error| Failure::from(Error::unreachable(psql, &error)))
    })
}

/// The same within the transaction of a session, which goes on as it was before.
///
/// # Errors
/// When the session has ended.
pub(crate) fn run_within(session: &mut Session, queries: &[String]) -> Result<Vec<Check>, SessionError> {
    each(queries, Within::Transaction, |question| session.ask(question))
}

fn each<E>(
    queries: &[String],
    within: Within,
    mut ask: impl FnMut(&str) -> Result<String, E>,
) -> Result<Vec<Check>, E> {
    let (mut settings, mut checks) = (Vec::new(), Vec::new());
    for query in queries {
        if sets(query) {
            settings.push(query.clone());
            continue;
        }
        tracing::info!("checking: {}", in_one_line(query));
        let answer = verdict(&ask(&question(within, &settings, query))?).err();
        checks.push(Check { query: query.clone(), passed: answer.is_none(), answer });
    }
    Ok(checks)
}

/// Ends a restore whose database failed a check.
///
/// # Errors
/// Exit 1, naming the first.
pub(crate) fn refuse_failed(checks: &[Check]) -> Result<(), Failure> {
    let failed =
        checks.iter().filter_map(|check| Some(format!("`{}` {}", in_one_line(&check.query), check.answer.as_ref()?)));
    let failed: Vec<String> = failed.collect();
    if failed.is_empty() {
        return Ok(());
    }
    failed.iter().skip(1).for_each(|check| tracing::error!("{check}"));
    let first = words::first_of(&failed, 1, ", ");
    Err(Failure::new(Exit::Failed, format!("the restored database does not pass RESTORE_CHECKS: {first}")).hint(format!(
        "{LIVE_IS_UNCHANGED}; restore another backup (lastgood list), or correct the query; --skip-checks restores without them"
    )))
}

/// A query on one line, as a plan and a message show it.
pub(crate) fn in_one_line(query: &str) -> String {
    query.split_whitespace().collect::<Vec<_>>().join(" ")
}
