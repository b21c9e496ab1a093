//! The top: one sentence for each database, and what is wrong.

use catalog::words;
use maud::{Markup, html};

use super::said::{age, title};
use crate::data::{Database, LastGood, Report};
use crate::text::{name, sentence, shown};

/// With so many databases with nothing wrong, or fewer, each has its sentence here; else the table below has them.
const WELL: usize = 8;

pub(super) fn head(report: &Report) -> Markup {
    let well = report.databases.iter().filter(|one| one.healthy).count();
    let shown_well = if well > WELL { 0 } else { well };
    html! {
        header {
            h1 { (title(report)) }
            p.where { (shown(&report.repository)) " · " (words::minute(report.made)) }
            @if report.databases.is_empty() { (nothing()) }
            @for text in &report.stack { p.wrong { strong { "The AWS stack: " } (sentence(text)) } }
            ul.said {
                @for one in report.databases.iter().filter(|one| !one.healthy) { (said(one)) }
                @for one in report.databases.iter().filter(|one| one.healthy).take(shown_well) { (said(one)) }
            }
            @if well > WELL { p.where { "✓ " (words::count(well as u64, "database")) " healthy: the table has the last good backup of each." } }
        }
    }
}

fn nothing() -> Markup {
    html! { p { "There are no backups here yet. Make the first one: " code { "lastgood backup" } } }
}

/// `shop: the last good backup is 3 hours old.`
fn said(one: &Database) -> Markup {
    html! {
        li class=(if one.healthy { "well" } else { "ill" }) {
            p {
                span.mark aria-hidden="true" { (if one.healthy { "✓" } else { "✕" }) }
                strong { (name(&one.database)) } ": " (last_good(one))
            }
            @for (place, problem) in one.problems.iter().enumerate() {
                p.wrong { (sentence(&problem.text)) }
                // Said once, after the last sentence that it is about.
                @if one.problems.get(place + 1).is_none_or(|after| after.next != problem.next) {
                    p.next { "Run: " code { (sentence(&problem.next)) } }
                }
            }
            @for note in &one.notes { p.note { (sentence(note)) } }
        }
    }
}

pub(super) fn last_good(one: &Database) -> Markup {
    let Some(good) = &one.last_good else { return html! { "there is no good backup." } };
    html! { "the last good backup is from " (age(one)) ", " (facts(good)) @if one.retired.is_some() { "; the database is retired" } "." }
}

pub(super) fn facts(good: &LastGood) -> Markup {
    html! {
        time datetime=(good.made) { (words::minute(good.made)) } ": "
        span.id { (sentence(&good.name)) } ", " (words::size(good.size))
        @if let Some(rows) = good.rows { ", " (words::grouped(rows)) " rows" }
    }
}
