//! How rows get into the database: as they are read, by several pg_restore side by side, or by pg_restore's script in psql.

use std::path::PathBuf;

use postgres::Version;
use postgres::database::live::Role;
use postgres::database::properties::is_of_rows;

use crate::commands::restore::facts::Facts;
use crate::commands::restore::head::Head;
use crate::commands::restore::plan::way::Way;
use crate::commands::restore::wish::Wish;

/// Below this a serial restore is over before the jobs have started: bytes of rows.
const LEAST: u64 = 64 << 20;
/// With one core there is nothing to share out.
const LEAST_JOBS: usize = 2;
/// More jobs than this gain little on one disk.
const MOST_JOBS: usize = 8;

/// What fills the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filling {
    /// One pg_restore, as the archive is read.
    Stream,
    /// Several pg_restore at a time, whose rows may have to wait in `folder`.
    SideBySide {
        /// How many.
        jobs: usize,
        /// Where temporary files without a name are made.
        folder: PathBuf,
    },
    /// One pg_restore after the other, which go on behind what fails and name it.
    GoingOn {
        /// Why rows were refused: CHECK constraints follow them then.
        refused: Option<String>,
    },
    /// pg_restore's script, in one session of psql.
    Script,
}

impl Filling {
    /// How many programs fill the database at a time.
    pub(crate) fn jobs(&self) -> usize {
        match self {
            Self::SideBySide { jobs, .. } => *jobs,
            Self::Stream | Self::GoingOn { .. } | Self::Script => 1,
        }
    }

    /// Whether `--keep-going` would fill the database otherwise.
    pub(crate) fn could_go_on(&self) -> bool {
        matches!(self, Self::Stream | Self::SideBySide { .. })
    }

    /// What may fill a new database that refused rows when they came in this way.
    pub(crate) fn after_refusal(&self, why: &str) -> Self {
        match self {
            Self::GoingOn { .. } => Self::GoingOn { refused: Some(why.to_owned()) },
            _ => Self::Stream,
        }
    }
}

/// Decides whether several jobs pay: enough rows, more than one table, enough cores, and twice the room they may take. Jobs
/// that were asked for are taken as they are.
pub(super) fn decide(wish: &Wish, facts: &Facts, way: &Way) -> Filling {
    if matches!(way, Way::InPlace { .. }) || is_newer_than_server(&facts.head, &facts.target.role) {
        return Filling::Script;
    }
    // Rows may need settings that only a session of ours can have then.
    if facts.head.restricts_psql && facts.refused_settings.iter().any(|name| is_of_rows(name)) {
        return Filling::Script;
    }
    if wish.keep_going {
        return Filling::GoingOn { refused: None };
    }
    if wish.is_partial() {
        return Filling::Stream;
    }
    let jobs = match wish.jobs {
        Some(jobs) => jobs,
        None if pay(facts) => usual_jobs(facts.cores),
        None => 1,
    };
    let jobs = jobs.min(sessions(&facts.target.role));
    if jobs < LEAST_JOBS {
        return Filling::Stream;
    }
    Filling::SideBySide { jobs, folder: facts.spool.path.clone() }
}

/// A job for each core, where no number was asked for.
pub(crate) fn usual_jobs(cores: usize) -> usize {
    cores.min(MOST_JOBS)
}

/// How many sessions may load at a time. One more counts rows, or waits.
pub(crate) fn sessions(role: &Role) -> usize {
    usize::try_from(role.sessions - 1).unwrap_or_default().max(1)
}

fn pay(facts: &Facts) -> bool {
    let Some(manifest) = &facts.backup.manifest else { return false };
    let bytes = manifest.census.bytes();
    let is_worth_it = bytes >= LEAST && facts.head.data_blocks() > 1 && usual_jobs(facts.cores) >= LEAST_JOBS;
    is_worth_it && facts.spool.free.is_some_and(|free| free / 2 > bytes)
}

/// From 17 on pg_restore sets transaction_timeout on any server, and an older server refuses it.
pub(super) fn is_newer_than_server(head: &Head, role: &Role) -> bool {
    head.pg_restore.version >= Version::from_number(170_000) && !role.knows_transaction_timeout()
}
