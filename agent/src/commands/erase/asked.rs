//! What is to be erased, as the command line says it. No value of it is ever shown.

use std::io::Read as _;
use std::path::Path;

use catalog::erasure::Asked;
use postgres::Secret;
use postgres::database::erasing::{Statements, deletion};

use crate::answers::failure::{Exit, Failure};
use crate::cli::EraseArgs;
use crate::commands::restore::head::Head;

/// Bytes of SQL that are taken.
const MOST: u64 = 16 << 20;

/// What is to be erased.
#[derive(Clone, Debug)]
pub(super) struct Request {
    what: What,
    /// What the certificate says of it.
    pub(super) asked: Asked,
    pub(super) salt: String,
}

#[derive(Clone, Debug)]
enum What {
    /// The user's own SQL.
    Sql(Secret),
    /// The rows of a table whose columns have these values.
    Rows { table: String, conditions: Vec<(String, Secret)> },
}

impl Request {
    /// # Errors
    /// Exit 2 when a condition has no `=`, or the file can't be read or says nothing.
    pub(super) fn of(args: &EraseArgs) -> Result<Self, Failure> {
        let what = match (&args.sql, &args.table) {
            (Some(path), _) => What::Sql(read(path)?),
            (None, Some(table)) => {
                let conditions = args.conditions.iter().map(condition).collect::<Result<_, _>>()?;
                What::Rows { table: table.clone(), conditions }
            }
            (None, None) => {
                return Err(
                    Failure::new(Exit::Usage, "nothing says what to erase").hint("give --sql, or --table and --where")
                );
            }
        };
        let salt = args.salt.clone().unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
        let request = catalog::erasure::request(&salt, what.canonical().as_bytes());
        let (table, columns) = match &what {
            What::Sql(_) => (None, Vec::new()),
            What::Rows { table, conditions } => {
                (Some(table.clone()), conditions.iter().map(|(column, _)| column.clone()).collect())
            }
        };
        Ok(Self { what, asked: Asked { request, table, columns }, salt })
    }

    /// Whether rows of a table are to go, and no SQL of the user's own says more.
    pub(super) fn is_of_rows(&self) -> bool {
        matches!(self.what, What::Rows { .. })
    }

    /// The SQL for a backup; `None` where it has no such table.
    ///
    /// # Errors
    /// Exit 2 when the table's name is that of several.
    pub(super) fn statements(&self, head: &Head) -> Result<Option<Statements>, Failure> {
        let (table, conditions) = match &self.what {
            What::Sql(sql) => return Ok(Some(Statements::Own(sql.clone()))),
            What::Rows { table, conditions } => (table, conditions),
        };
        let tables = || head.entries("TABLE");
        let full = tables().filter(|entry| format!("{}.{}", entry.schema, entry.name) == *table);
        let mut found: Vec<_> = full.collect();
        if found.is_empty() {
            found = tables().filter(|entry| entry.name == *table).collect();
        }
        match found.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(deletion(&one.schema, &one.name, conditions))),
            several => {
                let names: Vec<String> =
                    several.iter().map(|entry| format!("{}.{}", entry.schema, entry.name)).collect();
                Err(Failure::new(Exit::Usage, format!("{table} is the name of several tables: {}", names.join(", ")))
                    .hint("name the table with its schema: --table SCHEMA.TABLE"))
            }
        }
    }
}

impl What {
    /// The same for the same request, and for no other.
    fn canonical(&self) -> String {
        match self {
            Self::Sql(sql) => format!("sql {}", sql.expose()),
            Self::Rows { table, conditions } => {
                let all: Vec<[&str; 2]> =
                    conditions.iter().map(|(column, value)| [column.as_str(), value.expose()]).collect();
                format!("rows {}", serde_json::json!([table, all]))
            }
        }
    }
}

fn condition(text: &Secret) -> Result<(String, Secret), Failure> {
    match text.expose().split_once('=').filter(|(column, _)| !column.is_empty()) {
        Some((column, value)) => Ok((column.to_owned(), Secret::new(value))),
        None => Err(Failure::new(Exit::Usage, "a --where has no = between column and value")
            .hint("give it as --where COLUMN=VALUE")),
    }
}

fn read(path: &Path) -> Result<Secret, Failure> {
    let shown = if path.as_os_str() == "-" { "stdin".to_owned() } else { path.display().to_string() };
    let refused = |why: &dyn std::fmt::Display| {
        Failure::new(Exit::Usage, format!("cannot use the SQL of {shown}: {why}"))
            .hint("--sql takes a file of SQL statements in UTF-8, or - for stdin")
    };
    let mut bytes = Vec::new();
    let source: Box<dyn std::io::Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(path).map_err(|e| refused(&e))?)
    };
    source.take(MOST + 1).read_to_end(&mut bytes).map_err(|e| refused(&e))?;
    if bytes.len() as u64 > MOST {
        return Err(refused(&"it is larger than 16 MiB"));
    }
    let text = String::from_utf8(bytes).map_err(|_| refused(&"it is not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if text.trim().is_empty() {
        return Err(refused(&"it is empty"));
    }
    if text.contains('\0') {
        return Err(refused(&"it has a zero byte in it"));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_split_at_its_first_sign_and_tells_no_value() {
        let (column, value) = condition(&Secret::new("email=a=b")).unwrap();
        assert_eq!((column.as_str(), value.expose()), ("email", "a=b"));
        for wrong in ["ada@example.org", "=ada@example.org"] {
            assert!(!condition(&Secret::new(wrong)).unwrap_err().to_string().contains("ada"));
        }
    }

    #[test]
    fn sql_is_text_that_says_something() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("forget.sql");
        std::fs::write(&file, "\u{feff}DELETE FROM t").unwrap();
        assert_eq!(read(&file).unwrap().expose(), "DELETE FROM t");
        for wrong in [&b" \n"[..], b"DELETE \xff", b"a\0b"] {
            std::fs::write(&file, wrong).unwrap();
            assert_eq!(read(&file).unwrap_err().exit, Exit::Usage);
        }
        assert_eq!(read(&folder.path().join("none")).unwrap_err().exit, Exit::Usage);
    }
}
