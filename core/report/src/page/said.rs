//! How a database is, in few words: for the title, the table and its own section.

use catalog::words;
use jiff::SignedDuration;
use maud::{Markup, html};

use crate::data::{Database, Report};

pub(super) fn title(report: &Report) -> String {
    let wrong = report.databases.iter().filter(|one| !one.healthy).count();
    let state = match (report.databases.len(), wrong) {
        (0, _) => "no backups".to_owned(),
        (1, 0) => "healthy".to_owned(),
        (_, 0) => "all healthy".to_owned(),
        (1, _) => "UNHEALTHY".to_owned(),
        (all, wrong) => format!("{wrong} of {all} UNHEALTHY"),
    };
    format!("Last good backups: {state}")
}

/// A shape and a word: colour alone says nothing.
pub(super) fn state(one: &Database) -> Markup {
    match (one.healthy, one.retired) {
        (_, Some(_)) => html! { span.state.retired { "– retired" } },
        (true, None) => html! { span.state.good { "✓ healthy" } },
        (false, None) => html! { span.state.bad { "✕ unhealthy" } },
    }
}

pub(super) fn age(one: &Database) -> String {
    let age = one.last_good.as_ref().map(|good| words::age(SignedDuration::from_secs(good.age_seconds)));
    age.unwrap_or_else(|| "never".to_owned())
}
