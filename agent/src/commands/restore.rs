//! `lastgood restore`: a backup becomes a database again, and the live one is not touched before the new one has been checked.
//!
//! wish (what was asked) → facts (what is so) → plan (what follows, decided without asking anybody) → "yes" → act → answer.

mod answer;
pub(crate) mod archive;
pub(crate) mod backup;
pub(crate) mod checks;
pub(crate) mod choose;
mod clients;
mod counting;
mod current_table;
pub(crate) mod damage;
mod drop_old;
mod dump;
pub(crate) mod edits;
pub(crate) mod facts;
pub(crate) mod failure;
pub(crate) mod fill;
pub(crate) mod head;
mod in_place;
mod indexing;
pub(crate) mod job;
pub(crate) mod left_out;
mod list_s3;
mod locale;
mod made;
mod meant;
pub(crate) mod owners;
pub(crate) mod plan;
mod properties;
pub(crate) mod reading;
pub(crate) mod roles;
mod rows;
mod safety;
pub(crate) mod server;
pub(crate) mod space;
pub(crate) mod swap;
mod swappable;
pub(crate) mod tables;
pub(crate) mod thaw;
mod timeline;
mod traps;
mod undo;
mod unfilled;
pub(crate) mod watch;
pub(crate) mod wish;

use std::pin::pin;
use std::time::Instant;

use jiff::Timestamp;

use crate::answers::failure::{Exit, Failure};
use crate::answers::prompt;
use crate::cli::RestoreArgs;
use crate::commands::restore::answer::Restored;
use crate::commands::restore::archive::Archive;
use crate::commands::restore::backup::{Backup, StoredBytes};
use crate::commands::restore::damage::Suspect;
use crate::commands::restore::facts::Facts;
use crate::commands::restore::job::Job;
use crate::commands::restore::left_out::LeftOut;
use crate::commands::restore::plan::shown::PlanDocument;
use crate::commands::restore::plan::way::Way;
use crate::commands::restore::server::{Server, Target};
use crate::commands::restore::thaw::Brought;
use crate::commands::restore::wish::Wish;
use crate::interrupt::{self, Interrupt};
use crate::lock::Lock;
use crate::settings::{DatabaseSettings, Settings};

/// Restores the backup that the command line names.
///
/// # Errors
/// Before anything was touched, or after everything was put back as it was; an error that leaves more says so.
pub(crate) async fn run(args: &RestoreArgs, settings: &Settings, interrupt: &Interrupt) -> Result<Exit, Failure> {
    timeline::begin();
    let database = database(args, settings)?;
    if args.list_s3 {
        return interrupt.or(list_s3::run(args, settings, &database)).await;
    }
    if let Some(asked) = &args.undo {
        let wish = Wish::of(args, settings, &database)?;
        return undo::run(asked.as_deref(), &wish, settings, &database, interrupt);
    }
    if args.drop_old {
        let (server, target) = ask(args, settings, &database, interrupt).await?;
        return drop_old::run(args, settings, &server, &target.name, interrupt);
    }
    let (wish, (server, target), (backup, stored)) = find(args, settings, &database, interrupt).await?;
    timeline::reached("the backup is chosen");
    let stored = match thaw::bring_back(args, &backup, stored, interrupt).await? {
        Brought::Ready(stored) => stored,
        Brought::NotYet(plan) => {
            settings.report.outcome(Exit::Failed, plan.as_ref(), plan.as_ref())?;
            return Ok(Exit::Failed);
        }
    };
    let suspect = Suspect::new(&backup, &stored, interrupt);
    let archive = Archive::new(&backup, stored, settings, interrupt)?;
    let (settings, interrupt, own) = (settings.clone(), interrupt.clone(), settings);
    let restoring = tokio::task::spawn_blocking(move || {
        let facts = Facts::gather(&wish, backup, target, &archive, &server)
            .map_err(|failure| interrupted_or(&interrupt, failure))?;
        timeline::reached("the facts are gathered");
        let plan = plan::decide(&wish, &facts)?;
        let has_event_triggers = facts.head.entries(job::EVENT_TRIGGER).next().is_some();
        let server = server.undisturbed(&facts.target.role, has_event_triggers);
        let (report, left_out) = (settings.report, LeftOut::default());
        let job = Job { wish, facts, plan, archive, server, interrupt, report, left_out };
        restore(&job, &settings, &database).map_err(|failure| reading_interrupted(&job, failure))
    });
    match restoring.await.map_err(|e| Failure::new(Exit::Failed, format!("the restore's own thread failed: {e}")))? {
        Err(failure) if failure.exit == Exit::Damaged => Err(suspect.read_again(failure, own).await),
        done => done,
    }
}

/// What was asked for, the server, and the backup.
type Found = (Wish, (Server, Target), (Backup, StoredBytes));

/// Asks the server and the repository, at the same time where it is known whose backup is meant. What is wrong with the server is said first.
async fn find(
    args: &RestoreArgs,
    settings: &Settings,
    database: &DatabaseSettings,
    interrupt: &Interrupt,
) -> Result<Found, Failure> {
    let choose = async |of: &str| {
        let choosing = choose::choose(args, settings, of, Timestamp::now());
        interrupt.or(choosing).await.map_err(|failure| interrupted_or(interrupt, failure))
    };
    let asking = ask(args, settings, database, interrupt);
    let (asked, chosen) = match database.name.as_deref() {
        None => (asking.await?, None),
        Some(of) => {
            let (mut asking, mut choosing) = (pin!(asking), pin!(choose(of)));
            tokio::select! {
                asked = &mut asking => (asked?, Some(choosing.await)),
                chosen = &mut choosing => (asking.await?, Some(chosen)),
            }
        }
    };
    let wish = Wish::of(args, settings, database)?;
    let chosen = match chosen {
        Some(chosen) => chosen?,
        None => choose(&asked.1.role.name).await?,
    };
    Ok((wish, asked, chosen))
}

/// Asks the server, on a thread that may block.
async fn ask(
    args: &RestoreArgs,
    settings: &Settings,
    database: &DatabaseSettings,
    interrupt: &Interrupt,
) -> Result<(Server, Target), Failure> {
    let (settings, database, into) = (settings.clone(), database.clone(), args.into.clone());
    let stop = interrupt.stop().clone();
    let asking = tokio::task::spawn_blocking(move || Server::ask(&settings, &database, into.as_deref(), &stop));
    let panicked = |e| Failure::new(Exit::Failed, format!("the restore's own thread failed: {e}"));
    let asked = asking.await.map_err(panicked)?.map_err(|failure| interrupted_or(interrupt, failure))?;
    timeline::reached("the server is asked");
    Ok(asked)
}

/// Why what comes before the plan failed: the programs that are asked end when the run is told to stop.
fn interrupted_or(interrupt: &Interrupt, failure: Failure) -> Failure {
    interrupt.seen().map_or(failure, failure::stopped_by)
}

/// A restore whose reading or prompt was ended says so as its other steps do.
fn reading_interrupted(job: &Job, failure: Failure) -> Failure {
    match job.interrupt.seen() {
        Some(signal) if failure == interrupt::stopped_by(signal) => failure::stopped_by(signal),
        _ => failure,
    }
}

/// Shows the plan and asks, acts, and answers. On a thread that may block, within the runtime.
fn restore(job: &Job, settings: &Settings, database: &DatabaseSettings) -> Result<Exit, Failure> {
    if job.wish.dry_run {
        return rehearse(job);
    }
    let name = &job.facts.target.name;
    prompt::ask(&job.plan, &format!("Restore {name}?"), job.wish.confirm, &job.interrupt)?;
    let _lock = Lock::for_restore(&settings.lock_directory, &catalog::encode_database(name))?;
    let explained = |failure| {
        let failure = if job.wish.search_path_fix { failure } else { job.facts.traps.explain(failure) };
        if job.plan.filling.could_go_on() { failure::or_keep_going(failure) } else { failure }
    };
    let begun = Instant::now();
    let restored = act(job, settings, database).map_err(explained)?;
    let answer = answer::RestoreAnswer::new(job, &restored, begun.elapsed());
    job.report.answer(&answer, &answer)?;
    Ok(restored.clients.map_or(Exit::Done, |failure| {
        job.report.say(&failure);
        failure.exit
    }))
}

/// All that can be checked without touching a database: every byte of the archive.
fn rehearse(job: &Job) -> Result<Exit, Failure> {
    job.read_through::<Failure>(|_, _| Ok(()))?;
    let words = format!("{}the archive is whole; nothing was changed (--dry-run)", job.plan);
    job.report.answer(&PlanDocument::from(&job.plan), &words)?;
    Ok(Exit::Done)
}

/// Does what the plan says. What fails leaves no new roles behind.
fn act(job: &Job, settings: &Settings, database: &DatabaseSettings) -> Result<Restored, Failure> {
    let made = made::make(job)?;
    let restored = replace(job, settings, database)?;
    made.keep();
    Ok(restored)
}

fn replace(job: &Job, settings: &Settings, database: &DatabaseSettings) -> Result<Restored, Failure> {
    match &job.plan.way {
        Way::Swap { new, old, drops_empty, .. } => {
            let restored = swap::run(job, new, old.as_deref())?;
            let old = restored.old_database.clone();
            let old = old.filter(|old| !drops_empty || !drop_old::drop_empty(&job.server, old));
            Ok(Restored { old_database: old, ..restored })
        }
        Way::InPlace { safety_backup, .. } => {
            // Nothing may be written between the safety backup and what it is the way back from.
            let stopped = in_place::stop_clients(job)?;
            let safety = safety_backup.then(|| safety::back_up(job, settings, database)).transpose()?;
            let restored = in_place::run(job, stopped)?;
            Ok(Restored { safety_backup: safety, ..restored })
        }
        Way::Rows => in_place::load(job),
    }
}

/// The database whose settings hold.
fn database(args: &RestoreArgs, settings: &Settings) -> Result<DatabaseSettings, Failure> {
    if let [one] = settings.databases.as_slice() {
        return Ok(one.clone());
    }
    let id = args.id.as_ref().and_then(|id| id.parse::<catalog::BackupId>().ok());
    match id {
        Some(id) => Ok(settings.database(&id.stem.database())),
        None => Err(Failure::new(Exit::Usage, "more than one database is configured, and a restore takes one")
            .hint("name it with --database NAME")),
    }
}
