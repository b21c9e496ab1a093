//! Which of the user's own options for pg_dump a dump by several sessions honours.
//!
//! They are read as they stand, without getopt_long's short forms: what isn't known here means a dump by pg_dump alone.

/// Options that say what an archive's head has, and that all rows are read as ever; true: a value belongs to it.
const LONG: [(&str, bool); 41] = [
    ("--blobs", false),
    ("--clean", false),
    ("--create", false),
    ("--disable-triggers", false),
    ("--encoding", true),
    ("--exclude-extension", true),
    ("--exclude-schema", true),
    ("--exclude-table", true),
    ("--exclude-table-and-children", true),
    ("--exclude-table-data", true),
    ("--exclude-table-data-and-children", true),
    ("--extension", true),
    ("--extra-float-digits", true),
    ("--if-exists", false),
    ("--large-objects", false),
    ("--lock-wait-timeout", true),
    ("--no-acl", false),
    ("--no-blobs", false),
    ("--no-comments", false),
    ("--no-large-objects", false),
    ("--no-owner", false),
    ("--no-password", false),
    ("--no-policies", false),
    ("--no-privileges", false),
    ("--no-publications", false),
    ("--no-security-labels", false),
    ("--no-statistics", false),
    ("--no-subscriptions", false),
    ("--no-sync", false),
    ("--no-table-access-method", false),
    ("--no-tablespaces", false),
    ("--no-toast-compression", false),
    ("--no-unlogged-table-data", false),
    ("--quote-all-identifiers", false),
    ("--role", true),
    ("--schema", true),
    ("--statistics", false),
    ("--strict-names", false),
    ("--table", true),
    ("--table-and-children", true),
    ("--verbose", false),
];
/// Letters of such options, with and without a value.
const WITH_VALUE: &str = "EeNnTt";
const WITHOUT_VALUE: &str = "BCObcvwx";

/// What of a session the user's options change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Honoured {
    /// The role that reads.
    pub(super) role: Option<String>,
    /// `extra_float_digits`, as it was given.
    pub(super) float_digits: Option<i32>,
}

/// What `words` change, or the first of them that a dump by several sessions can't honour.
pub(super) fn honoured(words: &[String]) -> Result<Honoured, String> {
    let mut honoured = Honoured::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some((name, value)) = option(word) else { return Err(word.clone()) };
        let value = match value {
            Value::None => continue,
            Value::Within(value) => value.to_owned(),
            Value::Next => words.next().cloned().ok_or_else(|| word.clone())?,
        };
        match name {
            "--role" => honoured.role = Some(value),
            "--extra-float-digits" => {
                honoured.float_digits = Some(value.trim().parse().map_err(|_| word.clone())?);
            }
            _ => {}
        }
    }
    Ok(honoured)
}

enum Value<'a> {
    None,
    Within(&'a str),
    Next,
}

/// A known option's name, and where its value is.
fn option(word: &str) -> Option<(&str, Value<'_>)> {
    if word.starts_with("--") {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let (name, takes_value) = LONG.iter().find(|(known, _)| *known == name)?;
        return Some(match (takes_value, value) {
            (true, Some(value)) => (name, Value::Within(value)),
            (true, None) => (name, Value::Next),
            (false, None) => (name, Value::None),
            (false, Some(_)) => return None,
        });
    }
    let letters = word.strip_prefix('-').filter(|letters| !letters.is_empty())?;
    let (plain, rest) =
        letters.split_at(letters.find(|letter| !WITHOUT_VALUE.contains(letter)).unwrap_or(letters.len()));
    match rest.chars().next() {
        None => Some((plain, Value::None)),
        Some(letter) if WITH_VALUE.contains(letter) => {
            let value = rest.split_at(letter.len_utf8()).1;
            Some((rest, if value.is_empty() { Value::Next } else { Value::Within(value) }))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Honoured, String> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        honoured(&words)
    }

    #[test]
    fn what_changes_only_the_head_or_a_session_is_honoured() {
        let given = "--exclude-table-data=logs -T x -Nthings -Ox --no-comments -v --schema app --quote-all-identifiers";
        assert_eq!(of(given), Ok(Honoured::default()));
        let (role, float_digits) = (Some("two".to_owned()), Some(0));
        assert_eq!(of("--role=one --extra-float-digits 0 --role two"), Ok(Honoured { role, float_digits }));
    }

    #[test]
    fn whatever_else_is_named() {
        for word in [
            "--inserts",
            "--rows-per-insert=5",
            "-a",
            "-s",
            "--section=data",
            "--load-via-partition-root",
            "-j4",
            "--jobs=2",
            "--enable-row-security",
            "--snapshot=x",
            "--exclude-table-d=x",
            "shop",
            "-Z9",
            "--include-foreign-data=x",
            "--serializable-deferrable",
            "--no-owner=x",
            "--filter=f",
            "-",
            "--role",
            "-vXn",
            "--extra-float-digits=many",
        ] {
            assert_eq!(of(word), Err(word.to_owned()));
        }
    }
}
