//! What can only be found out by trying: in a transaction that is taken back.

use crate::{Psql, PsqlError};

/// Why an attempt failed.
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

impl Refusal {
    /// What was tried has refused itself, by an exception of its own SQL.
    #[must_use]
    pub fn is_its_own(&self) -> bool {
        self.state == RAISED
    }
}

/// Tries statements in the database that `psql` is connected to, and takes them back. `None`: they work, or there was no time to
/// find out.
///
/// # Errors
/// [`PsqlError`] when the database can't be asked.
pub fn attempt(psql: &Psql, statements: &str) -> Result<Option<Refusal>, PsqlError> {
    let answer = psql.statement(&format!(
        "\\set ON_ERROR_STOP 0\nBEGIN;\nSET LOCAL statement_timeout = '20s';\nSET LOCAL lock_timeout = '2s';\n{statements};\n\
         \\set state :SQLSTATE\nROLLBACK;\n\\echo :state\n\\echo :LAST_ERROR_MESSAGE\n\\set ON_ERROR_STOP 1\n"
    ))?;
    // A statement may print rows of its own before.
    let mut lines = answer.lines().skip_while(|line| !is_state(line));
    let state = lines.next().unwrap_or_default().to_owned();
    let words = lines.collect::<Vec<_>>().join(" ");
    let is_refused = is_state(&state) && state != "00000" && !OUT_OF_TIME.contains(&state.as_str());
    Ok(is_refused.then_some(Refusal { state, words }))
}

fn is_state(line: &str) -> bool {
    line.len() == 5 && line.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}
