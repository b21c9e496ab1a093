//! In place: `pg_restore`'s script in one psql session, whose COMMIT is sent only after digest, archive end and every table's
//! rows have been checked.
//!
//! stop services → end connections → safety backup → begin → drop what the archive brings → guard against a COMMIT of the archive's →
//! script → check → commit → start services. `pg_restore -1` won't do: it commits before the end of its input has been seen. Nor will `--clean`, which drops
//! objects one by one and stops at the first that only goes with another.

use ::archive::Walked;
use catalog::words;
use postgres::database::counts::{self, Within};
use postgres::database::exchange::end_connections;
use postgres::database::live::LiveDatabase;
use postgres::database::{objects, statistics};
use postgres::programs::guard::Guard;
use postgres::programs::pg_restore::Way;
use postgres::programs::program::ProgramError;
use postgres::programs::session::{Session, SessionError};
use postgres::quote::literals;
use serde::Deserialize;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::answer::Restored;
use crate::commands::restore::checks;
use crate::commands::restore::clients::{Clients, Stopped};
use crate::commands::restore::facts::Facts;
use crate::commands::restore::failure::{self, LIVE_IS_UNCHANGED};
use crate::commands::restore::fill::replay::{SessionState, psql_beside, replay, why};
use crate::commands::restore::job::{EVENT_TRIGGER, Job};
use crate::commands::restore::plan::replacement::Replacement;
use crate::commands::restore::properties;
use crate::commands::restore::reading::Through;
use crate::commands::restore::rows::{self, Room};

/// Stops whatever uses the database, and ends its connections.
///
/// # Errors
/// As [`Clients::stop`](crate::commands::restore::clients::Clients::stop).
pub(crate) fn stop_clients(job: &Job) -> Result<Stopped, Failure> {
    let stopped = Clients::of(&job.wish).stop(&job.interrupt)?;
    job.go_on()?;
    end_all(job);
    Ok(stopped)
}

fn end_all(job: &Job) {
    if let Err(error) = end_connections(&job.server.maintenance, &[&job.facts.target.name]) {
        tracing::warn!("cannot end the connections to {}, and waits for them: {error}", job.facts.target.name);
    }
}

/// Restores in place. The safety backup has been made.
///
/// # Errors
/// Everything was rolled back then.
pub(crate) fn run(job: &Job, stopped: Stopped) -> Result<Restored, Failure> {
    let back = LiveDatabase::ask(&job.server.maintenance, &job.facts.target.name);
    let back = back.map_err(|error| job.interrupted_or(error.into()))?.map_or(0, |living| living.connections);
    if back > 0 && !job.wish.skip_backup {
        tracing::warn!(
            "{} came back during the safety backup, which may lack what they wrote; RESTORE_STOP_COMMAND can stop them",
            catalog::words::count(back, "connection")
        );
    }
    end_all(job);
    let guard = Guard::new(rand::random());
    let through = replace(job, &guard).map_err(|failure| told_by(&guard, failure))?;
    if !properties::are_kept(job) {
        // The content is committed.
        let carried = properties::carry_over(job, &job.facts.target.name);
        carried.unwrap_or_else(|failure| tracing::warn!("{}", failure.error));
        properties::finish(job);
    }
    statistics::gather(&job.server.psql, job.sessions());
    Ok(Restored::new(through, stopped.start()))
}

/// Restores rows alone, while services are stopped. Others may stay connected: what they have locked is waited for.
///
/// # Errors
/// Everything was rolled back then.
pub(crate) fn load(job: &Job) -> Result<Restored, Failure> {
    let stopped = Clients::of(&job.wish).stop(&job.interrupt)?;
    job.go_on()?;
    let guard = Guard::new(rand::random());
    let through = replace(job, &guard).map_err(|failure| told_by(&guard, failure))?;
    statistics::gather(&job.server.psql, job.sessions());
    Ok(Restored::new(through, stopped.start()))
}

/// A COMMIT in the archive's own SQL, which failed at the guard.
fn told_by(guard: &Guard, failure: Failure) -> Failure {
    if !guard.is_named_in(&failure.error) {
        return failure;
    }
    Failure::new(Exit::Failed, "the backup's own SQL ended the transaction half way, and all was rolled back")
        .hint(format!("{LIVE_IS_UNCHANGED}; pg_dump writes no such SQL: restore another backup, or this one by swap"))
}

/// The transaction.
fn replace(job: &Job, guard: &Guard) -> Result<Through, Failure> {
    let psql = psql_beside(&job.server.psql, &job.facts.head.pg_restore.path);
    let mut session = Session::start(&psql).map_err(|e| failure::program(&e))?;
    let begun = match session.ask(&format!("BEGIN;\n{TRANSACTION}")) {
        Ok(number) => number,
        Err(error) => return Err(ended(session, &error)),
    };
    let made = if job.plan.chosen.is_rows_alone() { rows::make_room } else { make_room };
    let room = match made(job, &mut session) {
        Ok(room) => room,
        Err((failure, SessionState::Alive)) => {
            session.abandon();
            return Err(failure);
        }
        Err((failure, SessionState::Ended)) => return Err(why(session, failure)),
    };
    // psql that has ended says why at the script's first line.
    let _ = session.send(format!("{}{}", properties::in_session(job), guard.set()).as_bytes());
    let through = match replay(job, &mut session, Way::Replacing, &room.left_out) {
        Ok(through) => through,
        // psql's own words first: what stopped the session is why the script could not go on.
        Err((failure, SessionState::Alive)) => {
            session.abandon();
            return Err(failure);
        }
        Err((failure, SessionState::Ended)) => return Err(why(session, failure)),
    };
    // psql that has ended says why at the check's first question.
    let _ = session.send(room.put_back.as_bytes());
    check(job, session, &through.walked, (&begun, guard))?;
    Ok(through)
}

/// Drops what the archive brings. What is there is looked at once more: since the plan was made, hours may have gone by.
fn make_room(job: &Job, session: &mut Session) -> Result<Room, (Failure, SessionState)> {
    let ended = |error: SessionError| (Failure::new(Exit::Failed, error.to_string()), SessionState::Ended);
    let alive = |failure: Failure| (failure, SessionState::Alive);
    let Facts { head, target, .. } = &job.facts;
    let answer = session.ask(&objects::questions(head.encoding())).map_err(ended)?;
    let unread = |e: serde_json::Error| Failure::new(Exit::Failed, format!("cannot look at the live database: {e}"));
    let objects = objects::read(&answer).map_err(|e| alive(unread(e)))?;
    let waking = silence(job, session).map_err(ended)?;
    let replacement = Replacement::of(head, &objects, &target.role);
    if !replacement.blocking.is_empty() {
        let shown = words::first_of(&replacement.blocking, 1, ", ");
        let error = format!("the live database has changed since the plan was made: {shown}");
        return Err(alive(Failure::new(Exit::Failed, error).hint(format!("{LIVE_IS_UNCHANGED}; restore again"))));
    }
    let script = replacement.removal.script(target.role.version_number());
    session.ask(&script).map_err(ended)?;
    Ok(Room { put_back: replacement.removal.put_back() + &waking, left_out: replacement.left_out })
}

/// Keeps the live event triggers from acting on what the transaction does, where the role may. Returns what wakes those again that stay.
fn silence(job: &Job, session: &mut Session) -> Result<String, SessionError> {
    let Facts { head, target, .. } = &job.facts;
    if target.role.may_silence_event_triggers() {
        session.ask("SET LOCAL event_triggers = off;\n")?;
        return Ok(String::new());
    }
    if !target.role.superuser {
        return Ok(String::new());
    }
    let archived: Vec<&str> = head.entries(EVENT_TRIGGER).map(|entry| entry.names().1).collect();
    let awake = "SELECT evtname, CASE evtenabled WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' ELSE '' END FROM pg_event_trigger
        WHERE evtenabled <> 'D'";
    let made_again = literals(&archived);
    let waking = session.ask(&format!(
        "SELECT coalesce(string_agg(format('ALTER EVENT TRIGGER %I ENABLE %s;', name, how), ' '), '')
            FROM ({awake}) AS t(name, how) WHERE NOT name = ANY (ARRAY[{made_again}]::name[]);\n"
    ))?;
    session.ask(&format!(
        "DO $silence$DECLARE t record; BEGIN FOR t IN {awake} LOOP EXECUTE format('ALTER EVENT TRIGGER %I DISABLE', t.evtname);
            END LOOP; END$silence$;\n"
    ))?;
    Ok(format!("{}\n", waking.trim()))
}

/// The number of the transaction under way.
const TRANSACTION: &str = "SELECT row_to_json(t) FROM (SELECT txid_current() AS transaction) t;\n";

#[derive(PartialEq, Eq, Deserialize)]
struct Transaction {
    transaction: u64,
}

/// Everything is there, and still in the same transaction: only then COMMIT.
fn check(job: &Job, mut session: Session, walked: &Walked, (begun, guard): (&str, &Guard)) -> Result<(), Failure> {
    tracing::info!("counting every table's rows before the commit");
    let answers = match session
        .ask(TRANSACTION)
        .and_then(|now| Ok((now, session.ask(&counts::questions(job.facts.head.encoding(), Within::Transaction))?)))
    {
        Ok(answers) => answers,
        Err(error) => return Err(ended(session, &error)),
    };
    let checked = same_transaction(begun, &answers.0).and_then(|number| {
        let counted = counts::read(&answers.1);
        let counted =
            counted.map_err(|e| Failure::new(Exit::Failed, format!("cannot count the restored rows: {e}")))?;
        job.check_counts(&walked.census, &counted, false)?;
        job.go_on()?;
        Ok(number)
    });
    let checked = match checked.map(|number| (number, checks::run_within(&mut session, &job.wish.checks))) {
        Ok((_, Err(error))) => return Err(ended(session, &error)),
        Ok((number, Ok(checks))) => job.go_on().and_then(|()| checks::refuse_failed(&checks)).map(|()| number),
        Err(failure) => Err(failure),
    };
    let number = match checked {
        Ok(number) => number,
        Err(failure) => {
            session.abandon();
            return Err(failure);
        }
    };
    let _ = session.send(guard.lift().as_bytes());
    match session.commit() {
        Ok(()) => Ok(()),
        Err(error) => after_commit(job, number, &error),
    }
}

fn same_transaction(begun: &str, now: &str) -> Result<u64, Failure> {
    let read = |text: &str| serde_json::from_str::<Transaction>(text.trim()).map(|t| t.transaction).ok();
    match (read(begun), read(now)) {
        (Some(begun), Some(now)) if begun == now => Ok(begun),
        _ => Err(Failure::new(
            Exit::Failed,
            "the backup's own SQL ended the transaction half way: part of it may be in the database",
        )
        .hint("restore the safety backup by swap: lastgood list shows it as pre_restore")),
    }
}

/// A connection that breaks at COMMIT leaves open whether it was done; the server knows.
fn after_commit(job: &Job, number: u64, error: &ProgramError) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Status {
        status: Option<String>,
    }
    let asked = job.server.psql.unstopped().row::<Status>(&format!("SELECT txid_status({number}) AS status"));
    match asked.ok().flatten().and_then(|row| row.status).as_deref() {
        Some("committed") => Ok(()),
        Some("aborted") => Err(failure::program(error)),
        _ => Err(Failure::new(
            Exit::Failed,
            format!("the connection broke at COMMIT, and it is unknown whether that took effect: {error}"),
        )
        .hint(format!("ask the server: SELECT txid_status({number})"))),
    }
}

fn ended(session: Session, error: &SessionError) -> Failure {
    why(session, Failure::new(Exit::Failed, error.to_string()))
}
