//! The SQL in the restored database, and what it did there, counted row by row.

use ::archive::{CopiedRows, CopyReader, Table};
use catalog::erasure::ErasedTable;
use postgres::Psql;
use postgres::database::erasing::{Erasing, ErasingError, Rows, Statements, Touched};

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

/// Executes the SQL, and says which tables it changed.
///
/// # Errors
/// Exit 1 when the server refuses it. The database is to be thrown away then.
pub(super) fn make(job: &Job, psql: &Psql, statements: &Statements) -> Result<Vec<Change>, Failure> {
    let head = &job.facts.head;
    let encoding = head.encoding();
    tracing::info!("erasing in the restored database");
    let (erasing, touched) = Erasing::begin(psql, encoding, statements).map_err(|e| refused(job, e))?;
    let mut left = Vec::new();
    for table in &touched {
        left.push(
            count(psql, head, table, &erasing.question(table, Rows::Leaving, encoding))
                .map_err(|f| job.interrupted_or(f))?,
        );
    }
    let committed = erasing.commit().map_err(|e| refused(job, e))?;
    let mut changes = Vec::new();
    for (table, left) in touched.iter().zip(left) {
        let came = count(psql, head, table, &committed.question(table, encoding)).map_err(|f| job.interrupted_or(f))?;
        if left != came {
            changes.push(Change { schema: table.schema.clone(), name: table.name.clone(), left, came });
        }
    }
    committed.end();
    Ok(changes)
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
    let hint = match &error {
        ErasingError::Refused { state, .. } => match state.as_str() {
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
    job.interrupted_or(Failure::new(Exit::Failed, error.to_string()).hint(hint))
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
pub(super) fn told(before: &[Table], changes: &[Change], after: &[Table]) -> Vec<ErasedTable> {
    let of = |change: &Change| {
        let (before, after) =
            (before.iter().find(|table| change.is_of(table))?, after.iter().find(|table| change.is_of(table))?);
        ErasedTable::new(before, (&change.left, &change.came), after)
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
