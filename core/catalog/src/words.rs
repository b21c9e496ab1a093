//! How values are said to people: a span of time, a moment, a number and its noun, a size, a shell word, a long list.
//! One place, so that an error, a table and a mail say the same thing in the same words.

use std::borrow::Cow;
use std::fmt::{Display, Write};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::clock::SKEW;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A span of time in the largest unit of which there are two, rounded down: `47 hours`, `2 days`. A span below zero is
/// `0 seconds`.
#[must_use]
pub fn span(span: SignedDuration) -> String {
    let (number, unit) = in_units(span);
    count(number, unit)
}

fn in_units(span: SignedDuration) -> (u64, &'static str) {
    match u64::try_from(span.as_secs()).unwrap_or(0) {
        s if s >= 2 * DAY => (s / DAY, "day"),
        s if s >= 2 * HOUR => (s / HOUR, "hour"),
        s if s >= 2 * MINUTE => (s / MINUTE, "minute"),
        s => (s, "second"),
    }
}

/// How long ago something was: `3 hours ago`; what has not come yet is `3 hours in the future`.
#[must_use]
pub fn age(span_since: SignedDuration) -> String {
    match ahead(span_since) {
        Some(by) => format!("{} in the future", span(by)),
        None => format!("{} ago", span(span_since)),
    }
}

/// The same for a column of ages: `3h`, or `3h ahead`; `m` is for minutes.
#[must_use]
pub fn short_age(span_since: SignedDuration) -> String {
    let short = |span: SignedDuration| {
        let (number, unit) = in_units(span);
        format!("{number}{}", unit.get(..1).unwrap_or_default())
    };
    match ahead(span_since) {
        Some(by) => format!("{} ahead", short(by)),
        None => short(span_since),
    }
}

/// By how much it is below zero, where that is more than clocks differ by.
fn ahead(span_since: SignedDuration) -> Option<SignedDuration> {
    (span_since < -SKEW).then(|| -span_since)
}

/// How long something took, in its two largest units: `4.2 s`, `12 min 3 s`, `2 h 5 min`.
#[must_use]
pub fn duration(taken: std::time::Duration) -> String {
    let seconds = taken.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", taken.as_secs_f64()),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// A moment to the minute: `2026-01-20 03:00 UTC`.
#[must_use]
pub fn minute(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A moment to the second: `2026-01-20 03:00:00 UTC`.
#[must_use]
pub fn second(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A number and its noun: `1 table`, `1,204,511 rows`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A number in groups of three digits: `1,204,511`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let places = (1..=digits.len()).rev();
    digits.chars().zip(places).fold(String::new(), |mut grouped, (digit, place)| {
        grouped.push(digit);
        if place % 3 == 1 && place > 1 {
            grouped.push(',');
        }
        grouped
    })
}

/// A size as people read it: `48.5 MiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    if bytes < 1024 {
        return count(bytes, "byte");
    }
    let (mut scaled, mut unit) = (bytes as f64 / 1024.0, "KiB");
    for larger in ["MiB", "GiB", "TiB", "PiB"] {
        // 1023.95 would be shown as 1024.0.
        if scaled < 1023.95 {
            break;
        }
        scaled /= 1024.0;
        unit = larger;
    }
    format!("{scaled:.1} {unit}")
}

/// A text as a shell reads it as one word. No word can hold a NUL byte: a text with one is shown escaped.
#[must_use]
pub fn shell_word(text: &str) -> String {
    shlex::try_quote(text).map_or_else(|_| text.escape_debug().to_string(), Cow::into_owned)
}

/// The first `limit` items, and how many more there are: `a, b, and 3 more`.
#[must_use]
pub fn first_of(items: impl IntoIterator<Item = impl Display>, limit: usize, separator: &str) -> String {
    let mut items = items.into_iter();
    let mut text = String::new();
    for (place, item) in items.by_ref().take(limit).enumerate() {
        // Writing to a string can't fail.
        let _ = write!(text, "{}{item}", if place == 0 { "" } else { separator });
    }
    match items.count() {
        0 => text,
        more => format!("{text}{separator}and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_use_the_largest_unit_of_which_there_are_two() {
        let shown = [-5, 1, 119, 120, 7_199, 7_200, 172_799, 172_800].map(|s| span(SignedDuration::from_secs(s)));
        assert_eq!(
            shown,
            ["0 seconds", "1 second", "119 seconds", "2 minutes", "119 minutes", "2 hours", "47 hours", "2 days"]
        );
        assert_eq!(age(SignedDuration::from_hours(3)), "3 hours ago");
        assert_eq!(
            [age, short_age].map(|say| say(SignedDuration::from_hours(-9))),
            ["9 hours in the future", "9h ahead"]
        );
        assert_eq!([age, short_age].map(|say| say(SignedDuration::from_mins(-5))), ["0 seconds ago", "0s"]);
    }

    #[test]
    fn what_something_took_is_told_in_its_two_largest_units() {
        let shown = [0, 59_940, 60_000, 3_599_999, 3_600_000, 90_061_000];
        let shown = shown.map(|millis| duration(std::time::Duration::from_millis(millis)));
        assert_eq!(shown, ["0.0 s", "59.9 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "25 h 1 min"]);
    }

    #[test]
    fn moments_are_in_utc() {
        let at = "2026-01-20T03:04:05.6+02:00".parse().unwrap();
        assert_eq!([minute(at), second(at)], ["2026-01-20 01:04 UTC", "2026-01-20 01:04:05 UTC"]);
    }

    #[test]
    fn numbers_are_written_in_groups_of_three() {
        let shown = [0, 999, 1_000, 123_456, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "123,456", "1,234,567"]);
    }

    #[test]
    fn sizes_read_like_the_tools_people_know() {
        let shown = [0, 1, 1023, 1024, 50_855_936, 1_048_575, 1 << 30, u64::MAX].map(size);
        assert_eq!(
            shown,
            ["0 bytes", "1 byte", "1,023 bytes", "1.0 KiB", "48.5 MiB", "1.0 MiB", "1.0 GiB", "16384.0 PiB"]
        );
    }

    #[test]
    fn a_shell_reads_any_text_as_one_word() {
        assert_eq!(shell_word("app_1.x"), "app_1.x");
        assert_eq!(shell_word("my app"), "'my app'");
        assert_eq!(shell_word("o'clock; rm"), r#""o'clock; rm""#);
        for text in ["", "-rf", "it's $HOME", "a\"b`c", "$'\n!", "~"] {
            assert_eq!(shlex::split(&shell_word(text)), Some(vec![text.to_owned()]), "{text}");
        }
        assert_eq!(shell_word("a\0b"), "a\\0b");
    }

    #[test]
    fn long_lists_end_with_a_number() {
        let names = ["a", "b", "c"];
        let shown = [1, 2, 3].map(|limit| first_of(names, limit, ", "));
        assert_eq!(shown, ["a, and 2 more", "a, b, and 1 more", "a, b, c"]);
        assert_eq!(first_of([] as [&str; 0], 3, ", "), "");
    }
}
