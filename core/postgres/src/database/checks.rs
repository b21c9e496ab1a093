//! A query that has to return true: asked in a read-only transaction of its own, as an application would ask it, and judged
//! without telling what is in anybody's row.
//!
//! The query never passes through psql's own lexer, which obeys `\! command`: it is a text that the server hands to `\gexec`.

use serde::Deserialize;

use crate::database::counts::Within;
use crate::quote::literal;

/// How long a query may take where its user sets nothing else.
const BOUND: &str = "5min";
/// How a line begins that tells of an error.
const FAILED: &str = "lastgood: failed ";

/// What psql is asked. `settings` are `SET` statements that hold for the query.
#[must_use]
pub fn question(within: Within, settings: &[String], query: &str) -> String {
    let (begin, end) = match within {
        Within::Nothing => ("BEGIN;", "ROLLBACK;"),
        Within::Transaction => {
            ("SAVEPOINT lastgood_check;", "ROLLBACK TO SAVEPOINT lastgood_check;\nRELEASE SAVEPOINT lastgood_check;")
        }
    };
    let wrapped = wrapped(query);
    let steps = settings.iter().map(String::as_str).chain([wrapped.as_str()]);
    // Each only where the one before didn't fail: what fails next in a transaction says nothing.
    let asked = steps.rev().fold(String::new(), |next, step| {
        format!(
            "SELECT {} \\gexec\n\\if :ERROR\n\\echo '{FAILED}' :SQLSTATE :LAST_ERROR_MESSAGE\n\\else\n{next}\\endif\n",
            literal(step)
        )
    });
    // RESET ALL: as the database, the role and the server have it, and not as a session of ours.
    format!(
        "\\set ON_ERROR_STOP 0\n\\set VERBOSITY sqlstate\n{begin}\nRESET ALL;\nSET TRANSACTION READ ONLY;\n\
         SET LOCAL client_min_messages = 'error';\nSET LOCAL statement_timeout = '{BOUND}';\n\
         SELECT pg_catalog.set_config(n, '0', true) FROM pg_catalog.unnest(ARRAY['transaction_timeout',
            'idle_in_transaction_session_timeout']) n WHERE pg_catalog.current_setting(n, true) IS NOT NULL \\g /dev/null\n\
         {asked}{end}\n\\set VERBOSITY default\n\\set ON_ERROR_STOP 1\n"
    )
}

/// At most two rows of the query, each by its shape alone.
fn wrapped(query: &str) -> String {
    let first = |what: &str| format!("(SELECT {what} FROM pg_catalog.json_each(j) LIMIT 1)");
    let kind = first("pg_catalog.json_typeof(value)");
    let truth = first(
        "CASE WHEN pg_catalog.json_typeof(value) OPERATOR(pg_catalog.=) 'boolean' THEN value::pg_catalog.text END",
    );
    format!(
        "SELECT pg_catalog.row_to_json(a) FROM (SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.json_each(j)) AS columns,
            {kind} AS kind, {truth} AS truth FROM (SELECT pg_catalog.row_to_json(q) AS j FROM (\n{query}\n) AS q LIMIT 2) AS r) AS a"
    )
}

#[derive(Deserialize)]
struct Row {
    columns: u64,
    /// What JSON calls the first column's value.
    kind: Option<String>,
    truth: Option<String>,
}

/// Judges what psql answered.
///
/// # Errors
/// What came instead of true, in words without any value of a row.
pub fn verdict(answer: &str) -> Result<(), String> {
    if let Some((_, failed)) = answer.split_once(FAILED.trim_end()) {
        return Err(in_words(failed.trim()));
    }
    let rows: Result<Vec<Row>, _> = answer.lines().filter(|line| !line.is_empty()).map(serde_json::from_str).collect();
    let rows = rows.map_err(|error| format!("cannot be understood: {error}"))?;
    let [row] = rows.as_slice() else {
        return Err(if rows.is_empty() { "returned no row" } else { "returned more than one row" }.to_owned());
    };
    match (row.columns, row.kind.as_deref(), row.truth.as_deref()) {
        (1, _, Some("true")) => Ok(()),
        (1, _, Some(_)) => Err("returned f".to_owned()),
        (1, Some("null") | None, _) => Err("returned NULL".to_owned()),
        (1, Some(kind), _) => Err(format!("returned a value that is neither true nor false ({kind})")),
        (columns, ..) => Err(format!("returned {columns} columns")),
    }
}

/// An error in words. The server's own are shown where they are about the query, and not about what is in a row.
fn in_words(failed: &str) -> String {
    let (state, message) = failed.split_once(' ').unwrap_or((failed, ""));
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    match state.get(..2) {
        Some("42" | "3F" | "25" | "26" | "0A") => format!("failed: {message} ({state})"),
        _ if state == "57014" => {
            format!(
                "was cancelled, usually because it took too long: {BOUND}, or what SET statement_timeout says ({state})"
            )
        }
        _ => format!("failed with PostgreSQL's error {state}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_true_is_true() {
        let row = |columns: u64, kind: &str, truth: &str| {
            format!("{{\"columns\":{columns},\"kind\":{kind},\"truth\":{truth}}}\n")
        };
        let yes = row(1, "\"boolean\"", "\"true\"");
        assert_eq!(verdict(&yes), Ok(()));
        for (answer, expected) in [
            (String::new(), "returned no row"),
            (yes.repeat(2), "returned more than one row"),
            (row(2, "\"boolean\"", "\"true\""), "returned 2 columns"),
            (row(0, "null", "null"), "returned 0 columns"),
            (row(1, "\"boolean\"", "\"false\""), "returned f"),
            (row(1, "\"null\"", "null"), "returned NULL"),
            (row(1, "\"string\"", "null"), "returned a value that is neither true nor false (string)"),
            (
                "lastgood: failed  42P01 relation \"userz\"\ndoes not exist\n".to_owned(),
                "failed: relation \"userz\" does not exist (42P01)",
            ),
            ("lastgood: failed  22P02 invalid input: \"Ada\"\n".to_owned(), "failed with PostgreSQL's error 22P02"),
        ] {
            assert_eq!(verdict(&answer), Err(expected.to_owned()), "{answer}");
        }
    }

    #[test]
    fn a_query_reaches_psql_as_a_text_alone() {
        let question = question(Within::Nothing, &["SET search_path = 'app'".to_owned()], "SELECT '\\! rm' -- :x");
        assert!(question.contains("SELECT 'SET search_path = ''app''' \\gexec"), "{question}");
        assert!(question.contains("\\\\! rm") && !question.contains(" \\! rm"), "{question}");
    }
}
