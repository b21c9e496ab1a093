//! The page: one HTML file with its style in it. It asks for nothing else, has no script, and says so to the browser.

mod calendar;
mod chart;
mod database;
mod head;
mod said;

use catalog::words;
use jiff::SignedDuration;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::said::{age, state, title};
use crate::data::{Database, Report};
use crate::text::{name, sentence, shown};

/// What a browser may load for it: nothing.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
const STYLE: &str = include_str!("page/style.css");
/// With so many databases or fewer the evidence is open.
const OPEN: usize = 3;

/// The page, as HTML.
#[must_use]
pub fn page(report: &Report) -> String {
    let is_open = report.databases.len() <= OPEN;
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                title { (title(report)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#databases" { "Skip to the databases" }
                (head::head(report))
                main #databases tabindex="-1" {
                    (overview(report))
                    @for (place, one) in report.databases.iter().enumerate() { (database::section(one, place, is_open)) }
                }
                (foot(report))
            }
        }
    };
    document.into_string()
}

/// Where there are several: one row for each.
fn overview(report: &Report) -> Markup {
    html! {
        @if report.databases.len() > 1 {
            section {
                h2 #overview { "All databases" }
                div.scroll role="region" aria-labelledby="overview" tabindex="0" {
                    table {
                        caption.unseen { "Each database's last good backup" }
                        thead { tr {
                            th scope="col" { "Database" } th scope="col" { "State" }
                            th.number scope="col" { "Last good" } th.number scope="col" { "Limit" }
                            th.number scope="col" { "Size" } th.number scope="col" { "Backups" }
                        } }
                        tbody { @for (place, one) in report.databases.iter().enumerate() { (row(one, place)) } }
                    }
                }
            }
        }
    }
}

fn row(one: &Database, place: usize) -> Markup {
    html! {
        tr {
            th.name scope="row" { a href={ "#d" (place) } { (name(&one.database)) } }
            td { (state(one)) }
            td.number { (age(one)) }
            td.number { (words::span(SignedDuration::from_secs(one.max_age_seconds))) }
            td.number { (one.last_good.as_ref().map_or_else(|| "–".to_owned(), |good| words::size(good.size))) }
            td.number { (words::grouped(one.backups)) }
        }
    }
}

fn foot(report: &Report) -> Markup {
    html! {
        footer {
            @for note in &report.notes { p { (sentence(note)) } }
            p {
                "Made " (words::minute(report.made)) " by Lastgood " (env!("CARGO_PKG_VERSION")) " from "
                (shown(&report.repository)) ". Times and days are UTC. A good backup is one that was read back to its last byte \
                and found whole."
            }
        }
    }
}
