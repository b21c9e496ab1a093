//! A script that the server may refuse, and why: by its code, whatever language it speaks.

use crate::psql::STATE;
use crate::{Psql, PsqlError};

/// What the server said to a script that it refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// SQLSTATE, five letters and digits (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
    pub code: String,
    /// Its message, and the detail that it gave.
    pub words: String,
}

/// Classes of SQLSTATE by which a statement itself, what it names or the rows that it looks at are refused: it would be again.
const OF_CONTENT: [&str; 12] = ["0A", "21", "22", "23", "2F", "38", "39", "42", "44", "54", "P0", "55"];
/// Codes in those classes that say something of the moment, or of who asks.
const OF_MOMENT: [&str; 4] = ["42501", "55006", "55P03", "55P04"];

impl Refusal {
    /// Content is what was refused, not a session that ended, a full disk, a lock or a right that lacks.
    #[must_use]
    pub fn is_of_content(&self) -> bool {
        OF_CONTENT.iter().any(|class| self.code.starts_with(class)) && !OF_MOMENT.contains(&self.code.as_str())
    }

    /// Out of what psql says with `VERBOSITY` set to `verbose`: `psql:<stdin>:7: ERROR:  23503: message`, and `DETAIL:  …` behind it.
    fn read(lines: &[String]) -> Option<Self> {
        let (at, code, message) = (0..).zip(lines).find_map(|(at, line)| {
            let (_, rest) = line.split_once(":  ")?;
            let (code, message) = rest.split_once(": ")?;
            let is_code = code.len() == 5 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            is_code.then_some((at, code, message))
        })?;
        let detail = lines.iter().skip(at).find_map(|line| line.strip_prefix("DETAIL:"));
        let detail = detail.map_or(String::new(), |detail| format!(": {}", detail.trim()));
        Some(Self { code: code.to_owned(), words: format!("{}{detail}", message.trim()) })
    }
}

impl Psql {
    /// Runs a script, whose texts may be in the character set that it sets, up to the first statement that the server refuses.
    ///
    /// # Errors
    /// [`PsqlError`] when psql can't be run, or ends otherwise.
    pub fn attempt(&self, script: &[u8]) -> Result<Option<Refusal>, PsqlError> {
        let script = [STATE.as_bytes(), b"\\set VERBOSITY verbose\n", script].concat();
        let (_, ended) = self.run(&script)?;
        match (self.refused(&ended), Refusal::read(&ended.lines)) {
            (None, _) => Ok(None),
            (Some(PsqlError::Refused(_)), Some(refusal)) => Ok(Some(refusal)),
            (Some(error), _) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Option<(String, String)> {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        Refusal::read(&lines).map(|refusal| (refusal.code, refusal.words))
    }

    #[test]
    fn the_code_is_read_in_any_language() {
        let english = [
            "psql:<stdin>:9: ERROR:  23503: insert or update on table \"t\" violates foreign key constraint \"k\"",
            "DETAIL:  Key (p)=(99) is not present in table \"p\".",
            "LOCATION:  ri_ReportViolation, ri_triggers.c:2609",
        ];
        let words = "insert or update on table \"t\" violates foreign key constraint \"k\": Key (p)=(99) is not present in table \"p\".";
        assert_eq!(read(&english), Some(("23503".to_owned(), words.to_owned())));
        let german = ["psql:<stdin>:3: NOTICE:  something", "psql:<stdin>:9: FEHLER:  22012: Division durch Null"];
        assert_eq!(read(&german), Some(("22012".to_owned(), "Division durch Null".to_owned())));
        assert_eq!(read(&["psql: error: connection to server failed: no such file"]), None);
    }

    #[test]
    fn what_the_moment_refuses_is_not_of_content() {
        let is_of_content = |code: &str| Refusal { code: code.to_owned(), words: String::new() }.is_of_content();
        for code in ["23503", "23505", "23514", "22012", "42P01", "42883", "55000", "54000", "P0001", "0A000"] {
            assert!(is_of_content(code), "{code}");
        }
        for code in ["57014", "57P01", "53100", "53200", "40P01", "42501", "55P03", "55006", "58030", "08006", "XX000"]
        {
            assert!(!is_of_content(code), "{code}");
        }
    }
}
