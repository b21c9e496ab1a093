//! One backup: restored into a temporary server, changed, dumped, compared, and stored under the name that takes its place. On a thread
//! that may block, within the runtime.

use ::archive::Comparison;
use catalog::drill::ServerKind;
use catalog::erasure::ErasedTable;
use postgres::Version;

use crate::answers::failure::{Exit, Failure};
use crate::commands::drill::compare::{self, Original};
use crate::commands::drill::dump as copy;
use crate::commands::drill::ground::{self, Ground as Server, Wanted};
use crate::commands::drill::room::Room;
use crate::commands::erase::asked::Request;
use crate::commands::erase::changes::{self, Change, Changes};
use crate::commands::erase::dump;
use crate::commands::erase::store::{Shelf, Stocked};
use crate::commands::restore::archive::Archive;
use crate::commands::restore::backup::Backup;
use crate::commands::restore::facts::Facts;
use crate::commands::restore::job::{Job, Watched};
use crate::commands::restore::plan::way::Way;
use crate::commands::restore::server::Server as Target;
use crate::commands::restore::swap;
use crate::commands::restore::watch::{Seen, View};
use crate::commands::restore::wish::Wish;
use crate::interrupt::Interrupt;
use crate::settings::{DatabaseSettings, Settings};

/// A backup that is to be changed.
pub(super) struct Work {
    pub(super) settings: Settings,
    pub(super) database: DatabaseSettings,
    pub(super) interrupt: Interrupt,
    pub(super) request: Request,
    pub(super) backup: Backup,
    pub(super) archive: Archive,
}

/// What came of it.
pub(super) enum Worked {
    /// It has no such rows.
    Clean,
    /// It has no such table.
    NoTable,
    /// So many rows would leave; nothing was stored.
    Counted(Vec<ErasedTable>),
    /// What takes its place is stored.
    Stored(Box<Stocked>),
}

/// A backup that is restored.
struct Restored {
    job: Job,
    seen: Seen,
    view: View,
    // Gone with the value, and the database with it.
    ground: Server,
}

impl Work {
    /// Restores, changes, and stores on `shelf`; without one it only counts.
    ///
    /// # Errors
    /// The original is untouched, and what was stored isn't visible.
    pub(super) fn carry_out(self, shelf: Option<Shelf>) -> Result<Worked, Failure> {
        ground::clear(&self.settings);
        let request = self.request.clone();
        let wanted = Wanted::temporary(&self.database);
        if request.is_of_rows()
            && request.statements(&wanted.head(&self.settings, &self.archive, &self.interrupt)?)?.is_none()
        {
            return Ok(Worked::NoTable);
        }
        let folder = &self.settings.spool_directory;
        if let Some(room) = Room::in_folder(folder, &self.backup) {
            room.refuse(ServerKind::Temporary, &folder.display().to_string()).map_err(no_room)?;
        }
        let ground = wanted.open(&self.settings, &self.archive, &self.interrupt)?;
        let Watched { job, view, watch } = self.plan(&ground)?;
        let Some(statements) = request.statements(&job.facts.head)? else { return Ok(Worked::NoTable) };
        restore(&job)?;
        let restored = Restored { seen: watch.take(), job, view, ground };
        let psql = restored.job.server.psql.to(&restored.job.facts.target.name);
        let Changes { tables: changes, more } = changes::make(&restored.job, &psql, &statements)?;
        if request.is_of_rows() {
            changes::refuse_written(&changes)?;
        }
        if changes.is_empty() && !more {
            return Ok(Worked::Clean);
        }
        let before = restored.seen.tables.clone();
        let Some(shelf) = shelf else {
            let after = changes::expected(&before, &changes)?;
            return Ok(Worked::Counted(changes::told(&request.salt, &before, &changes, &after)));
        };
        // Where no row of a table tells of it, the comparison does.
        let stocked = store(restored, &request.salt, &changes, shelf)?;
        Ok(stocked.map_or(Worked::Clean, |stocked| Worked::Stored(Box::new(stocked))))
    }

    /// As for a drill, but that nothing marks the database: its dump is to be that of the original.
    fn plan(self, ground: &Server) -> Result<Watched, Failure> {
        let Self { settings, interrupt, backup, archive, .. } = self;
        let wish =
            Wish { into: true, confirm: true, spool_directory: settings.spool_directory.clone(), ..Wish::default() };
        let (server, target) = Target::ask(&settings, &ground.database, ground.own_name(), interrupt.stop())?;
        let facts = Facts::gather(&wish, backup, target, &archive, &server)?;
        let watched = Job::watched(wish, facts, (archive, server), interrupt, settings.report)?;
        refuse_another_version(&watched.job)?;
        Ok(watched)
    }
}

/// Definitions of another version can't be compared, and a backup of a newer one can't be restored where its original could.
fn refuse_another_version(job: &Job) -> Result<(), Failure> {
    let header = &job.facts.head.header;
    let server = Version::from_number(job.facts.target.role.version_number());
    let tool = copy::tool(job)?;
    for (made, here, package) in
        [(&header.server_version, server, "postgresql"), (&header.pg_dump_version, tool.version, "postgresql-client")]
    {
        if let Some(made) = Version::parse(made).filter(|made| made.major() != here.major()) {
            let (made, here) = (made.major_name(), here.major_name());
            let error = format!(
                "it was made with PostgreSQL {made}, and here is PostgreSQL {here}: what comes of it would not be the same"
            );
            return Err(Failure::new(Exit::Usage, error)
                .hint(format!("install PostgreSQL {made} (Debian: {package}-{made}); PG_BIN_DIR, where it is set, has to be its folder")));
        }
    }
    Ok(())
}

fn restore(job: &Job) -> Result<(), Failure> {
    match &job.plan.way {
        Way::Swap { new, old, .. } => swap::run(job, new, old.as_deref()).map(drop),
        Way::InPlace { .. } | Way::Rows => Err(Failure::new(Exit::Failed, "the temporary server is not empty")),
    }
}

fn no_room(failure: Failure) -> Failure {
    let error = failure
        .error
        .replace("a drill would fill", "restoring it would fill")
        .replace("scratch database", "temporary server");
    Failure::new(failure.exit, error)
        .hint("set TMPDIR to a folder with more room: TMPDIR=/a/larger/disk lastgood erase …")
}

/// Dumps, compares, and makes visible; nothing where no row has left or come.
fn store(restored: Restored, salt: &str, changes: &[Change], mut shelf: Shelf) -> Result<Option<Stocked>, Failure> {
    let Restored { job, seen, view, ground } = restored;
    let expected = changes::expected(&seen.tables, changes)?;
    let original = job.facts.backup.manifest.as_ref();
    let large_objects = original.map(|manifest| manifest.census.large_objects.clone()).unwrap_or_default();
    let psql = job.server.psql.to(&job.facts.target.name);
    let (road, mut lanes) = shelf.open(&job)?;
    let comparison = Comparison::new(seen.outline);
    let compared =
        dump::carry(&job, (&psql, &ground.database), comparison, (road, &mut lanes)).and_then(|(carried, dumped)| {
            let after = dumped.tables.clone();
            let original = Original { tables: &expected, large_objects: &large_objects, view: &view };
            let finding = compare::compare(&job, &ground.database, &original, dumped)?;
            let differences: Vec<String> =
                finding.differences.into_iter().filter(|said| !is_of_statistics(said)).collect();
            match differences.first() {
                None => Ok((carried, changes::told(salt, &seen.tables, changes, &after))),
                Some(first) => Err(unequal(first, differences.len())),
            }
        });
    let compared = compared.and_then(|compared| job.go_on().map(|()| compared));
    match compared {
        Ok(_) if changes.is_empty() => {
            shelf.abandon(lanes);
            Ok(None)
        }
        Ok((carried, tables)) => shelf.put(&job, &carried, lanes, tables).map(Some),
        Err(failure) => {
            shelf.abandon(lanes);
            Err(failure)
        }
    }
}

/// They are left out on purpose.
fn is_of_statistics(difference: &str) -> bool {
    difference.to_lowercase().starts_with("statistics data")
}

fn unequal(first: &str, number: usize) -> Failure {
    let more = if number > 1 { format!(", and {} more", number - 1) } else { String::new() };
    let error = format!("after the SQL more differs than the rows that it deleted or changed: {first}{more}");
    Failure::new(Exit::Failed, error).hint(
        "nothing was stored; SQL may delete and change rows, and neither definitions, sequences nor large objects",
    )
}
