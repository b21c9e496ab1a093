//! The arguments of `lastgood rows`, and its conditions and columns as they are typed. A name may stand in double quotes, as in SQL.

use ::archive::quoted_name;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::{Which, which};

#[derive(Args, Debug)]
pub(crate) struct RowsArgs {
    /// The backup: its name as `list` shows it, `latest` for the newest good one, or `latest~N` for the good one N before it.
    #[arg(value_name = "ID", default_value = "latest", conflicts_with_all = ["backup_file", "from_s3"])]
    pub(crate) id: String,
    /// Read a file that Lastgood or pg_dump made, in any format, or a folder of `pg_dump --format=directory`.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["from_s3", "repository"])]
    pub(crate) backup_file: Option<PathBuf>,
    /// Read the backup at s3://BUCKET/KEY.
    #[arg(long, value_name = "URL", conflicts_with = "repository")]
    pub(crate) from_s3: Option<String>,
    /// The table: `NAME`, or `SCHEMA.NAME` where several schemas have it. Of a partitioned table its partitions are read.
    #[arg(long, value_name = "TABLE")]
    pub(crate) table: String,
    /// Print only rows whose column has this value: `COLUMN=VALUE`, `COLUMN is null` or `COLUMN is not null`. Repeat the option
    /// for rows for which all of them hold.
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) conditions: Vec<Condition>,
    /// Print only these columns, in this order, separated by commas.
    #[arg(long, value_name = "COLUMNS")]
    pub(crate) columns: Option<ColumnList>,
    /// Print at most N rows.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Print CSV with a line of column names (default).
    #[arg(long, conflicts_with = "insert")]
    pub(crate) csv: bool,
    /// Print SQL that puts the rows back.
    #[arg(long)]
    pub(crate) insert: bool,
    /// Look only in this place: `bucket`, `directory`, the bucket's number (1 to 4), or the place's address. Default: in the
    /// directory and the first bucket; if both have a good copy, the directory's is read.
    #[arg(long, value_name = "WHICH", value_parser = which)]
    pub(crate) repository: Option<Which>,
}

/// What a row must have to be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) column: Name,
    pub(crate) wanted: Wanted,
}

/// What a column must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Null,
    NotNull,
    Value(String),
}

/// A name as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    /// It stood in quotes: it is no other name in another case.
    pub(crate) quoted: bool,
}

/// Columns, in the order in which they are printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnList(pub(crate) Vec<Name>);

const EXPECTED: &str = "expected COLUMN=VALUE, `COLUMN is null` or `COLUMN is not null`";

impl FromStr for Condition {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (quoted, rest) = match text.trim_start() {
            begin if begin.starts_with('"') => {
                let (name, rest) = quoted_name(begin).ok_or("a quote is not closed")?;
                (Some(Name { text: name, quoted: true }), rest)
            }
            _ => (None, text),
        };
        if let Some((name, value)) = rest.split_once('=') {
            let column = quoted.filter(|_| name.trim().is_empty());
            let column = column.or_else(|| plain(name)).ok_or(EXPECTED)?;
            // Blanks on both sides belong to the sign.
            let value = if name.ends_with(char::is_whitespace) { value.trim_start() } else { value };
            return Ok(Self { column, wanted: Wanted::Value(value.to_owned()) });
        }
        let words: Vec<&str> = rest.split_whitespace().collect();
        let lower: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
        let (name, words) = match (&quoted, lower.as_slice()) {
            (Some(_), words) => (None, words),
            (None, [_, words @ ..]) => (words.first().and(rest.split_whitespace().next()), words),
            (None, []) => return Err(EXPECTED),
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let wanted = match words.as_slice() {
            ["is", "null"] => Wanted::Null,
            ["is", "not", "null"] => Wanted::NotNull,
            _ => return Err(EXPECTED),
        };
        Ok(Self { column: quoted.or_else(|| plain(name?)).ok_or(EXPECTED)?, wanted })
    }
}

impl FromStr for ColumnList {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut names, mut rest) = (Vec::new(), text);
        loop {
            let (name, after) = match rest.trim_start() {
                begin if begin.starts_with('"') => {
                    let (name, after) = quoted_name(begin).ok_or("a quote is not closed")?;
                    (Some(Name { text: name, quoted: true }), after)
                }
                _ => {
                    let end = rest.find(',').unwrap_or(rest.len());
                    let (name, after) = rest.split_at(end);
                    (plain(name), after)
                }
            };
            names.push(name.ok_or("a column's name is missing")?);
            match after.trim_start() {
                "" => return Ok(Self(names)),
                after => rest = after.strip_prefix(',').ok_or("expected a comma between names")?,
            }
        }
    }
}

fn plain(name: &str) -> Option<Name> {
    let text = name.trim().to_owned();
    (!text.is_empty()).then_some(Name { text, quoted: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match text.parse::<Condition>() {
            Ok(Condition { column: Name { text, quoted }, wanted }) => {
                let quote = if quoted { "\"" } else { "" };
                format!("{quote}{text}{quote} {wanted:?}")
            }
            Err(error) => error.to_owned(),
        }
    }

    #[test]
    fn conditions_are_read_as_people_type_them() {
        for (text, expected) in [
            ("email=ann@example.com", "email Value(\"ann@example.com\")"),
            ("id = 7", "id Value(\"7\")"),
            ("note= a", "note Value(\" a\")"),
            ("note=", "note Value(\"\")"),
            ("a=b=c", "a Value(\"b=c\")"),
            ("\"a=b\"=c", "\"a=b\" Value(\"c\")"),
            ("\"E \"\"M\"\"\" is null", "\"E \"M\"\" Null"),
            ("email IS NOT NULL", "email NotNull"),
            ("email is", EXPECTED),
            ("email", EXPECTED),
            ("", EXPECTED),
            ("=x", EXPECTED),
            ("\"a", "a quote is not closed"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn columns_are_apart_by_commas() {
        let names = |text: &str| {
            text.parse::<ColumnList>().map(|list| list.0.into_iter().map(|name| name.text).collect::<Vec<_>>())
        };
        assert_eq!(names("a, b,\"c, \"\"d\"").unwrap(), ["a", "b", "c, \"d"]);
        for wrong in ["", "a,,b", "a,", "\"a", "\"a\" b"] {
            assert!(names(wrong).is_err(), "{wrong}");
        }
    }
}
