//! One restore: what was asked, what is so, what was decided, and what both ways of restoring share.

use std::collections::BTreeSet;

use ::archive::{Census, Digest, Walk};
use catalog::words;
use postgres::database::counts::{self, Counted};
use postgres::programs::pg_restore::Choice;

use crate::answers::failure::{Exit, Failure};
use crate::answers::progress::Progress;
use crate::answers::report::Report;
use crate::commands::restore::archive::Archive;
use crate::commands::restore::current_table::CurrentTable;
use crate::commands::restore::facts::Facts;
use crate::commands::restore::failure::{self, LIVE_IS_UNCHANGED};
use crate::commands::restore::left_out::LeftOut;
use crate::commands::restore::meant::Meant;
use crate::commands::restore::plan::filling::{sessions, usual_jobs};
use crate::commands::restore::plan::{self, Plan};
use crate::commands::restore::reading::{ReadError, Through, read_through};
use crate::commands::restore::server::Server;
use crate::commands::restore::tables;
use crate::commands::restore::watch::{View, Watch};
use crate::commands::restore::wish::Wish;
use crate::interrupt::Interrupt;

/// An entry that makes an event trigger.
pub(crate) const EVENT_TRIGGER: &str = "EVENT TRIGGER";

/// A restore whose plan has been made.
pub(crate) struct Job {
    pub(crate) wish: Wish,
    pub(crate) facts: Facts,
    pub(crate) plan: Plan,
    pub(crate) archive: Archive,
    pub(crate) server: Server,
    pub(crate) interrupt: Interrupt,
    pub(crate) report: Report,
    /// What could not be made as it was.
    pub(crate) left_out: LeftOut,
}

/// A restore whose archive somebody looks at as it goes by.
pub(crate) struct Watched {
    pub(crate) job: Job,
    /// How its entries are looked at.
    pub(crate) view: View,
    /// What was seen, once it has been read.
    pub(crate) watch: Watch,
}

impl Job {
    /// Decides by what is so, and looks at the archive on its way. Who compares what came of it needs nothing to be said to anybody.
    ///
    /// # Errors
    /// As [`plan::decide`].
    pub(crate) fn watched(
        wish: Wish,
        facts: Facts,
        (mut archive, server): (Archive, Server),
        interrupt: Interrupt,
        report: Report,
    ) -> Result<Watched, Failure> {
        let plan = plan::decide(&wish, &facts)?;
        plan.warnings.iter().for_each(|warning| tracing::info!("{warning}"));
        let view = View { edits: plan.edits.clone() };
        let watch = Watch::new(view.clone());
        archive.watch = Some(watch.clone());
        Ok(Watched {
            job: Self { wish, facts, plan, archive, server, interrupt, report, left_out: LeftOut::default() },
            view,
            watch,
        })
    }

    /// What `pg_restore` leaves out. The list, if there is one, exists as long as what is returned second.
    ///
    /// # Errors
    /// As [`tables::list`].
    pub(crate) fn choice(&self) -> Result<(Choice, Option<tempfile::NamedTempFile>), Failure> {
        self.choice_without(&BTreeSet::new())
    }

    /// The same without those `made` already, and without what comes last.
    ///
    /// # Errors
    /// As [`tables::list`].
    pub(crate) fn choice_before_last(
        &self,
        made: &BTreeSet<i32>,
    ) -> Result<(Choice, Option<tempfile::NamedTempFile>), Failure> {
        self.choice_without(&made.union(&self.last()).copied().collect())
    }

    /// What comes when all else is there and was counted: event triggers act on what a restore does, and write where they note it.
    pub(crate) fn last(&self) -> BTreeSet<i32> {
        let is_one = !self.plan.chosen.is_rows_alone();
        self.facts.head.entries(EVENT_TRIGGER).filter(|_| is_one).map(|entry| entry.dump_id).collect()
    }

    /// The same, and the entries `left_out` as well.
    ///
    /// # Errors
    /// As [`tables::list`].
    pub(crate) fn choice_without(
        &self,
        left_out: &BTreeSet<i32>,
    ) -> Result<(Choice, Option<tempfile::NamedTempFile>), Failure> {
        let chosen = &self.plan.chosen;
        let is_whole = chosen.is_all() && left_out.is_empty() && !self.facts.head.is_cut;
        let list = if is_whole { None } else { Some(tables::list(&self.facts.head, chosen, left_out)?) };
        let choice = Choice {
            without_privileges: false,
            without_tablespaces: false,
            list: list.as_ref().map(|file| file.path().to_owned()),
        };
        Ok((choice, list))
    }

    /// Reads the archive to its end, hands its dump to `take`, and compares what was read with the manifest.
    ///
    /// # Errors
    /// Exit 4 when it isn't what it should be; exit 1 when it can't be read; whatever `take` refused with.
    pub(crate) fn read_through<E: From<Failure>>(
        &self,
        take: impl FnMut(&Walk, &[u8]) -> Result<(), E>,
    ) -> Result<Through, E> {
        let backup = &self.facts.backup;
        let progress = Progress::of_hours(self.report, &backup.name, backup.size);
        let mut table = CurrentTable::default();
        let mut take = take;
        let through = read_through(&self.archive, &progress, |walk, bytes| {
            table.show(walk, &progress);
            take(walk, bytes)
        });
        let through = through.map_err(|error| match error {
            ReadError::Reading(error) => failure::reading(&backup.place, error).into(),
            ReadError::Refused(error) => error,
        })?;
        self.compare(&through)?;
        Ok(through)
    }

    fn compare(&self, through: &Through) -> Result<(), Failure> {
        let backup = &self.facts.backup;
        let Some(manifest) = &backup.manifest else { return Ok(()) };
        let differs = |what: String| {
            Failure::new(Exit::Damaged, format!("{} is not what its manifest says: {what}", backup.place))
                .hint("nothing was changed; restore another backup: lastgood list")
        };
        let (Digest { size, md5, .. }, expected) = (&through.digest, &manifest.archive.digest);
        if (*size, *md5) != (expected.size, expected.md5) {
            return Err(differs(format!(
                "{size} bytes with MD5 {md5} were read, {} with {} were stored",
                expected.size, expected.md5
            )));
        }
        if through.walked.census != manifest.census {
            return Err(differs("its tables hold other rows than were counted when it was made".to_owned()));
        }
        Ok(())
    }

    /// Compares what was counted in the restored database. `alone`: nothing but the archive's content is in it.
    ///
    /// # Errors
    /// Exit 1, naming the first difference.
    pub(crate) fn check_counts(&self, census: &Census, counted: &[Counted], alone: bool) -> Result<(), Failure> {
        let meant = Meant::of(&self.plan.chosen, census);
        let mut differences = counts::compare(meant.census(), counted, |schema, name| meant.has(schema, name));
        if self.plan.chosen.is_all() {
            differences.extend(counts::compare_large_objects(census, counted, alone));
        }
        if differences.is_empty() {
            return Ok(());
        }
        differences.iter().skip(1).for_each(|difference| tracing::error!("{difference}"));
        let first = words::first_of(&differences, 1, ", ");
        Err(Failure::new(Exit::Failed, format!("what was restored is not what was backed up: {first}")).hint(format!(
            "{LIVE_IS_UNCHANGED}; a trigger or rule that changes rows while they are loaded can cause this"
        )))
    }

    /// How many sessions may work in the restored database at a time.
    pub(crate) fn sessions(&self) -> usize {
        let jobs = self.wish.jobs.unwrap_or_else(|| usual_jobs(self.facts.cores));
        jobs.min(sessions(&self.facts.target.role))
    }

    /// Ends the restore here when the run was told to stop.
    ///
    /// # Errors
    /// Exit 1.
    pub(crate) fn go_on(&self) -> Result<(), Failure> {
        self.interrupt.seen().map_or(Ok(()), |signal| Err(failure::stopped_by(signal)))
    }

    /// Why a step failed: Ctrl-C at a terminal reaches the programs that it asks as well.
    pub(crate) fn interrupted_or(&self, failure: Failure) -> Failure {
        self.interrupt.seen().map_or(failure, failure::stopped_by)
    }
}
