//! What can only be found out by trying: in a transaction that is taken back.

use crate::{Psql, PsqlError};

/// Why an attempt failed: by the first error, as those after it say only that there was one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// SQLSTATE, five characters.
    pub state: String,
    /// The server's own words.
    pub words: String,
}

/// What the server says when it has no time: nothing about what was tried.
const OUT_OF_TIME: [&str; 2] = ["57014", "55P03"];
/// An exception that the SQL of an extension or of a function raises.
const RAISED: &str = "P0001";
/// Something of this name is there already: a column, schema, relation, object or function.
const TAKEN: [&str; 5] = ["42701", "42P06", "42P07", "42710", "42723"];
/// The server ended the session: an administrator's command, as extensions and crashes call it as well.
const SESSION_ENDED: &str = "57P01";

impl Refusal {
    /// What was tried has refused itself, by an exception of its own SQL.
    #[must_use]
    pub fn is_its_own(&self) -> bool {
        self.state == RAISED
    }

    /// The database in which it was tried has something of the same name, as another one need not.
    #[must_use]
    pub fn is_of_what_is_there(&self) -> bool {
        TAKEN.contains(&self.state.as_str())
    }
}

/// Tries statements in the database that `psql` is connected to, and takes them back. `None`: they work, or there was no time to
/// find out. A session that they end, on a server that answers afterwards, is a refusal as well.
///
/// # Errors
/// [`PsqlError`] when the database can't be asked.
pub fn attempt(psql: &Psql, statements: &[&str]) -> Result<Option<Refusal>, PsqlError> {
    let statements: String = statements.iter().map(|statement| format!("{statement};\n{KEEP_FIRST_ERROR}")).collect();
    let answer = psql.statement(&format!(
        "\\set ON_ERROR_STOP 0\n\\set state 00000\n\\set words ''\n\\set is_first true\n\
         BEGIN;\nSET LOCAL statement_timeout = '20s';\nSET LOCAL lock_timeout = '2s';\n{statements}\
         ROLLBACK;\n\\echo :state\n\\echo :words\n\\set ON_ERROR_STOP 1\n"
    ));
    let answer = match answer {
        Err(PsqlError::Unconnected(words)) => {
            psql.statement("SELECT 1;\n")?;
            return Ok(Some(Refusal { state: SESSION_ENDED.to_owned(), words }));
        }
        answer => answer?,
    };
    // A statement may print rows of its own before.
    let mut lines = answer.lines().skip_while(|line| !is_state(line));
    let state = lines.next().unwrap_or_default().to_owned();
    let words = lines.collect::<Vec<_>>().join(" ");
    let is_refused = is_state(&state) && state != "00000" && !OUT_OF_TIME.contains(&state.as_str());
    Ok(is_refused.then_some(Refusal { state, words }))
}

/// psql's commands after each statement.
const KEEP_FIRST_ERROR: &str = "\\if :ERROR\n\\if :is_first\n\\set state :SQLSTATE\n\\set words :LAST_ERROR_MESSAGE\n\
    \\set is_first false\n\\endif\n\\endif\n";

fn is_state(line: &str) -> bool {
    line.len() == 5 && line.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}
