//! `lastgood restore`: a backup becomes a database again, and nothing of the living one is lost on the way.
//!
//! choose → manifest and verdict → tools → plan → show → ask → restore (swap, or in place) → report.

mod arrived;
mod choose;
mod clients;
mod drop_old;
mod head;
mod in_place;
mod job;
mod list_s3;
mod obstacles;
mod outcome;
mod ownership;
mod plan;
mod reading;
mod replay;
mod side_by_side;
mod slots;
mod space;
mod spool;
mod swap;
mod tables;
mod target;

use catalog::manifest::Purpose;
use jiff::{SignedDuration, Timestamp};
use postgres::database::names;
use postgres::{Tools, server};

use crate::answers::failure::{Exit, Failure};
use crate::answers::prompt;
use crate::cli::RestoreArgs;
use crate::commands::backup;
use crate::commands::restore::choose::Chosen;
use crate::commands::restore::clients::Clients;
use crate::commands::restore::head::{Head, HeadError};
use crate::commands::restore::job::Job;
use crate::commands::restore::obstacles::Obstacles;
use crate::commands::restore::outcome::Outcome;
use crate::commands::restore::plan::{Document, Mode, Plan, Wish};
use crate::commands::restore::space::Space;
use crate::commands::restore::target::Target;
use crate::interrupt::Interrupt;
use crate::keys::Keys;
use crate::lock::Lock;
use crate::settings::{DatabaseSettings, Settings};

/// Restores the backup that the command line names.
///
/// # Errors
/// Before anything was touched, or after everything was put back as it was; what is not so says so.
pub(crate) async fn run(args: &RestoreArgs, settings: &Settings) -> Result<Exit, Failure> {
    let wish = wish(args);
    let database = database(args, settings)?;
    if args.list_s3 {
        return list_s3::run(args, settings, &database).await;
    }
    let interrupt = Interrupt::listen()?;
    let tools = Tools::find(settings.program_directory.as_deref());
    let target = Target::ask(&database, args.into.as_deref(), &tools, interrupt.stop())
        .map_err(|failure| interrupt.seen().map_or(failure, job::stopped_by))?;
    if args.drop_old {
        return drop_old::run(args, settings, &target);
    }
    let now = Timestamp::now();
    let of = database.name.as_deref().unwrap_or(&target.role.name);
    let chosen = choose::choose(args, settings, of, now).await?;
    let run = Run { wish, settings: settings.clone(), database, tools, target, chosen, interrupt, now };
    let restoring = tokio::task::spawn_blocking(move || run.restore());
    restoring.await.map_err(|e| Failure::new(Exit::Failed, format!("the restore's own thread failed: {e}")))?
}

/// What the command line asks for.
fn wish(args: &RestoreArgs) -> Wish {
    Wish {
        in_place: args.in_place,
        into: args.into.is_some(),
        tables: args.table.clone(),
        jobs: args.jobs.map(usize::from),
        skip_backup: args.skip_backup,
        skip_services: args.skip_services,
        force: args.force,
        trust_archive: args.trust_archive,
        confirm: args.confirm,
        dry_run: args.dry_run,
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
        None => {
            Err(Failure::new(Exit::Usage, "which database?")
                .hint("name one with --database: one is restored at a time"))
        }
    }
}

/// Everything that a restore starts from.
struct Run {
    wish: Wish,
    settings: Settings,
    database: DatabaseSettings,
    tools: Tools,
    target: Target,
    chosen: Chosen,
    interrupt: Interrupt,
    now: Timestamp,
}

impl Run {
    /// On a thread that may block, within the runtime.
    fn restore(self) -> Result<Exit, Failure> {
        let (report, wish) = (self.settings.report, self.wish.clone());
        let lock_folder = self.settings.lock_directory.clone();
        let (settings, database) = (self.settings.clone(), self.database.clone());
        let interrupt = self.interrupt.clone();
        let mut job = self.plan().map_err(|failure| interrupt.seen().map_or(failure, job::stopped_by))?;
        if wish.dry_run {
            // All that can be checked without touching the database: every byte of the archive.
            job.read_through(&mut |_, _| Ok(()))?;
            let words = format!("{}the archive is whole; nothing was changed (--dry-run)", job.plan);
            report.answer(&Document::from(&job.plan), &words)?;
            return Ok(Exit::Done);
        }
        prompt::ask(&job.plan, &format!("Restore {}?", job.target.name), wish.confirm)?;
        let _lock = Lock::for_restore(&lock_folder, &catalog::encode_database(&job.target.name))?;
        let (restored, safety) = match job.plan.mode {
            Mode::Swap => (swap::run(&job)?, None),
            Mode::InPlace => {
                // Nothing may be written between the safety backup and what it is the way back from.
                let quiet = in_place::quiet(&job)?;
                let safety = if wish.skip_backup { None } else { Some(safety_backup(&settings, &database, &job)?) };
                (in_place::run(&job, quiet)?, safety)
            }
        };
        if wish.into {
            job.plan.old_name = job.plan.old_name.take().filter(|old| !drop_old::drop_empty(&job.target, old));
        }
        let outcome = Outcome::new(&job, &restored, safety, Timestamp::now());
        report.answer(&outcome, &outcome)?;
        Ok(restored.clients.map_or(Exit::Done, |failure| {
            report.say(&failure);
            failure.exit
        }))
    }

    /// Reads the archive's head, asks the server, and decides. Changes nothing.
    fn plan(self) -> Result<Job, Failure> {
        let Self { wish, settings, database, tools, target, chosen, interrupt, now } = self;
        let now = free_moment(&target, now)?;
        let keys = Keys::read(settings.identity_file.as_deref())?;
        let head =
            Head::read(chosen.open()?, &keys, &tools, target.psql.connection(), &interrupt).map_err(|e| match e {
                HeadError::Reading(error) => job::explain(&chosen, error),
                HeadError::Failed(failure) => failure,
            })?;
        refuse(&wish, &head, &target)?;
        tables::require(&head, &wish.tables)?;
        let size = chosen.manifest.as_ref().and_then(|m| m.database.size);
        let size = size.or_else(|| target.living.as_ref()?.size);
        let space = Space::ask(target.psql.connection(), &target.role, size);
        let (mode, why_in_place) = plan::mode(&wish, &target, space)?;
        let is_scripted = mode == Mode::InPlace || swap::needs_script(&head, &target.role);
        if is_scripted && !wish.trust_archive {
            refuse_unrestricted(&head)?;
        }
        let roles = ownership::roles(&target.maintenance).map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
        let ownership = ownership::decide(&head, &target.role, &roles)?;
        let clients = Clients::of(&database, wish.skip_services || wish.into);
        let old_name = target.living.as_ref().filter(|_| mode == Mode::Swap).map(|_| names::before(&target.name, now));
        let mut plan = Plan::new(
            &chosen,
            &head,
            &target,
            wish.clone(),
            (mode, why_in_place),
            ownership,
            old_name,
            clients.stop_command(),
            now,
        );
        if mode == Mode::InPlace {
            let large_objects = chosen.manifest.as_ref().map_or(0, |m| m.census.large_objects.count);
            let obstacles = Obstacles::find(&target.psql, &target.role, &head, large_objects)?;
            obstacles.refuse()?;
            plan.warnings.extend(obstacles.warnings);
        }
        let (report, jobs) = (settings.report, wish.jobs);
        Ok(Job {
            chosen,
            keys,
            head,
            target,
            plan,
            clients,
            tables: wish.tables,
            jobs,
            interrupt,
            report,
            started: now,
        })
    }
}

/// A second whose names nobody has taken: that of the restore, unless another one began in it.
fn free_moment(target: &Target, now: Timestamp) -> Result<Timestamp, Failure> {
    let exists =
        |name: &str| server::exists(&target.maintenance, name).map_err(|e| Failure::new(Exit::Failed, e.to_string()));
    let mut moment = now;
    while exists(&names::before(&target.name, moment))? || exists(&names::restoring(&target.name, moment))? {
        moment += SignedDuration::from_secs(1);
    }
    Ok(moment)
}

/// What would restore the wrong thing, or to the wrong place.
fn refuse(wish: &Wish, head: &Head, target: &Target) -> Result<(), Failure> {
    let made_of = &head.header.database;
    if !wish.into && !wish.force && *made_of != target.name {
        let error = format!("this is a backup of {made_of}, and it would replace {}", target.name);
        return Err(Failure::new(Exit::Failed, error).hint(format!(
            "--into NAME restores it beside; --database {made_of} restores it where it was; --force replaces {} with it",
            target.name
        )));
    }
    let Some(living) = &target.living else { return Ok(()) };
    if wish.into && !target.content.is_empty() {
        let error = format!("database {} exists and isn't empty", target.name);
        return Err(Failure::new(Exit::Failed, error)
            .hint("--into takes a new name or an empty database; without --into the living database is replaced"));
    }
    if let Some(first) = living.prepared_transactions.first() {
        let error = format!("a prepared transaction ({first}) holds database {}", target.name);
        return Err(Failure::new(Exit::Failed, error)
            .hint("end it first, in that database: COMMIT PREPARED or ROLLBACK PREPARED"));
    }
    Ok(())
}

/// Where psql runs pg_restore's script, anything that the archive holds reaches it.
fn refuse_unrestricted(head: &Head) -> Result<(), Failure> {
    if head.restricts_psql {
        return Ok(());
    }
    let error = format!(
        "pg_restore {} doesn't keep a hostile archive from running commands on this machine (CVE-2025-8714)",
        head.pg_restore.version
    );
    Err(Failure::new(Exit::Failed, error).hint(
        "update PostgreSQL's client programs (13.22, 14.19, 15.14, 16.10, 17.6 or newer; PG_BIN_DIR names their folder), \
         restore by swap, without --in-place, or give --trust-archive when you know who made it",
    ))
}

/// A real backup of what is about to be replaced; its name.
fn safety_backup(settings: &Settings, database: &DatabaseSettings, job: &Job) -> Result<String, Failure> {
    tracing::info!("making a safety backup of {}", job.target.name);
    let backing_up = backup::back_up(settings, database, Purpose::Safety, &job.interrupt);
    let failed = |failure: Failure| {
        let error = format!("no safety backup, so nothing was restored: {}", failure.error);
        let hint = failure.hint.unwrap_or_else(|| "--skip-backup restores without one".to_owned());
        let exit = if failure.exit == Exit::Locked { Exit::Locked } else { Exit::Failed };
        Failure::new(exit, error).hint(hint)
    };
    let outcome = tokio::runtime::Handle::current().block_on(backing_up).map_err(failed)?;
    match outcome.failure() {
        Some(failure) if failure.exit == Exit::Damaged => return Err(failed(failure)),
        Some(failure) => tracing::warn!("the safety backup: {failure}"),
        None => {}
    }
    let kept = outcome.kept.first().map(|kept| kept.id.to_string());
    kept.ok_or_else(|| failed(Failure::new(Exit::Failed, "no repository has it")))
}
