//! A line over time, and an age against its limit. Words stand outside the picture, so they keep their size on a phone.

use std::fmt::Write as _;

use catalog::words;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use crate::data::Size;

const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 100.0;
/// Points that are drawn.
const MOST: usize = 400;

/// One line: what it is called, how a value is said, and the values.
pub(super) fn line(called: &str, say: fn(u64) -> String, points: &[(Timestamp, u64)]) -> Markup {
    let points = points.get(points.len().saturating_sub(MOST)..).unwrap_or_default();
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return html! {} };
    let most = points.iter().map(|(_, value)| *value).max().unwrap_or(0);
    let least = points.iter().map(|(_, value)| *value).min().unwrap_or(0);
    let text = format!(
        "{called}: {} on {}, {} on {}; at least {}, at most {}",
        say(first.1),
        day(first.0),
        say(last.1),
        day(last.0),
        say(least),
        say(most)
    );
    html! {
        figure {
            figcaption { (called) " " strong { (say(last.1)) } }
            div.plot {
                span.top aria-hidden="true" { (say(most)) }
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(text) {
                    title { (text) }
                    path.area d=(path(points, most, true)) {}
                    path.stroke d=(path(points, most, false)) {}
                }
                div.axis aria-hidden="true" { span { (day(first.0)) } span { (day(last.0)) } }
            }
        }
    }
}

/// From the first to the last moment, and from zero to the most.
fn path(points: &[(Timestamp, u64)], most: u64, area: bool) -> String {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let span = last.0.duration_since(first.0).as_secs_f64();
    let mut d = String::new();
    for (place, (at, value)) in points.iter().enumerate() {
        let x = if span > 0.0 { at.duration_since(first.0).as_secs_f64() / span * WIDTH } else { 0.0 };
        let y = HEIGHT - 2.0 - *value as f64 / most.max(1) as f64 * (HEIGHT - 4.0);
        // Writing to a string can't fail.
        let _ = write!(d, "{}{x:.1} {y:.1}", if place == 0 { "M" } else { "L" });
    }
    if points.len() == 1 {
        let _ = write!(d, "H{WIDTH}");
    }
    if area {
        let _ = write!(d, "V{HEIGHT}H0Z");
    }
    d
}

/// Both lines of a database.
pub(super) fn sizes(sizes: &[Size]) -> Markup {
    let bytes: Vec<_> = sizes.iter().map(|size| (size.made, size.size)).collect();
    let rows: Vec<_> = sizes.iter().filter_map(|size| Some((size.made, size.rows?))).collect();
    html! {
        div.charts {
            (line("Size of the backup", words::size, &bytes))
            (line("Rows", words::grouped, &rows))
        }
    }
}

/// An age beside its limit: the bar is full at the limit, and says by its words where it is more.
pub(super) fn age(age: i64, limit: i64) -> Markup {
    let share = (age.max(0) as f64 / limit.max(1) as f64).min(1.0) * 100.0;
    let is_late = age > limit;
    let span = |seconds| words::span(SignedDuration::from_secs(seconds));
    html! {
        p.age {
            (span(age)) " old, of " (span(limit)) " allowed"
            @if is_late { strong { " – too old" } }
            svg class=(if is_late { "bar late" } else { "bar intime" }) viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" {
                rect.all width="100" height="1" {}
                rect.part width=(format!("{share:.1}")) height="1" {}
            }
        }
    }
}

fn day(at: Timestamp) -> String {
    catalog::history::day_of(at).strftime("%-d %b %Y").to_string()
}
