//! The SQL in the restored database, and what it did there, counted row by row.

use ::archive::{CopiedRows, CopyReader, Table};
use catalog::erasure::ErasedTable;
use postgres::Psql;
use postgres::database::erasing::{Erasing, ErasingError, Rows, Statements, Touched, broken_keys, unreach};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::head::Head;
use crate::commands::restore::job::Job;

/// Where in the definition of a table its parents begin.
const PARENTS: &str = "\nINHERITS (";

/// What happened to one table.
#[derive(Clone, Debug)]
pub(super) struct Change {
    schema: String,
    name: String,
    left: CopiedRows,
    came: CopiedRows,
}

/// What the SQL did.
pub(super) struct Changes {
    pub(super) tables: Vec<Change>,
    /// Something may have changed that no row tells of: whole tables, definitions.
    pub(super) more: bool,
}

/// Executes the SQL, and says which tables it changed.
///
/// # Errors
/// Exit 1 when the server refuses it. The database is to be thrown away then.
pub(super) fn make(job: &Job, psql: &Psql, statements: &Statements) -> Result<Changes, Failure> {
    let head = &job.facts.head;
    let encoding = head.encoding();
    tracing::info!("erasing in the restored database");
    let reaching = psql.script(&unreach()).map_err(|e| unasked(job, &e.to_string()))?;
    let (erasing, touched) = Erasing::begin(psql, encoding, statements).map_err(|e| refused(job, e))?;
    let mut left = Vec::new();
    for table in &touched {
        left.push(
            count(psql, head, table, &erasing.question(table, Rows::Leaving, encoding))
                .map_err(|f| job.interrupted_or(f))?,
        );
    }
    let more = erasing.changes_more();
    let committed = erasing.commit().map_err(|e| refused(job, e))?;
    let mut changes = Vec::new();
    for (table, left) in touched.iter().zip(left) {
        let came = count(psql, head, table, &committed.question(table, encoding)).map_err(|f| job.interrupted_or(f))?;
        if left != came {
            changes.push(Change { schema: table.schema.clone(), name: table.name.clone(), left, came });
        }
    }
    committed.end();
    psql.script(&reaching).map_err(|e| unasked(job, &e.to_string()))?;
    refuse_broken_keys(job, psql, &touched)?;
    Ok(Changes { tables: changes, more })
}

fn unasked(job: &Job, why: &str) -> Failure {
    let error = format!("cannot keep the SQL from other servers: {why}");
    job.interrupted_or(Failure::new(Exit::Failed, error).hint("erase again"))
}

/// What breaks a foreign key can't be restored. The SQL may have switched the triggers off that see to them.
fn refuse_broken_keys(job: &Job, psql: &Psql, touched: &[Touched]) -> Result<(), Failure> {
    if touched.is_empty() {
        return Ok(());
    }
    let answer = psql.script(&broken_keys(touched)).map_err(|_| {
        job.interrupted_or(
            Failure::new(Exit::Failed, "cannot check the foreign keys of what the SQL left").hint("erase again"),
        )
    })?;
    let Some(name) = answer.lines().find(|line| !line.trim().is_empty()) else { return Ok(()) };
    Err(Failure::new(Exit::Failed, format!("the SQL leaves rows that break the foreign key {name}, and what breaks one can't be restored"))
        .hint("delete or change the rows that refer to those that go as well; where the SQL switches triggers off, nothing does it for you"))
}

/// What a trigger writes down of deleted rows may be the very thing that is to be forgotten.
///
/// # Errors
/// Exit 1 when rows come into a table from which none has left.
pub(super) fn refuse_written(changes: &[Change]) -> Result<(), Failure> {
    let Some(written) = changes.iter().find(|change| change.left.rows == 0 && change.came.rows > 0) else {
        return Ok(());
    };
    let error = format!(
        "when the rows are deleted, a trigger or a rule writes into {}.{}, and may write there what is to be erased",
        written.schema, written.name
    );
    Err(Failure::new(Exit::Failed, error).hint(
        "erase with --sql: begin with SET session_replication_role = replica, which switches triggers off, and delete yourself what refers to the rows",
    ))
}

fn count(psql: &Psql, head: &Head, table: &Touched, question: &str) -> Result<CopiedRows, Failure> {
    let is_child = head.entries("TABLE").any(|entry| {
        (&entry.schema, &entry.name) == (&table.schema, &table.name)
            && entry.definition.as_deref().is_some_and(|sql| sql.contains(PARENTS))
    });
    let mut reader = CopyReader::new(is_child.then_some(table.columns.as_slice()));
    let mut broken = None;
    let failed = |why: &dyn std::fmt::Display| {
        let error = format!("cannot count the rows of {}.{} that the SQL changed: {why}", table.schema, table.name);
        Failure::new(Exit::Failed, error)
            .hint("use DELETE and UPDATE alone: TRUNCATE and ALTER TABLE lock out whoever counts")
    };
    // psql's own words may tell a value.
    psql.pour(question, |bytes| broken = broken.or(reader.add(bytes).err()))
        .map_err(|_| failed(&"the server refused the question"))?;
    match broken {
        Some(why) => Err(failed(&why)),
        None => reader.finish().map_err(|why| failed(&why)),
    }
}

fn refused(job: &Job, error: ErasingError) -> Failure {
    let known = |name: &&String| job.facts.head.contents.iter().any(|entry| entry.name.ends_with(name.as_str()));
    let names: Vec<&str> = match &error {
        ErasingError::Refused { quoted, .. } => quoted.iter().filter(known).map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let hint = match &error {
        ErasingError::Kept => {
            "erase with --sql, and see in the table's triggers and rules what they do with a deleted row"
        }
        ErasingError::Roles => {
            "leave them out: change them on the servers themselves; what stands of them beside a backup is copied as it is"
        }
        ErasingError::Refused { state, .. } => match state.as_str() {
            "55000" => {
                "where it names foreign tables: their rows lie on other servers, and in no backup; erase with --sql from the tables of this database alone"
            }
            "23503" => "rows of that table refer to what is to go: delete them first, in one file with --sql",
            "42P01" | "42703" | "3F000" => "this backup has no such table or column: name those that it has",
            "0A000" | "2D000" => {
                "the SQL may have neither BEGIN, COMMIT nor ROLLBACK, nor COPY from or to the client: it is one transaction already"
            }
            "42601" => {
                "the SQL has a mistake: try it in a database of your own; psql's own commands (\\…) mean nothing here"
            }
            _ => {
                "look the code up in PostgreSQL's appendix of error codes; its message is not shown, because it may tell a value"
            }
        },
        _ => "erase again",
    };
    let of = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    job.interrupted_or(Failure::new(Exit::Failed, format!("{error}{of}")).hint(hint))
}

/// The tables as they are to be found after the changes: what was restored, without what left and with what came.
///
/// # Errors
/// Exit 1 where that can't be told of a table.
pub(super) fn expected(before: &[Table], changes: &[Change]) -> Result<Vec<Table>, Failure> {
    for change in changes {
        if !before.iter().any(|table| change.is_of(table)) {
            return Err(unprovable(&format!("{}.{}", change.schema, change.name)));
        }
    }
    let after = |table: &Table| match changes.iter().find(|change| change.is_of(table)) {
        None => Ok(table.clone()),
        Some(change) => {
            let after = table.after(&change.left, &change.came);
            after.ok_or_else(|| unprovable(&format!("{}.{}", table.census.schema, table.census.name)))
        }
    };
    before.iter().map(after).collect()
}

/// What the manifest and the certificate say of the changes.
pub(super) fn told(salt: &str, before: &[Table], changes: &[Change], after: &[Table]) -> Vec<ErasedTable> {
    let of = |change: &Change| {
        let (before, after) =
            (before.iter().find(|table| change.is_of(table))?, after.iter().find(|table| change.is_of(table))?);
        ErasedTable::new(salt, before, (&change.left, &change.came), after)
    };
    changes.iter().filter_map(of).collect()
}

impl Change {
    fn is_of(&self, table: &Table) -> bool {
        (&self.schema, &self.name) == (&table.census.schema, &table.census.name)
    }
}

fn unprovable(table: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("what left the table {table} can't be proved: its rows were dumped as INSERTs, or not at all"),
    )
    .hint("restore this backup, change it and back it up by hand, then remove it")
}
