//! The user's own checks of a restored database: queries, or the file that they are in.

use std::path::PathBuf;

use postgres::words::statements::{sets, statements};

use super::definition::Form;

/// Queries that have to return true, or where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checks {
    /// Themselves.
    Queries(Vec<String>),
    /// A file with them. It is read when they are needed: a backup must not fail because it is missing.
    File(PathBuf),
}

pub(crate) const CHECKS: Form<Checks> =
    Form { words: "SQL queries, parted by `;`, or the path of a file with them", parse };

fn parse(text: &str) -> Result<Checks, String> {
    let path = text.strip_prefix('@');
    // `/*` begins a comment of SQL.
    let path =
        path.or_else(|| (text.starts_with("./") || text.starts_with('/') && !text.starts_with("/*")).then_some(text));
    match path {
        Some(path) => Ok(Checks::File(PathBuf::from(path.trim()))),
        None => queries_of(text).map(Checks::Queries),
    }
}

impl Checks {
    /// The queries.
    ///
    /// # Errors
    /// Why the file's can't be had, in words that name it.
    pub(crate) fn queries(&self) -> Result<Vec<String>, String> {
        let path = match self {
            Self::Queries(queries) => return Ok(queries.clone()),
            Self::File(path) => path,
        };
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        // As Windows' editors begin it.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        queries_of(text).map_err(|why| format!("{}: {why}", path.display()))
    }
}

/// A setting that checks nothing would pass for one that does.
fn queries_of(text: &str) -> Result<Vec<String>, String> {
    let queries = statements(text).map_err(|unclosed| unclosed.to_string())?;
    if queries.iter().all(|query| sets(query)) {
        return Err("there is no query in it".to_owned());
    }
    Ok(queries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_a_query() {
        for path in ["/etc/lastgood/checks.sql", "./checks.sql"] {
            assert_eq!(parse(path), Ok(Checks::File(path.into())));
            assert_eq!(parse(&format!("@{path}")), Ok(Checks::File(path.into())));
        }
        assert_eq!(parse("@checks.sql"), Ok(Checks::File("checks.sql".into())));
        assert_eq!(parse("/* one */ SELECT true"), Ok(Checks::Queries(vec!["/* one */ SELECT true".into()])));
        assert_eq!(parse("SELECT true; TABLE ok;"), Ok(Checks::Queries(vec!["SELECT true".into(), "TABLE ok".into()])));
        assert!(parse("SELECT 'true").is_err());
        for nothing in [";;;", "-- SELECT true", "/* SELECT true */ ;", "SET statement_timeout = '1h';"] {
            assert_eq!(parse(nothing), Err("there is no query in it".into()), "{nothing}");
        }
    }

    #[test]
    fn a_files_queries_are_read_when_they_are_needed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checks.sql");
        let checks = Checks::File(path.clone());
        assert!(checks.queries().unwrap_err().contains("checks.sql"));
        std::fs::write(&path, "\u{feff}-- rows; of all\nSELECT true;\nSELECT 1 = 1;\n").unwrap();
        assert_eq!(checks.queries().unwrap().len(), 2);
        std::fs::write(&path, "-- SELECT true;\n").unwrap();
        assert!(checks.queries().unwrap_err().ends_with("checks.sql: there is no query in it"));
        std::fs::write(&path, "SELECT 'x").unwrap();
        assert!(checks.queries().unwrap_err().contains("not closed"));
    }
}
