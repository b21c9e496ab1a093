//! The restored database is dumped again, by the same means as a backup, and goes nowhere: its entries and rows are counted as they go by.

use ::archive::{Census, Compared, Comparison, Described, Header, Outliner, Table, Walk};
use postgres::programs::dump_options;
use postgres::programs::pg_dump::DumpOptions;
use postgres::{Dump, DumpError, Psql, Tool, Version};

use crate::answers::failure::{Exit, Failure};
use crate::answers::progress::Progress;
use crate::commands::drill::adjustment::Adjustment;
use crate::commands::restore::job::Job;
use crate::settings::DatabaseSettings;

/// Bytes that are read at once.
const BLOCK: usize = 1 << 20;

/// What the copy says.
pub(super) struct Dumped {
    pub(super) header: Header,
    pub(super) compared: Compared,
    pub(super) tables: Vec<Table>,
    pub(super) census: Census,
}

/// The pg_dump that made the archive, or the nearest that can dump this server.
///
/// # Errors
/// Exit 2 when none is installed.
pub(super) fn tool(job: &Job) -> Result<Tool, Failure> {
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
    mut comparison: Comparison,
) -> Result<Dumped, Failure> {
    let (tool, adjustment) = (tool(job)?, Adjustment::of(job));
    tracing::info!("dumping the restored database with pg_dump {}", tool.version);
    let options = DumpOptions { lock_timeout: database.lock_timeout, extra: options(database) };
    let mut dump = Dump::start(&tool, psql.connection(), &options, psql.stop()).map_err(|e| failed(&e))?;
    let progress = Progress::open_end(job.report, "comparing");
    let (mut walk, mut outliner, mut block) = (Walk::new().comparing(), Outliner::default(), Vec::new());
    loop {
        block.clear();
        dump.fill(&mut block, BLOCK).map_err(|e| unreadable(&e))?;
        if block.is_empty() {
            break;
        }
        walk.feed(&block).map_err(|e| unreadable(&e))?;
        outliner.feed(&block, &mut |entry| comparison.add(adjustment.of_copy(entry))).map_err(|e| unreadable(&e))?;
        progress.dumped(walk.position());
    }
    dump.finish().map_err(|e| failed(&e))?;
    let in_any_order = walk.in_any_order();
    let walked = walk.finish().map_err(|e| unreadable(&e))?;
    let tables = Table::all(&walked.census, &in_any_order);
    Ok(Dumped { header: walked.header, compared: comparison.finish(), tables, census: walked.census })
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
    let extra = options(database).into_iter().chain(["--schema-only".to_owned()]).collect();
    let options = DumpOptions { lock_timeout: database.lock_timeout, extra };
    let mut dump = Dump::start(&tool, psql.connection(), &options, psql.stop()).map_err(|e| failed(&e))?;
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
    dump.finish().map_err(|e| failed(&e))?;
    Ok(found)
}

/// Those with which backups are made, but for the role: it may not be known here.
fn options(database: &DatabaseSettings) -> Vec<String> {
    let mut options = Vec::new();
    let mut words = database.dump_options.iter();
    let role = dump_options::role(&database.dump_options).is_some();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--role" if role => drop(words.next()),
            word if word.starts_with("--role=") => {}
            word => options.push(word.to_owned()),
        }
    }
    options
}

fn failed(error: &DumpError) -> Failure {
    if let DumpError::Interrupted(signal) = error {
        return super::failure::stopped_by(signal);
    }
    Failure::new(Exit::Failed, format!("the restored database cannot be dumped again: {error}"))
        .hint("drill as a role that may read everything in it, or with --temporary-server")
}

fn unreadable(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, format!("the dump of the restored database cannot be read: {error}")).hint("drill again")
}
