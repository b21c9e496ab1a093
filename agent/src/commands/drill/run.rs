//! One drill, from the server to what was found. On a thread that may block, within the runtime.

use std::time::Instant;

use catalog::drill::{Check, Drill, DrillServer, ServerKind};
use catalog::manifest::Agent;
use catalog::words;
use jiff::{SignedDuration, Timestamp};
use postgres::Version;
use postgres::database::{names, scratch};

use crate::answers::failure::{Exit, Failure};
use crate::cli::DrillArgs;
use crate::commands::drill::clock::Clock;
use crate::commands::drill::compare::{self, Original};
use crate::commands::drill::dump;
use crate::commands::drill::failure::stopped_by;
use crate::commands::drill::finding::Finding;
use crate::commands::drill::ground::{self, Ground, Wanted};
use crate::commands::drill::rehearsal::Rehearsal;
use crate::commands::drill::room::{self, Room};
use crate::commands::restore::archive::Archive;
use crate::commands::restore::backup::{Backup, StoredBytes};
use crate::commands::restore::checks;
use crate::commands::restore::facts::Facts;
use crate::commands::restore::job::{Job, Watched};
use crate::commands::restore::server::{Server, Target};
use crate::commands::restore::swap;
use crate::commands::restore::wish::Wish;
use crate::host;
use crate::interrupt::Interrupt;
use crate::settings::Settings;

/// How many seconds are tried whose names other drills take at the same time.
const TRIES: usize = 5;
/// The most differences that are written down.
const MOST: usize = 100;

/// A drill whose backup has been chosen.
pub(super) struct Run {
    wanted: Wanted,
    wish: Wish,
    dry_run: bool,
    settings: Settings,
    interrupt: Interrupt,
    backup: Backup,
    archive: Archive,
}

/// What a drill came to.
pub(super) enum Worked {
    /// Nothing was to be done.
    Rehearsed(Rehearsal),
    Drilled(Report, Result<Found, Failure>),
}

/// What was found.
pub(super) struct Found {
    finding: Finding,
    checks: Vec<Check>,
}

/// What is known of a drill however it ended.
#[derive(Debug)]
pub(super) struct Report {
    kind: ServerKind,
    place: String,
    version: Option<String>,
    clock: Clock,
}

/// Where the backup is restored, and what was decided.
struct Planned {
    watched: Watched,
    // Held until the scratch database is gone.
    _claim: Option<scratch::Claim>,
}

impl Run {
    /// # Errors
    /// Exit 2 when the key file is wrong.
    pub(super) fn new(
        args: &DrillArgs,
        settings: &Settings,
        wanted: Wanted,
        interrupt: &Interrupt,
        (backup, stored): (&Backup, &StoredBytes),
    ) -> Result<Self, Failure> {
        let wish = Wish {
            into: true,
            confirm: true,
            is_drill: true,
            jobs: args.jobs.map(usize::from),
            search_path_fix: args.search_path_fix,
            spool_directory: settings.spool_directory.clone(),
            ..Wish::default()
        };
        Ok(Self {
            wanted,
            wish,
            dry_run: args.dry_run,
            settings: settings.clone(),
            interrupt: interrupt.clone(),
            backup: backup.clone(),
            archive: Archive::new(backup, stored.clone(), settings, interrupt)?,
        })
    }

    /// Does it.
    pub(super) fn work(self) -> Worked {
        let (kind, place) = (self.wanted.kind, self.wanted.place());
        let mut report = Report { kind, place, version: None, clock: Clock::default() };
        if self.dry_run {
            return match self.rehearse(&mut report) {
                Ok(rehearsal) => Worked::Rehearsed(rehearsal),
                Err(failure) => Worked::Drilled(report, Err(failure)),
            };
        }
        let (interrupt, folder) = (self.interrupt.clone(), self.settings.spool_directory.clone());
        let found = self.carry_out(&mut report);
        let found = found.map_err(|failure| room::full(failure, kind, &folder));
        Worked::Drilled(report, found.map_err(|failure| interrupt.seen().map_or(failure, stopped_by)))
    }

    /// All that can be found out without making anything.
    fn rehearse(self, report: &mut Report) -> Result<Rehearsal, Failure> {
        let (backup, kind, place) = (self.backup.clone(), self.wanted.kind, report.place.clone());
        if kind == ServerKind::Temporary {
            let room = self.room_for_a_server()?;
            let installed = self.wanted.installed(&self.settings, &self.archive, &self.interrupt)?;
            let place = format!("{place} in {}", self.settings.spool_directory.display());
            let version = installed.server.version.to_string();
            return Ok(Rehearsal::new(&backup, kind, place).of(Some(version), room));
        }
        let ground = self.wanted.clone().open(&self.settings, &self.archive, &self.interrupt)?;
        let planned = self.plan(&ground, report)?;
        let room = Room::on_the_server(&planned.watched.job.facts);
        Ok(Rehearsal::new(&backup, kind, place).of(report.version.clone(), room).planned(&planned.watched.job))
    }

    /// A temporary server's room is looked at before anything is made there.
    fn room_for_a_server(&self) -> Result<Option<Room>, Failure> {
        let folder = &self.settings.spool_directory;
        let room = Room::in_folder(folder, &self.backup);
        match room {
            Some(room) => room.refuse(ServerKind::Temporary, &folder.display().to_string())?,
            None => tracing::info!(
                "whether there is room for a temporary server can't be known: {} can't be asked",
                folder.display()
            ),
        }
        Ok(room)
    }

    /// Server → plan and room → restore → checks → dump → comparison.
    fn carry_out(self, report: &mut Report) -> Result<Found, Failure> {
        ground::clear(&self.settings);
        let wanted = self.wanted.clone();
        if wanted.kind == ServerKind::Temporary {
            self.room_for_a_server()?;
        }
        let ground = report.clock.time("server", || wanted.open(&self.settings, &self.archive, &self.interrupt))?;
        let database = ground.database.clone();
        let queries = checks::of(&database)?;
        let planned = self.plan(&ground, report)?;
        let (Watched { job, view, watch }, clock) = (&planned.watched, &mut report.clock);
        let begun = Instant::now();
        let new = create(job).map_err(uncreated)?;
        let (new, through) = swap::filled(job, new)?;
        let seen = watch.take();
        let read = seen.end.map_or_else(|| begun.elapsed(), |end| end.duration_since(begun));
        clock.note("download", seen.waited);
        clock.note("rows", read.saturating_sub(seen.waited));
        clock.note("indexes", begun.elapsed().saturating_sub(read));
        let psql = job.server.psql.to(&new.name);
        let checks = clock.time("checks", || checks::run(&psql, &queries))?;
        let comparison = ::archive::Comparison::new(seen.outline);
        let dumped = clock.time("dump", || dump::again(job, &psql, &database, comparison))?;
        let large_objects = &through.walked.census.large_objects;
        let original = Original { tables: &seen.tables, large_objects, view };
        let finding = compare::compare(job, &database, &original, dumped)?;
        job.go_on()?;
        tracing::info!("dropping {}", new.name);
        drop(new);
        // One whose drill was killed while the server was creating it could not be seen before.
        drop_dead(&job.server)?;
        Ok(Found { finding, checks })
    }

    /// A name that is free, what is so, and what follows from it.
    fn plan(self, ground: &Ground, report: &mut Report) -> Result<Planned, Failure> {
        let kind = self.wanted.kind;
        let (server, target, claim) = self.claim(ground)?;
        report.version = Some(Version::from_number(target.role.version_number()).to_string());
        let Self { wish, settings, interrupt, backup, archive, .. } = self;
        let facts = Facts::gather(&wish, backup, target, &archive, &server)?;
        refuse_another_name(&facts)?;
        if let Some(room) = Room::on_the_server(&facts).filter(|_| kind != ServerKind::Temporary) {
            room.refuse(kind, "")?;
        } else if kind != ServerKind::Temporary {
            tracing::info!(
                "whether there is room for a scratch database can't be known: the server's disk can't be asked"
            );
        }
        let watched = Job::watched(wish, facts, (archive, server), interrupt, settings.report)?;
        // Hours of restoring would be for nothing.
        dump::tool(&watched.job)?;
        Ok(Planned { watched, _claim: claim })
    }

    /// The scratch database's name, ours from here on. On a server of its own it is the database's own name.
    fn claim(&self, ground: &Ground) -> Result<(Server, Target, Option<scratch::Claim>), Failure> {
        let failed = |e: postgres::PsqlError| Failure::new(Exit::Failed, e.to_string());
        let mut moment = Timestamp::now();
        let ask = |name: &str| Server::ask(&self.settings, &ground.database, Some(name), self.interrupt.stop());
        if let Some(own) = ground.own_name() {
            let (server, target) = ask(own)?;
            if target.living.is_none() {
                return Ok((server, target, None));
            }
        }
        let made_of = ground.database.name.clone().unwrap_or_else(|| self.backup.name.clone());
        for _ in 0..TRIES {
            let (server, target) = ask(&names::drill(&made_of, moment))?;
            refuse_without_right(&target)?;
            if !self.dry_run {
                drop_dead(&server)?;
            }
            let claim = scratch::Claim::take(&server.maintenance, &target.name).map_err(failed)?;
            if claim.is_some() && target.living.is_none() {
                return Ok((server, target, claim));
            }
            moment += SignedDuration::from_secs(1);
        }
        Err(Failure::new(Exit::Failed, "no name is free for a scratch database").hint("drill again in a few seconds"))
    }
}

/// The scratch database. Its claimed name is taken only where a server carried on with what a killed drill had asked for.
fn create(job: &Job) -> Result<swap::New<'_>, Failure> {
    let name = &job.facts.target.name;
    let failure = match swap::create(job, name) {
        Ok(new) => return Ok(new),
        Err(failure) => failure,
    };
    match scratch::drop_dead_at(&job.server.maintenance, name) {
        Ok(true) => {
            tracing::info!("dropped {name}, which a drill left behind");
            swap::create(job, name)
        }
        Ok(false) | Err(_) => Err(failure),
    }
}

/// Drops what drills left behind that were killed.
fn drop_dead(server: &Server) -> Result<(), Failure> {
    let dropped = scratch::drop_dead(&server.maintenance).map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
    dropped.iter().for_each(|name| tracing::info!("dropped {name}, which a drill left behind"));
    Ok(())
}

fn refuse_without_right(target: &Target) -> Result<(), Failure> {
    let role = &target.role.name;
    if target.role.creates_databases {
        return Ok(());
    }
    Err(Failure::new(Exit::Failed, format!("a drill makes a scratch database, and the role {role} may not create one"))
        .hint(format!(
            "as a superuser: ALTER ROLE {} CREATEDB; or drill with --temporary-server",
            postgres::quote::identifier(role)
        )))
}

/// What holds in a database of one name alone can be restored on a server of its own.
fn refuse_another_name(facts: &Facts) -> Result<(), Failure> {
    let made_of = &facts.head.header.database;
    if facts.bound.is_empty() || facts.target.name == *made_of {
        return Ok(());
    }
    let what = words::first_of(&facts.bound, 1, ", ");
    Err(Failure::new(Exit::Failed, format!("a scratch database has another name, and only {made_of} can have {what}"))
        .hint("drill with --temporary-server, where it has its own name"))
}

fn uncreated(failure: Failure) -> Failure {
    failure.hint("drill with --temporary-server, which needs nothing of a server that is in use")
}

impl Report {
    /// The server, in words.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The drill as it is written down, and why it didn't pass, if it didn't.
    pub(super) fn drill(
        self,
        (database, backup, started): (&str, &Backup, Timestamp),
        found: Result<Found, Failure>,
    ) -> (Drill, Vec<String>, Option<Failure>) {
        let (found, failure) = match found {
            Ok(found) => (Some(found), None),
            Err(failure) => (None, Some(failure)),
        };
        let Found { finding, checks } =
            found.unwrap_or_else(|| Found { finding: Finding::default(), checks: Vec::new() });
        let Finding { compared, differences, uncompared, remarks } = finding;
        let failed = checks.iter().filter(|check| !check.passed).count() as u64;
        let differing = differences.len() as u64;
        let mut parts = self.clock.parts().to_vec();
        parts.retain(|part| self.kind == ServerKind::Temporary || part.name != "server");
        parts.retain(|part| part.name != "checks" || !checks.is_empty());
        let md5 = backup.manifest.as_ref().map(|manifest| manifest.archive.digest.md5.to_string()).unwrap_or_default();
        let drill = Drill {
            database: database.to_owned(),
            backup: backup.name.clone(),
            made: backup.instant,
            md5,
            started,
            finished: Timestamp::now(),
            passed: failure.is_none() && differing == 0 && failed == 0,
            failure: failure.as_ref().map(|failure| failure.error.clone()),
            server: DrillServer { kind: self.kind, version: self.version },
            parts,
            compared,
            differences: differences.into_iter().take(MOST).collect(),
            differing,
            uncompared,
            checks,
            agent: Agent { version: env!("CARGO_PKG_VERSION").to_owned(), host: host::name() },
            unknown: catalog::Unknown::default(),
        };
        let failure = failure.or_else(|| unhealthy(&drill));
        (drill, remarks, failure)
    }
}

fn unhealthy(drill: &Drill) -> Option<Failure> {
    let failed = drill.checks.iter().find(|check| !check.passed);
    let what = match (drill.differences.first(), failed) {
        (Some(first), _) if drill.differing > 1 => format!("{first}, and {} more", drill.differing - 1),
        (Some(first), _) => first.clone(),
        (None, Some(check)) => format!("a check failed: {}", check.query),
        (None, None) => return None,
    };
    let error = format!("{} was restored, and is not what was dumped: {what}", drill.backup);
    let error = if drill.differing == 0 { format!("{} was restored, and {what}", drill.backup) } else { error };
    Some(Failure::new(Exit::Unhealthy, error).hint("docs/drill.md says what each difference means"))
}
