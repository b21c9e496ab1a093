//! The restored database is dumped again, by the same means as a backup, and goes nowhere: its entries and rows are counted as they go by.

use std::collections::BTreeMap;

use ::archive::{Census, Compared, Comparison, Damage, Described, Header, Outliner, Table, Walk};
use postgres::database::session::{Session, others};
use postgres::programs::dump_options;
use postgres::programs::pg_dump::DumpOptions;
use postgres::{Connection, Dump, DumpError, Psql, Tool, Version};

use crate::answers::failure::{Exit, Failure};
use crate::answers::progress::Progress;
use crate::commands::drill::adjustment::Adjustment;
use crate::commands::restore::job::Job;
use crate::settings::DatabaseSettings;

/// Bytes that are read at once.
const BLOCK: usize = 1 << 20;

/// What the copy says.
pub(crate) struct Dumped {
    pub(crate) header: Header,
    pub(super) compared: Compared,
    pub(crate) tables: Vec<Table>,
    pub(crate) census: Census,
    /// Settings of the backup's session that this server refuses: values may be written in another way.
    pub(crate) refused: Session,
}

/// The pg_dump that made the archive, or the nearest that can dump this server.
///
/// # Errors
/// Exit 2 when none is installed.
pub(crate) fn tool(job: &Job) -> Result<Tool, Failure> {
    let server = Version::from_number(job.facts.target.role.version_number());
    let made_by = Version::parse(&job.facts.head.header.pg_dump_version);
    let needed = made_by.map_or(server, |made_by| made_by.max(server));
    Ok(job.server.tools.fitting("pg_dump", needed, &format!("the restored database on PostgreSQL {server}"))?)
}

/// Dumps all of the scratch database.
///
/// # Errors
/// When pg_dump fails, or what it wrote is not whole.
pub(super) fn again(
    job: &Job,
    psql: &Psql,
    database: &DatabaseSettings,
    comparison: Comparison,
) -> Result<Dumped, Failure> {
    let (tool, mut looker) = (tool(job)?, Looker::new(job, comparison));
    tracing::info!("dumping the restored database with pg_dump {}", tool.version);
    let options = DumpOptions { lock_timeout: database.lock_timeout, extra: options(job, database) };
    let (connection, refused) = connection(job, psql)?;
    let mut dump = Dump::start(&tool, &connection, &options, psql.stop()).map_err(|e| failed(psql, &e))?;
    let progress = Progress::open_end(job.report, "comparing");
    let mut block = Vec::new();
    loop {
        block.clear();
        dump.fill(&mut block, BLOCK).map_err(|e| unreadable(&e))?;
        if block.is_empty() {
            break;
        }
        looker.see(&block).map_err(|e| unreadable(&e))?;
        progress.dumped(looker.walk.position());
    }
    dump.finish().map_err(|e| failed(psql, &e))?;
    let dumped = looker.end().map_err(|e| unreadable(&e))?;
    Ok(Dumped { refused, ..dumped })
}

/// Looks at the dump of a copy as it goes by.
pub(crate) struct Looker {
    walk: Walk,
    outliner: Outliner,
    comparison: Comparison,
    adjustment: Adjustment,
}

impl Looker {
    pub(crate) fn new(job: &Job, comparison: Comparison) -> Self {
        let (walk, outliner) = (Walk::new().comparing(), Outliner::default());
        Self { walk, outliner, comparison, adjustment: Adjustment::of(job) }
    }

    /// Its next bytes.
    ///
    /// # Errors
    /// When they are no archive's.
    pub(crate) fn see(&mut self, block: &[u8]) -> Result<(), Damage> {
        self.walk.feed(block)?;
        let (comparison, adjustment) = (&mut self.comparison, &self.adjustment);
        self.outliner.feed(block, &mut |entry| comparison.add(adjustment.of_copy(entry)))
    }

    /// It has come to its end.
    ///
    /// # Errors
    /// When it isn't whole.
    pub(crate) fn end(self) -> Result<Dumped, Damage> {
        let in_any_order = self.walk.in_any_order();
        let walked = self.walk.finish()?;
        let tables = Table::all(&walked.census, &in_any_order);
        let (compared, refused) = (self.comparison.finish(), Session::new());
        Ok(Dumped { header: walked.header, compared, tables, census: walked.census, refused })
    }
}

/// The entries of a database's definitions that `is_wanted` names.
///
/// # Errors
/// When pg_dump fails.
pub(super) fn definitions(
    job: &Job,
    psql: &Psql,
    database: &DatabaseSettings,
    is_wanted: impl Fn(&Described) -> bool,
) -> Result<Vec<Described>, Failure> {
    let (tool, adjustment) = (tool(job)?, Adjustment::of(job));
    let extra = options(job, database).into_iter().chain(["--schema-only".to_owned()]).collect();
    let options = DumpOptions { lock_timeout: database.lock_timeout, extra };
    let (connection, _) = connection(job, psql)?;
    let mut dump = Dump::start(&tool, &connection, &options, psql.stop()).map_err(|e| failed(psql, &e))?;
    let (mut found, mut outliner, mut block) = (Vec::new(), Outliner::default(), Vec::new());
    loop {
        block.clear();
        dump.fill(&mut block, BLOCK).map_err(|e| unreadable(&e))?;
        if block.is_empty() {
            break;
        }
        let mut take =
            |entry: Described| found.extend(Some(adjustment.of_copy(entry)).filter(|entry| is_wanted(entry)));
        outliner.feed(&block, &mut take).map_err(|e| unreadable(&e))?;
    }
    dump.finish().map_err(|e| failed(psql, &e))?;
    Ok(found)
}

/// Under the settings under which the backup was dumped, as far as its manifest tells them and the server takes them; and those that it refuses.
///
/// # Errors
/// When the server can't be asked.
pub(crate) fn connection(job: &Job, psql: &Psql) -> Result<(Connection, Session), Failure> {
    let wanted =
        job.facts.backup.manifest.as_ref().map_or_else(BTreeMap::new, |manifest| manifest.database.session.clone());
    if wanted.is_empty() {
        return Ok((psql.connection().clone(), Session::new()));
    }
    let (settings, refused) = others(psql, &wanted).map_err(|e| unanswered(psql, &e.to_string()))?;
    Ok((psql.connection().under(&settings), refused))
}

/// Those with which this backup was made, as far as its manifest tells them, else those with which backups are made now; without the role,
/// which may not be known here.
pub(crate) fn options(job: &Job, database: &DatabaseSettings) -> Vec<String> {
    let own = job.facts.backup.manifest.as_ref().and_then(|manifest| manifest.archive.dump_options.as_ref());
    without_role(own.unwrap_or(&database.dump_options))
}

fn without_role(given: &[String]) -> Vec<String> {
    let mut options = Vec::new();
    let mut words = given.iter();
    let role = dump_options::role(given).is_some();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--role" if role => drop(words.next()),
            word if word.starts_with("--role=") => {}
            word => options.push(word.to_owned()),
        }
    }
    options
}

fn failed(psql: &Psql, error: &DumpError) -> Failure {
    if let DumpError::Interrupted(signal) = error {
        return super::failure::stopped_by(signal);
    }
    unanswered(psql, &error.to_string())
}

/// A server that has gone, or a role that may not read everything.
fn unanswered(psql: &Psql, error: &str) -> Failure {
    if let Err(gone) = psql.script("SELECT 1;\n") {
        return Failure::new(
            Exit::Failed,
            format!("the server was lost while the restored database was dumped: {gone}"),
        )
        .hint("see in the server's log why it ended or refused; drill again when it answers");
    }
    Failure::new(Exit::Failed, format!("the restored database cannot be dumped again: {error}"))
        .hint("drill as a role that may read everything in it, or with --temporary-server")
}

fn unreadable(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, format!("the dump of the restored database cannot be read: {error}")).hint("drill again")
}
