//! Trying a row at a store, and judging what came of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::ground::Ground;
use super::results::Record;
use super::row::Row;
use super::trouble::Trouble;
use super::verdict::Verdict;

/// Tries a row. A panic is what was found.
pub(super) fn judge(ground: &Ground, row: &Row) -> Record {
    let began = Instant::now();
    let verdict = match catch_unwind(AssertUnwindSafe(|| (row.try_at)(ground))) {
        Ok(Ok(())) => Verdict::Good,
        Ok(Err(Trouble::Lacks(what))) => Verdict::Lacks(what),
        Ok(Err(Trouble::Failed(outcome))) => refused(ground, row, &outcome.to_string()),
        Err(panic) => Verdict::Bad(words(&*panic)),
    };
    let seconds = began.elapsed().as_secs_f64();
    Record { store: ground.store, row: row.name.to_owned(), verdict, seconds }
}

fn refused(ground: &Ground, row: &Row, said: &str) -> Verdict {
    let known = ground.store.refusals().iter().find(|known| known.row == row.name && said.contains(known.says));
    match known {
        Some(known) => Verdict::Refused(format!("`{}`: {}", error_of(said), known.why)),
        None => Verdict::Bad(said.to_owned()),
    }
}

/// Lastgood's error, without the names that differ from run to run.
fn error_of(said: &str) -> String {
    let line = said.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or(said);
    let line = line.split(" (request id ").next().unwrap_or(line);
    let words = line.split_whitespace().map(|word| if word.starts_with("s3://") { "s3://…" } else { word });
    let words = words.collect::<Vec<_>>().join(" ");
    words.trim_start_matches("s3://… ").trim_end_matches(':').to_owned()
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_without_what_differs_from_run_to_run() {
        let said = "lastgood backup: exit Some(1)\n--- stderr\nwarning: slow\nerror: s3://b/p: s3:PutObject on s3://b/k.sql.gz failed: \
                    HTTP 200:  (request id 2168)\nhint: none\n";
        assert_eq!(error_of(said), "s3:PutObject on s3://… failed: HTTP 200");
    }
}
