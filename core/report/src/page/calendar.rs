//! A year of days, a month in a box. Each day has a shape besides its colour, and each month says in words how it was.

use catalog::history::DayVerdict;
use catalog::words;
use jiff::civil::Date;
use maud::{Markup, html};

use crate::data::Calendar;

pub(super) fn calendar(days: &[Calendar], place: usize) -> Markup {
    let months = days.chunk_by(|a, b| (a.day.year(), a.day.month()) == (b.day.year(), b.day.month()));
    let noted = days.iter().filter(|day| day.verdict.is_some()).count();
    html! {
        h3 id={ "c" (place) } { "The last year, day by day" }
        p.legend {
            @for verdict in [Some(DayVerdict::Good), Some(DayVerdict::Warned), Some(DayVerdict::Late),
                Some(DayVerdict::Damaged), Some(DayVerdict::Never), None] {
                span { span class={ "day " (class(verdict)) } aria-hidden="true" { (shape(verdict)) } " " (meaning(verdict)) }
            }
        }
        @if noted <= 1 {
            p.note { "A day is noted when the freshness function, or lastgood check or verify, has looked: the calendar fills from now on." }
        }
        div.months { @for month in months { (one(month)) } }
        (bad(days))
    }
}

fn one(month: &[Calendar]) -> Markup {
    let Some(first) = month.first() else { return html! {} };
    // Monday is the first column.
    let column = first.day.weekday().to_monday_one_offset();
    let called = first.day.strftime("%b %Y").to_string();
    html! {
        div.month role="img" aria-label=(in_words(&called, month)) {
            div.called { (called) }
            div.days {
                @for (place, day) in month.iter().enumerate() {
                    span class={ "day " (class(day.verdict)) } style=[(place == 0).then(|| format!("grid-column:{column}"))] {
                        (shape(day.verdict))
                    }
                }
            }
        }
    }
}

fn in_words(called: &str, month: &[Calendar]) -> String {
    let count = |verdict| month.iter().filter(|day| day.verdict == verdict).count();
    let kinds = [
        (Some(DayVerdict::Good), "good"),
        (Some(DayVerdict::Warned), "with a warning"),
        (Some(DayVerdict::Late), "late"),
        (Some(DayVerdict::Damaged), "damaged"),
        (Some(DayVerdict::Never), "without a good backup"),
        (None, "unknown"),
    ];
    let said = kinds.into_iter().filter_map(|(verdict, word)| {
        let days = count(verdict);
        (days > 0).then(|| format!("{} {word}", words::count(days as u64, "day")))
    });
    format!("{called}: {}", said.collect::<Vec<_>>().join(", "))
}

/// The days that weren't good, in words.
fn bad(days: &[Calendar]) -> Markup {
    let bad = days.iter().rev().filter(|day| day.verdict.is_some_and(|verdict| verdict != DayVerdict::Good));
    let texts: Vec<String> = bad.map(|day| format!("{} {}", spelled(day.day), word(day.verdict))).collect();
    html! {
        @if !texts.is_empty() {
            details {
                summary { (words::count(texts.len() as u64, "day")) (if texts.len() == 1 { " was" } else { " were" }) " not good" }
                p { (texts.join(", ")) }
            }
        }
    }
}

fn spelled(day: Date) -> String {
    day.strftime("%-d %b %Y").to_string()
}

fn class(verdict: Option<DayVerdict>) -> &'static str {
    match verdict {
        Some(DayVerdict::Good) => "g",
        Some(DayVerdict::Warned) => "w",
        Some(DayVerdict::Late) => "l",
        Some(DayVerdict::Damaged) => "x",
        Some(DayVerdict::Never) => "n",
        None => "u",
    }
}

fn shape(verdict: Option<DayVerdict>) -> &'static str {
    match verdict {
        Some(DayVerdict::Good) => "✓",
        Some(DayVerdict::Warned) => "!",
        Some(DayVerdict::Late) => "L",
        Some(DayVerdict::Damaged) => "✕",
        Some(DayVerdict::Never) => "0",
        None => "",
    }
}

fn word(verdict: Option<DayVerdict>) -> &'static str {
    match verdict {
        Some(DayVerdict::Good) => "good",
        Some(DayVerdict::Warned) => "warning",
        Some(DayVerdict::Late) => "late",
        Some(DayVerdict::Damaged) => "damaged",
        Some(DayVerdict::Never) => "none good",
        None => "unknown",
    }
}

fn meaning(verdict: Option<DayVerdict>) -> &'static str {
    match verdict {
        Some(DayVerdict::Good) => "good",
        Some(DayVerdict::Warned) => "something else was wrong",
        Some(DayVerdict::Late) => "too old",
        Some(DayVerdict::Damaged) => "a newer one was damaged",
        Some(DayVerdict::Never) => "no good backup",
        None => "unknown",
    }
}
