//! What is to be erased, as the command line says it. No value of it is ever shown.

use std::io::Read as _;
use std::path::Path;

use catalog::erasure::Asked;
use catalog::words;
use postgres::Secret;
use postgres::database::erasing::{Statements, Wanted, deletion};
use postgres::quote::identifier;

use crate::answers::failure::{Exit, Failure};
use crate::cli::{self, Condition, EraseArgs, Name};
use crate::commands::restore::head::Head;
use crate::commands::restore::tables;

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
    /// The rows of a table whose columns have this.
    Rows { table: String, conditions: Vec<(Name, Wanted)> },
}

impl Request {
    /// # Errors
    /// Exit 2 when a condition is none, or the file can't be read or says nothing.
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
                (Some(table.clone()), conditions.iter().map(|(column, _)| column.text.clone()).collect())
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
        let found: Vec<_> = tables::named(&head.contents, table).into_iter().collect();
        match found.as_slice() {
            [] => Ok(None),
            [(schema, name)] => {
                let spelled =
                    |(column, wanted): &(Name, Wanted)| (spelled(head, (schema, name), column), wanted.clone());
                Ok(Some(deletion(schema, name, &conditions.iter().map(spelled).collect::<Vec<_>>())))
            }
            several => {
                let names = words::first_of(several.iter().map(|(schema, name)| format!("{schema}.{name}")), 5, ", ");
                Err(Failure::new(Exit::Usage, format!("{table} is the name of several tables: {names}"))
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
                let one = |(column, wanted): &(Name, Wanted)| match wanted {
                    Wanted::Value(value) => serde_json::json!([column.text, value.expose()]),
                    Wanted::Null => serde_json::json!([column.text, null]),
                    Wanted::NotNull => serde_json::json!([column.text, {"not": null}]),
                };
                let all: Vec<serde_json::Value> = conditions.iter().map(one).collect();
                format!("rows {}", serde_json::json!([table, all]))
            }
        }
    }
}

/// As `lastgood rows` reads it.
fn condition(text: &Secret) -> Result<(Name, Wanted), Failure> {
    let parsed: Condition = text.expose().parse().map_err(|why: &str| {
        Failure::new(Exit::Usage, format!("a --where is no condition: {why}"))
            .hint("give it as --where COLUMN=VALUE, --where 'COLUMN is null' or --where 'COLUMN is not null'")
    })?;
    let wanted = match parsed.wanted {
        cli::Wanted::Value(value) => Wanted::Value(Secret::new(&*value)),
        cli::Wanted::Null => Wanted::Null,
        cli::Wanted::NotNull => Wanted::NotNull,
    };
    Ok((parsed.column, wanted))
}

/// A column's name as the table has it: what isn't quoted may be meant in lower case, as in SQL.
fn spelled(head: &Head, (schema, name): (&str, &str), column: &Name) -> String {
    let table = head.entries("TABLE").find(|entry| entry.schema == schema && entry.name == name);
    let definition = table.and_then(|entry| entry.definition.as_deref()).unwrap_or_default();
    let has = |column: &str| {
        [column.to_owned(), identifier(column)].iter().any(|spelled| definition.contains(&format!("\n    {spelled} ")))
    };
    let lower = column.text.to_lowercase();
    if column.quoted || has(&column.text) || !has(&lower) { column.text.clone() } else { lower }
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
        let (column, wanted) = condition(&Secret::new("email=a=b")).unwrap();
        let Wanted::Value(value) = wanted else { panic!("a value") };
        assert_eq!((column.text.as_str(), value.expose()), ("email", "a=b"));
        assert!(matches!(condition(&Secret::new("email is null")).unwrap().1, Wanted::Null));
        assert!(matches!(condition(&Secret::new("email IS NOT NULL")).unwrap().1, Wanted::NotNull));
        for wrong in ["ada@example.org", "=ada@example.org", "\"ada@example.org=1"] {
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
